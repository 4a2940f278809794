#include "api/reply.h"

#include <errno.h>
#include <strings.h>

#include "api/glimpse.h"
#include "base/jget.h"
#include "base/time.h"
#include "base/units.h"

/* --- the body */

/* Empty, but for white space; and not merely as far as it was read, or came. */
static bool is_blank(const struct api_answer *answer)
{
	for (size_t i = 0; i < answer->body_length; i++)
		if (!strchr(" \t\r\n", answer->body[i]) || answer->body[i] == '\0')
			return false;
	return !answer->body_cut && !answer->body_ends_by_close;
}

/* An upper bound of how many values a JSON text holds: each but the first of an array or object
 * stands behind a comma, each first one behind a bracket. Commas in strings count too, which only
 * makes it stricter. */
static size_t count_values(const char *body, size_t length)
{
	size_t n = 1;

	for (size_t i = 0; i < length; i++)
		n += body[i] == ',' || body[i] == '[' || body[i] == '{';
	return n;
}

static json_t *parse_body(const struct api_answer *answer)
{
	if (answer->body_cut || count_values(answer->body, answer->body_length) > API_VALUES_MAX)
		return NULL;
	return json_loadb(answer->body, answer->body_length, JSON_DECODE_ANY, NULL);
}

/* Take over a text member, if it is there, is a string and fits. */
static void take_text(const json_t *object, const char *key, char *ret, size_t size)
{
	const char *text;

	if (jget_str(object, key, 1, size - 1, &text) == 1)
		snprintf(ret, size, "%s", text);
}

/* A text for people may be cut, though not inside a character. */
static void take_cut_text(const char *text, char *ret, size_t size)
{
	size_t n = strnlen(text, size);

	if (n == size) {
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	}
	memcpy(ret, text, n);
	ret[n] = '\0';
}

/* --- the echo */

/* Times are compared as instants: a cloud may write fractions or another offset. Of e-mail addresses
 * case is nothing (RFC 5321 §2.4 would have it otherwise before the @; nobody does). */
static bool text_differs(const char *member, const char *echo, const char *sent)
{
	int64_t sent_s, echo_s;

	if (strcmp(member, "timestamp") == 0 && time_parse_rfc3339(echo, &echo_s) == 0 &&
		time_parse_rfc3339(sent, &sent_s) == 0)
		return echo_s != sent_s;
	if (strcmp(member, "email") == 0)
		return strcasecmp(echo, sent) != 0;
	return strcmp(echo, sent) != 0;
}

static bool echo_differs(const json_t *data, const struct api_sent *sent)
{
	for (; sent->member; sent++) {
		const json_t *value = json_object_get(data, sent->member);

		if (value &&
			(!json_is_string(value) ||
				text_differs(sent->member, json_string_value(value), sent->text)))
			return true;
	}
	return false;
}

/* --- the error table */

/* A call that makes one record. */
static bool makes_record(enum api_call call)
{
	switch (call) {
	case API_CALL_ATTENDANCE:
	case API_CALL_USER_CREATE: return true;
	case API_CALL_USERS:
	case API_CALL_DEVICES:
	case API_CALL_REPORT: return false;
	}
	return false;
}

static enum api_outcome read_success(const struct api_reading *r, enum api_call call, bool blank)
{
	if (call == API_CALL_REPORT)
		return API_GARBLED; /* a report went to its sink */
	if (!r->root)
		return blank ? API_DONE_NO_ID : API_GARBLED;
	if (makes_record(call))
		return r->id[0] ? API_DONE : API_DONE_NO_ID;
	return json_is_array(r->reply.data) ? API_DONE : API_DONE_NO_ID;
}

static bool says_seen_before(const struct api_reading *r)
{
	return strcmp(r->code, "duplicate") == 0 || strcmp(r->code, "already_exists") == 0;
}

/* A user that "already exists" may be somebody else, with the same e-mail. */
static enum api_outcome read_conflict(const struct api_reading *r, enum api_call call)
{
	if (!makes_record(call))
		return API_ROAD_FAULT; /* to read knows no 409 */
	if (r->id[0] || (call == API_CALL_ATTENDANCE && says_seen_before(r)))
		return API_DONE;
	return API_CONFLICT;
}

/* A refusal is final for a punch, so nothing but the documented object makes one: an object with
 * at least its code. */
static enum api_outcome read_refusal(const struct api_reading *r)
{
	return r->code[0] ? API_REFUSED : API_ROAD_FAULT;
}

static enum api_outcome read_status(
	const struct api_reading *r, int status, enum api_call call, bool blank)
{
	if (status >= 200 && status <= 299)
		return read_success(r, call, blank);
	switch (status) {
	case 400:
	case 404:
	case 422: return read_refusal(r);
	case 401: return API_UNAUTHORIZED;
	case 403: return API_FORBIDDEN;
	case 409: return read_conflict(r, call);
	case 429: return API_RATE_LIMITED;
	case 500:
	case 502:
	case 504: return API_SERVER_DOUBT;
	case 408: return API_SERVER_ERROR;
	}
	return status >= 500 && status <= 599 ? API_SERVER_ERROR : API_ROAD_FAULT;
}

/* --- words where the API gave none */

