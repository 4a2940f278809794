/* core/verdict: JUDGING.md §2, §3 and the order of reasons of §7. */
#include "unit.h"

#include "base/clock.h"
#include "core/verdict.h"

#define NOW_S 1770000000LL
#define DAY_S 86400LL

static struct directory dir;
static struct links links;
static struct verdict_settings settings;
static struct verdict_context context;

static int begin(void **state)
{
	(void)state;
	directory_init(&dir, 1);
	links_init(&links, 1);
	directory_put_user(
		&dir, &(struct dir_user){"usr_1", "John", "john@example.org", "+9198", "", ""});
	directory_put_device(
		&dir, &(struct dir_device){"dev_1", "S1", "Gate", "fp", "active", "", ""});
	settings = (struct verdict_settings){
		.max_age_s = 90 * DAY_S, .max_future_s = 300, .accept_from_s = INT64_MIN};
	context = (struct verdict_context){.settings = &settings,
		.directory = &dir,
		.links = &links,
		.serial = "S1",
		.now_us = NOW_S * CLOCK_US_PER_S};
	return 0;
}

static int end(void **state)
{
	(void)state;
	links_done(&links);
	directory_done(&dir);
	return 0;
}

/* A good punch, received now. */
static struct punch sample(int64_t time_s)
{
	return (struct punch){
		.flags = FLAG_TRUSTED,
		.user_kind = USER_ID,
		.user = "usr_1",
		.time_sent = "sent",
		.type_sent = TYPE_CHECK_IN,
		.received_us = NOW_S * CLOCK_US_PER_S,
		.has_time = true,
		.time_s = time_s,
	};
}

static void assert_held(struct punch p, enum punch_reason reason)
{
	char wanted[REASON_TEXT_SIZE], got[REASON_TEXT_SIZE];

	verdict_judge(&context, &p);
	assert_string_equal(
		punch_reason_name(p.reason, got), punch_reason_name((int)reason, wanted));
	assert_int_equal(p.state, reason == REASON_NONE ? PUNCH_QUEUED : PUNCH_HELD);
}

static void test_a_good_one_is_queued(void **state)
{
	struct punch p = sample(NOW_S - 10), before = p;

	(void)state;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_int_equal(p.reason, REASON_NONE);
	assert_string_equal(p.user_id, "usr_1");
	assert_string_equal(p.device_id, "dev_1");
	assert_int_equal(p.type, TYPE_CHECK_IN);
	assert_int_equal(p.type_from, FROM_TERMINAL);
	/* facts stay, the terminal's time above all */
	assert_int_equal(p.time_s, before.time_s);
	assert_int_equal(p.received_us, before.received_us);
	assert_string_equal(p.time_sent, before.time_sent);
	assert_int_equal(p.frozen_us, 0);
	assert_int_equal(p.flags, before.flags);
}

static void test_stale_is_reckoned_from_the_receipt(void **state)
{
	(void)state;
	assert_held(sample(NOW_S - 90 * DAY_S), REASON_NONE);
	assert_held(sample(NOW_S - 90 * DAY_S - 1), REASON_STALE);
	/* a wait in the lobby makes nothing stale */
	context.now_us += 400 * DAY_S * CLOCK_US_PER_S;
	assert_held(sample(NOW_S - 90 * DAY_S), REASON_NONE);
}

static void test_before_start(void **state)
{
	(void)state;
	settings.accept_from_s = NOW_S - 100;
	assert_held(sample(NOW_S - 101), REASON_BEFORE_START);
	assert_held(sample(NOW_S - 100), REASON_NONE);
	/* before stale */
	assert_held(sample(NOW_S - 100 * DAY_S), REASON_BEFORE_START);
}

static void test_future_is_released_when_due(void **state)
{
	(void)state;
	assert_held(sample(NOW_S + 300), REASON_NONE);
	assert_held(sample(NOW_S + 301), REASON_FUTURE_TIME);
	assert_held(sample(NOW_S + DAY_S), REASON_FUTURE_TIME);
	context.now_us += (DAY_S - 301) * CLOCK_US_PER_S;
	assert_held(sample(NOW_S + DAY_S), REASON_FUTURE_TIME);
	context.now_us += CLOCK_US_PER_S;
	assert_held(sample(NOW_S + DAY_S), REASON_NONE);
}

/* More than a day ahead of its receipt: a person decides, however long it waits. */
static void test_far_future_waits_for_a_person(void **state)
{
	(void)state;
	context.now_us += 30 * DAY_S * CLOCK_US_PER_S;
	assert_held(sample(NOW_S + DAY_S), REASON_NONE);
	assert_held(sample(NOW_S + DAY_S + 1), REASON_FUTURE_TIME);
}

