/* Paths of a profile, and the conditions that are made of them. */
#include <errno.h>

#include "core/profile.h"

#define KEY_SIZE 128
/* Beyond this a double no longer tells whole numbers apart: a card number would be another's. */
#define WHOLE_MAX 9007199254740991.0

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* One key of a path, with ~1 for a slash and ~0 for a tilde. Returns what is behind it. */
static const char *next_key(const char *path, char ret[static KEY_SIZE])
{
	size_t n = 0;

	for (path++; *path && *path != '/'; path++) {
		char c = *path;

		if (c == '~' && (path[1] == '0' || path[1] == '1'))
			c = *++path == '1' ? '/' : '~';
		if (n < KEY_SIZE - 1)
			ret[n++] = c;
	}
	ret[n] = '\0';
	return path;
}

/* An element of an object by its key, of an array by its place. */
static json_t *child(const json_t *at, const char *key)
{
	char *end;
	unsigned long i;

	if (!json_is_array(at))
		return json_object_get(at, key);
	i = strtoul(key, &end, 10);
	return *key >= '0' && *key <= '9' && !*end ? json_array_get(at, i) : NULL;
}

static const json_t *walk(const json_t *at, const char *path)
{
	char key[KEY_SIZE];

	while (at && *path) {
		path = next_key(path, key);
		at = child(at, key);
	}
	return at;
}

const json_t *profile_find(const struct profile_view *v, const char *path)
{
	if (path[0] == '.')
		return walk(v->record, path + 1);
	return path[0] == '/' || path[0] == '\0' ? walk(v->root, path) : NULL;
}

/* ---- as text */

static enum profile_value trimmed(const char *text, size_t n, char *ret)
{
	while (n > 0 && is_blank(*text)) {
		text++;
		n--;
	}
	while (n > 0 && is_blank(text[n - 1]))
		n--;
	if (n == 0)
		return VALUE_NONE;
	if (n >= PROFILE_TEXT_SIZE || memchr(text, '\0', n))
		return VALUE_ODD;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return VALUE_TEXT;
}

static enum profile_value real_text(double real, char *ret)
{
	int digits = 15;

	if (real > WHOLE_MAX || real < -WHOLE_MAX)
		return VALUE_ODD;
	if (real == (double)(long long)real) {
		snprintf(ret, PROFILE_TEXT_SIZE, "%lld", (long long)real);
		return VALUE_TEXT;
	}
	/* As few as tell it from all others. */
	do
		snprintf(ret, PROFILE_TEXT_SIZE, "%.*g", digits, real);
	while (strtod(ret, NULL) != real && digits++ < 17);
	return VALUE_TEXT;
}

static enum profile_value value_text(const json_t *value, char *ret)
{
	ret[0] = '\0';
	if (!value)
		return VALUE_NONE;
	switch (json_typeof(value)) {
	case JSON_STRING: return trimmed(json_string_value(value), json_string_length(value), ret);
	case JSON_INTEGER:
		snprintf(ret, PROFILE_TEXT_SIZE, "%lld", (long long)json_integer_value(value));
		return VALUE_TEXT;
	case JSON_REAL: return real_text(json_real_value(value), ret);
	case JSON_TRUE: snprintf(ret, PROFILE_TEXT_SIZE, "true"); return VALUE_TEXT;
	case JSON_FALSE: snprintf(ret, PROFILE_TEXT_SIZE, "false"); return VALUE_TEXT;
	case JSON_NULL: return VALUE_NONE;
	case JSON_OBJECT:
	case JSON_ARRAY: return VALUE_ODD;
	}
	return VALUE_ODD;
}

static enum profile_value name_text(const struct profile_names *names, const char *name, char *ret)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->at[i].name_length == strlen(name) &&
			memcmp(names->at[i].name, name, strlen(name)) == 0)
			return trimmed(names->at[i].value, names->at[i].value_length, ret);
	}
	return VALUE_NONE;
}

