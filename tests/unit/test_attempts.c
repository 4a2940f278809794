/* daemon/attempts: the last ones each, what came before them as a sum. */
#include "unit.h"

#include "daemon/attempts.h"

static struct attempts attempts;

static void add(int64_t seq, int64_t at_us, enum api_outcome outcome, int status)
{
	const struct attempt one = {
		.seq = seq, .at_us = at_us, .outcome = outcome, .status = status};

	attempts_add(&attempts, &one);
}

/* Others, each of a punch of its own, so that the ring turns. */
static void add_others(int64_t first_seq, int count)
{
	for (int i = 0; i < count; i++)
		add(first_seq + i, first_seq + i, API_DONE, 201);
}

static int listed(int64_t seq)
{
	size_t pos = 0;
	int n = 0;

	while (attempts_next(&attempts, seq, &pos))
		n++;
	return n;
}

static int done(void **state)
{
	(void)state;
	attempts_done(&attempts);
	return 0;
}

static void test_each_is_listed_in_order(void **state)
{
	size_t pos = 0;

	(void)state;
	assert_null(attempts_next(&attempts, 1, &pos));
	add(1, 10, API_SERVER_ERROR, 503);
	add(2, 11, API_DONE, 201);
	add(1, 12, API_LOST, 0);
	assert_int_equal(attempts_next(&attempts, 1, &pos)->outcome, API_SERVER_ERROR);
	assert_int_equal(attempts_next(&attempts, 1, &pos)->at_us, 12);
	assert_null(attempts_next(&attempts, 1, &pos));
	assert_null(attempts_older(&attempts, 1));
}

static void test_what_the_ring_loses_is_summed_up(void **state)
{
	const struct attempts_older *sum;

	(void)state;
	add(1, 10, API_SERVER_ERROR, 503);
	add(1, 20, API_LOST, 0);
	add(1, 30, API_DONE, 201);
	add_others(1000, ATTEMPTS_MAX - 1);
	sum = attempts_older(&attempts, 1);
	assert_int_equal(listed(1), 1);
	assert_int_equal(sum->count, 2);
	assert_int_equal(sum->first_us, 10);
	assert_int_equal(sum->last_us, 20);
	assert_int_equal(sum->last_error, API_LOST);
	assert_int_equal(sum->status, 0);
	add_others(10000, 1);
	sum = attempts_older(&attempts, 1);
	assert_int_equal(listed(1), 0);
	assert_int_equal(sum->count, 3);
	assert_int_equal(sum->last_us, 30);
	assert_true(sum->failed);
	assert_int_equal(sum->last_error, API_LOST);
	add_others(20000, 2);
	assert_false(attempts_older(&attempts, 1001)->failed);
}

/* A punch that fails for days is remembered longer than thousands that went at once. */
static void test_failures_are_kept_longest(void **state)
{
	(void)state;
	add(1, 10, API_SERVER_ERROR, 503);
	add_others(1000, ATTEMPTS_MAX + 2 * ATTEMPTS_OLDER_MAX);
	assert_int_equal(attempts_older(&attempts, 1)->count, 1);
	assert_null(attempts_older(&attempts, 1000));
	assert_non_null(attempts_older(&attempts, 1000 + 2 * ATTEMPTS_OLDER_MAX - 1));
	assert_int_equal(attempts.older_count, ATTEMPTS_OLDER_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_each_is_listed_in_order, done),
		cmocka_unit_test_teardown(test_what_the_ring_loses_is_summed_up, done),
		cmocka_unit_test_teardown(test_failures_are_kept_longest, done),
	};

	return cmocka_run_group_tests_name("attempts", tests, NULL, NULL);
}
