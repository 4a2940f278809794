/* base/tzrule: what a TZ string may look like, and what follows from it. */
#include "unit.h"

#include <errno.h>

#include "base/time.h"
#include "base/tzrule.h"

static struct tzrule rule_of(const char *text)
{
	struct tzrule rule;

	if (tzrule_parse(text, &rule) != 0)
		fail_msg("not read: %s", text);
	return rule;
}

static int64_t utc(const char *text)
{
	int64_t t;

	assert_int_equal(time_parse_rfc3339(text, &t), 0);
	return t;
}

/* The offset before and at a change. */
static void check_change(const char *text, const char *at, int32_t before, int32_t after)
{
	struct tzrule rule = rule_of(text);
	int64_t t = utc(at);

	if (tzrule_offset_at(&rule, t - 1) != before || tzrule_offset_at(&rule, t) != after)
		fail_msg("%s at %s: %d %d", text, at, tzrule_offset_at(&rule, t - 1),
			tzrule_offset_at(&rule, t));
	if (before != after)
		assert_int_equal(tzrule_next_change(&rule, t - 1), t);
}

static void test_offsets_alone(void **state)
{
	static const struct {
		const char *text;
		int32_t offset_s;
	} rows[] = {{"UTC0", 0}, {"EST5", -18000}, {"EST+5", -18000}, {"IST-5:30", 19800},
		{"<+0330>-3:30", 12600}, {"<-03>3", -10800}, {"<Ab3>-1:02:03", 3723},
		{"LMT-24:59:59", 89999}, {"LMT24:59:59", -89999}, {"AAA0001", -3600}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tzrule rule = rule_of(rows[i].text);

		assert_false(rule.has_daylight);
		assert_int_equal(tzrule_offset_at(&rule, 1700000000), rows[i].offset_s);
		assert_int_equal(tzrule_next_change(&rule, 0), INT64_MAX);
	}
}

