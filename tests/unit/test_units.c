/* base/units: whole texts only, overflow seen, and printing that reads back. */
#include "unit.h"

#include <errno.h>

#include "base/units.h"

static void test_int(void **state)
{
	static const char *const odd[] = {
		"", "-", "+1", " 1", "1 ", "1.0", "0x1", "--1", "- 1", "1e3", "١"};
	int64_t value;

	(void)state;
	assert_int_equal(units_parse_int("0", &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(units_parse_int("-007", &value), 0);
	assert_int_equal(value, -7);
	assert_int_equal(units_parse_int("9223372036854775807", &value), 0);
	assert_int_equal(value, INT64_MAX);
	assert_int_equal(units_parse_int("-9223372036854775808", &value), 0);
	assert_int_equal(value, INT64_MIN);
	assert_int_equal(units_parse_int("9223372036854775808", &value), -ERANGE);
	assert_int_equal(units_parse_int("-9223372036854775809", &value), -ERANGE);
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_int_equal(units_parse_int(odd[i], &value), -EINVAL);
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {{"0", 0}, {"0s", 0}, {"500ms", 500}, {"30s", 30000}, {"5m", 300000},
		{"6h", 21600000}, {"90d", 7776000000}, {"36500d", 3153600000000}};
	static const char *const odd[] = {"", "5", "00", "-1s", "5 m", "5M", "5min", "ms", "1h30m",
		"1.5h", "5m ", "s5", "-0"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(units_parse_duration(rows[i].text, &ms), 0);
		assert_int_equal(ms, rows[i].ms);
	}
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_int_equal(units_parse_duration(odd[i], &ms), -EINVAL);
	assert_int_equal(units_parse_duration("106751991167300d", &ms), -ERANGE);
	assert_int_equal(units_parse_duration("99999999999999999999s", &ms), -ERANGE);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} rows[] = {{"0", 0}, {"512", 512}, {"64K", 65536}, {"10M", 10485760}, {"2G", 2147483648}};
	static const char *const odd[] = {"", "K", "64k", "64KB", "64 K", "-1", "1T", "1.5M"};
	int64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(units_parse_size(rows[i].text, &bytes), 0);
		assert_int_equal(bytes, rows[i].bytes);
	}
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_int_equal(units_parse_size(odd[i], &bytes), -EINVAL);
	assert_int_equal(units_parse_size("9000000000G", &bytes), -ERANGE);
}

static void test_format_is_the_shortest(void **state)
{
	char text[UNITS_TEXT_SIZE];

	(void)state;
	assert_string_equal(units_format_duration(0, text), "0");
	assert_string_equal(units_format_duration(1, text), "1ms");
	assert_string_equal(units_format_duration(1500, text), "1500ms");
	assert_string_equal(units_format_duration(90000, text), "90s");
	assert_string_equal(units_format_duration(7776000000, text), "90d");
	assert_string_equal(units_format_size(0, text), "0");
	assert_string_equal(units_format_size(1000, text), "1000");
	assert_string_equal(units_format_size(67108864, text), "64M");
}

static void test_format_reads_back(void **state)
{
	(void)state;
	for (int64_t n = 1; n < INT64_MAX / 7; n = n * 5 + n / 3) {
		static const int64_t factors[] = {1, 1000, 60000, 3600000, 86400000, 1024, 1048576};

		for (size_t i = 0; i < COUNT(factors); i++) {
			char text[UNITS_TEXT_SIZE];
			int64_t value, back;

			if (__builtin_mul_overflow(n, factors[i], &value))
				continue;
			units_format_duration(value, text);
			assert_int_equal(units_parse_duration(text, &back), 0);
			assert_int_equal(back, value);
			units_format_size(value, text);
			assert_int_equal(units_parse_size(text, &back), 0);
			assert_int_equal(back, value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_format_is_the_shortest),
		cmocka_unit_test(test_format_reads_back),
	};

	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
