/* core/skew: a median that one odd punch does not move. */
#include "unit.h"

#include "base/clock.h"
#include "core/skew.h"

#define NOW_S 1770000000LL

/* A punch that the terminal showed at shown_s and that came late_ms after it was tapped. */
static void tap(struct skew *s, int64_t shown_s, int64_t late_ms)
{
	skew_add(s, shown_s, (NOW_S * 1000 + 500 + late_ms) * 1000);
}

static int64_t known(const struct skew *s)
{
	int64_t ms;

	assert_true(skew_ms(s, &ms));
	return ms;
}

static void test_nothing_is_said_of_two(void **state)
{
	struct skew s = {.count = 0};
	int64_t ms;

	(void)state;
	tap(&s, NOW_S + 420, 0);
	tap(&s, NOW_S + 420, 0);
	assert_false(skew_ms(&s, &ms));
	tap(&s, NOW_S + 420, 0);
	assert_int_equal(known(&s), 420000);
}

static void test_ahead_is_positive(void **state)
{
	struct skew s = {.count = 0};

	(void)state;
	for (int i = 0; i < 3; i++)
		tap(&s, NOW_S - 30, 200);
	assert_int_equal(known(&s), -30200);
}

static void test_late_ones_do_not_count(void **state)
{
	struct skew s = {.count = 0};

	(void)state;
	for (int i = 0; i < 5; i++)
		tap(&s, NOW_S + 7, 100);
	for (int i = 0; i < 4; i++)
		tap(&s, NOW_S - 86400, 0);
	assert_int_equal(known(&s), 6900);
	/* What is so for longer is so. */
	tap(&s, NOW_S - 86400, 0);
	assert_int_equal(known(&s), -86400000);
}

static void test_only_the_last_few(void **state)
{
	struct skew s = {.count = 0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		tap(&s, NOW_S + 420, 0);
	for (int i = 0; i < SKEW_SAMPLES; i++)
		tap(&s, NOW_S, 0);
	assert_int_equal(known(&s), 0);
	skew_forget(&s);
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_said_of_two),
		cmocka_unit_test(test_ahead_is_positive),
		cmocka_unit_test(test_late_ones_do_not_count),
		cmocka_unit_test(test_only_the_last_few),
	};

	return cmocka_run_group_tests_name("skew", tests, NULL, NULL);
}
