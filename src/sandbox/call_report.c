/*
 * GET /reports/attendance.
 *
 * Days are those of UTC. Working days are Monday to Friday. A user is present on a working day with
 * at least one check_in; late if the first one is after LATE_S, gone early if the last check_out is
 * before EARLY_S. A percentage is present of working days, rounded to two places, half up;
 * average_attendance is the mean over the users, rounded likewise.
 */
#include <errno.h>

#include <openssl/rand.h>

#include "base/hex.h"
#include "base/time.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/sandbox.h"

#define DAY_S     86400
#define LATE_S    (9 * 3600 + 15 * 60)
#define EARLY_S   (17 * 3600)
#define RANGE_MAX 3660 /* days */

struct tally {
	char *id, *name, *department; /* department NULL: none */
	int64_t present, late, early;
};

struct report {
	char start[16], end[16];
	int64_t first_day, days, working;
	const char *user_id, *department; /* NULL: all */
	struct tally *users;
	size_t count, size;
	struct strmap by_id; /* → index + 1 into users */
};

/* ---- what is asked for */

static bool take_day(struct exchange *x, const char *name, char ret_text[16], int64_t *ret_day)
{
	const char *text = exchange_query(x, name);
	char whole[TIME_TEXT_SIZE];
	int64_t unix_s;

	if (!text) {
		answer_error(x, 400, "invalid_request", name, "%s is required", name);
		return false;
	}
	snprintf(whole, sizeof whole, "%.11sT00:00:00Z", text);
	if (strlen(text) != 10 || time_parse_rfc3339(whole, &unix_s) < 0) {
		answer_error(x, 400, "invalid_request", name, "%s must be a day, YYYY-MM-DD", name);
		return false;
	}
	snprintf(ret_text, 16, "%s", text);
	/* Whole days: exact, before 1970 too. */
	*ret_day = unix_s / DAY_S;
	return true;
}

/* Days since 1970 → 0 Monday … 6 Sunday; 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t day)
{
	return ((day + 3) % 7 + 7) % 7;
}

static bool is_working(int64_t day)
{
	return weekday(day) < 5;
}

static bool take_range(struct exchange *x, struct report *report)
{
	int64_t last;

	if (!take_day(x, "start_date", report->start, &report->first_day) ||
		!take_day(x, "end_date", report->end, &last))
		return false;
	report->days = last - report->first_day + 1;
	if (report->days < 1 || report->days > RANGE_MAX) {
		answer_error(x, 400, "invalid_request", "end_date",
			"end_date must be start_date or up to %d days later", RANGE_MAX - 1);
		return false;
	}
	for (int64_t i = 0; i < report->days; i++)
		report->working += is_working(report->first_day + i);
	return true;
}

static bool take_filters(struct exchange *x, struct report *report)
{
	int known;

	report->user_id = exchange_query(x, "user_id");
	report->department = exchange_query(x, "department");
	if (!report->user_id)
		return true;
	known = directory_user_get(&x->sandbox->db, report->user_id, NULL, NULL);
	if (known < 0)
		answer_broken(x);
	else if (known == 0)
		answer_error(x, 404, "not_found", "user_id", "there is no such user");
	return known == 1;
}

/* ---- counting */

static struct tally *tally_add(struct report *report)
{
	if (report->count == report->size) {
		size_t size = report->size ? 2 * report->size : 64;
		struct tally *users = reallocarray(report->users, size, sizeof *users);

		if (!users)
			return NULL;
		report->users = users;
		report->size = size;
	}
	report->users[report->count] = (struct tally){0};
	return &report->users[report->count++];
}

static int add_user(struct report *report, sqlite3_stmt *stmt)
{
	struct tally *user = tally_add(report);

	if (!user)
		return -ENOMEM;
	user->id = strdup(db_text(stmt, 0));
	user->name = strdup(db_text(stmt, 1));
	if (sqlite3_column_type(stmt, 2) != SQLITE_NULL)
		user->department = strdup(db_text(stmt, 2));
	if (!user->id || !user->name)
		return -ENOMEM;
	return strmap_put(&report->by_id, user->id, (void *)(uintptr_t)report->count, NULL);
}

static int load_users(struct exchange *x, struct report *report)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_statement(db, SQL_USER_EACH);
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, report->user_id);
	db_bind_text(stmt, 2, report->department);
	while ((r = db_step(db, stmt)) == 1) {
		r = add_user(report, stmt);
		if (r < 0)
			break;
	}
	sqlite3_reset(stmt);
	return r;
}

