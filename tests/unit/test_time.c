/* base/time: the calendar against glibc, RFC 3339 both ways. */
#include "unit.h"

#include <errno.h>

#include "base/time.h"

static void check_civil(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct civil c;
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	time_to_civil(unix_s, &c);
	if (c.year != tm.tm_year + 1900LL || c.month != tm.tm_mon + 1 || c.day != tm.tm_mday ||
		c.hour != tm.tm_hour || c.minute != tm.tm_min || c.second != tm.tm_sec)
		fail_msg("%lld: %lld-%d-%d", (long long)unix_s, (long long)c.year, c.month, c.day);
	assert_int_equal(time_from_civil(&c), unix_s);
}

static void test_calendar_is_glibcs(void **state)
{
	(void)state;
	/* years -1000 to 4000 in steps of a day and a bit, then far away */
	for (int64_t t = -93700000000; t < 64000000000; t += 86400 * 3 + 3599)
		check_civil(t);
	for (int64_t t = 1; t < 67000000000000000; t *= 3) {
		check_civil(t);
		check_civil(-t);
	}
	check_civil(0);
	check_civil(-1);
	check_civil(86399);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t unix_s;
	} rows[] = {
		{"2023-01-15T10:30:00Z", 1673778600},
		{"2023-01-15t10:30:00z", 1673778600},
		{"2023-01-15 10:30:00+00:00", 1673778600},
		{"2023-01-15T10:30:00-00:00", 1673778600},
		{"2023-01-15T12:30:00+02:00", 1673778600},
		{"2023-01-15T04:45:00-05:45", 1673778600},
		{"2023-01-15T10:30:00.999999999999999Z", 1673778600},
		{"1969-12-31T23:59:59.5Z", -1},
		{"2016-12-31T23:59:60Z", 1483228800},
		{"2024-02-29T00:00:00Z", 1709164800},
		{"2000-02-29T00:00:00Z", 951782400},
		{"0000-01-01T00:00:00Z", -62167219200},
		{"9999-12-31T23:59:59Z", 253402300799},
		{"0000-01-01T23:59:00+23:59", -62167219200},
		{"9999-12-31T00:00:59-23:59", 253402300799},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t got;

		assert_int_equal(time_parse_rfc3339(rows[i].text, &got), 0);
		assert_int_equal(got, rows[i].unix_s);
	}
}

static void test_parts(void **state)
{
	struct time_text t;
	int64_t got = 5;

	(void)state;
	assert_int_equal(time_parse("2023-01-15T10:30:07.123456789123+05:30", &t), 0);
	assert_int_equal(t.nanosecond, 123456789);
	assert_true(t.has_offset);
	assert_int_equal(t.offset_s, 19800);
	assert_int_equal(t.civil.second, 7);
	assert_int_equal(time_parse("2023-01-15T10:30:07", &t), 0);
	assert_false(t.has_offset);
	assert_int_equal(t.nanosecond, 0);
	assert_int_equal(time_parse_rfc3339("2023-01-15T10:30:07", &got), -ENODATA);
	/* What could not be written again with four digits of a year. */
	assert_int_equal(time_parse_rfc3339("0000-01-01T00:00:00+23:59", &got), -EINVAL);
	assert_int_equal(time_parse_rfc3339("9999-12-31T23:59:59-23:59", &got), -EINVAL);
	assert_int_equal(time_parse_rfc3339("9999-12-31T23:59:60Z", &got), -EINVAL);
	assert_int_equal(got, 5);
}

static void test_what_is_no_time(void **state)
{
	static const char *const texts[] = {"", "2023", "2023-01-15", "2023-01-15T10:30Z",
		"2023-01-15T10:30:00 Z", " 2023-01-15T10:30:00Z", "2023-01-15T10:30:00Z ",
		"2023-01-15T24:00:00Z", "2023-01-15T10:60:00Z", "2023-01-15T10:30:61Z",
		"2023-13-15T10:30:00Z", "2023-00-15T10:30:00Z", "2023-01-32T10:30:00Z",
		"2023-01-00T10:30:00Z", "2023-02-29T10:30:00Z", "1900-02-29T10:30:00Z",
		"2023-04-31T10:30:00Z", "2023-1-15T10:30:00Z", "23-01-15T10:30:00Z",
		"12023-01-15T10:30:00Z", "-023-01-15T10:30:00Z", "2023/01/15T10:30:00Z",
		"2023-01-15X10:30:00Z", "2023-01-15T10.30:00Z", "2023-01-15T10:30:00.Z",
		"2023-01-15T10:30:00,5Z", "2023-01-15T10:30:00+0200", "2023-01-15T10:30:00+02",
		"2023-01-15T10:30:00+24:00", "2023-01-15T10:30:00+02:60",
		"2023-01-15T10:30:00+2:00", "2023-01-15T10:30:00ZZ", "2023-01-15T10:30:00+",
		"2023-01-15T10:30:00\xe2\x88\x92 02:00"};
	struct time_text t;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		int64_t got;

		if (time_parse(texts[i], &t) != -EINVAL ||
			time_parse_rfc3339(texts[i], &got) != -EINVAL)
			fail_msg("read: %s", texts[i]);
	}
}

/* Every day of 1999 to 2401 exists, and the day after a month's last does not. */
static void test_days_of_months(void **state)
{
	(void)state;
	for (int year = 1999; year <= 2401; year++) {
		for (int month = 1; month <= 12; month++) {
			int64_t length = (month == 12 ? time_days_from_civil(year + 1, 1, 1)
						      : time_days_from_civil(year, month + 1, 1)) -
				time_days_from_civil(year, month, 1);

			for (int day = 28; day <= 32; day++) {
				struct time_text t;
				char text[40];

				snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month,
					day);
				assert_int_equal(time_parse(text, &t), day <= length ? 0 : -EINVAL);
			}
		}
	}
}

static void test_format(void **state)
{
	char text[TIME_TEXT_SIZE];

	(void)state;
	assert_string_equal(time_format_utc(1673778600, -1, text), "2023-01-15T10:30:00Z");
	assert_string_equal(time_format_utc(1673778600, 0, text), "2023-01-15T10:30:00.000Z");
	assert_string_equal(time_format_utc(1673778600, 42, text), "2023-01-15T10:30:00.042Z");
	assert_string_equal(time_format_utc(-1, -1, text), "1969-12-31T23:59:59Z");
	assert_string_equal(time_format_utc(-62167219200, -1, text), "0000-01-01T00:00:00Z");
	assert_string_equal(time_format_utc(253402300800, -1, text), "10000-01-01T00:00:00Z");
	assert_string_equal(
		time_format_utc(INT64_MAX, 999, text), "292277026596-12-04T15:30:07.999Z");
	assert_string_equal(
		time_format_utc(INT64_MIN, 999, text), "-292277022657-01-27T08:29:52.999Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar_is_glibcs),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_what_is_no_time),
		cmocka_unit_test(test_days_of_months),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
