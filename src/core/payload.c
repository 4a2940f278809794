#include "core/payload.h"

#include <errno.h>

#include <jansson.h>

#include "base/jget.h"
#include "base/time.h"
#include "core/user.h"

#define BASE64_RUN_MAX 512 /* a longer run in something unreadable is taken for a picture */

/* UTF-8 characters of a text that jansson has found valid. */
static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* ---- the message */

static void set_whole(struct payload *p, enum payload_kind kind, const char *fault)
{
	p->count = 1;
	p->whole_kind = kind;
	p->whole_fault = fault;
}

static void split(struct payload *p)
{
	int n = jsplit(p->bytes, p->length, p->spans, PAYLOAD_RECORDS);

	p->count = n > 0 ? (size_t)n : 1;
	if (n < 0)
		set_whole(p, PAYLOAD_MALFORMED, "not JSON");
	else if (n == 0)
		set_whole(p, PAYLOAD_MALFORMED, "an empty array");
	else if (n > PAYLOAD_RECORDS)
		set_whole(p, PAYLOAD_MALFORMED, "an array of more than 100");
}

void payload_init(struct payload *p, const void *bytes, size_t n)
{
	const char *text = bytes;
	size_t first = 0;

	*p = (struct payload){.bytes = text, .length = n, .count = 1};
	while (first < n && strchr(" \t\r\n", text[first]) && text[first])
		first++;
	if (n > PAYLOAD_NATIVE_MAX)
		set_whole(p, PAYLOAD_TOO_LARGE, "more than 64 KiB");
	else if (first < n && text[first] == '[')
		split(p);
	else
		p->lone = true;
}

/* ---- a record's fields */

/* id: required, 1–64 characters. Returns NULL or the fault. */
static const char *read_id(const json_t *record, struct punch *p)
{
	const char *text;
	int r = jget_str(record, "id", 1, RECORD_ID_MAX, &text);

	if (r == 0)
		return "no id";
	if (r < 0 || characters(text) > 64)
		return "id is no text of 1 to 64 characters";
	punch_text_set(p->record_id, sizeof p->record_id, text);
	return NULL;
}

static const char *read_user(const json_t *record, struct punch *p)
{
	const char *text, *kind;
	int r = jget_str(record, "user", 1, USER_MAX, &text);

	if (r == 0)
		return "no user";
	if (r < 0 || characters(text) > 128)
		return "user is no text of 1 to 128 characters";
	r = jget_str(record, "user_kind", 1, 16, &kind);
	if (r == 0)
		p->user_kind = user_kind_guess(text);
	else if (r < 0 || user_kind_parse(kind, &p->user_kind) < 0)
		return "user_kind is none of id, pin, card, slot, email, phone";
	return user_normalise(p->user_kind, text, p->user) < 0 ? "user is blank" : NULL;
}

static const char *read_rest(const json_t *record, struct punch *p)
{
	const char *text;
	bool live;
	int r = jget_str(record, "type", 1, 16, &text);

	if (r < 0 || (r > 0 && punch_type_parse(text, &p->type_sent) < 0))
		return "type is neither check_in nor check_out";
	r = jget_bool(record, "live", &live);
	if (r < 0)
		return "live is neither true nor false";
	if (r > 0)
		p->flags |= live ? FLAG_LIVE : FLAG_STORED;
	r = jget_str(record, "method", 0, 256, &text);
	return r < 0 ? "method is no short text" : NULL;
}

/* Copy without the blanks around it. */
static void set_trimmed(char *to, size_t size, const char *text)
{
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	snprintf(to, size, "%.*s", (int)n, text);
}

/* Returns a fault of form, or NULL; *ret_bad where it is a text that is no time. */
static const char *read_time(const json_t *record, struct punch *p, const char **ret_bad)
{
	const char *text;
	int r = jget_str(record, "time", 1, TIME_SENT_MAX, &text);

	if (r == 0)
		return NULL;
	if (r < 0)
		return "time is no text of 1 to 64 characters";
	set_trimmed(p->time_sent, sizeof p->time_sent, text);
	if (p->time_sent[0] == '\0')
		return "time is blank";
	r = time_parse_rfc3339(p->time_sent, &p->time_s);
	p->has_time = r == 0;
	if (r == -ENODATA)
		*ret_bad = "time without an offset from UTC";
	else if (r < 0)
		*ret_bad = "time is no RFC 3339 time";
	return NULL;
}

