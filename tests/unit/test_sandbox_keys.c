/* sandbox/keys: the three ways of counting, by an argument of time. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "sandbox/keys.h"

#define WINDOW_MS 4000
#define LIMIT     5
#define BEGIN_MS  (1700000000LL * 1000) /* of a window */

static struct keys keys;
static struct keys_entry entry;
static struct keys_view view;

static void start(enum keys_counting counting, int64_t limit, int64_t window_ms)
{
	keys_entry_done(&entry);
	keys = (struct keys){.counting = counting, .per_window = limit, .window_ms = window_ms};
}

static bool take(int64_t after_ms)
{
	return keys_take(&keys, &entry, BEGIN_MS + after_ms, &view);
}

/* As many as are given at once; how many that were. */
static int take_all(int64_t after_ms)
{
	int n = 0;

	while (take(after_ms))
		n++;
	assert_int_equal(view.remaining, 0);
	return n;
}

/* When it is told to be over, in seconds behind BEGIN_MS. */
static int64_t reset_s(void)
{
	return view.reset_s - BEGIN_MS / 1000;
}

static void test_fixed(void **state)
{
	(void)state;
	start(KEYS_FIXED, LIMIT, WINDOW_MS);
	assert_true(take(3000));
	assert_int_equal(view.limit, LIMIT);
	assert_int_equal(view.remaining, LIMIT - 1);
	assert_int_equal(reset_s(), 4);
	assert_int_equal(take_all(3999), LIMIT - 1);
	assert_int_equal(take_all(4000), LIMIT);
	assert_int_equal(reset_s(), 8);
	assert_int_equal(take_all(7999), 0);
	/* Set back into the window before it, and forth again: each time another one. */
	assert_int_equal(take_all(3999), LIMIT);
	assert_int_equal(take_all(4000), LIMIT);
}

static void test_sliding(void **state)
{
	(void)state;
	start(KEYS_SLIDING, LIMIT, WINDOW_MS);
	assert_true(take(100));
	assert_int_equal(view.remaining, LIMIT - 1);
	/* When this one leaves, 4.1, rounded up. */
	assert_int_equal(reset_s(), 5);
	assert_true(take(2000));
	assert_int_equal(take_all(3000), LIMIT - 2);
	assert_int_equal(reset_s(), 5);
	/* Nothing comes back where a fixed window would turn over. */
	assert_int_equal(take_all(4099), 0);
	assert_int_equal(take_all(4100), 1);
	assert_int_equal(reset_s(), 6);
	assert_int_equal(take_all(6000), 1);
	assert_int_equal(reset_s(), 7);
	assert_int_equal(take_all(7000), LIMIT - 2);
}

/* Never more than the limit in any trailing window, at whatever times they come. */
static void test_sliding_never_more(void **state)
{
	enum { HOW_MANY = 20000, MANY = 300 };
	static int64_t accepted[HOW_MANY];
	int count = 0;
	int64_t now_ms = 0;
	unsigned chance = 1;

	(void)state;
	start(KEYS_SLIDING, MANY, WINDOW_MS);
	for (int i = 0; i < HOW_MANY; i++) {
		chance = chance * 1103515245u + 12345u;
		now_ms += chance >> 16 & 15;
		if (take(now_ms))
			accepted[count++] = now_ms;
	}
	assert_true(count > 2 * MANY);
	for (int i = MANY; i < count; i++)
		assert_true(accepted[i] - accepted[i - MANY] >= WINDOW_MS);
}

static void test_sliding_set_back(void **state)
{
	(void)state;
	start(KEYS_SLIDING, LIMIT, WINDOW_MS);
	assert_true(take(0));
	assert_int_equal(take_all(90000), LIMIT);
	/* What was used then has not been yet. */
	assert_int_equal(take_all(1000), LIMIT);
}

static void test_bucket(void **state)
{
	(void)state;
	start(KEYS_BUCKET, LIMIT, WINDOW_MS);
	assert_true(take(100));
	assert_int_equal(view.remaining, LIMIT - 1);
	/* Full again 800 ms later, rounded up. */
	assert_int_equal(reset_s(), 1);
	assert_int_equal(take_all(100), LIMIT - 1);
	assert_int_equal(reset_s(), 5);
	/* One in 800 ms, no two by waiting once. */
	assert_int_equal(take_all(899), 0);
	assert_int_equal(take_all(900), 1);
	assert_int_equal(take_all(1699), 0);
	assert_int_equal(take_all(1700 + 800), 2);
	assert_int_equal(take_all(60000), LIMIT);
	/* Set back: nothing is won, and it fills from there. */
	assert_int_equal(take_all(1000), 0);
	assert_int_equal(take_all(1800), 1);
}

static void test_another_plan(void **state)
{
	static const enum keys_counting all[] = {KEYS_FIXED, KEYS_SLIDING, KEYS_BUCKET};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		start(all[i], LIMIT, WINDOW_MS);
		assert_int_equal(take_all(0), LIMIT);
		keys.per_window = 3 * LIMIT;
		assert_true(take(0));
		assert_int_equal(view.limit, 3 * LIMIT);
		assert_int_equal(view.remaining, 2 * LIMIT - 1);
		keys.per_window = 1;
		assert_false(take(0));
		assert_int_equal(view.remaining, 0);
	}
}

/* A day of the largest plan is reckoned without overflow. */
static void test_large(void **state)
{
	(void)state;
	start(KEYS_BUCKET, 1000000, 24 * 3600000LL);
	assert_int_equal(take_all(0), 1000000);
	assert_int_equal(reset_s(), 24 * 3600);
	/* 87 ms are the first whole request. */
	assert_int_equal(take_all(86), 0);
	assert_int_equal(take_all(87), 1);
	start(KEYS_SLIDING, 1000000, 24 * 3600000LL);
	assert_int_equal(take_all(0), 1000000);
	assert_int_equal(take_all(24 * 3600000LL - 1), 0);
	assert_int_equal(take_all(24 * 3600000LL), 1000000);
}

static int teardown(void **state)
{
	(void)state;
	keys_entry_done(&entry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_sliding),
		cmocka_unit_test(test_sliding_never_more),
		cmocka_unit_test(test_sliding_set_back),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_another_plan),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("sandbox_keys", tests, NULL, teardown);
}
