/* core/calendar: days of the week, holidays, and which days are worked. */
#include "core/calendar.h"

#include <errno.h>

#include "base/time.h"
#include "unit.h"

static void test_week(void **state)
{
	static const struct {
		const char *text;
		int64_t week;
	} good[] = {
		{"mon tue wed thu fri", 0x1f},
		{"  sun   mon ", 0x41},
		{"mon tue wed thu fri sat sun", CALENDAR_WEEK},
	};
	static const char *const bad[] = {
		"", "  ", "monday", "Mon", "mon,tue", "mon mon", "m", "mon tue 3", "mont"};
	int64_t week = -1;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(calendar_parse_week(good[i].text, &week), 0);
		assert_int_equal(week, good[i].week);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(calendar_parse_week(bad[i], &week), -EINVAL);
}

static void test_week_is_printed_as_it_is_read(void **state)
{
	struct buf out;
	int64_t again;

	(void)state;
	buf_init(&out, 64);
	for (int64_t week = 1; week <= CALENDAR_WEEK; week++) {
		buf_clear(&out);
		calendar_print_week(week, &out);
		assert_int_equal(calendar_parse_week(out.data, &again), 0);
		assert_int_equal(again, week);
	}
	buf_done(&out);
}

static void test_days(void **state)
{
	static const char *const bad[] = {"", "2026-02-29", "2026-13-01", "2026-1-01",
		"2026-01-01 ", " 2026-01-01", "2026-00-10", "20260101", "2026-01-0a", "2026/01/01"};
	char text[CALENDAR_DAY_SIZE];
	int64_t day;

	(void)state;
	assert_int_equal(calendar_parse_day("2024-02-29", &day), 0);
	assert_int_equal(day, time_days_from_civil(2024, 2, 29));
	assert_string_equal(calendar_day_text(day, text), "2024-02-29");
	assert_string_equal(calendar_day_text(0, text), "1970-01-01");
	assert_string_equal(calendar_day_text(-1, text), "1969-12-31");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(calendar_parse_day(bad[i], &day), -EINVAL);
}

static void test_weekday(void **state)
{
	(void)state;
	assert_int_equal(calendar_weekday(0), 3);   /* a Thursday */
	assert_int_equal(calendar_weekday(-4), 6);  /* a Sunday */
	assert_int_equal(calendar_weekday(-11), 6); /* the one before */
	assert_int_equal(calendar_weekday(time_days_from_civil(2026, 11, 26)), 3);
}

static void test_holidays_sound(void **state)
{
	static const char *const good[] = {
		"", " ", "2026-12-25", "12-25", " 12-25  2026-01-01 ", "02-29"};
	static const char *const bad[] = {"25.12.", "2026-02-29", "13-01", "12-32", "12-25,12-26",
		"1-1", "2026-12-25x", "2026-12"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(calendar_holidays_sound(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(calendar_holidays_sound(bad[i]));
}

static void test_what_is_worked(void **state)
{
	const char *holidays = " 2026-01-01 12-25  01-06";
	int64_t week;

	(void)state;
	assert_int_equal(calendar_parse_week("mon tue wed thu fri", &week), 0);
	assert_false(calendar_works(week, holidays, time_days_from_civil(2026, 1, 1)));
	assert_true(calendar_works(week, holidays, time_days_from_civil(2026, 1, 2)));
	assert_false(
		calendar_works(week, holidays, time_days_from_civil(2026, 1, 3))); /* Saturday */
	assert_false(calendar_works(week, holidays, time_days_from_civil(2026, 1, 6)));
	assert_true(calendar_works(week, holidays, time_days_from_civil(2025, 1, 1)));
	assert_false(calendar_works(week, holidays, time_days_from_civil(2025, 12, 25)));
	assert_true(calendar_works(week, "", time_days_from_civil(2025, 12, 25)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_week),
		cmocka_unit_test(test_week_is_printed_as_it_is_read),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_weekday),
		cmocka_unit_test(test_holidays_sound),
		cmocka_unit_test(test_what_is_worked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
