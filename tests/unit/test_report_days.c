/* core/report: who was present, late and gone early; the document in JSON and CSV. Whole months against an
 * oracle are in tests/integration/test_report.py. */
#include "core/report.h"

#include <jansson.h>

#include "base/time.h"
#include "core/calendar.h"
#include "core/report_write.h"
#include "unit.h"

static struct zone *utc, *berlin;

static int load_zones(void **state)
{
	(void)state;
	return zone_load("UTC", &utc) < 0 || zone_load("Europe/Berlin", &berlin) < 0;
}

static int free_zones(void **state)
{
	(void)state;
	zone_free(utc);
	zone_free(berlin);
	return 0;
}

static struct report_rules office(void)
{
	return (struct report_rules){.zone = utc,
		.day_start_s = 4 * 3600,
		.week = 0x1f,
		.holidays = "",
		.late_after_s = 9 * 3600 + 15 * 60,
		.early_before_s = 17 * 3600};
}

static int64_t day(int year, int month, int d)
{
	return time_days_from_civil(year, month, d);
}

static int64_t at(const char *text)
{
	int64_t unix_s;

	assert_int_equal(time_parse_rfc3339(text, &unix_s), 0);
	return unix_s;
}

static void begin(struct report *r, const struct report_rules *rules, int64_t first, int64_t last)
{
	report_init(r, rules, first, last, 7);
	assert_int_equal(report_add_user(r, "usr_1", "John \"Doe\"", "Engineering"), 0);
	assert_int_equal(report_add_user(r, "usr_2", "=1+1", ""), 0);
}

/* CLOUD-API.md: January 2023 has 31 days, 22 of them worked; 21 of 22 are 95.45 %. */
static void test_the_worked_example(void **state)
{
	struct report_rules rules = office();
	struct report r;

	(void)state;
	begin(&r, &rules, day(2023, 1, 1), day(2023, 1, 31));
	assert_int_equal(r.working_days, 22);
	for (int64_t d = r.first_day; d <= r.last_day; d++) {
		if (!report_works(&r, d) || d == day(2023, 1, 31))
			continue;
		report_begin_day(&r, d);
		report_tap(&r, "usr_1", TYPE_CHECK_IN, d * 86400 + 8 * 3600);
	}
	report_end(&r);
	assert_int_equal(r.users[0].present, 21);
	assert_int_equal(r.users[0].late, 0);
	assert_int_equal(r.users[0].early, 0);
	assert_int_equal(report_percentage(&r, &r.users[0]), 9545);
	assert_int_equal(report_percentage(&r, &r.users[1]), 0);
	assert_int_equal(report_average(&r), 4773); /* 47.727…, half up */
	report_done(&r);
}

/* Of one day: what punches in any order make of it. */
static void assert_day(const struct report_rules *rules, const char *const *ins,
	const char *const *outs, const int wanted[3])
{
	struct report r;

	begin(&r, rules, day(2026, 1, 5), day(2026, 1, 5));
	report_begin_day(&r, day(2026, 1, 5));
	for (; *outs; outs++)
		report_tap(&r, "usr_1", TYPE_CHECK_OUT, at(*outs));
	for (; *ins; ins++)
		report_tap(&r, "usr_1", TYPE_CHECK_IN, at(*ins));
	report_end(&r);
	assert_int_equal(r.users[0].present, wanted[0]);
	assert_int_equal(r.users[0].late, wanted[1]);
	assert_int_equal(r.users[0].early, wanted[2]);
	assert_int_equal(r.users[1].present, 0);
	report_done(&r);
}

#define LIST(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

static void test_on_the_second(void **state)
{
	struct report_rules rules = office();

	(void)state;
	assert_day(&rules, LIST("2026-01-05T09:15:00Z"), LIST("2026-01-05T17:00:00Z"),
		(int[]){1, 0, 0});
	assert_day(&rules, LIST("2026-01-05T09:15:01Z"), LIST("2026-01-05T16:59:59Z"),
		(int[]){1, 1, 1});
	/* the first in, the last out */
	assert_day(&rules, LIST("2026-01-05T13:00:00Z", "2026-01-05T09:00:00Z"),
		LIST("2026-01-05T17:30:00Z", "2026-01-05T12:00:00Z"), (int[]){1, 0, 0});
	/* who does not come does not go early */
	assert_day(&rules, LIST(), LIST("2026-01-05T12:00:00Z"), (int[]){0, 0, 0});
	assert_day(&rules, LIST("2026-01-05T09:00:00Z"), LIST(), (int[]){1, 0, 0});
	/* the turn of the day */
	assert_day(&rules, LIST("2026-01-05T03:59:59Z"), LIST(), (int[]){0, 0, 0});
	assert_day(&rules, LIST("2026-01-05T04:00:00Z"), LIST("2026-01-06T03:59:59Z"),
		(int[]){1, 0, 0});
	assert_day(&rules, LIST("2026-01-06T04:00:00Z"), LIST(), (int[]){0, 0, 0});
}

