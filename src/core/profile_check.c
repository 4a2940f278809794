#include "core/profile_check.h"

#include <stdint.h>
#include <string.h>

#include "core/profile_topic.h"

#define PATH_KEY_MAX  127
#define PATH_KEYS_MAX 16

void check_fault(struct checker *c, const char *format, ...)
{
	va_list ap;

	buf_addf(c->faults, "%s: %s: ", c->file, c->path[0] ? c->path : "/");
	va_start(ap, format);
	buf_vaddf(c->faults, format, ap);
	va_end(ap);
	buf_add_char(c->faults, '\n');
}

size_t check_enter(struct checker *c, const char *key)
{
	size_t mark = strlen(c->path);

	snprintf(c->path + mark, sizeof c->path - mark, "/%s", key);
	return mark;
}

size_t check_enter_at(struct checker *c, size_t index)
{
	char key[24];

	snprintf(key, sizeof key, "%zu", index);
	return check_enter(c, key);
}

void check_leave(struct checker *c, size_t mark)
{
	c->path[mark] = '\0';
}

/* A fault at a key of the object on which the walk stands. */
static void fault_at(struct checker *c, const char *key, const char *message)
{
	size_t mark = check_enter(c, key);

	check_fault(c, "%s", message);
	check_leave(c, mark);
}

/* Keys come from a file: they are shown without control characters. */
static void unknown_key(struct checker *c, const char *key)
{
	char shown[64];
	size_t n = 0;

	for (; key[n] && n < sizeof shown - 1; n++)
		shown[n] = (unsigned char)key[n] < ' ' || key[n] == 0x7f ? '?' : key[n];
	shown[n] = '\0';
	fault_at(c, shown, "there is no such key");
}

bool check_object(struct checker *c, const json_t *object, const char *const keys[])
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		check_fault(c, "it is no object");
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		int i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i])
			unknown_key(c, key);
	}
	return true;
}

const char *check_text(struct checker *c, const json_t *object, const char *key, bool needed)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (!value && needed)
		fault_at(c, key, "it is missing");
	if (value && (!text || strlen(text) != json_string_length(value))) {
		fault_at(c, key, "it is no text");
		return NULL;
	}
	return text;
}

int check_word(struct checker *c, const json_t *object, const char *key, const char *const words[],
	int fallback)
{
	const char *text = check_text(c, object, key, false);
	size_t mark;
	int i;

	if (!text)
		return fallback;
	for (i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	mark = check_enter(c, key);
	buf_addf(c->faults, "%s: %s: it is none of", c->file, c->path);
	for (i = 0; words[i]; i++)
		buf_addf(c->faults, " %s", words[i]);
	buf_add_char(c->faults, '\n');
	check_leave(c, mark);
	return fallback;
}

bool check_bool(struct checker *c, const json_t *object, const char *key, bool fallback)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		fault_at(c, key, "it is neither true nor false");
	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t check_number(struct checker *c, const json_t *object, const char *key, int64_t min,
	int64_t max, int64_t fallback)
{
	const json_t *value = json_object_get(object, key);
	size_t mark;

	if (!value)
		return fallback;
	if (json_is_integer(value) && json_integer_value(value) >= min &&
		json_integer_value(value) <= max)
		return json_integer_value(value);
	mark = check_enter(c, key);
	check_fault(c, "it is no whole number from %lld to %lld", (long long)min, (long long)max);
	check_leave(c, mark);
	return fallback;
}

/* ---- paths */

static const char *keys_fault(const char *path)
{
	int keys = 0;

	while (*path) {
		size_t n = strcspn(path + 1, "/");

		if (n == 0 || n > PATH_KEY_MAX || ++keys > PATH_KEYS_MAX)
			return "a path is made of at most 16 keys of 1 to 127 bytes, each after a "
			       "slash";
		path += 1 + n;
	}
	return NULL;
}

static const char *path_fault(const struct checker *c, const char *path)
{
	if (path[0] == '\0' || path[0] == '/')
		return keys_fault(path);
	if (strncmp(path, "./", 2) == 0)
		return keys_fault(path + 1);
	if (strncmp(path, "const:", 6) == 0)
		return path[6] ? NULL : "const: is followed by a text";
	if (strncmp(path, "topic:", 6) != 0)
		return "a path begins with /, ./, topic: or const:";
	return c->filter && profile_filter_names(c->filter, path + 6, strlen(path + 6))
		? NULL
		: "the topic has no level of that name";
}

const char *check_path(struct checker *c, const json_t *object, const char *key, bool needed)
{
	const char *path = check_text(c, object, key, needed);
	const char *fault = path ? path_fault(c, path) : NULL;

	if (fault)
		fault_at(c, key, fault);
	return fault ? NULL : path;
}

/* ---- lists */

static const json_t *array_of(
	struct checker *c, const json_t *object, const char *key, bool needed, bool empty)
{
	const json_t *list = json_object_get(object, key);

	if (!list && needed)
		fault_at(c, key, "it is missing");
	if (!list)
		return NULL;
	if (json_is_array(list) && (empty || json_array_size(list) > 0))
		return list;
	fault_at(c, key, empty ? "it is no list" : "it is no list of at least one");
	return NULL;
}

static void check_scalars(struct checker *c, const json_t *list)
{
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		size_t mark = check_enter_at(c, i);

		if (json_is_array(value) || json_is_object(value))
			check_fault(c, "it is no text, number or boolean");
		check_leave(c, mark);
	}
}

