/* base/backoff: the ceiling doubles up to max, and the wait is even in what lies below. */
#include "unit.h"

#include "base/backoff.h"

static void test_ceiling_doubles_to_max(void **state)
{
	static const int64_t ceilings[] = {1000, 2000, 4000, 8000, 16000, 20000, 20000};
	struct backoff b;

	(void)state;
	backoff_init(&b, 1000, 20000);
	for (size_t i = 0; i < COUNT(ceilings); i++) {
		struct backoff low = b, high = b;

		assert_int_equal(backoff_next_ms(&low, 0), 1000);
		assert_int_equal(
			backoff_next_ms(&high, (uint64_t)(ceilings[i] - 1000)), ceilings[i]);
		/* one more begins at min again: nothing is above the ceiling */
		assert_int_equal(backoff_next_ms(&b, (uint64_t)(ceilings[i] - 999)), 1000);
	}
}

static void test_success_begins_again(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 10, 1000);
	for (int i = 0; i < 5; i++)
		backoff_next_ms(&b, 7);
	assert_true(backoff_next_ms(&b, 300) > 10);
	backoff_reset(&b);
	assert_int_equal(backoff_next_ms(&b, UINT64_MAX), 10);
}

static void test_extremes(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 1, INT64_MAX - 1);
	for (int i = 0; i < 200; i++)
		assert_true(backoff_next_ms(&b, UINT64_MAX) >= 1);
	assert_int_equal(b.ceiling_ms, INT64_MAX - 1);
	backoff_init(&b, 5, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(backoff_next_ms(&b, 12345), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ceiling_doubles_to_max),
		cmocka_unit_test(test_success_begins_again),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
