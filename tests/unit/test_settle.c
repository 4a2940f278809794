/* core/settle: what becomes of a punch after each outcome (CLOUD-API.md, Errors; JUDGING.md §6). */
#include "unit.h"

#include "core/settle.h"

static void test_steps(void **state)
{
	static const struct {
		enum api_outcome outcome;
		enum settle_step first, second; /* without a 409 before, and with one */
	} rows[] = {
		{API_DONE, SETTLE_DELIVERED, SETTLE_DELIVERED},
		{API_DONE_NO_ID, SETTLE_DELIVERED, SETTLE_DELIVERED},
		{API_GARBLED, SETTLE_IN_DOUBT, SETTLE_IN_DOUBT},
		{API_REFUSED, SETTLE_PARKED, SETTLE_PARKED},
		{API_CONFLICT, SETTLE_LATER, SETTLE_PARKED},
		{API_UNAUTHORIZED, SETTLE_AGAIN, SETTLE_AGAIN},
		{API_FORBIDDEN, SETTLE_SUSPECT, SETTLE_SUSPECT},
		{API_RATE_LIMITED, SETTLE_AGAIN, SETTLE_AGAIN},
		{API_SERVER_ERROR, SETTLE_AGAIN, SETTLE_AGAIN},
		{API_SERVER_DOUBT, SETTLE_IN_DOUBT, SETTLE_IN_DOUBT},
		{API_ROAD_FAULT, SETTLE_AGAIN, SETTLE_AGAIN},
		{API_NEVER_LEFT, SETTLE_THAW, SETTLE_THAW},
		{API_LOST, SETTLE_IN_DOUBT, SETTLE_IN_DOUBT},
		{API_CANCELLED, SETTLE_IN_DOUBT, SETTLE_IN_DOUBT},
		/* what nobody knows is never taken for a no */
		{(enum api_outcome)99, SETTLE_IN_DOUBT, SETTLE_IN_DOUBT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(settle_step(rows[i].outcome, 0, false), rows[i].first);
		assert_int_equal(settle_step(rows[i].outcome, 1, false), rows[i].second);
		assert_int_equal(settle_step(rows[i].outcome, 2, false), rows[i].second);
		/* What is in doubt is held where that is the rule, and nothing else is. */
		assert_int_equal(settle_step(rows[i].outcome, 0, true),
			rows[i].first == SETTLE_IN_DOUBT ? SETTLE_HOLD : rows[i].first);
		assert_int_equal(settle_step(rows[i].outcome, 1, true),
			rows[i].second == SETTLE_IN_DOUBT ? SETTLE_HOLD : rows[i].second);
	}
}

static struct punch frozen(unsigned flags)
{
	return (struct punch){.state = PUNCH_QUEUED,
		.flags = flags,
		.frozen_us = 55,
		.user_id = "usr_1",
		.device_id = "dev_1",
		.type = TYPE_CHECK_IN,
		.wire_key = {1, 2, 3}};
}

static struct settle_facts facts(enum api_outcome outcome)
{
	return (struct settle_facts){.outcome = outcome,
		.status = 201,
		.att_id = "att_1",
		.code = "",
		.message = "",
		.param = "",
		.tries = 3,
		.now_us = 777};
}

static void test_delivered(void **state)
{
	struct punch p = frozen(FLAG_IN_DOUBT | FLAG_LIVE);
	struct settle_facts f = facts(API_DONE);

	(void)state;
	settle_apply(&p, SETTLE_DELIVERED, &f);
	assert_int_equal(p.state, PUNCH_DELIVERED);
	assert_int_equal(p.reason, REASON_NONE);
	assert_string_equal(p.att_id, "att_1");
	assert_int_equal(p.settled_us, 777);
	assert_int_equal(p.tries, 3);
	assert_int_equal(p.frozen_us, 55);
	/* It stands in the list of those that a cloud which ignores keys may hold twice. */
	assert_int_equal(p.flags, FLAG_LIVE | FLAG_IN_DOUBT);
}

static void test_delivered_without_an_id(void **state)
{
	char long_id[CLOUD_ID_MAX + 2];
	struct settle_facts f = facts(API_DONE_NO_ID);
	struct punch p = frozen(0);

	(void)state;
	f.att_id = "";
	settle_apply(&p, SETTLE_DELIVERED, &f);
	assert_int_equal(p.flags, FLAG_NO_ID);
	/* an id that does not fit is none */
	memset(long_id, 'a', sizeof long_id);
	long_id[CLOUD_ID_MAX + 1] = '\0';
	f = facts(API_DONE);
	f.att_id = long_id;
	p = frozen(0);
	settle_apply(&p, SETTLE_DELIVERED, &f);
	assert_int_equal(p.state, PUNCH_DELIVERED);
	assert_string_equal(p.att_id, "");
	assert_int_equal(p.flags, FLAG_NO_ID);
}

static void test_refused(void **state)
{
	struct settle_facts f = facts(API_REFUSED);
	struct punch p = frozen(FLAG_IN_DOUBT);

	(void)state;
	f.status = 422;
	f.code = "invalid_request";
	f.message = "no such user";
	f.param = "user_id";
	settle_apply(&p, SETTLE_PARKED, &f);
	assert_int_equal(p.state, PUNCH_PARKED);
	assert_int_equal(p.reason, REASON_API + 422);
	assert_string_equal(p.error_code, "invalid_request");
	assert_string_equal(p.error_message, "no such user");
	assert_string_equal(p.error_param, "user_id");
	assert_int_equal(p.tries, 3);
	assert_int_equal(p.settled_us, 0); /* parked is not settled */
	assert_true(p.flags & FLAG_IN_DOUBT);
	assert_int_equal(p.frozen_us, 55);
}

/* Thawed only where nothing that was ever sent may have arrived. */
static void test_thaw(void **state)
{
	struct settle_facts f = facts(API_NEVER_LEFT);
	struct punch p = frozen(0), doubtful = frozen(FLAG_IN_DOUBT);

	(void)state;
	settle_apply(&p, SETTLE_THAW, &f);
	assert_int_equal(p.frozen_us, 0);
	assert_int_equal(p.state, PUNCH_QUEUED);
	settle_apply(&doubtful, SETTLE_THAW, &f);
	assert_int_equal(doubtful.frozen_us, 55);
	assert_true(doubtful.flags & FLAG_IN_DOUBT);
}

static void test_held(void **state)
{
	struct punch p = frozen(FLAG_RELEASED), wanted = p;
	struct settle_facts f = facts(API_LOST);

	(void)state;
	settle_apply(&p, SETTLE_HOLD, &f);
	wanted.state = PUNCH_HELD;
	wanted.reason = REASON_IN_DOUBT;
	wanted.flags = FLAG_RELEASED | FLAG_IN_DOUBT;
	assert_memory_equal(&p, &wanted, sizeof p);
}

static void test_what_goes_again_keeps_its_body(void **state)
{
	static const struct {
		enum settle_step step;
		unsigned flags;
	} rows[] = {{SETTLE_AGAIN, 0}, {SETTLE_SUSPECT, 0}, {SETTLE_IN_DOUBT, FLAG_IN_DOUBT},
		{SETTLE_LATER, FLAG_IN_DOUBT}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settle_facts f = facts(API_LOST);
		struct punch p = frozen(0), wanted = frozen(rows[i].flags);

		settle_apply(&p, rows[i].step, &f);
		assert_memory_equal(&p, &wanted, sizeof p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_delivered),
		cmocka_unit_test(test_delivered_without_an_id),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_thaw),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_what_goes_again_keeps_its_body),
	};

	return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
