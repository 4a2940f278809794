#include "api/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"

#define TOKEN_MAX 4096
#define TEXT_MAX  (16 * 1024)

static bool visible_ascii(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

bool wire_base_url_sound(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof scheme - 1;

	if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
		return false;
	if (*host == '\0' || *host == '/' || *host == ':')
		return false;
	return visible_ascii(url) && !strpbrk(url, "@?#\\") && url[strlen(url) - 1] != '/';
}

bool wire_token_sound(const char *text)
{
	return *text != '\0' && visible_ascii(text) && strlen(text) <= TOKEN_MAX;
}

/* What was built, or nothing. */
static int take_text(struct buf *b, char **ret_text)
{
	int r = buf_error(b);

	if (r < 0) {
		buf_done(b);
		return r == -E2BIG ? -EINVAL : r;
	}
	*ret_text = buf_steal(b);
	return 0;
}

static int make_text(char **ret_text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int make_text(char **ret_text, const char *format, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, TEXT_MAX);
	va_start(ap, format);
	buf_vaddf(&b, format, ap);
	va_end(ap);
	return take_text(&b, ret_text);
}

/* Add a member. jansson says only "no" to a text that is no UTF-8 and to a lack of memory. */
static int add_member(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);
	json_t *any;

	if (value)
		return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
	any = json_string_nocheck("");
	json_decref(any);
	return any ? -EINVAL : -ENOMEM;
}

/* Takes the object. */
static int finish_body(int r, json_t *object, char **ret_body)
{
	if (r == 0) {
		*ret_body = json_dumps(object, JSON_COMPACT);
		r = *ret_body ? 0 : -ENOMEM;
	}
	json_decref(object);
	return r;
}

int wire_attendance_body(const struct api_attendance *a, char **ret_body)
{
	json_t *object = json_object();
	int r = object ? 0 : -ENOMEM;

	r = r < 0 ? r : add_member(object, "user_id", a->user_id);
	r = r < 0 ? r : add_member(object, "device_id", a->device_id);
	r = r < 0 ? r : add_member(object, "type", a->type);
	if (a->timestamp)
		r = r < 0 ? r : add_member(object, "timestamp", a->timestamp);
	return finish_body(r, object, ret_body);
}

int wire_attendance_url(const char *base_url, char **ret_url)
{
	return make_text(ret_url, "%s/attendance", base_url);
}

int wire_users_url(const char *base_url, int limit, int64_t offset, char **ret_url)
{
	if (limit <= 0)
		return make_text(ret_url, "%s/users?offset=%" PRId64, base_url, offset);
	return make_text(ret_url, "%s/users?limit=%d&offset=%" PRId64, base_url, limit, offset);
}

int wire_devices_url(const char *base_url, char **ret_url)
{
	return make_text(ret_url, "%s/devices", base_url);
}

int wire_user_body(const struct api_new_user *u, char **ret_body)
{
	json_t *object = json_object();
	int r = object ? 0 : -ENOMEM;

	r = r < 0 ? r : add_member(object, "name", u->name);
	r = r < 0 ? r : add_member(object, "email", u->email);
	r = r < 0 ? r : add_member(object, "phone", u->phone);
	if (u->department)
		r = r < 0 ? r : add_member(object, "department", u->department);
	return finish_body(r, object, ret_body);
}

int wire_user_url(const char *base_url, char **ret_url)
{
	return make_text(ret_url, "%s/users", base_url);
}

/* --- reports */

const char *api_format_name(enum api_format format)
{
	switch (format) {
	case API_FORMAT_JSON: return "json";
	case API_FORMAT_CSV: return "csv";
	case API_FORMAT_PDF: return "pdf";
	}
	return "unknown";
}

const char *wire_report_accept(enum api_format format)
{
	switch (format) {
	case API_FORMAT_JSON: return "application/json";
	case API_FORMAT_CSV: return "text/csv, application/json";
	case API_FORMAT_PDF: return "application/pdf, application/json";
	}
	return "application/json";
}

/* NULL, or UTF-8. */
static bool is_text(const char *text)
{
	return !text || utf8_valid(text);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("-._~", c));
}

static void add_parameter(struct buf *b, char before, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, "%c%s=", before, name);
	for (; *value; value++) {
		if (is_unreserved(*value))
			buf_add(b, value, 1);
		else
			buf_addf(b, "%%%02X", (unsigned char)*value);
	}
}

int wire_report_url(const char *base_url, const struct api_report_query *q, char **ret_url)
{
	struct buf b;

	if (!is_text(q->start_date) || !is_text(q->end_date) || !is_text(q->user_id) ||
		!is_text(q->department))
		return -EINVAL;
	buf_init(&b, TEXT_MAX);
	buf_addf(&b, "%s/reports/attendance", base_url);
	add_parameter(&b, '?', "start_date", q->start_date);
	add_parameter(&b, '&', "end_date", q->end_date);
	add_parameter(&b, '&', "user_id", q->user_id);
	add_parameter(&b, '&', "department", q->department);
	add_parameter(&b, '&', "format", api_format_name(q->format));
	return take_text(&b, ret_url);
}

int wire_authorization(const char *key, char **ret_value)
{
	return make_text(ret_value, "Bearer %s", key);
}
