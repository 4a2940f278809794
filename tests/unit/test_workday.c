/* core/workday: where a working day turns over. */
#include "unit.h"

#include "base/time.h"
#include "core/workday.h"

static struct zone *zone;

static int load(void **state)
{
	(void)state;
	return zone_load("Europe/Berlin", &zone);
}

static int unload(void **state)
{
	(void)state;
	zone_free(zone);
	return 0;
}

static int32_t day_of(int32_t start_s, const char *text)
{
	int64_t t;

	assert_int_equal(time_parse_rfc3339(text, &t), 0);
	return workday_of(zone, start_s, t);
}

static int32_t date(int64_t year, int month, int day)
{
	return (int32_t)time_days_from_civil(year, month, day);
}

static void test_turns_over_at_day_start(void **state)
{
	(void)state;
	assert_int_equal(day_of(14400, "2026-02-01T03:59:59+01:00"), date(2026, 1, 31));
	assert_int_equal(day_of(14400, "2026-02-01T04:00:00+01:00"), date(2026, 2, 1));
	assert_int_equal(day_of(14400, "2026-02-02T03:59:59+01:00"), date(2026, 2, 1));
	assert_int_equal(day_of(0, "2026-02-01T00:00:00+01:00"), date(2026, 2, 1));
	assert_int_equal(day_of(0, "2026-01-31T23:59:59+01:00"), date(2026, 1, 31));
	assert_int_equal(day_of(86399, "2026-02-01T23:59:58+01:00"), date(2026, 1, 31));
}

/* The zone is the site's, summer time included; what the terminal wrote does not matter. */
static void test_in_the_sites_zone(void **state)
{
	(void)state;
	assert_int_equal(day_of(14400, "2026-07-01T02:00:00Z"), date(2026, 7, 1));
	assert_int_equal(day_of(14400, "2026-07-01T01:59:59Z"), date(2026, 6, 30));
	assert_int_equal(day_of(14400, "2026-12-31T23:00:00-11:00"), date(2027, 1, 1));
	assert_int_equal(day_of(14400, "2026-03-29T01:59:59Z"), date(2026, 3, 28));
	assert_int_equal(day_of(14400, "2026-03-29T02:00:00Z"), date(2026, 3, 29));
}

static void test_before_1970(void **state)
{
	(void)state;
	assert_int_equal(day_of(0, "1970-01-01T00:00:00+01:00"), 0);
	assert_int_equal(day_of(0, "1969-12-31T23:59:59+01:00"), -1);
	assert_int_equal(day_of(14400, "1969-12-31T04:00:00+01:00"), -1);
	assert_int_equal(day_of(14400, "1969-12-31T03:59:59+01:00"), -2);
}

/* Every hour of three years, with both changes of the clock, lies in the span of its day. */
static void test_span(void **state)
{
	int64_t from_s, to_s, begin_s = 1767222000;

	(void)state;
	for (int64_t t = begin_s; t < begin_s + 3 * 366 * 86400LL; t += 1800) {
		workday_span(zone, 14400, workday_of(zone, 14400, t), &from_s, &to_s);
		assert_true(from_s <= t && t <= to_s);
		assert_true(to_s - from_s <= 40 * 3600);
	}
}

/* Samoa had no 30 December 2011. */
static void test_span_without_a_day(void **state)
{
	struct zone *apia;
	int64_t from_s, to_s;

	(void)state;
	assert_int_equal(zone_load("Pacific/Apia", &apia), 0);
	for (int64_t t = 1324900000; t < 1325600000; t += 1800) {
		workday_span(apia, 14400, workday_of(apia, 14400, t), &from_s, &to_s);
		assert_true(from_s <= t && t <= to_s);
	}
	zone_free(apia);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns_over_at_day_start),
		cmocka_unit_test(test_in_the_sites_zone),
		cmocka_unit_test(test_before_1970),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_span_without_a_day),
	};

	return cmocka_run_group_tests_name("workday", tests, load, unload);
}