/* What was in time when it came is not undone by a clock that is set back. */
static void test_future_is_decided_by_the_receipt(void **state)
{
	(void)state;
	context.now_us -= DAY_S * CLOCK_US_PER_S;
	assert_held(sample(NOW_S), REASON_NONE);
	/* a setting over a day lets through what it says */
	settings.max_future_s = 3 * DAY_S;
	assert_held(sample(NOW_S + 2 * DAY_S), REASON_NONE);
}

static void test_no_time_takes_the_trusted_receipt(void **state)
{
	struct punch p = sample(0);

	(void)state;
	p.time_sent[0] = '\0';
	p.has_time = false;
	p.received_us += 999999; /* cut off towards the past */
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_true(p.has_time);
	assert_int_equal(p.time_s, NOW_S);
	p.flags &= ~(unsigned)FLAG_TRUSTED;
	verdict_judge(&context, &p);
	assert_int_equal(p.reason, REASON_NO_TIME);
	assert_false(p.has_time);
	/* judged again when the clock is trusted and the receipt corrected */
	p.flags |= FLAG_TRUSTED;
	p.received_us += 5 * CLOCK_US_PER_S;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_int_equal(p.time_s, NOW_S + 5);
	/* it waited unknown long: only a person lifts that */
	p.flags |= FLAG_WAITED;
	verdict_judge(&context, &p);
	assert_int_equal(p.reason, REASON_NO_TIME);
}

static void test_a_time_of_its_own_needs_no_trust(void **state)
{
	struct punch p = sample(NOW_S);

	(void)state;
	p.flags = FLAG_WAITED;
	assert_held(p, REASON_NONE);
}

static void test_who(void **state)
{
	static const struct {
		enum user_kind kind;
		const char *user;
		enum punch_reason reason;
	} rows[] = {
		{USER_ID, "usr_1", REASON_NONE},
		{USER_ID, "usr_2", REASON_UNKNOWN_USER},
		{USER_EMAIL, "john@example.org", REASON_NONE},
		{USER_EMAIL, "jane@example.org", REASON_UNKNOWN_USER},
		{USER_PHONE, "+9198", REASON_NONE},
		/* these need a link, whatever the directory holds */
		{USER_PIN, "usr_1", REASON_UNKNOWN_USER},
		{USER_CARD, "usr_1", REASON_UNKNOWN_USER},
		{USER_SLOT, "usr_1", REASON_UNKNOWN_USER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct punch p = sample(NOW_S);

		p.user_kind = rows[i].kind;
		punch_text_set(p.user, sizeof p.user, rows[i].user);
		assert_held(p, rows[i].reason);
	}
}

/* Each reason hides those behind it. */
static void test_order_of_reasons(void **state)
{
	struct punch p = sample(NOW_S - 200 * DAY_S);

	(void)state;
	settings.accept_from_s = NOW_S - DAY_S;
	context.serial = "S2";
	p.user[4] = '2';
	p.type_sent = TYPE_NONE;
	p.flags = FLAG_RESTORED;
	assert_held(p, REASON_RESTORED);
	p.flags = 0;
	p.time_sent[0] = '\0';
	assert_held(p, REASON_NO_TIME);
	p.time_sent[0] = 's';
	assert_held(p, REASON_BEFORE_START);
	settings.accept_from_s = INT64_MIN;
	assert_held(p, REASON_STALE);
	p.time_s = NOW_S + 1000;
	assert_held(p, REASON_FUTURE_TIME);
	p.time_s = NOW_S;
	assert_held(p, REASON_UNKNOWN_DEVICE);
	context.serial = "S1";
	assert_held(p, REASON_UNKNOWN_USER);
	p.user[4] = '1';
	assert_held(p, REASON_NO_DIRECTION);
	p.type_sent = TYPE_CHECK_OUT;
	assert_held(p, REASON_NONE);
}

/* Judging again is the ordinary case: what was found before leaves no trace. */
static void test_judged_again(void **state)
{
	struct punch p = sample(NOW_S);

	(void)state;
	punch_text_set(p.user_id, sizeof p.user_id, "usr_old");
	punch_text_set(p.device_id, sizeof p.device_id, "dev_old");
	context.serial = "S2";
	p.user[4] = '2';
	verdict_judge(&context, &p);
	assert_string_equal(p.user_id, "");
	assert_string_equal(p.device_id, "");
	directory_put_device(&dir, &(struct dir_device){"dev_2", "S2", "", "", "", "", ""});
	directory_put_user(&dir, &(struct dir_user){"usr_2", "", "", "", "", ""});
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_string_equal(p.user_id, "usr_2");
	assert_string_equal(p.device_id, "dev_2");
}

/* An id of the cloud that is too long for a row holds the punch instead of being cut. */
static void test_no_cut_ids(void **state)
{
	char id[CLOUD_ID_MAX + 2];
	struct punch p = sample(NOW_S);

	(void)state;
	memset(id, 'u', sizeof id);
	id[CLOUD_ID_MAX + 1] = '\0';
	directory_put_user(&dir, &(struct dir_user){id, "", "", "", "", ""});
	punch_text_set(p.user, sizeof p.user, id);
	assert_held(p, REASON_UNKNOWN_USER);
}

static void test_park(void **state)
{
	struct punch p = sample(NOW_S);
	char long_text[400];

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	long_text[399] = '\0';
	verdict_park(&p, REASON_BAD_TIME, long_text);
	assert_int_equal(p.state, PUNCH_PARKED);
	assert_int_equal(p.reason, REASON_BAD_TIME);
	assert_int_equal(strlen(p.error_message), REFUSAL_TEXT_MAX);
}

static void assert_parked(struct punch p, enum punch_reason reason)
{
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_PARKED);
	assert_int_equal(p.reason, reason);
}

