/* api/circuit: closing, one probe, epochs, waits. */
#include "unit.h"

#include <limits.h>

#include "api/circuit.h"

#define S        1000000LL
#define MIN_MS   1000
#define MAX_MS   8000
#define AUTH_MS  60000
#define NO_RETRY (-1)

static struct circuit c;
static int64_t wait_us;

static void begin(void)
{
	circuit_init(&c, MIN_MS, MAX_MS, AUTH_MS);
}

static int room(int64_t now_us)
{
	return circuit_room(&c, now_us, &wait_us);
}

static void send_and_end(enum api_outcome outcome, int64_t now_us, uint64_t random)
{
	circuit_ended(&c, circuit_sent(&c), outcome, NO_RETRY, now_us, random);
}

static void test_what_closes(void **state)
{
	static const struct {
		enum api_outcome outcome;
		enum circuit_cause cause;
	} rows[] = {
		{API_DONE, CIRCUIT_OPEN_ROAD},
		{API_DONE_NO_ID, CIRCUIT_OPEN_ROAD},
		{API_REFUSED, CIRCUIT_OPEN_ROAD},
		{API_CONFLICT, CIRCUIT_OPEN_ROAD},
		{API_FORBIDDEN, CIRCUIT_OPEN_ROAD},
		{API_RATE_LIMITED, CIRCUIT_OPEN_ROAD},
		{API_CANCELLED, CIRCUIT_OPEN_ROAD},
		{(enum api_outcome)99, CIRCUIT_OPEN_ROAD},
		{API_UNAUTHORIZED, CIRCUIT_AUTH},
		{API_SERVER_ERROR, CIRCUIT_SERVER},
		{API_SERVER_DOUBT, CIRCUIT_SERVER},
		{API_GARBLED, CIRCUIT_GARBLED},
		{API_ROAD_FAULT, CIRCUIT_GARBLED},
		{API_NEVER_LEFT, CIRCUIT_OFFLINE},
		{API_LOST, CIRCUIT_OFFLINE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		begin();
		send_and_end(rows[i].outcome, 0, 0);
		assert_int_equal(c.cause, rows[i].cause);
		assert_int_equal(room(0), rows[i].cause == CIRCUIT_OPEN_ROAD ? INT_MAX : 0);
		assert_int_equal(circuit_probing(&c), rows[i].cause != CIRCUIT_OPEN_ROAD);
	}
}

static void test_one_probe(void **state)
{
	uint64_t probe;

	(void)state;
	begin();
	send_and_end(API_LOST, 0, 0);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, S);
	assert_int_equal(room(S - 1), 0);
	assert_int_equal(room(S), 1);
	assert_int_equal(wait_us, 0);
	probe = circuit_sent(&c);
	assert_int_equal(room(100 * S), 0);
	assert_int_equal(wait_us, -1);
	circuit_ended(&c, probe, API_DONE, NO_RETRY, 100 * S, 0);
	assert_int_equal(room(100 * S), 2);
	assert_false(circuit_probing(&c));
}

/* Two at once after the probe, one more with each success; what was under way before says nothing. */
static void test_opens_by_degrees(void **state)
{
	uint64_t epochs[8], old;

	(void)state;
	begin();
	old = circuit_sent(&c);
	send_and_end(API_LOST, 0, 0);
	send_and_end(API_DONE, S, 0);
	epochs[0] = circuit_sent(&c);
	epochs[1] = circuit_sent(&c);
	assert_int_equal(room(S), 0);
	assert_int_equal(wait_us, -1);
	circuit_ended(&c, old, API_DONE, NO_RETRY, S, 0);
	assert_int_equal(room(S), 0);
	circuit_ended(&c, epochs[0], API_DONE, NO_RETRY, S, 0);
	assert_int_equal(room(S), 2);
	circuit_ended(&c, epochs[1], API_REFUSED, NO_RETRY, S, 0);
	assert_int_equal(room(S), 4);
	for (int i = 0; i < 252; i++)
		send_and_end(API_DONE, S, 0);
	assert_int_equal(room(S), 256);
	send_and_end(API_DONE, S, 0);
	assert_int_equal(room(S), INT_MAX);
	send_and_end(API_LOST, S, 0);
	send_and_end(API_DONE, 2 * S, 0);
	assert_int_equal(room(2 * S), 2);
}

/* Each failed probe doubles the longest wait, and the wait is drawn from all of it. */
static void test_backoff_with_full_jitter(void **state)
{
	static const int64_t ceilings_s[] = {1, 2, 4, 8, 8};
	int64_t now_us = 0;

	(void)state;
	begin();
	for (int i = 0; i < 5; i++) {
		int64_t span_ms = ceilings_s[i] * 1000 - MIN_MS;

		send_and_end(API_LOST, now_us, (uint64_t)span_ms);
		room(now_us);
		assert_int_equal(wait_us, ceilings_s[i] * S);
		now_us += wait_us;
	}
	send_and_end(API_LOST, now_us, 1234);
	room(now_us);
	assert_int_equal(wait_us, (MIN_MS + 1234) * 1000);
	now_us += wait_us;
	send_and_end(API_DONE, now_us, 0);
	send_and_end(API_LOST, now_us, 999999);
	room(now_us);
	assert_int_equal(wait_us, S); /* it begins anew */
}