static void say_what_came(struct api_reading *r, const struct api_answer *answer)
{
	const char *type = answer->headers.content_type;

	if (r->message[0] || r->reply.outcome == API_DONE)
		return;
	snprintf(r->message, sizeof r->message, "HTTP %d%s%s%s%s", answer->status,
		type[0] ? ", " : "", type, answer->body_cut ? ", too long" : "",
		answer->body_ends_by_close ? ", without a length" : "");
}

static void read_body(struct api_reading *r, const struct api_answer *answer)
{
	const json_t *error, *message;

	r->root = parse_body(answer);
	error = json_object_get(r->root, "error");
	take_text(error, "code", r->code, sizeof r->code);
	take_text(error, "param", r->param, sizeof r->param);
	message = json_object_get(error, "message");
	if (json_is_string(message))
		take_cut_text(json_string_value(message), r->message, sizeof r->message);
	take_text(json_object_get(r->root, "data"), "id", r->id, sizeof r->id);
}

static int64_t created_at(const json_t *data)
{
	const char *text = json_string_value(json_object_get(data, "created_at"));
	int64_t unix_s;

	return text && time_parse_rfc3339(text, &unix_s) == 0 ? unix_s : 0;
}

/* What a record's answer tells beside its outcome. */
static void read_record(
	struct api_reading *r, const struct api_answer *answer, const struct api_sent *sent)
{
	if (r->reply.outcome == API_GARBLED && !r->root)
		glimpse_id(answer->body, answer->body_length, r->id, sizeof r->id);
	if (r->reply.outcome != API_DONE)
		return;
	r->reply.created_s = created_at(r->reply.data);
	if (sent)
		r->reply.echo_differs = echo_differs(json_object_get(r->root, "data"), sent);
}

static void read_answer(struct api_reading *r, enum api_call call, const struct api_answer *answer,
	const struct api_sent *sent)
{
	bool success = answer->status >= 200 && answer->status <= 299;

	read_body(r, answer);
	if (success && call != API_CALL_REPORT) {
		r->reply.data = json_object_get(r->root, "data");
		r->reply.meta = json_object_get(r->root, "meta");
	}
	r->reply.outcome = read_status(r, answer->status, call, is_blank(answer));
	if (makes_record(call))
		read_record(r, answer, sent);
	say_what_came(r, answer);
}

void api_reading_init(struct api_reading *r, enum api_call call, const struct api_answer *answer,
	const struct api_sent *sent)
{
	*r = (struct api_reading){.reply.status = answer->status};
	r->reply.id = r->id;
	r->reply.code = r->code;
	r->reply.param = r->param;
	r->reply.message = r->message;
	r->reply.date_s = api_parse_http_date(answer->headers.date);
	switch (answer->fate) {
	case API_FATE_ANSWERED: read_answer(r, call, answer, sent); return;
	case API_FATE_NEVER_LEFT: r->reply.outcome = API_NEVER_LEFT; break;
	case API_FATE_LOST: r->reply.outcome = API_LOST; break;
	case API_FATE_CANCELLED: r->reply.outcome = API_CANCELLED; break;
	}
	if (answer->trouble)
		take_cut_text(answer->trouble, r->message, sizeof r->message);
}

void api_reading_done(struct api_reading *r)
{
	json_decref(r->root);
	*r = (struct api_reading){.root = NULL};
}

/* --- reports */

/* Without parameters (RFC 9110 §8.3.1), in any case. */
static bool is_type(const char *content_type, const char *type)
{
	size_t n = strcspn(content_type, "; \t");

	return n == strlen(type) && strncasecmp(content_type, type, n) == 0;
}

/* The documentation names no types; these are what servers say of such files. */
bool api_report_fits(enum api_format format, const char *type)
{
	switch (format) {
	case API_FORMAT_JSON: return is_type(type, "application/json");
	case API_FORMAT_CSV:
		return is_type(type, "text/csv") || is_type(type, "application/csv") ||
			is_type(type, "application/octet-stream");
	case API_FORMAT_PDF:
		return is_type(type, "application/pdf") ||
			is_type(type, "application/octet-stream");
	}
	return false;
}

/* --- headers */

static int64_t read_count(const char *text)
{
	int64_t n;

	return units_parse_int(text, &n) == 0 && n >= 0 ? n : -1;
}

static int64_t read_retry_after(const char *text, int64_t date_s)
{
	int64_t seconds = read_count(text), then_s;

	if (seconds >= 0)
		return seconds;
	then_s = api_parse_http_date(text);
	if (then_s == 0 || date_s == 0)
		return -1;
	return then_s > date_s ? then_s - date_s : 0;
}

void api_read_rate(int status, const struct api_headers *headers, struct pace_headers *ret)
{
	int64_t date_s = api_parse_http_date(headers->date);

	*ret = (struct pace_headers){
		.date_s = date_s > 0 ? date_s : -1,
		.limit = read_count(headers->limit),
		.remaining = read_count(headers->remaining),
		.reset_s = read_count(headers->reset),
		.retry_after_s = -1,
	};
	if (status == 429 || status == 503)
		ret->retry_after_s = read_retry_after(headers->retry_after, date_s);
}