static struct punch sample_of(const char *user, enum user_kind kind)
{
	struct punch p = sample(NOW_S);

	punch_text_set(p.user, sizeof p.user, user);
	p.user_kind = kind;
	return p;
}

static void test_unknown_users_by_setting(void **state)
{
	struct punch p = sample_of("usr_new", USER_ID);

	(void)state;
	context.users_listed = true;
	settings.unknown_user = VERDICT_PARK;
	assert_parked(p, REASON_UNKNOWN_USER);
	assert_parked(sample_of("1001", USER_PIN), REASON_UNKNOWN_USER);
	settings.unknown_user = VERDICT_FORWARD;
	assert_held(sample_of("1001", USER_PIN), REASON_UNKNOWN_USER);
	assert_held(sample_of("no@example.org", USER_EMAIL), REASON_UNKNOWN_USER);
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_string_equal(p.user_id, "usr_new");
	/* longer than an id of the cloud */
	memset(p.user, 'x', CLOUD_ID_MAX + 1);
	p.user[CLOUD_ID_MAX + 1] = '\0';
	assert_held(p, REASON_UNKNOWN_USER);
	/* other reasons come first, and hold */
	settings.unknown_user = VERDICT_PARK;
	p.time_s = NOW_S + 3600;
	assert_held(p, REASON_FUTURE_TIME);
}

static void test_unknown_devices_by_setting(void **state)
{
	struct punch p = sample(NOW_S);

	(void)state;
	context.devices_listed = true;
	context.serial = "NEW";
	settings.unknown_device = VERDICT_PARK;
	assert_parked(p, REASON_UNKNOWN_DEVICE);
	settings.unknown_device = VERDICT_FORWARD;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_string_equal(p.device_id, "NEW");
	assert_string_equal(p.user_id, "usr_1");
}

/* A list that was never read says nothing of who is not in it. */
static void test_before_the_first_lists_all_are_held(void **state)
{
	static const enum verdict_answer answers[] = {VERDICT_HOLD, VERDICT_PARK, VERDICT_FORWARD};

	(void)state;
	for (int i = 0; i < 3; i++) {
		settings.unknown_user = settings.unknown_device = answers[i];
		context.serial = "S1";
		assert_held(sample_of("usr_new", USER_ID), REASON_UNKNOWN_USER);
		context.serial = "NEW";
		assert_held(sample(NOW_S), REASON_UNKNOWN_DEVICE);
	}
}

static void test_inactive_devices(void **state)
{
	struct dir_device d = {"dev_1", "S1", "", "", "maintenance", "", ""};

	(void)state;
	directory_put_device(&dir, &d);
	assert_held(sample(NOW_S), REASON_INACTIVE_DEVICE);
	assert_held(sample_of("usr_new", USER_ID), REASON_INACTIVE_DEVICE);
	settings.inactive_device = VERDICT_FORWARD;
	assert_held(sample(NOW_S), REASON_NONE);
	settings.inactive_device = VERDICT_HOLD;
	d.status = "Active";
	directory_put_device(&dir, &d);
	assert_held(sample(NOW_S), REASON_NONE);
	d.status = "";
	directory_put_device(&dir, &d);
	assert_held(sample(NOW_S), REASON_NONE);
	/* who is gone is still forwarded */
	directory_set_missed(&dir, DIR_DEVICES, "S1", DIR_GONE);
	directory_set_missed(&dir, DIR_USERS, "usr_1", DIR_GONE);
	assert_held(sample(NOW_S), REASON_NONE);
}

