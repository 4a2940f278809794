#include "sandbox/report_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/rand.h>

#include "base/hex.h"
#include "sandbox/directory.h"

/* 15 digits: 95.45 is written as 95.45. */
#define JSON_STYLE (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* What is missing makes the buffer fail, as one that is full does. object is stolen. */
static void add_json(struct buf *out, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_STYLE) : NULL;

	if (text)
		buf_add_str(out, text);
	else
		out->error = -ENOMEM;
	free(text);
	json_decref(object);
}

static json_t *summary_json(const struct report *r)
{
	return json_pack("{s:I, s:I, s:I, s:f}", "total_users", (json_int_t)r->count, "total_days",
		(json_int_t)r->days, "working_days", (json_int_t)r->working, "average_attendance",
		(double)report_average(r) / 100);
}

void report_json_begin(
	struct buf *out, const struct report *r, const char *department, int64_t now_s)
{
	unsigned char random[8] = {0};
	char id[32] = "rep_";

	RAND_bytes(random, sizeof random);
	hex_encode(random, sizeof random, id + 4);
	add_json(out,
		json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o}", "report_id", id, "start_date",
			r->start, "end_date", r->end, "department", department, "generated_at",
			directory_time(now_s), "summary", summary_json(r)));
	if (out->len > 0)
		out->len--;
	buf_add_str(out, ",\"users\":[");
}

void report_json_user(struct buf *out, const struct report *r, size_t index)
{
	const struct report_user *user = &r->users[index];
	json_t *attendance = json_pack("{s:I, s:I, s:I, s:I, s:f}", "present_days",
		(json_int_t)user->present, "absent_days", (json_int_t)(r->working - user->present),
		"late_days", (json_int_t)user->late, "early_departure_days",
		(json_int_t)user->early, "attendance_percentage",
		(double)report_percentage(user->present, r->working) / 100);

	if (index > 0)
		buf_add_char(out, ',');
	add_json(out,
		json_pack("{s:s, s:s, s:s?, s:o}", "id", user->id, "name", user->name, "department",
			user->department, "attendance", attendance));
}

void report_json_end(struct buf *out)
{
	buf_add_str(out, "]}");
}

/* ---- CSV */

static void add_quoted(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void add_field(struct buf *out, const char *text)
{
	struct buf safe;

	buf_init(&safe, out->cap);
	if (text[0] && strchr("=+-@\t\r", text[0]))
		buf_add_char(&safe, '\'');
	buf_add_str(&safe, text);
	if (strpbrk(safe.data, "\",\r\n"))
		add_quoted(out, safe.data);
	else
		buf_add_str(out, safe.data);
	if (buf_error(&safe) < 0)
		out->error = buf_error(&safe);
	buf_done(&safe);
}

void report_csv_begin(struct buf *out)
{
	buf_add_str(out,
		"id,name,department,present_days,absent_days,late_days,"
		"early_departure_days,attendance_percentage\r\n");
}

void report_csv_user(struct buf *out, const struct report *r, size_t index)
{
	const struct report_user *user = &r->users[index];
	int64_t percent = report_percentage(user->present, r->working);

	add_field(out, user->id);
	buf_add_char(out, ',');
	add_field(out, user->name);
	buf_add_char(out, ',');
	add_field(out, user->department ? user->department : "");
	buf_addf(out, ",%lld,%lld,%lld,%lld,%lld.%02lld\r\n", (long long)user->present,
		(long long)(r->working - user->present), (long long)user->late,
		(long long)user->early, (long long)(percent / 100), (long long)(percent % 100));
}