/* One user's day: columns user, day, first check_in, last check_out in seconds of the day. */
static void count_day(struct report *report, sqlite3_stmt *stmt)
{
	uintptr_t index = (uintptr_t)strmap_get(&report->by_id, db_text(stmt, 0));
	struct tally *user = index ? &report->users[index - 1] : NULL;
	bool in = sqlite3_column_type(stmt, 2) != SQLITE_NULL;
	bool out = sqlite3_column_type(stmt, 3) != SQLITE_NULL;

	if (!user || !in || !is_working(sqlite3_column_int64(stmt, 1)))
		return;
	user->present++;
	user->late += sqlite3_column_int64(stmt, 2) > LATE_S;
	user->early += out && sqlite3_column_int64(stmt, 3) < EARLY_S;
}

static int count_days(struct exchange *x, struct report *report)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_statement(db, SQL_RECORD_DAYS);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, report->first_day * DAY_S);
	sqlite3_bind_int64(stmt, 2, (report->first_day + report->days) * DAY_S);
	while ((r = db_step(db, stmt)) == 1)
		count_day(report, stmt);
	return r;
}

/* In hundredths of a percent, half up. */
static int64_t percentage(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : (2 * part * 10000 + whole) / (2 * whole);
}

static int64_t average(const struct report *report)
{
	int64_t present = 0;

	for (size_t i = 0; i < report->count; i++)
		present += report->users[i].present;
	return percentage(present, report->working * (int64_t)report->count);
}

/* ---- showing */

static json_t *user_json(const struct report *report, const struct tally *user)
{
	json_t *attendance = json_pack("{s:I, s:I, s:I, s:I, s:f}", "present_days",
		(json_int_t)user->present, "absent_days",
		(json_int_t)(report->working - user->present), "late_days", (json_int_t)user->late,
		"early_departure_days", (json_int_t)user->early, "attendance_percentage",
		(double)percentage(user->present, report->working) / 100);

	return json_pack("{s:s, s:s, s:s?, s:o}", "id", user->id, "name", user->name, "department",
		user->department, "attendance", attendance);
}

static json_t *summary_json(const struct report *report)
{
	return json_pack("{s:I, s:I, s:I, s:f}", "total_users", (json_int_t)report->count,
		"total_days", (json_int_t)report->days, "working_days", (json_int_t)report->working,
		"average_attendance", (double)average(report) / 100);
}

static void show_json(struct exchange *x, const struct report *report)
{
	unsigned char random[8] = {0};
	char id[32] = "rep_";
	json_t *users = json_array();

	RAND_bytes(random, sizeof random);
	hex_encode(random, sizeof random, id + 4);
	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(users, user_json(report, &report->users[i]));
	answer_data(x, 200,
		json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o, s:o}", "report_id", id, "start_date",
			report->start, "end_date", report->end, "department", report->department,
			"generated_at", directory_time(x->now_ms / 1000), "summary",
			summary_json(report), "users", users),
		NULL);
}

/* RFC 4180: quoted where it must be, quotes doubled. */
static void add_field(struct buf *out, const char *text, char end)
{
	if (strpbrk(text, "\",\r\n")) {
		buf_add_char(out, '"');
		for (; *text; text++) {
			if (*text == '"')
				buf_add_char(out, '"');
			buf_add_char(out, *text);
		}
		buf_add_char(out, '"');
	} else {
		buf_add_str(out, text);
	}
	buf_add_char(out, end);
}

static void show_csv(struct exchange *x, const struct report *report)
{
	struct buf out;

	buf_init(&out, x->out.cap);
	buf_add_str(&out,
		"id,name,department,present_days,absent_days,late_days,"
		"early_departure_days,attendance_percentage\r\n");
	for (size_t i = 0; i < report->count; i++) {
		const struct tally *user = &report->users[i];
		int64_t percent = percentage(user->present, report->working);

		add_field(&out, user->id, ',');
		add_field(&out, user->name, ',');
		add_field(&out, user->department ? user->department : "", ',');
		buf_addf(&out, "%lld,%lld,%lld,%lld,%lld.%02lld\r\n", (long long)user->present,
			(long long)(report->working - user->present), (long long)user->late,
			(long long)user->early, (long long)(percent / 100),
			(long long)(percent % 100));
	}
	answer_file(x, "text/csv; charset=utf-8", "attendance.csv", &out);
	buf_done(&out);
}

static void report_done(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->users[i].id);
		free(report->users[i].name);
		free(report->users[i].department);
	}
	free(report->users);
	strmap_done(&report->by_id);
}

void call_report(struct exchange *x)
{
	const char *format = exchange_query(x, "format");
	bool csv = format && strcmp(format, "csv") == 0;
	struct report report = {0};

	if (format && !csv && strcmp(format, "json") != 0) {
		answer_error(x, 400, "invalid_request", "format",
			"this server makes json and csv, not %.20s", format);
		return;
	}
	if (!take_range(x, &report) || !take_filters(x, &report))
		return;
	strmap_init(&report.by_id, x->sandbox->options->seed);
	if (load_users(x, &report) < 0 || count_days(x, &report) < 0)
		answer_broken(x);
	else if (csv)
		show_csv(x, &report);
	else
		show_json(x, &report);
	report_done(&report);
}
