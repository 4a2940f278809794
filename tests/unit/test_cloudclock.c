/* core/cloudclock: the cloud's clock by its Date headers. */
#include "unit.h"

#include "core/cloudclock.h"

#define S    CLOCK_US_PER_S
#define WALL (1700000000 * S)

/* A moment of ours, so long after a beginning. */
static struct moment at(int64_t us)
{
	return (struct moment){.wall_us = WALL + us, .mono_us = 5000 * S + us};
}

/* An answer from a cloud whose clock is off by so much, written half way. */
static void hear(struct cloudclock *c, int64_t sent_us, int64_t took_us, int64_t off_us)
{
	int64_t there_us = WALL + sent_us + took_us / 2 + off_us;

	cloudclock_date(c, there_us / S, at(sent_us), at(sent_us + took_us));
}

static int64_t told(const struct cloudclock *c, int64_t us)
{
	int64_t cloud_us = -1;

	assert_true(cloudclock_at(c, at(us), &cloud_us));
	return cloud_us - WALL - us;
}

static void test_nothing_is_known(void **state)
{
	struct cloudclock c = {.known = false};
	int64_t us;

	(void)state;
	assert_false(cloudclock_at(&c, at(0), &us));
	hear(&c, 0, S / 10, 0);
	assert_true(cloudclock_at(&c, at(3600 * S), &us));
	assert_false(cloudclock_at(&c, at(3601 * S), &us));
	/* Another boot's clock begins anew. */
	assert_false(cloudclock_at(&c, at(-6000 * S), &us));
}

/* Both are right: to the microsecond as ours is, wherever in its second the Date was written. */
static void test_two_right_clocks(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 10; i++) {
		struct cloudclock c = {.known = false};

		hear(&c, i * S / 10, S / 20, 0);
		assert_int_equal(told(&c, i * S / 10 + S), 0);
	}
}

/* Off by whatever: within what the headers leave open, and better with each. */
static void test_off(void **state)
{
	static const int64_t offs[] = {
		-90 * S, 90 * S, -3 * S - 500000, 86400 * S, -400 * 86400 * S};

	(void)state;
	for (size_t i = 0; i < COUNT(offs); i++) {
		struct cloudclock c = {.known = false};

		for (int64_t n = 0; n < 40; n++) {
			hear(&c, n * (7 * S + 137000), S / 50, offs[i]);
			assert_in_range(
				told(&c, n * (7 * S + 137000) + S / 50) - offs[i] + S + S / 50, 0,
				2 * S + S / 25);
		}
		assert_in_range(told(&c, 300 * S) - offs[i] + S / 10, 0, S / 5);
	}
}

/* Somebody sets the cloud's clock, or ours is set while its monotonic one runs on. */
static void test_steps(void **state)
{
	struct cloudclock c = {.known = false};
	struct moment stepped = at(20 * S);
	int64_t us;

	(void)state;
	hear(&c, 0, S / 10, 0);
	hear(&c, 10 * S, S / 10, 60 * S);
	assert_in_range(told(&c, 11 * S), 59 * S - 100000, 61 * S + 100000);
	stepped.wall_us += 3600 * S;
	assert_true(cloudclock_at(&c, stepped, &us));
	assert_in_range(us - WALL - 20 * S, 59 * S - 100000, 61 * S + 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_two_right_clocks),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
