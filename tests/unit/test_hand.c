/* core/hand: JUDGING.md §8 and §6, what a person may do to a punch in each state. */
#include "unit.h"

#include "base/clock.h"
#include "core/hand.h"

#define NOW_US (1770000000 * CLOCK_US_PER_S)

static const struct hand_amendment to_check_out = {.type = TYPE_CHECK_OUT, .user_id = ""};

static struct punch in(enum punch_state state, int reason)
{
	return (struct punch){.state = state,
		.reason = reason,
		.flags = FLAG_TRUSTED,
		.has_time = true,
		.time_s = 100,
		.received_us = 200 * CLOCK_US_PER_S,
		.type = TYPE_CHECK_IN,
		.type_from = FROM_ALTERNATE};
}

static struct punch frozen(enum punch_state state, int reason, unsigned flags)
{
	struct punch p = in(state, reason);

	p.frozen_us = 5;
	p.flags |= flags;
	p.wire_key[0] = 7;
	return p;
}

static const char *act(enum hand_action action, struct punch *p)
{
	struct punch before = *p;
	const char *words = hand_apply(action, &to_check_out, NOW_US, p);

	if (words)
		assert_memory_equal(p, &before, sizeof before);
	return words;
}

static void assert_refused(enum hand_action action, struct punch p, const char *gist)
{
	const char *words = act(action, &p);

	assert_non_null(words);
	assert_non_null(strstr(words, gist));
}

static void assert_done(enum hand_action action, struct punch *p)
{
	const char *words = act(action, p);

	if (words)
		fail_msg("%s: %s", hand_action_name(action), words);
}

static void test_release(void **state)
{
	static const int lifted[] = {REASON_STALE, REASON_BEFORE_START, REASON_FUTURE_TIME,
		REASON_INACTIVE_DEVICE, REASON_RESTORED};

	(void)state;
	for (size_t i = 0; i < COUNT(lifted); i++) {
		struct punch p = in(PUNCH_HELD, lifted[i]);

		p.flags |= FLAG_RESTORED;
		assert_done(HAND_RELEASE, &p);
		assert_int_equal(p.flags, FLAG_TRUSTED | FLAG_RELEASED);
		assert_int_equal(p.state, PUNCH_HELD); /* judging lets it go */
	}
	assert_refused(HAND_RELEASE, in(PUNCH_HELD, REASON_UNKNOWN_USER), "link");
	assert_refused(HAND_RELEASE, in(PUNCH_HELD, REASON_UNKNOWN_DEVICE), "add it there");
	assert_refused(HAND_RELEASE, in(PUNCH_HELD, REASON_NO_DIRECTION), "amend its type");
	assert_refused(HAND_RELEASE, in(PUNCH_HELD, REASON_NO_TIME), "amend its time");
	assert_refused(HAND_RELEASE, in(PUNCH_QUEUED, 0), "already");
	assert_refused(HAND_RELEASE, in(PUNCH_PARKED, REASON_API + 400), "retry");
	assert_refused(HAND_RELEASE, in(PUNCH_DELIVERED, 0), "delivered");
	assert_refused(HAND_RELEASE, in(PUNCH_DISCARDED, 0), "discarded");
}

static void test_release_of_double_taps(void **state)
{
	struct punch p = in(PUNCH_SUPPRESSED, REASON_DOUBLE_TAP);

	(void)state;
	assert_done(HAND_RELEASE, &p);
	assert_true(p.flags & FLAG_RELEASED);
}

/* What may have been sent goes on as it was sent. */
static void test_release_of_what_is_in_doubt(void **state)
{
	static const int held[] = {REASON_IN_DOUBT, REASON_RESTORED};

	(void)state;
	for (size_t i = 0; i < COUNT(held); i++) {
		struct punch p = frozen(PUNCH_HELD, held[i], FLAG_IN_DOUBT);

		assert_done(HAND_RELEASE, &p);
		assert_int_equal(p.state, PUNCH_QUEUED);
		assert_int_equal(p.frozen_us, 5);
		assert_int_equal(p.wire_key[0], 7);
		assert_int_equal(p.generation, 0);
	}
}

static void test_retry_after_a_definite_refusal_takes_a_new_key(void **state)
{
	static const int statuses[] = {400, 403, 404, 422};

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		struct punch p = frozen(PUNCH_PARKED, REASON_API + statuses[i], 0);

		snprintf(p.error_code, sizeof p.error_code, "gone");
		p.tries = 3;
		assert_done(HAND_RETRY, &p);
		assert_int_equal(p.frozen_us, 0);
		assert_int_equal(p.generation, 1);
		assert_int_equal(p.wire_key[0], 0);
		assert_int_equal(p.state, PUNCH_HELD);
		assert_string_equal(p.error_code, "");
		assert_int_equal(p.tries, 0);
	}
}

static void test_retry_after_anything_else_keeps_key_and_body(void **state)
{
	struct punch conflict = frozen(PUNCH_PARKED, REASON_API + 409, 0),
		     doubted = frozen(PUNCH_PARKED, REASON_API + 400, FLAG_IN_DOUBT);

	(void)state;
	assert_done(HAND_RETRY, &conflict);
	assert_done(HAND_RETRY, &doubted);
	assert_int_equal(conflict.frozen_us, 5);
	assert_int_equal(conflict.state, PUNCH_QUEUED);
	assert_int_equal(doubted.generation, 0);
	assert_int_equal(doubted.wire_key[0], 7);
}