static void link_it(enum user_kind kind, const char *value, const char *device, const char *user_id)
{
	assert_int_equal(links_apply(&links,
				 &(struct user_link){kind, value, device, user_id, 1, 0, "", ""}),
		0);
}

static const char *person(struct punch *p, enum user_kind kind, const char *value)
{
	p->user_kind = kind;
	punch_text_set(p->user, sizeof p->user, value);
	verdict_judge(&context, p);
	return p->user_id;
}

/* Link at that terminal, else link anywhere, else the directory; the user need not be in it. */
static void test_links_go_first(void **state)
{
	struct punch p = sample(NOW_S);

	(void)state;
	link_it(USER_PIN, "7", "", "usr_anywhere");
	link_it(USER_SLOT, "7", "S2", "usr_slot");
	assert_string_equal(person(&p, USER_PIN, "7"), "usr_anywhere");
	assert_int_equal(p.state, PUNCH_QUEUED);
	link_it(USER_PIN, "7", "S1", "usr_here");
	assert_string_equal(person(&p, USER_PIN, "7"), "usr_here");
	assert_string_equal(person(&p, USER_SLOT, "7"), "");
	assert_int_equal(p.reason, REASON_UNKNOWN_USER);
	context.serial = "S2";
	assert_string_equal(person(&p, USER_PIN, "7"), "usr_anywhere");
	assert_string_equal(person(&p, USER_SLOT, "7"), "usr_slot");
	context.serial = "S1";
	assert_string_equal(person(&p, USER_EMAIL, "john@example.org"), "usr_1");
	link_it(USER_EMAIL, "john@example.org", "", "usr_2");
	assert_string_equal(person(&p, USER_EMAIL, "john@example.org"), "usr_2");
	link_it(USER_ID, "usr_1", "", "usr_3");
	assert_string_equal(person(&p, USER_ID, "usr_1"), "usr_3");
	link_it(USER_ID, "usr_1", "", "");
	assert_string_equal(person(&p, USER_ID, "usr_1"), "usr_1");
}

/* What a person has set stands; what a person has released goes. */
static void test_a_persons_hand(void **state)
{
	struct punch p = sample(NOW_S - 100 * DAY_S);

	(void)state;
	assert_held(p, REASON_STALE);
	p.flags |= FLAG_RELEASED;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	p = sample(NOW_S + 3 * DAY_S);
	p.flags |= FLAG_RELEASED;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	/* It lifts no more than that. */
	snprintf(p.user, sizeof p.user, "usr_none");
	assert_held(p, REASON_UNKNOWN_USER);
	p.flags |= FLAG_USER_BY_HAND;
	snprintf(p.user_id, sizeof p.user_id, "usr_7");
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_string_equal(p.user_id, "usr_7");
	p.type = TYPE_CHECK_OUT;
	p.type_from = FROM_PERSON;
	verdict_judge(&context, &p);
	assert_int_equal(p.type, TYPE_CHECK_OUT);
	/* A time that was none. */
	p = sample(NOW_S);
	p.time_sent[0] = '\0';
	p.flags = FLAG_TIME_BY_HAND;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_int_equal(p.time_s, NOW_S);
}

static void test_a_released_punch_of_an_inactive_device(void **state)
{
	struct punch p = sample(NOW_S);

	(void)state;
	directory_put_device(
		&dir, &(struct dir_device){"dev_1", "S1", "Gate", "fp", "inactive", "", ""});
	assert_held(p, REASON_INACTIVE_DEVICE);
	p.flags |= FLAG_RELEASED;
	verdict_judge(&context, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_good_one_is_queued),
		CASE(test_stale_is_reckoned_from_the_receipt),
		CASE(test_before_start),
		CASE(test_future_is_released_when_due),
		CASE(test_far_future_waits_for_a_person),
		CASE(test_future_is_decided_by_the_receipt),
		CASE(test_no_time_takes_the_trusted_receipt),
		CASE(test_a_time_of_its_own_needs_no_trust),
		CASE(test_who),
		CASE(test_links_go_first),
		CASE(test_order_of_reasons),
		CASE(test_judged_again),
		CASE(test_no_cut_ids),
		CASE(test_unknown_users_by_setting),
		CASE(test_unknown_devices_by_setting),
		CASE(test_before_the_first_lists_all_are_held),
		CASE(test_inactive_devices),
		CASE(test_a_persons_hand),
		CASE(test_a_released_punch_of_an_inactive_device),
		CASE(test_park),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
