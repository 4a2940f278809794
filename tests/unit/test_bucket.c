/* base/bucket: bursts, refill, and clocks that stand still. */
#include "unit.h"

#include "base/bucket.h"

static void test_burst_then_rate(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 100, 3);
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(&b, 1000));
	assert_false(bucket_take(&b, 1000));
	assert_false(bucket_take(&b, 1099));
	assert_true(bucket_take(&b, 1100));
	assert_false(bucket_take(&b, 1100));
}

static void test_full_again_after_a_pause(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 100, 3);
	while (bucket_take(&b, 0))
		;
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(&b, 1000000));
	assert_false(bucket_take(&b, 1000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_full_again_after_a_pause),
	};

	return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
