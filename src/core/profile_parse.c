/* From bytes in one of the formats to JSON, on which the rest of the engine stands. */
#include <errno.h>

#include "base/jsplit.h"
#include "core/profile.h"

#define LINE_COLUMNS 64

static json_t *parse_json(const char *bytes, size_t n, const char **ret_fault, bool *ret_memory)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_error_t error;
	json_t *value;

	if (jsplit_deeper(bytes, n, PAYLOAD_DEPTH)) {
		*ret_fault = "nested deeper than 32 levels";
		return NULL;
	}
	value = json_loadb(bytes, n, flags, &error);
	/* A number of forty digits in a field that nobody reads is no reason to refuse a punch; where
	 * it is read it counts as odd. */
	if (!value && json_error_code(&error) == json_error_numeric_overflow)
		value = json_loadb(bytes, n, flags | JSON_DECODE_INT_AS_REAL, &error);
	if (value)
		return value;
	*ret_memory = json_error_code(&error) == json_error_out_of_memory;
	*ret_fault = json_error_code(&error) == json_error_duplicate_key ? "a key twice"
									 : "not JSON";
	return NULL;
}

/* Put one field of a line. Returns 0, -EINVAL (not UTF-8) or -ENOMEM. */
static int put_field(json_t *object, const char *key, const char *bytes, size_t n)
{
	json_t *value = json_stringn(bytes, n);

	if (!value)
		return -EINVAL;
	return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
}

/* `key=value`; a field without = is skipped. */
static int put_pair(json_t *object, const char *bytes, size_t n)
{
	const char *equals = memchr(bytes, '=', n);
	char key[128];

	if (!equals || equals == bytes || (size_t)(equals - bytes) >= sizeof key)
		return 0;
	memcpy(key, bytes, (size_t)(equals - bytes));
	key[equals - bytes] = '\0';
	if (!json_object_get(object, key))
		return put_field(object, key, equals + 1, n - (size_t)(equals + 1 - bytes));
	return -EINVAL;
}

/* A line of fields between tabs. */
static json_t *parse_fields(const json_t *columns, const char *bytes, size_t n)
{
	json_t *object = json_object();
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; object && r == 0 && at <= n && i < LINE_COLUMNS; i++) {
		const char *tab = memchr(bytes + at, '\t', n - at);
		size_t length = tab ? (size_t)(tab - bytes) - at : n - at;
		const char *name = json_string_value(json_array_get(columns, i));

		if (!columns)
			r = put_pair(object, bytes + at, length);
		else if (name)
			r = put_field(object, name, bytes + at, length);
		at += length + 1;
	}
	if (r == 0)
		return object;
	json_decref(object);
	return NULL;
}

int profile_parse(enum profile_format format, const json_t *columns, const char *bytes, size_t n,
	json_t **ret, const char **ret_fault)
{
	bool memory = false;

	*ret_fault = "not UTF-8, or a field twice";
	switch (format) {
	case FORMAT_JSON: *ret = parse_json(bytes, n, ret_fault, &memory); break;
	case FORMAT_TEXT: *ret = json_stringn(bytes, n); break;
	case FORMAT_TSV: *ret = parse_fields(columns, bytes, n); break;
	case FORMAT_KV: *ret = parse_fields(NULL, bytes, n); break;
	}
	if (*ret)
		*ret_fault = NULL;
	return memory ? -ENOMEM : 0;
}