enum profile_value profile_get(
	const struct profile_view *v, const char *path, char ret[static PROFILE_TEXT_SIZE])
{
	ret[0] = '\0';
	if (strncmp(path, "topic:", 6) == 0)
		return name_text(&v->names, path + 6, ret);
	if (strncmp(path, "const:", 6) == 0)
		return trimmed(path + 6, strlen(path + 6), ret);
	return value_text(profile_find(v, path), ret);
}

enum profile_value profile_first(
	const struct profile_view *v, const json_t *paths, char ret[static PROFILE_TEXT_SIZE])
{
	size_t i;
	json_t *path;

	ret[0] = '\0';
	json_array_foreach(paths, i, path)
	{
		enum profile_value value = profile_get(v, json_string_value(path), ret);

		if (value != VALUE_NONE)
			return value;
	}
	return VALUE_NONE;
}

/* ---- conditions */

bool profile_lists(const json_t *list, const char *text)
{
	char wanted[PROFILE_TEXT_SIZE];
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		if (value_text(value, wanted) != VALUE_ODD && strcmp(wanted, text) == 0)
			return true;
	}
	return false;
}

static bool any_in(const struct profile_view *v, const char *path, const json_t *list)
{
	const json_t *found = profile_find(v, path);
	char text[PROFILE_TEXT_SIZE];
	size_t i;
	json_t *one;

	if (!json_is_array(found))
		return profile_get(v, path, text) != VALUE_ODD && profile_lists(list, text);
	json_array_foreach(found, i, one)
	{
		if (value_text(one, text) != VALUE_ODD && profile_lists(list, text))
			return true;
	}
	return false;
}

static bool greater(const char *text, const json_t *limit)
{
	char *end;
	double number = strtod(text, &end);

	return *text && !*end && number > json_number_value(limit);
}

static bool holds(const json_t *condition, const struct profile_view *v)
{
	const char *path = json_string_value(json_array_get(condition, 0));
	const char *op = json_string_value(json_array_get(condition, 1));
	const json_t *arg = json_array_get(condition, 2);
	char text[PROFILE_TEXT_SIZE];
	enum profile_value value;

	if (strcmp(op, "anyin") == 0)
		return any_in(v, path, arg);
	value = profile_get(v, path, text);
	if (strcmp(op, "nonempty") == 0)
		return value != VALUE_NONE;
	if (strcmp(op, "notin") == 0)
		return value == VALUE_ODD || !profile_lists(arg, text);
	if (strcmp(op, "gt") == 0)
		return value == VALUE_TEXT && greater(text, arg);
	return value != VALUE_ODD && profile_lists(arg, text); /* in */
}

bool profile_accepts(const json_t *conditions, const struct profile_view *v)
{
	size_t i;
	json_t *condition;

	json_array_foreach(conditions, i, condition)
	{
		if (!holds(condition, v))
			return false;
	}
	return true;
}

/* ---- strip */

static bool strip_key(json_t *at, const char *key)
{
	const json_t *there = child(at, key);

	if (!there || json_is_null(there))
		return false;
	/* The others of an array keep their places. */
	if (json_is_array(at))
		json_array_set_new(at, strtoul(key, NULL, 10), json_null());
	else
		json_object_del(at, key);
	return true;
}

/* A `*` is every element. The recursion is as deep as the path, and that has been checked. */
static bool strip_one(json_t *at, const char *path)
{
	char key[KEY_SIZE];
	const char *rest = next_key(path, key);
	bool stripped = false;
	size_t i;
	json_t *element;

	if (strcmp(key, "*") == 0 && json_is_array(at)) {
		if (!*rest)
			return json_array_size(at) > 0 && json_array_clear(at) == 0;
		json_array_foreach(at, i, element) stripped = strip_one(element, rest) || stripped;
		return stripped;
	}
	if (!*rest)
		return strip_key(at, key);
	at = child(at, key);
	return at && strip_one(at, rest);
}

bool profile_strip(const json_t *paths, json_t *root)
{
	bool stripped = false;
	size_t i;
	json_t *path;

	json_array_foreach(paths, i, path)
		stripped = strip_one(root, json_string_value(path)) || stripped;
	return stripped;
}
