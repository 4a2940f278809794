#include "core/report_write.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "core/calendar.h"

#define US_PER_S        1000000
#define SILENT_TEXT_MAX (1024 * 1024)

/* `95.45`: exact, which a floating point number is not. */
static void add_percentage(struct buf *out, int64_t hundredths)
{
	buf_addf(out, "%lld.%02lld", (long long)(hundredths / 100), (long long)(hundredths % 100));
}

static const char *time_text(int64_t us, char ret[static TIME_TEXT_SIZE])
{
	return time_format_utc(us / US_PER_S, -1, ret);
}

/* ---- JSON */

static int add_dumped(const char *bytes, size_t n, void *out)
{
	buf_add(out, bytes, n);
	return buf_error(out);
}

/* A value that is given up here; a text that is no UTF-8 is nothing that jansson would write. */
static void add_value(struct buf *out, json_t *value)
{
	if (!value ||
		json_dump_callback(value, add_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		buf_add_str(out, "null");
	json_decref(value);
}

static void add_member(struct buf *out, const char *key, json_t *value)
{
	buf_addf(out, "\"%s\":", key);
	add_value(out, value);
}

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t us)
{
	char text[TIME_TEXT_SIZE];

	return us == 0 ? json_null() : json_string(time_text(us, text));
}

static json_t *day_or_null(int64_t day)
{
	char text[CALENDAR_DAY_SIZE];

	return day == INT64_MIN ? json_null() : json_string(calendar_day_text(day, text));
}

static json_t *completeness_json(const struct report_completeness *c)
{
	json_t *silent = json_array();

	for (size_t i = 0; i < c->silent_count; i++)
		json_array_append_new(silent,
			json_pack("{s:s, s:o}", "serial", c->silent[i].serial, "since",
				time_or_null(c->silent[i].since_us)));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "queued",
		(json_int_t)c->queued, "held", (json_int_t)c->held, "parked", (json_int_t)c->parked,
		"in_doubt", (json_int_t)c->in_doubt, "unlisted", (json_int_t)c->unlisted,
		"users_synced_at", time_or_null(c->users_synced_us), "complete_from",
		day_or_null(c->complete_from), "silent_terminals", silent);
}

static void json_head(const struct report *r, const struct report_facts *facts, struct buf *out)
{
	buf_add_str(out, "{\"data\":{");
	add_member(out, "report_id", json_string(facts->report_id));
	buf_add_char(out, ',');
	add_member(out, "start_date", day_or_null(r->first_day));
	buf_add_char(out, ',');
	add_member(out, "end_date", day_or_null(r->last_day));
	buf_add_char(out, ',');
	add_member(out, "department", text_or_null(facts->department));
	buf_add_char(out, ',');
	add_member(out, "generated_at", time_or_null(facts->generated_us));
	buf_addf(out,
		",\"summary\":{\"total_users\":%zu,\"total_days\":%lld,\"working_days\":%lld,"
		"\"average_attendance\":",
		r->count, (long long)(r->last_day - r->first_day + 1), (long long)r->working_days);
	add_percentage(out, report_average(r));
	buf_add_str(out, "},\"users\":[");
}

static void json_user(const struct report *r, size_t index, struct buf *out)
{
	const struct report_user *user = &r->users[index];

	buf_add_str(out, index ? ",\n{" : "\n{");
	add_member(out, "id", json_string(user->id));
	buf_add_char(out, ',');
	add_member(out, "name", json_string(user->name));
	buf_add_char(out, ',');
	add_member(out, "department", text_or_null(user->department));
	buf_addf(out,
		",\"attendance\":{\"present_days\":%lld,\"absent_days\":%lld,\"late_days\":%lld,"
		"\"early_departure_days\":%lld,\"attendance_percentage\":",
		(long long)user->present, (long long)(r->working_days - user->present),
		(long long)user->late, (long long)user->early);
	add_percentage(out, report_percentage(r, user));
	buf_add_str(out, "}}");
}

static void json_end(const struct report *r, struct buf *out)
{
	buf_add_str(out, "],\n");
	add_member(out, "completeness", completeness_json(&r->completeness));
	buf_add_str(out, "}}\n");
}

const struct report_format report_json = {
	"json", "application/json", json_head, json_user, json_end};

/* ---- CSV */

/* RFC 4180: quoted where it must be, quotes doubled. */
static void add_field(struct buf *out, const char *text, const char *end)
{
	bool formula = text[0] && strchr("=+-@\t\r", text[0]);
	bool quoted = strpbrk(text, "\",\r\n") != NULL;

	if (quoted)
		buf_add_char(out, '"');
	if (formula)
		buf_add_char(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	if (quoted)
		buf_add_char(out, '"');
	buf_add_str(out, end);
}

static void csv_head(const struct report *r, const struct report_facts *facts, struct buf *out)
{
	(void)r;
	(void)facts;
	buf_add_str(out,
		"id,name,department,present_days,absent_days,late_days,early_departure_days,"
		"attendance_percentage,report_queued,report_held,report_parked,report_in_doubt,"
		"report_unlisted,report_users_synced_at,report_complete_from,"
		"report_silent_terminals\r\n");
}

/* `BIO-FP-001 since 2026-02-01T08:00:00Z; GATE` */
static void add_silent(struct buf *out, const struct report_completeness *c)
{
	char time[TIME_TEXT_SIZE];
	struct buf text;

	buf_init(&text, SILENT_TEXT_MAX);
	for (size_t i = 0; i < c->silent_count; i++) {
		buf_addf(&text, "%s%s", i ? "; " : "", c->silent[i].serial);
		if (c->silent[i].since_us)
			buf_addf(&text, " since %s", time_text(c->silent[i].since_us, time));
	}
	add_field(out, text.data, "\r\n");
	buf_done(&text);
}

static void add_completeness(struct buf *out, const struct report_completeness *c)
{
	char text[TIME_TEXT_SIZE], day[CALENDAR_DAY_SIZE];

	buf_addf(out, "%lld,%lld,%lld,%lld,%lld,%s,%s,", (long long)c->queued, (long long)c->held,
		(long long)c->parked, (long long)c->in_doubt, (long long)c->unlisted,
		c->users_synced_us ? time_text(c->users_synced_us, text) : "",
		c->complete_from == INT64_MIN ? "" : calendar_day_text(c->complete_from, day));
	add_silent(out, c);
}

static void csv_user(const struct report *r, size_t index, struct buf *out)
{
	const struct report_user *user = &r->users[index];

	add_field(out, user->id, ",");
	add_field(out, user->name, ",");
	add_field(out, user->department, ",");
	buf_addf(out, "%lld,%lld,%lld,%lld,", (long long)user->present,
		(long long)(r->working_days - user->present), (long long)user->late,
		(long long)user->early);
	add_percentage(out, report_percentage(r, user));
	buf_add_char(out, ',');
	add_completeness(out, &r->completeness);
}

static void csv_end(const struct report *r, struct buf *out)
{
	if (r->count > 0)
		return;
	buf_add_str(out, ",,,,,,,,");
	add_completeness(out, &r->completeness);
}

const struct report_format report_csv = {
	"csv", "text/csv; charset=utf-8", csv_head, csv_user, csv_end};