static void test_auth_waits_for_its_own_time(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 3; i++) {
		send_and_end(API_UNAUTHORIZED, 0, 12345);
		room(0);
		assert_int_equal(wait_us, AUTH_MS * 1000);
	}
}

static void test_retry_after_of_the_server(void **state)
{
	(void)state;
	begin();
	circuit_ended(&c, circuit_sent(&c), API_SERVER_ERROR, 30 * S, 0, 0);
	room(0);
	assert_int_equal(wait_us, 30 * S);
	/* Not a reason to forget the backoff. */
	send_and_end(API_SERVER_ERROR, 30 * S, 1000);
	room(30 * S);
	assert_int_equal(wait_us, 2 * S);
}

/* Eight in flight, all fail: one failure, not eight. */
static void test_only_the_first_failure_counts(void **state)
{
	uint64_t epochs[8];

	(void)state;
	begin();
	for (int i = 0; i < 8; i++)
		epochs[i] = circuit_sent(&c);
	for (int i = 0; i < 8; i++)
		circuit_ended(&c, epochs[i], API_LOST, NO_RETRY, i * S, 0);
	assert_int_equal(c.until_us, S);
	assert_int_equal(c.backoff.ceiling_ms, MIN_MS);
}

/* Nor does a success of that time open it, nor end the probe that runs. */
static void test_old_answers_say_nothing(void **state)
{
	uint64_t first, second, probe;

	(void)state;
	begin();
	first = circuit_sent(&c);
	second = circuit_sent(&c);
	circuit_ended(&c, first, API_SERVER_ERROR, NO_RETRY, 0, 0);
	probe = circuit_sent(&c);
	circuit_ended(&c, second, API_DONE, NO_RETRY, S, 0);
	assert_true(circuit_probing(&c));
	assert_int_equal(room(2 * S), 0);
	assert_int_equal(wait_us, -1);
	circuit_ended(&c, probe, API_DONE, NO_RETRY, 2 * S, 0);
	assert_false(circuit_probing(&c));
}

static void test_probe_that_is_cancelled(void **state)
{
	(void)state;
	begin();
	send_and_end(API_LOST, 0, 0);
	send_and_end(API_CANCELLED, S, 0);
	assert_true(circuit_probing(&c));
	assert_int_equal(room(S), 1);
}

/* One that was not counted takes no probe's place, and yet tells. */
static void test_what_is_only_heard(void **state)
{
	uint64_t epoch;

	(void)state;
	begin();
	epoch = c.epoch;
	circuit_heard(&c, epoch, API_CANCELLED, NO_RETRY, 0, 0);
	circuit_heard(&c, epoch, API_DONE, NO_RETRY, 0, 0);
	assert_int_equal(c.in_flight, 0);
	circuit_heard(&c, epoch, API_UNAUTHORIZED, NO_RETRY, 0, 0);
	assert_int_equal(c.cause, CIRCUIT_AUTH);
	circuit_heard(&c, epoch, API_DONE, NO_RETRY, 0, 0); /* it was sent before */
	assert_int_equal(c.cause, CIRCUIT_AUTH);
	circuit_sent(&c); /* the probe */
	circuit_heard(&c, c.epoch, API_CANCELLED, NO_RETRY, 0, 0);
	assert_true(c.probing);
	circuit_heard(&c, c.epoch, API_DONE, NO_RETRY, 0, 0);
	assert_int_equal(c.cause, CIRCUIT_OPEN_ROAD);
}

static void test_resume(void **state)
{
	uint64_t old;

	(void)state;
	begin();
	send_and_end(API_LOST, 0, 0);
	old = circuit_sent(&c);
	circuit_resume(&c);
	assert_int_equal(room(0), 2);
	circuit_ended(&c, old, API_LOST, NO_RETRY, 0, 0);
	assert_int_equal(room(0), 2);
	assert_int_equal(c.backoff.ceiling_ms, 0);
	/* Where all is well nothing changes. */
	begin();
	circuit_resume(&c);
	assert_int_equal(room(0), INT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_closes),
		cmocka_unit_test(test_one_probe),
		cmocka_unit_test(test_opens_by_degrees),
		cmocka_unit_test(test_backoff_with_full_jitter),
		cmocka_unit_test(test_auth_waits_for_its_own_time),
		cmocka_unit_test(test_retry_after_of_the_server),
		cmocka_unit_test(test_only_the_first_failure_counts),
		cmocka_unit_test(test_old_answers_say_nothing),
		cmocka_unit_test(test_probe_that_is_cancelled),
		cmocka_unit_test(test_what_is_only_heard),
		cmocka_unit_test(test_resume),
	};

	return cmocka_run_group_tests_name("circuit", tests, NULL, NULL);
}
