#include "report/document.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jget.h"
#include "base/jsplit.h"
#include "base/time.h"

#define DEPTH_MAX    8
#define VALUES_MAX   1000000 /* jansson takes some 70 bytes for each */
#define TEXT_MAX     4096
#define NUMBER_MAX   1000000000
#define SILENT_MAX   10000
#define DAYS_LENGTH  10 /* YYYY-MM-DD */
#define WHERE_LENGTH 48

struct reading {
	char *fault; /* DOCUMENT_FAULT bytes */
	char where[WHERE_LENGTH];
};

static int __attribute__((format(printf, 2, 3)))
complain(const struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->fault, DOCUMENT_FAULT, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---- members */

static int take_text(struct reading *r, const json_t *object, const char *key, const char **ret)
{
	if (jget_str(object, key, 0, TEXT_MAX, ret) == 1)
		return 0;
	return complain(r, "%s%s is no text of at most %d bytes", r->where, key, TEXT_MAX);
}

/* One that may be missing or null. */
static int take_text_maybe(
	struct reading *r, const json_t *object, const char *key, const char **ret)
{
	json_t *value = json_object_get(object, key);

	*ret = "";
	return !value || json_is_null(value) ? 0 : take_text(r, object, key, ret);
}

static int take_number(struct reading *r, const json_t *object, const char *key, int64_t *ret)
{
	if (jget_int(object, key, 0, NUMBER_MAX, ret) == 1)
		return 0;
	return complain(r, "%s%s is no whole number from 0 on", r->where, key);
}

static int take_number_maybe(struct reading *r, const json_t *object, const char *key, int64_t *ret)
{
	*ret = -1;
	return json_object_get(object, key) ? take_number(r, object, key, ret) : 0;
}

static int take_percentage(struct reading *r, const json_t *object, const char *key, double *ret)
{
	const json_t *value = json_object_get(object, key);

	*ret = json_number_value(value);
	if (json_is_number(value) && *ret >= 0 && *ret <= 100)
		return 0;
	return complain(r, "%s%s is no number from 0 to 100", r->where, key);
}

static int take_day(struct reading *r, const json_t *object, const char *key, const char **ret)
{
	char whole[TIME_TEXT_SIZE];
	struct time_text t;
	int error = take_text(r, object, key, ret);

	if (error < 0)
		return error;
	snprintf(whole, sizeof whole, "%.10sT00:00:00Z", *ret);
	if (strlen(*ret) == DAYS_LENGTH && time_parse(whole, &t) == 0)
		return 0;
	return complain(r, "%s%s is no day, YYYY-MM-DD", r->where, key);
}

static int take_object(struct reading *r, const json_t *object, const char *key, const json_t **ret)
{
	*ret = json_object_get(object, key);
	return json_is_object(*ret) ? 0 : complain(r, "%s%s is no object", r->where, key);
}

/* ---- people */

static int read_user(struct reading *r, const json_t *object, struct document_user *user)
{
	const json_t *attendance;
	int error;

	if (!json_is_object(object))
		return complain(r, "%.*s is no object", (int)strlen(r->where) - 1, r->where);
	if ((error = take_text(r, object, "id", &user->id)) < 0 ||
		(error = take_text(r, object, "name", &user->name)) < 0 ||
		(error = take_text_maybe(r, object, "department", &user->department)) < 0 ||
		(error = take_object(r, object, "attendance", &attendance)) < 0)
		return error;
	strncat(r->where, "attendance.", WHERE_LENGTH - strlen(r->where) - 1);
	if ((error = take_number(r, attendance, "present_days", &user->present)) < 0 ||
		(error = take_number(r, attendance, "absent_days", &user->absent)) < 0 ||
		(error = take_number(r, attendance, "late_days", &user->late)) < 0 ||
		(error = take_number(r, attendance, "early_departure_days", &user->early)) < 0)
		return error;
	return take_percentage(r, attendance, "attendance_percentage", &user->percentage);
}

static int read_users(struct reading *r, const json_t *object, struct document *d)
{
	const json_t *users = json_object_get(object, "users");
	int error = 0;

	if (!json_is_array(users))
		return complain(r, "users is no list");
	d->users = calloc(json_array_size(users) + 1, sizeof *d->users);
	if (!d->users)
		return -ENOMEM;
	for (; error == 0 && d->count < json_array_size(users); d->count++) {
		snprintf(r->where, sizeof r->where, "users[%zu].", d->count);
		error = read_user(r, json_array_get(users, d->count), &d->users[d->count]);
	}
	r->where[0] = '\0';
	return error;
}

/* ---- how complete it is */

static int read_silent(struct reading *r, const json_t *object, struct document_completeness *c)
{
	const json_t *list = json_object_get(object, "silent_terminals");
	int error = 0;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > SILENT_MAX)
		return complain(
			r, "completeness.silent_terminals is no list of at most %d", SILENT_MAX);
	c->silent = calloc(json_array_size(list) + 1, sizeof *c->silent);
	if (!c->silent)
		return -ENOMEM;
	for (; error == 0 && c->silent_count < json_array_size(list); c->silent_count++) {
		const json_t *one = json_array_get(list, c->silent_count);
		struct document_terminal *terminal = &c->silent[c->silent_count];

		snprintf(r->where, sizeof r->where, "completeness.silent_terminals[%zu].",
			c->silent_count);
		error = take_text(r, one, "serial", &terminal->serial);
		if (error == 0)
			error = take_text_maybe(r, one, "since", &terminal->since);
	}
	return error;
}

