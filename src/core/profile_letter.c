/* Templates: what a profile has the gateway publish. */
#include <errno.h>

#include "base/time.h"
#include "core/profile.h"

#define INSERT_MAX 200 /* bytes between two braces */
#define PART_MAX   65536
#define NOW_CHARS  "YmdHMSyTF%"

enum insert_form { INSERT_TEXT, INSERT_RAW, INSERT_INT };

/* What stands between two braces. */
struct insert {
	char what[INSERT_MAX + 1];
	enum insert_form form;
};

static bool cut_end(char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	if (n <= m || strcmp(text + n - m, end) != 0)
		return false;
	text[n - m] = '\0';
	return true;
}

/* Read an insert at its brace. Returns what is behind it, or NULL: it is never closed. */
static const char *read_insert(const char *text, struct insert *ret)
{
	const char *end = strchr(text, '}');

	if (!end || end - text - 1 > INSERT_MAX)
		return NULL;
	snprintf(ret->what, sizeof ret->what, "%.*s", (int)(end - text - 1), text + 1);
	ret->form = cut_end(ret->what, ":raw") ? INSERT_RAW
		: cut_end(ret->what, ":int")   ? INSERT_INT
					       : INSERT_TEXT;
	return end + 1;
}

static bool now_format_sound(const char *format)
{
	if (strcmp(format, "epoch") == 0)
		return true;
	for (const char *at = format; *at; at++) {
		if (*at == '%' && (!*++at || !strchr(NOW_CHARS, *at)))
			return false;
	}
	return *format != '\0';
}

static const char *insert_fault(const char *what, const char *filter, enum letter_kind kind)
{
	if (strcmp(what, "device") == 0 && kind == LETTER_REPLY)
		return "a reply is to a message, not to a punch: its device is what "
		       "topic:NAME or a path says";
	if ((strcmp(what, "record_id") == 0 || strcmp(what, "count") == 0) && kind != LETTER_ACK)
		return "record_id and count are those of an acknowledged message";
	if (strcmp(what, "device") == 0 || strcmp(what, "record_id") == 0 ||
		strcmp(what, "count") == 0 || strcmp(what, "uuid") == 0)
		return NULL;
	if (strncmp(what, "now:", 4) == 0)
		return now_format_sound(what + 4) ? NULL
						  : "`now:` is followed by epoch or a format";
	if (kind == LETTER_CLOCK &&
		(strncmp(what, "topic:", 6) == 0 || what[0] == '/' || strncmp(what, "./", 2) == 0))
		return "the clock comes of itself: there is no message to take this from";
	if (strncmp(what, "topic:", 6) == 0)
		return profile_filter_names(filter, what + 6, strlen(what + 6))
			? NULL
			: "the topic has no level of that name";
	if (what[0] == '/' || strncmp(what, "./", 2) == 0)
		return NULL;
	return "between braces stands none of device, record_id, count, uuid, now:FORMAT, "
	       "topic:NAME or a path";
}

const char *profile_template_fault(const char *text, const char *filter, enum letter_kind kind)
{
	struct insert insert;

	while ((text = strchr(text, '{'))) {
		const char *fault;

		if (text[1] == '{') {
			text += 2;
			continue;
		}
		text = read_insert(text, &insert);
		if (!text)
			return "a brace is never closed; a brace itself is written {{";
		fault = insert_fault(insert.what, filter, kind);
		if (fault)
			return fault;
	}
	return NULL;
}

/* ---- what is inserted */

/* One conversion of strftime, in the words of no locale. */
static void put_conversion(const struct civil *c, char conversion, struct buf *out)
{
	switch (conversion) {
	case 'Y': buf_addf(out, "%lld", (long long)c->year); break;
	case 'y': buf_addf(out, "%02d", (int)(c->year % 100)); break;
	case 'm': buf_addf(out, "%02d", c->month); break;
	case 'd': buf_addf(out, "%02d", c->day); break;
	case 'H': buf_addf(out, "%02d", c->hour); break;
	case 'M': buf_addf(out, "%02d", c->minute); break;
	case 'S': buf_addf(out, "%02d", c->second); break;
	case 'F': buf_addf(out, "%lld-%02d-%02d", (long long)c->year, c->month, c->day); break;
	case 'T': buf_addf(out, "%02d:%02d:%02d", c->hour, c->minute, c->second); break;
	default: buf_add_char(out, conversion); break; /* %% */
	}
}