static void test_retry_of_the_rest(void **state)
{
	struct punch by_setting = in(PUNCH_PARKED, REASON_UNKNOWN_USER);

	(void)state;
	assert_done(HAND_RETRY, &by_setting);
	assert_int_equal(by_setting.state, PUNCH_HELD);
	assert_int_equal(by_setting.generation, 0);
	assert_refused(HAND_RETRY, in(PUNCH_PARKED, REASON_MALFORMED), "discard");
	assert_refused(HAND_RETRY, in(PUNCH_PARKED, REASON_TOO_LARGE), "discard");
	assert_refused(HAND_RETRY, in(PUNCH_PARKED, REASON_CRASHED), "discard");
	assert_refused(HAND_RETRY, in(PUNCH_PARKED, REASON_BAD_TIME), "amend its time");
	assert_refused(HAND_RETRY, in(PUNCH_HELD, REASON_STALE), "not parked");
}

static void test_discard(void **state)
{
	struct punch waits = in(PUNCH_QUEUED, 0), sent = frozen(PUNCH_QUEUED, 0, 0),
		     refused = frozen(PUNCH_PARKED, REASON_API + 404, 0);

	(void)state;
	assert_done(HAND_DISCARD, &waits);
	assert_int_equal(waits.state, PUNCH_DISCARDED);
	assert_int_equal(waits.settled_us, NOW_US);
	assert_false(waits.flags & FLAG_IN_DOUBT);
	assert_done(HAND_DISCARD, &sent);
	assert_true(sent.flags & FLAG_IN_DOUBT);
	assert_done(HAND_DISCARD, &refused);
	assert_false(refused.flags & FLAG_IN_DOUBT);
	assert_refused(HAND_DISCARD, in(PUNCH_DELIVERED, 0), "the cloud has it");
	assert_refused(HAND_DISCARD, in(PUNCH_DISCARDED, 0), "already");
}

static void test_amend(void **state)
{
	const struct hand_amendment all = {
		.type = TYPE_CHECK_OUT, .has_time = true, .time_s = 50, .user_id = "usr_9"};
	struct punch p = in(PUNCH_HELD, REASON_UNKNOWN_USER);

	(void)state;
	assert_null(hand_apply(HAND_AMEND, &all, NOW_US, &p));
	assert_int_equal(p.type, TYPE_CHECK_OUT);
	assert_int_equal(p.type_from, FROM_PERSON);
	assert_int_equal(p.time_s, 50);
	assert_string_equal(p.user_id, "usr_9");
	assert_int_equal(
		p.flags, FLAG_TRUSTED | FLAG_AMENDED | FLAG_TIME_BY_HAND | FLAG_USER_BY_HAND);
	/* Only what is given. */
	p = in(PUNCH_QUEUED, 0);
	assert_done(HAND_AMEND, &p);
	assert_int_equal(p.time_s, 100);
	assert_int_equal(p.flags, FLAG_TRUSTED | FLAG_AMENDED);
}

static void test_amend_takes_the_receipt_where_it_is_right(void **state)
{
	const struct hand_amendment received = {.received = true, .user_id = ""};
	struct punch p = in(PUNCH_PARKED, REASON_BAD_TIME);

	(void)state;
	p.has_time = false;
	p.flags = 0;
	assert_non_null(strstr(hand_apply(HAND_AMEND, &received, NOW_US, &p), "give the time"));
	p.flags = FLAG_TRUSTED;
	assert_null(hand_apply(HAND_AMEND, &received, NOW_US, &p));
	assert_int_equal(p.time_s, 200);
	/* That was all it lacked. */
	assert_int_equal(p.state, PUNCH_HELD);
}

static void test_amend_of_what_may_have_been_sent(void **state)
{
	struct punch refused = frozen(PUNCH_PARKED, REASON_API + 400, 0);

	(void)state;
	assert_done(HAND_AMEND, &refused);
	assert_int_equal(refused.frozen_us, 0);
	assert_int_equal(refused.generation, 1);
	assert_int_equal(refused.state, PUNCH_PARKED); /* until it is tried again */
	assert_done(HAND_RETRY, &refused);
	assert_int_equal(refused.generation, 1);
	assert_refused(HAND_AMEND, frozen(PUNCH_QUEUED, 0, 0), "may have been sent");
	assert_refused(HAND_AMEND, frozen(PUNCH_PARKED, REASON_API + 409, 0), "may have been sent");
	assert_refused(HAND_AMEND, frozen(PUNCH_PARKED, REASON_API + 400, FLAG_IN_DOUBT),
		"may have been sent");
	assert_refused(HAND_AMEND, in(PUNCH_DELIVERED, 0), "delivered");
	assert_refused(HAND_AMEND, in(PUNCH_PARKED, REASON_MALFORMED), "discard");
}

static void test_notes(void **state)
{
	char longest[HAND_NOTE_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof longest);
	longest[HAND_NOTE_MAX] = '\0';
	assert_true(hand_note_is_sound(longest));
	longest[HAND_NOTE_MAX] = 'x';
	longest[HAND_NOTE_MAX + 1] = '\0';
	assert_false(hand_note_is_sound(longest));
	assert_true(hand_note_is_sound("she forgot, says Zoë"));
	assert_false(hand_note_is_sound("a\nb"));
	assert_false(hand_note_is_sound("\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_release_of_double_taps),
		cmocka_unit_test(test_release_of_what_is_in_doubt),
		cmocka_unit_test(test_retry_after_a_definite_refusal_takes_a_new_key),
		cmocka_unit_test(test_retry_after_anything_else_keeps_key_and_body),
		cmocka_unit_test(test_retry_of_the_rest),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_amend),
		cmocka_unit_test(test_amend_takes_the_receipt_where_it_is_right),
		cmocka_unit_test(test_amend_of_what_may_have_been_sent),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests_name("hand", tests, NULL, NULL);
}
