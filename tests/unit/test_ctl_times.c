/* Times as people read and write them, at the edges of zones. */
#include "ctl/times.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "unit.h"

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static int64_t utc(const char *rfc3339)
{
	int64_t s;

	assert_int_equal(time_parse_rfc3339(rfc3339, &s), 0);
	return s;
}

static void test_shown_with_the_zones_offset(void **state)
{
	static const struct {
		const char *zone, *time, *shown, *brief;
	} cases[] = {
		{"Europe/Berlin", "2026-02-01T08:00:00Z", "2026-02-01 09:00:00+01:00",
			"2026-02-01 09:00:00"},
		{"Europe/Berlin", "2026-07-01T08:00:00.250Z", "2026-07-01 10:00:00+02:00",
			"2026-07-01 10:00:00"},
		{"Asia/Kolkata", "2026-01-31T20:00:00Z", "2026-02-01 01:30:00+05:30",
			"2026-02-01 01:30:00"},
		{"America/St_Johns", "2026-02-01T00:00:00Z", "2026-01-31 20:30:00-03:30",
			"2026-01-31 20:30:00"},
		/* west of Greenwich by less than an hour: the sign is not lost */
		{"<-0030>0:30", "2026-02-01T00:00:00Z", "2026-01-31 23:30:00-00:30",
			"2026-01-31 23:30:00"},
		{"UTC", "2026-02-01T08:00:00Z", "2026-02-01 08:00:00+00:00", "2026-02-01 08:00:00"},
	};
	struct times t = {.now_s = 0};
	char text[TIMES_TEXT_SIZE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		zone(cases[i].zone);
		assert_string_equal(times_show(&t, cases[i].time, text), cases[i].shown);
		/* What is shown can be given back. */
		assert_int_equal(times_read(&t, text, TIMES_FROM, &back), 0);
		assert_int_equal(back, utc(cases[i].time));
		assert_string_equal(times_show_brief(&t, cases[i].time, text), cases[i].brief);
		t.utc = true;
		assert_int_equal(times_show(&t, cases[i].time, text)[19], 'Z');
		t.utc = false;
	}
}

static void test_what_is_no_time_stays(void **state)
{
	struct times t = {.now_s = 0};
	char text[TIMES_TEXT_SIZE];

	(void)state;
	assert_string_equal(times_show(&t, "yesterday, or something as long as that", text),
		"yesterday, or something as long as that");
	assert_string_equal(times_show_brief(&t, "yesterday, or something as long as that", text),
		"yesterday, or something as long as that");
	assert_string_equal(times_show(&t, NULL, text), "");
	assert_string_equal(times_show_brief(&t, NULL, text), "");
	assert_string_equal(times_ago(&t, "soon", text), "");
	assert_string_equal(times_ago(&t, NULL, text), "");
}

static void test_spans(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {{-5, "0s"}, {0, "0s"}, {59, "59s"}, {60, "1m 0s"}, {3599, "59m 59s"},
		{3600, "1h 0m"}, {86399, "23h 59m"}, {86400, "1d 0h"}, {700000, "8d 2h"}};
	struct times t = {.now_s = 1000000};
	char text[TIMES_TEXT_SIZE], when[TIME_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(times_span(cases[i].s, text), cases[i].text);
	assert_string_equal(
		times_ago(&t, time_format_utc(1000000 - 182, -1, when), text), "3m 2s ago");
	assert_string_equal(times_ago(&t, time_format_utc(1000000, -1, when), text), "0s ago");
	assert_string_equal(times_ago(&t, time_format_utc(1000012, -1, when), text), "in 12s");
}

static void test_read(void **state)
{
	static const struct {
		const char *zone, *text, *from, *to; /* NULL: the same as from */
	} cases[] = {
		{"Europe/Berlin", "2026-02-01T08:00:00Z", "2026-02-01T08:00:00Z", NULL},
		{"Europe/Berlin", "2026-02-01T08:00:00+05:30", "2026-02-01T02:30:00Z", NULL},
		{"Europe/Berlin", "2026-02-01T08:00:00", "2026-02-01T07:00:00Z", NULL},
		{"Europe/Berlin", "2026-02-01 08:00:00", "2026-02-01T07:00:00Z", NULL},
		/* a date is a day: from its first second up to the next one's */
		{"Europe/Berlin", "2026-02-01", "2026-01-31T23:00:00Z", "2026-02-01T23:00:00Z"},
		/* days of 23 and of 25 hours */
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		/* skipped: the moment of the change. Twice: the earlier */
		{"Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z", NULL},
		{"Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00:00Z", NULL},
		{"Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", NULL},
		{"Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", NULL},
		{"Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", NULL},
		/* a clock change of half an hour, and one at midnight that begins a day late */
		{"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00Z", NULL},
		{"America/Asuncion", "2023-10-01", "2023-10-01T04:00:00Z", "2023-10-02T03:00:00Z"},
		/* a whole day that was skipped */
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"Asia/Kolkata", "2026-02-01", "2026-01-31T18:30:00Z", "2026-02-01T18:30:00Z"},
		{"Pacific/Kiritimati", "2026-02-01T00:00:00", "2026-01-31T10:00:00Z", NULL},
	};
	struct times t = {.now_s = 1800000000};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *to = cases[i].to ? cases[i].to : cases[i].from;
		int64_t s;

		zone(cases[i].zone);
		assert_int_equal(times_read(&t, cases[i].text, TIMES_FROM, &s), 0);
		if (s != utc(cases[i].from))
			fail_msg("%s in %s: off by %lld", cases[i].text, cases[i].zone,
				(long long)(s - utc(cases[i].from)));
		assert_int_equal(times_read(&t, cases[i].text, TIMES_TO, &s), 0);
		if (s != utc(to))
			fail_msg("up to %s in %s: off by %lld", cases[i].text, cases[i].zone,
				(long long)(s - utc(to)));
	}
}

static void test_read_in_utc_and_by_age(void **state)
{
	struct times t = {.now_s = 1800000000, .utc = true};
	int64_t s;

	(void)state;
	zone("Europe/Berlin");
	assert_int_equal(times_read(&t, "2026-02-01", TIMES_TO, &s), 0);
	assert_int_equal(s, utc("2026-02-02T00:00:00Z"));
	assert_int_equal(times_read(&t, "90s", TIMES_FROM, &s), 0);
	assert_int_equal(s, t.now_s - 90);
	assert_int_equal(times_read(&t, "7d", TIMES_TO, &s), 0);
	assert_int_equal(s, t.now_s - 7 * 86400);
	assert_int_equal(times_read(&t, "0", TIMES_FROM, &s), 0);
	assert_int_equal(s, t.now_s);
	/* longer ago than clocks go back */
	assert_int_equal(times_read(&t, "36500d", TIMES_FROM, &s), 0);
	assert_int_equal(s, 0);
}

static void test_what_is_refused(void **state)
{
	static const char *const texts[] = {"", "now", "2026-02-30", "2026-2-1",
		"2026-02-01T25:00:00", "2026-02-01T08:00:00+25:00", "-5m", "5", "5 m",
		"2026-02-01T", "99999999999999999999d", "2026-02-0a", "          "};
	struct times t = {.now_s = 1800000000};
	int64_t s;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (times_read(&t, texts[i], TIMES_FROM, &s) != -EINVAL)
			fail_msg("\"%s\" was read", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown_with_the_zones_offset),
		cmocka_unit_test(test_what_is_no_time_stays),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_in_utc_and_by_age),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