static void test_weekdays(void **state)
{
	(void)state;
	check_change("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 3600, 7200);
	check_change("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 7200, 3600);
	check_change("EST5EDT,M3.2.0,M11.1.0", "2024-03-10T07:00:00Z", -18000, -14400);
	check_change("EST5EDT,M3.2.0,M11.1.0", "2024-11-03T06:00:00Z", -14400, -18000);
	/* the last Friday of December, the fifth week being the fourth or the fifth */
	check_change("AAA0BBB,M6.1.1/0,M12.5.5/0", "2021-12-30T23:00:00Z", 3600, 0);
	check_change("AAA0BBB,M6.1.1/0,M12.5.5/0", "2022-12-29T23:00:00Z", 3600, 0);
	/* before 1970 */
	check_change("CET-1CEST,M3.5.0,M10.5.0/3", "1901-03-31T01:00:00Z", 3600, 7200);
}

static void test_south_of_the_equator(void **state)
{
	const char *sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";

	(void)state;
	check_change(sydney, "2026-04-04T16:00:00Z", 39600, 36000);
	check_change(sydney, "2026-10-03T16:00:00Z", 36000, 39600);
	check_change(sydney, "2027-01-01T00:00:00Z", 39600, 39600);
}

/* In Dublin the winter is the exception, an hour behind. */
static void test_negative_daylight(void **state)
{
	const char *dublin = "IST-1GMT0,M10.5.0,M3.5.0/1";

	(void)state;
	check_change(dublin, "2026-03-29T01:00:00Z", 0, 3600);
	check_change(dublin, "2026-10-25T01:00:00Z", 3600, 0);
}

static void test_days_of_the_year(void **state)
{
	(void)state;
	/* J60 is 1 March in every year; 59 is 29 February in a leap year and 1 March else */
	check_change("AAA0BBB,J60/0,J300/0", "2024-03-01T00:00:00Z", 0, 3600);
	check_change("AAA0BBB,J60/0,J300/0", "2023-03-01T00:00:00Z", 0, 3600);
	check_change("AAA0BBB,59/0,J300/0", "2024-02-29T00:00:00Z", 0, 3600);
	check_change("AAA0BBB,59/0,J300/0", "2023-03-01T00:00:00Z", 0, 3600);
	check_change("AAA0BBB,J59/0,J300/0", "2024-02-28T00:00:00Z", 0, 3600);
	check_change("AAA0BBB3,0/0,J365/0", "2024-01-01T00:00:00Z", 0, -10800);
}

/* Times of version 3, outside of the day. */
static void test_extended_hours(void **state)
{
	(void)state;
	/* Nuuk: the Saturday before the last Sunday, at 22:00 */
	check_change("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -7200, -3600);
	check_change("AAA0BBB,M3.5.0/-167,M10.5.0/167", "2026-03-22T01:00:00Z", 0, 3600);
	check_change("AAA0BBB,M3.5.0/-167,M10.5.0/167", "2026-10-31T22:00:00Z", 3600, 0);
	check_change("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 7200, 10800);
}

/* RFC 9636 §3.3.1: daylight time all year, either way of writing it. */
static void test_daylight_all_year(void **state)
{
	static const char *const texts[] = {"EST5EDT,0/0,J365/25", "XXX3EDT4,0/0,J365/23"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tzrule rule = rule_of(texts[i]);

		for (int64_t t = utc("2023-12-25T00:00:00Z"); t < utc("2025-01-08T00:00:00Z");
			t += 1799)
			assert_int_equal(tzrule_offset_at(&rule, t), -14400);
	}
}

static void test_far_away(void **state)
{
	struct tzrule rule = rule_of("CET-1CEST,M3.5.0,M10.5.0/3");
	int64_t cycle_s = 146097 * 86400LL; /* the calendar repeats after 400 years */
	int64_t summer = utc("2026-07-01T00:00:00Z");

	(void)state;
	assert_int_equal(tzrule_offset_at(&rule, summer + 1000 * cycle_s), 7200);
	assert_int_equal(tzrule_offset_at(&rule, summer - 1000 * cycle_s), 7200);
	assert_true(tzrule_next_change(&rule, TZRULE_FAR_S) > TZRULE_FAR_S);
	assert_true(tzrule_next_change(&rule, -TZRULE_FAR_S) > -TZRULE_FAR_S);
}

static void test_what_is_no_rule(void **state)
{
	static const char *const texts[] = {"", "A", "AA0", "AAA", "AAA25", "AAA-25", "AAA0:60",
		"AAA0:0:60", "AAA0:", "AAA0:1:", "<>0", "<A>0", "<AAA0", "<A A>0", "A1A0", "AAA 0",
		"AAA0BB", "AAA0BBB", "AAA0BBB1", "AAA0BBB,", "AAA0BBB,J1", "AAA0BBB,J1,",
		"AAA0BBB,J0,J2", "AAA0BBB,J366,J2", "AAA0BBB,366,2", "AAA0BBB,M0.1.0,M2.1.0",
		"AAA0BBB,M13.1.0,M2.1.0", "AAA0BBB,M1.0.0,M2.1.0", "AAA0BBB,M1.6.0,M2.1.0",
		"AAA0BBB,M1.1.7,M2.1.0", "AAA0BBB,M1.1,M2.1.0", "AAA0BBB,M1,M2.1.0",
		"AAA0BBB,M3.1.0/168,M4.1.0", "AAA0BBB,M3.1.0/-168,M4.1.0", "AAA0BBB,M3.1.0/,M4.1.0",
		"AAA0BBB,J1,J2,J3", "AAA0BBB,J1,J2 ", "AAA00000", "AAA99999999999", ":UTC",
		"AAA--1", "AAA0BBB,J1/2:60,J2", "<AAA", "<AA\xc3\xa4>0"};
	struct tzrule rule;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (tzrule_parse(texts[i], &rule) != -EINVAL)
			fail_msg("read: %s", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets_alone),
		cmocka_unit_test(test_weekdays),
		cmocka_unit_test(test_south_of_the_equator),
		cmocka_unit_test(test_negative_daylight),
		cmocka_unit_test(test_days_of_the_year),
		cmocka_unit_test(test_extended_hours),
		cmocka_unit_test(test_daylight_all_year),
		cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_what_is_no_rule),
	};

	return cmocka_run_group_tests_name("tzrule", tests, NULL, NULL);
}