/* From 22:00 to 06:00: one day, and the times are of the two sides of midnight. */
static void test_a_night_shift(void **state)
{
	struct report_rules rules = office();

	(void)state;
	rules.day_start_s = 12 * 3600;
	rules.late_after_s = 22 * 3600 + 15 * 60;
	rules.early_before_s = 6 * 3600;
	assert_day(&rules, LIST("2026-01-05T22:00:00Z"), LIST("2026-01-06T06:00:00Z"),
		(int[]){1, 0, 0});
	assert_day(&rules, LIST("2026-01-05T22:30:00Z"), LIST("2026-01-06T05:00:00Z"),
		(int[]){1, 1, 1});
	/* after midnight is late, too */
	assert_day(&rules, LIST("2026-01-06T00:10:00Z"), LIST("2026-01-06T06:05:00Z"),
		(int[]){1, 1, 0});
}

/* On 2026-03-29 Berlin's day has 23 hours, on 2026-10-25 25: nine is nine. */
static void test_days_of_other_lengths(void **state)
{
	static const struct {
		int64_t day;
		const char *in;
	} days[] = {
		{0, "2026-03-29T09:15:00+02:00"},
		{0, "2026-10-25T09:15:00+01:00"},
	};
	struct report_rules rules = office();

	(void)state;
	rules.zone = berlin;
	rules.week = CALENDAR_WEEK;
	rules.day_start_s = 0;
	for (size_t i = 0; i < COUNT(days); i++) {
		struct report r;
		int64_t d;

		report_init(&r, &rules, 0, 0, 1);
		d = report_day_of(&r, at(days[i].in));
		report_done(&r);
		begin(&r, &rules, d, d);
		report_begin_day(&r, d);
		report_tap(&r, "usr_1", TYPE_CHECK_IN, at(days[i].in));
		report_tap(&r, "usr_2", TYPE_CHECK_IN, at(days[i].in) + 1);
		report_end(&r);
		assert_int_equal(r.users[0].present, 1);
		assert_int_equal(r.users[0].late, 0);
		assert_int_equal(r.users[1].late, 1);
		report_done(&r);
	}
}

static void test_who_waits_and_who_is_not_listed(void **state)
{
	struct report_rules rules = office();
	struct report r;

	(void)state;
	for (int confined = 0; confined < 2; confined++) {
		begin(&r, &rules, day(2026, 1, 5), day(2026, 1, 5));
		r.confined = confined;
		report_begin_day(&r, day(2026, 1, 5));
		report_tap(&r, "usr_9", TYPE_CHECK_IN, at("2026-01-05T09:00:00Z"));
		report_end(&r);
		report_waiting(&r, "", PUNCH_HELD, false);
		report_waiting(&r, "usr_9", PUNCH_PARKED, true);
		report_waiting(&r, "usr_1", PUNCH_QUEUED, true);
		assert_int_equal(r.completeness.unlisted, !confined);
		assert_int_equal(r.completeness.held, 1);
		assert_int_equal(r.completeness.parked, !confined);
		assert_int_equal(r.completeness.queued, 1);
		assert_int_equal(r.completeness.in_doubt, 1 + !confined);
		report_done(&r);
	}
}

/* ---- as text */

static void write_all(const struct report *r, const struct report_format *format, struct buf *out)
{
	const struct report_facts facts = {.report_id = "rep_local_1",
		.department = "Sales",
		.generated_us = at("2026-02-01T08:00:00Z") * 1000000};

	buf_init(out, 65536);
	format->head(r, &facts, out);
	for (size_t i = 0; i < r->count; i++)
		format->user(r, i, out);
	format->end(r, out);
	assert_int_equal(buf_error(out), 0);
}

static void add_silence(struct report *r)
{
	r->completeness.silent = calloc(2, sizeof *r->completeness.silent);
	r->completeness.silent_count = 2;
	snprintf(r->completeness.silent[0].serial, CLOUD_ID_MAX, "=A,\"1\"");
	r->completeness.silent[0].since_us = at("2026-01-04T12:00:00Z") * 1000000;
	snprintf(r->completeness.silent[1].serial, CLOUD_ID_MAX, "B");
}