static int read_completeness(
	struct reading *r, const json_t *object, struct document_completeness *c)
{
	const json_t *told = json_object_get(object, "completeness");
	int error;

	if (!told)
		return 0;
	if (!json_is_object(told))
		return complain(r, "completeness is no object");
	snprintf(r->where, sizeof r->where, "completeness.");
	c->told = true;
	c->users_synced_told = json_object_get(told, "users_synced_at") != NULL;
	if ((error = take_number_maybe(r, told, "queued", &c->queued)) < 0 ||
		(error = take_number_maybe(r, told, "held", &c->held)) < 0 ||
		(error = take_number_maybe(r, told, "parked", &c->parked)) < 0 ||
		(error = take_number_maybe(r, told, "in_doubt", &c->in_doubt)) < 0 ||
		(error = take_number_maybe(r, told, "unlisted", &c->unlisted)) < 0 ||
		(error = take_text_maybe(r, told, "users_synced_at", &c->users_synced_at)) < 0 ||
		(error = take_text_maybe(r, told, "complete_from", &c->complete_from)) < 0)
		return error;
	return read_silent(r, told, c);
}

/* ---- the whole */

static int read_summary(struct reading *r, const json_t *object, struct document *d)
{
	const json_t *summary;
	int error = take_object(r, object, "summary", &summary);

	if (error < 0)
		return error;
	snprintf(r->where, sizeof r->where, "summary.");
	if ((error = take_number(r, summary, "total_users", &d->total_users)) < 0 ||
		(error = take_number(r, summary, "total_days", &d->total_days)) < 0 ||
		(error = take_number(r, summary, "working_days", &d->working_days)) < 0 ||
		(error = take_percentage(r, summary, "average_attendance", &d->average)) < 0)
		return error;
	r->where[0] = '\0';
	return 0;
}

static int read_document(struct reading *r, struct document *d)
{
	const json_t *data = json_object_get(d->root, "data");
	const json_t *object = data ? data : d->root;
	int error;

	if (!json_is_object(object))
		return complain(r, "this is no report: it is no object");
	if ((error = take_text_maybe(r, object, "report_id", &d->report_id)) < 0 ||
		(error = take_day(r, object, "start_date", &d->start_date)) < 0 ||
		(error = take_day(r, object, "end_date", &d->end_date)) < 0 ||
		(error = take_text_maybe(r, object, "department", &d->department)) < 0 ||
		(error = take_text_maybe(r, object, "generated_at", &d->generated_at)) < 0 ||
		(error = read_summary(r, object, d)) < 0 || (error = read_users(r, object, d)) < 0)
		return error;
	return read_completeness(r, object, &d->completeness);
}

/* Whether so many values may be in it that reading them would take more memory than a report may. */
static bool too_many(const char *json, size_t n)
{
	size_t values = 0;
	bool text = false;

	for (size_t i = 0; i < n; i++) {
		if (json[i] == '"')
			text = !text;
		else if (text && json[i] == '\\')
			i++;
		else if (!text)
			values += json[i] == ',' || json[i] == '[' || json[i] == '{';
	}
	return values > VALUES_MAX;
}

int document_read(
	const char *json, size_t n, struct document *ret, char ret_fault[static DOCUMENT_FAULT])
{
	struct reading r = {.fault = ret_fault};
	json_error_t error;
	int result;

	*ret = (struct document){.completeness = {.users_synced_at = "", .complete_from = ""}};
	if (n == 0)
		return complain(&r, "there is nothing to read: the report is expected as JSON");
	if (jsplit_deeper(json, n, DEPTH_MAX))
		return complain(&r, "this is no report: it nests deeper than %d", DEPTH_MAX);
	if (too_many(json, n))
		return complain(&r, "this has more than %d values", VALUES_MAX);
	ret->root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
	if (!ret->root)
		return complain(&r, "this is no JSON: line %d, column %d: %s", error.line,
			error.column, error.text);
	result = read_document(&r, ret);
	if (result < 0)
		document_done(ret);
	return result;
}

void document_done(struct document *d)
{
	free(d->completeness.silent);
	free(d->users);
	json_decref(d->root);
	*d = (struct document){0};
}