const json_t *check_list(
	struct checker *c, const json_t *object, const char *key, bool needed, bool empty)
{
	const json_t *list = array_of(c, object, key, needed, empty);
	size_t mark = check_enter(c, key);

	check_scalars(c, list);
	check_leave(c, mark);
	return list;
}

const json_t *check_paths(
	struct checker *c, const json_t *object, const char *key, bool needed, bool absolute)
{
	const json_t *list = array_of(c, object, key, needed, !needed);
	size_t mark = check_enter(c, key), i;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		size_t inner = check_enter_at(c, i);
		const char *path = json_string_value(value), *fault = NULL;

		if (!path)
			fault = "it is no path";
		else if (absolute && path[0] != '/')
			fault = "it begins with a slash";
		else
			fault = path_fault(c, path);
		if (fault)
			check_fault(c, "%s", fault);
		check_leave(c, inner);
	}
	check_leave(c, mark);
	return list;
}

/* ---- conditions */

static const char *argument_fault(const char *op, const json_t *condition)
{
	const json_t *arg = json_array_get(condition, 2);
	size_t n = json_array_size(condition);

	if (strcmp(op, "nonempty") == 0)
		return n == 2 ? NULL : "nonempty takes no argument";
	if (strcmp(op, "gt") == 0)
		return n == 3 && json_is_number(arg) ? NULL : "gt takes a number";
	if (strcmp(op, "in") == 0 || strcmp(op, "notin") == 0 || strcmp(op, "anyin") == 0)
		return n == 3 && json_is_array(arg) && json_array_size(arg) > 0
			? NULL
			: "in, notin and anyin take a list of at least one";
	return "the operation is none of in, notin, nonempty, anyin, gt";
}

static void check_condition(struct checker *c, const json_t *condition)
{
	const char *path = json_string_value(json_array_get(condition, 0));
	const char *op = json_string_value(json_array_get(condition, 1));
	const char *fault = !path || !op ? "it is no [path, operation, argument]" : NULL;

	if (!fault)
		fault = path_fault(c, path);
	if (!fault)
		fault = argument_fault(op, condition);
	if (fault)
		check_fault(c, "%s", fault);
	else
		check_scalars(c, json_array_get(condition, 2));
}

const json_t *check_conditions(
	struct checker *c, const json_t *object, const char *key, bool needed)
{
	const json_t *list = array_of(c, object, key, needed, true);
	size_t mark = check_enter(c, key), i;
	json_t *condition;

	json_array_foreach(list, i, condition)
	{
		size_t inner = check_enter_at(c, i);

		check_condition(c, condition);
		check_leave(c, inner);
	}
	check_leave(c, mark);
	return list;
}