static void test_json(void **state)
{
	struct report_rules rules = office();
	struct report r;
	struct buf out;
	json_t *is, *should;

	(void)state;
	begin(&r, &rules, day(2026, 1, 5), day(2026, 1, 11));
	report_begin_day(&r, day(2026, 1, 5));
	report_tap(&r, "usr_1", TYPE_CHECK_IN, at("2026-01-05T10:00:00Z"));
	report_end(&r);
	r.completeness.held = 3;
	r.completeness.complete_from = day(2026, 1, 7);
	add_silence(&r);
	write_all(&r, &report_json, &out);
	is = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	should = json_pack(
		"{s:{s:s, s:s, s:s, s:s, s:s, s:{s:i, s:i, s:i, s:f}, s:[{s:s, s:s, s:s, s:{s:i, "
		"s:i, s:i, s:i, s:f}}, {s:s, s:s, s:n, s:{s:i, s:i, s:i, s:i, s:f}}],"
		" s:{s:i, s:i, s:i, s:i, s:i, s:n, s:s, s:[{s:s, s:s}, {s:s, s:n}]}}}",
		"data", "report_id", "rep_local_1", "start_date", "2026-01-05", "end_date",
		"2026-01-11", "department", "Sales", "generated_at", "2026-02-01T08:00:00Z",
		"summary", "total_users", 2, "total_days", 7, "working_days", 5,
		"average_attendance", 10.0, "users", "id", "usr_1", "name", "John \"Doe\"",
		"department", "Engineering", "attendance", "present_days", 1, "absent_days", 4,
		"late_days", 1, "early_departure_days", 0, "attendance_percentage", 20.0, "id",
		"usr_2", "name", "=1+1", "department", "attendance", "present_days", 0,
		"absent_days", 5, "late_days", 0, "early_departure_days", 0,
		"attendance_percentage", 0.0, "completeness", "queued", 0, "held", 3, "parked", 0,
		"in_doubt", 0, "unlisted", 0, "users_synced_at", "complete_from", "2026-01-07",
		"silent_terminals", "serial", "=A,\"1\"", "since", "2026-01-04T12:00:00Z", "serial",
		"B", "since");
	assert_non_null(is);
	assert_non_null(should);
	assert_true(json_equal(is, should));
	json_decref(is);
	json_decref(should);
	buf_done(&out);
	report_done(&r);
}

#define CSV_HEAD \
	"id,name,department,present_days,absent_days,late_days,early_departure_days," \
	"attendance_percentage,report_queued,report_held,report_parked,report_in_doubt," \
	"report_unlisted,report_users_synced_at,report_complete_from," \
	"report_silent_terminals\r\n"

static void test_csv(void **state)
{
	struct report_rules rules = office();
	struct report r;
	struct buf out;

	(void)state;
	begin(&r, &rules, day(2026, 1, 5), day(2026, 1, 5));
	r.completeness.users_synced_us = at("2026-01-05T00:00:00Z") * 1000000;
	add_silence(&r);
	write_all(&r, &report_csv, &out);
	assert_string_equal(out.data,
		CSV_HEAD "usr_1,\"John \"\"Doe\"\"\",Engineering,0,1,0,0,0.00,0,0,0,0,0,"
			 "2026-01-05T00:00:00Z,,\"'=A,\"\"1\"\" since 2026-01-04T12:00:00Z; B\"\r\n"
			 "usr_2,'=1+1,,0,1,0,0,0.00,0,0,0,0,0,2026-01-05T00:00:00Z,,"
			 "\"'=A,\"\"1\"\" since 2026-01-04T12:00:00Z; B\"\r\n");
	buf_done(&out);
	report_done(&r);
	/* Of nobody it says all the same how complete it is. */
	report_init(&r, &rules, day(2026, 1, 5), day(2026, 1, 5), 1);
	r.completeness.held = 2;
	write_all(&r, &report_csv, &out);
	assert_string_equal(out.data, CSV_HEAD ",,,,,,,,0,2,0,0,0,,,\r\n");
	buf_done(&out);
	report_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_worked_example),
		cmocka_unit_test(test_on_the_second),
		cmocka_unit_test(test_a_night_shift),
		cmocka_unit_test(test_days_of_other_lengths),
		cmocka_unit_test(test_who_waits_and_who_is_not_listed),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_csv),
	};

	return cmocka_run_group_tests(tests, load_zones, free_zones);
}