static void read_fields(const json_t *record, struct payload_record *ret)
{
	const char *bad_time = NULL;
	struct punch *p = &ret->punch;

	ret->fault = read_id(record, p);
	if (!ret->fault)
		ret->fault = read_user(record, p);
	if (!ret->fault)
		ret->fault = read_rest(record, p);
	if (!ret->fault)
		ret->fault = read_time(record, p, &bad_time);
	if (ret->fault)
		return;
	ret->kind = bad_time ? PAYLOAD_BAD_TIME : PAYLOAD_PUNCH;
	ret->fault = bad_time;
}

/* ---- records */

static const char *parse_fault(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key: return "a key twice";
	case json_error_numeric_overflow: return "a number that is too large";
	case json_error_invalid_utf8: return "not UTF-8";
	default: return "not JSON";
	}
}

/* Parse and read one record. Returns 0 or -ENOMEM. */
static int read_record(const struct payload *p, struct jspan span, struct payload_record *ret)
{
	/* Integers as reals: a number of forty digits in a field that nobody reads is no reason to
	 * refuse a punch, and the scheme has no field that is a number. */
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY |
		JSON_ALLOW_NUL; /* it is a fault only in a field that is read */
	const char *text = p->bytes + span.at;
	json_error_t error;
	json_t *record;

	if (jsplit_deeper(text, span.length, PAYLOAD_DEPTH - !p->lone)) {
		ret->fault = "nested deeper than 32 levels";
		return 0;
	}
	record = json_loadb(text, span.length, flags, &error);
	if (!record && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!record)
		ret->fault = parse_fault(&error);
	else if (!json_is_object(record))
		ret->fault = p->lone ? "neither an object nor an array" : "not an object";
	else
		read_fields(record, ret);
	json_decref(record);
	return 0;
}

/* What a malformed record is known by: its id alone. */
static void forget_all_but_id(struct punch *p)
{
	struct punch clean = {.seq = 0};

	memcpy(clean.record_id, p->record_id, sizeof clean.record_id);
	*p = clean;
}

int payload_next(struct payload *p, struct payload_record *ret)
{
	struct jspan span = {.length = p->length};
	int r;

	if (p->next == p->count)
		return 0;
	*ret = (struct payload_record){
		.index = (int)p->next++, .kind = PAYLOAD_MALFORMED, .whole = p->lone};
	if (p->whole_fault) {
		ret->kind = p->whole_kind;
		ret->fault = p->whole_fault;
		ret->whole = true;
		return 1;
	}
	if (!p->lone)
		span = p->spans[ret->index];
	r = read_record(p, span, ret);
	if (ret->kind == PAYLOAD_MALFORMED)
		forget_all_but_id(&ret->punch);
	return r < 0 ? r : 1;
}

/* ---- what is kept of the unreadable */

static bool is_base64(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '+' || c == '/' || c == '=';
}

/* Length of the base64 run at the beginning; JSON may write its slashes with a backslash. */
static size_t base64_run(const char *s, size_t n)
{
	size_t run = 0;

	while (run < n &&
		(is_base64(s[run]) || (s[run] == '\\' && run + 1 < n && s[run + 1] == '/')))
		run++;
	return run;
}

size_t payload_keep(const char *s, size_t n, char ret[static PAYLOAD_RAW_MAX], bool *ret_full)
{
	size_t kept = 0, i = 0;

	*ret_full = true;
	while (i < n && kept < PAYLOAD_RAW_MAX) {
		size_t run = base64_run(s + i, n - i);
		size_t take = run > 0 ? run : 1;

		if (run > BASE64_RUN_MAX) {
			*ret_full = false;
			i += run;
			continue;
		}
		if (take > PAYLOAD_RAW_MAX - kept)
			take = PAYLOAD_RAW_MAX - kept;
		memcpy(ret + kept, s + i, take);
		kept += take;
		i += take;
	}
	if (i < n)
		*ret_full = false;
	return kept;
}

size_t payload_raw(const struct payload *p, const struct payload_record *record, const void *bytes,
	size_t n, char ret[static PAYLOAD_RAW_MAX], bool *ret_full)
{
	const struct jspan *span = &p->spans[record->index];

	if (record->whole)
		return payload_keep(bytes, n, ret, ret_full);
	return payload_keep(p->bytes + span->at, span->length, ret, ret_full);
}
