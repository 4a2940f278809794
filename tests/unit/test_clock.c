/* base/clock: the only reader of clocks, against what the system says otherwise. */
#include "unit.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/clock.h"

static int64_t wall_us(void)
{
	struct timespec ts;

	timespec_get(&ts, TIME_UTC);
	return ts.tv_sec * CLOCK_US_PER_S + ts.tv_nsec / 1000;
}

static void test_now(void **state)
{
	int64_t before_us = wall_us();
	struct moment a = clock_now(), b = clock_now();
	int64_t after_us = wall_us();

	(void)state;
	assert_true(a.wall_us >= before_us - 1 && b.wall_us <= after_us + 1);
	assert_true(a.mono_us > 0 && b.mono_us >= a.mono_us);
	assert_true(clock_synchronized() || !clock_synchronized());
}

static void test_boot_id(void **state)
{
	char id[37], again[37];

	(void)state;
	assert_int_equal(clock_boot_id(id), 0);
	assert_int_equal(clock_boot_id(again), 0);
	assert_string_equal(id, again);
	assert_int_equal(strlen(id), 36);
	for (int i = 0; i < 36; i++)
		assert_true(i == 8 || i == 13 || i == 18 || i == 23
				? id[i] == '-'
				: isxdigit((unsigned char)id[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_boot_id),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