static void put_now(const struct profile_facts *f, const char *format, struct buf *out)
{
	struct civil c;

	if (strcmp(format, "epoch") == 0) {
		buf_addf(out, "%lld", (long long)f->now_s);
		return;
	}
	time_to_civil(f->now_s + (f->zone ? zone_offset_at(f->zone, f->now_s) : 0), &c);
	for (; *format; format++) {
		if (*format == '%')
			put_conversion(&c, *++format, out);
		else
			buf_add_char(out, *format);
	}
}

/* A random one (RFC 9562, version 4). */
static void put_uuid(const struct profile_facts *f, struct buf *out)
{
	uint64_t high = (f->random[0] & 0xffffffffffff0fffULL) | 0x4000;
	uint64_t low = (f->random[1] & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;

	buf_addf(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff, (unsigned)(low >> 48),
		(unsigned long long)low & 0xffffffffffffULL);
}

static void put(const struct profile_facts *f, const char *what, struct buf *out)
{
	char text[PROFILE_TEXT_SIZE];

	if (strcmp(what, "device") == 0)
		buf_add_str(out, f->device);
	else if (strcmp(what, "record_id") == 0)
		buf_add_str(out, f->record_id);
	else if (strcmp(what, "count") == 0)
		buf_addf(out, "%lld", (long long)f->count);
	else if (strcmp(what, "uuid") == 0)
		put_uuid(f, out);
	else if (strncmp(what, "now:", 4) == 0)
		put_now(f, what + 4, out);
	else if (profile_get(f->view, what, text) == VALUE_TEXT)
		buf_add_str(out, text);
}

static bool is_whole_number(const char *text)
{
	size_t sign = text[0] == '-', n = strspn(text + sign, "0123456789");

	return n > 0 && n <= 18 && !text[sign + n];
}

/* What is inserted, as JSON where it is the whole of a text; NULL with *error set where it cannot. */
static json_t *insert_json(const struct profile_facts *f, const struct insert *insert, int *error)
{
	const json_t *found = insert->form == INSERT_RAW ? profile_find(f->view, insert->what)
							 : NULL;
	struct buf text;
	json_t *value = NULL;

	if (found)
		return json_deep_copy(found);
	if (insert->form == INSERT_RAW && strpbrk(insert->what, "/") == insert->what)
		return json_null();
	buf_init(&text, PART_MAX);
	put(f, insert->what, &text);
	*error = buf_error(&text) ? -ENOMEM : 0;
	/* Seconds since 1970 are a number. */
	if (*error == 0 && (insert->form == INSERT_INT || strcmp(insert->what, "now:epoch") == 0)) {
		if (is_whole_number(text.data))
			value = json_integer(strtoll(text.data, NULL, 10));
		else
			*error = -ENODATA;
	} else if (*error == 0) {
		value = json_stringn(text.data, text.len);
	}
	if (!value && *error == 0)
		*error = -ENOMEM;
	buf_done(&text);
	return value;
}

/* An insert in the middle of a text. */
static int insert_text(const struct profile_facts *f, const struct insert *insert, struct buf *out)
{
	const json_t *found = insert->form == INSERT_RAW ? profile_find(f->view, insert->what)
							 : NULL;
	size_t before = out->len;
	char *json;

	if (found) {
		json = json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!json)
			return -ENOMEM;
		buf_add_str(out, json);
		free(json);
		return 0;
	}
	put(f, insert->what, out);
	if (insert->form == INSERT_INT && buf_error(out) == 0 &&
		!is_whole_number(out->data + before))
		return -ENODATA;
	return 0;
}

/* Append a template's text. level: every insert is one level of a topic. */
static int fill(const char *text, const struct profile_facts *f, bool level, struct buf *out)
{
	struct insert insert;
	int r = 0;

	while (*text && r == 0) {
		size_t before;

		if (text[0] != '{' || text[1] == '{') {
			buf_add_char(out, *text);
			text += text[0] == '{' ? 2 : 1;
			continue;
		}
		text = read_insert(text, &insert);
		before = out->len;
		r = insert_text(f, &insert, out);
		if (r == 0 && level && buf_error(out) == 0 &&
			!profile_level_sound(out->data + before, out->len - before))
			r = -EINVAL;
	}
	return r < 0 ? r : buf_error(out);
}

int profile_topic_fill(const char *text, const struct profile_facts *f, struct buf *out)
{
	int r = fill(text, f, true, out);

	return r == -ENODATA || r == -E2BIG ? -EINVAL : r;
}

/* ---- JSON payloads */

static json_t *fill_json(const json_t *template, const struct profile_facts *f, int *error);

static json_t *fill_string(const char *text, const struct profile_facts *f, int *error)
{
	struct insert insert;
	struct buf out;
	json_t *value = NULL;

	if (text[0] == '{' && text[1] != '{' && !*read_insert(text, &insert))
		return insert_json(f, &insert, error);
	buf_init(&out, PART_MAX);
	*error = fill(text, f, false, &out);
	if (*error == 0) {
		value = json_stringn(out.data, out.len);
		*error = value ? 0 : -ENOMEM;
	}
	buf_done(&out);
	return value;
}

static json_t *fill_object(const json_t *template, const struct profile_facts *f, int *error)
{
	json_t *copy = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t) template, key, value)
	{
		json_t *filled = fill_json(value, f, error);

		if (!filled || json_object_set_new(copy, key, filled) < 0) {
			*error = *error ? *error : -ENOMEM;
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static json_t *fill_array(const json_t *template, const struct profile_facts *f, int *error)
{
	json_t *copy = json_array(), *value;
	size_t i;

	json_array_foreach(template, i, value)
	{
		json_t *filled = fill_json(value, f, error);

		if (!filled || json_array_append_new(copy, filled) < 0) {
			*error = *error ? *error : -ENOMEM;
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

/* The recursion is as deep as the profile's own JSON, and that has been checked. */
static json_t *fill_json(const json_t *template, const struct profile_facts *f, int *error)
{
	if (json_is_object(template))
		return fill_object(template, f, error);
	if (json_is_array(template))
		return fill_array(template, f, error);
	if (json_is_string(template))
		return fill_string(json_string_value(template), f, error);
	return json_deep_copy(template);
}

int profile_payload_fill(
	const struct profile_letter *letter, const struct profile_facts *f, struct buf *out)
{
	int error = 0;
	json_t *filled;
	char *text;

	if (!letter->payload)
		return fill(letter->payload_text, f, false, out);
	filled = fill_json(letter->payload, f, &error);
	if (!filled)
		return error ? error : -ENOMEM;
	text = json_dumps(filled, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(filled);
	if (!text)
		return -ENOMEM;
	buf_add_str(out, text);
	free(text);
	return buf_error(out);
}

/* ---- when a punch is acknowledged */

static bool has(const struct profile_facts *f, const char *need)
{
	char text[PROFILE_TEXT_SIZE];

	if (strcmp(need, "record_id") == 0)
		return f->record_id[0] != '\0';
	return profile_get(f->view, need, text) != VALUE_NONE;
}

bool profile_ack_wanted(const struct profile *p, const struct profile_facts *f, unsigned outcomes)
{
	size_t i;
	json_t *need;

	if (!p->ack.letter.topic || (outcomes & OUTCOME_REFUSED) || !(outcomes & p->ack.on))
		return false;
	if (json_is_string(p->ack.needs))
		return has(f, json_string_value(p->ack.needs));
	json_array_foreach(p->ack.needs, i, need)
	{
		if (!has(f, json_string_value(need)))
			return false;
	}
	return true;
}
