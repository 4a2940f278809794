#include "core/profile_topic.h"

#include <string.h>

#include "base/utf8.h"

#define NAME_MAX_BYTES 32

struct level {
	const char *at;
	size_t length;
};

/* The first level of a topic; *rest is behind it, NULL at the end. */
static struct level level_of(const char *topic, const char **rest)
{
	const char *slash = strchr(topic, '/');
	struct level l = {.at = topic, .length = slash ? (size_t)(slash - topic) : strlen(topic)};

	*rest = slash ? slash + 1 : NULL;
	return l;
}

static bool is_name(struct level l)
{
	return l.length >= 3 && l.at[0] == '{' && l.at[l.length - 1] == '}';
}

/* In a template a placeholder may hold slashes: those are no ends of levels. */
static struct level template_level(const char *topic, const char **rest, bool *ret_open)
{
	const char *at = topic;
	int depth = 0;

	*ret_open = false;
	for (; *at && (*at != '/' || depth > 0); at++) {
		if (*at == '{')
			depth++;
		if (*at == '}' && depth > 0)
			depth--;
		*ret_open = *ret_open || *at == '{';
	}
	*rest = *at ? at + 1 : NULL;
	return (struct level){.at = topic, .length = (size_t)(at - topic)};
}

static const char *name_fault(struct level l)
{
	if (l.length - 2 > NAME_MAX_BYTES)
		return "a level's name is longer than 32 bytes";
	for (size_t i = 1; i + 1 < l.length; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", l.at[i]))
			return "a level's name is made of a-z, 0-9 and _";
	}
	return NULL;
}

static const char *level_fault(struct level l)
{
	if (l.length == 0)
		return "a level is empty";
	if (is_name(l))
		return name_fault(l);
	for (size_t i = 0; i < l.length; i++) {
		if (strchr("+#{}", l.at[i]))
			return "a level is a text, or a name in braces alone, and has no + or #";
		if ((unsigned char)l.at[i] < ' ' || l.at[i] == 0x7f)
			return "it holds a control character";
	}
	return NULL;
}

/* Whether a name stands in a filter twice. */
static bool named_before(const char *filter, struct level l)
{
	const char *rest = filter;

	while (rest && rest < l.at) {
		struct level before = level_of(rest, &rest);

		if (before.at < l.at && before.length == l.length &&
			memcmp(before.at, l.at, l.length) == 0)
			return true;
	}
	return false;
}

const char *profile_filter_fault(const char *filter)
{
	const char *rest = filter;
	int levels = 0;

	if (!utf8_valid(filter) || strlen(filter) > PROFILE_TOPIC_MAX)
		return "it is no UTF-8 text of at most 256 bytes";
	if (filter[0] == '$')
		return "topics that begin with $ are the broker's own";
	while (rest) {
		struct level l = level_of(rest, &rest);
		const char *fault = level_fault(l);

		if (fault)
			return fault;
		if (is_name(l) && named_before(filter, l))
			return "two levels have the same name";
		if (++levels > PROFILE_LEVELS_MAX)
			return "it has more than 16 levels";
	}
	/* att/v1/gw/SITE/status is what we say of ourselves. */
	if (profile_filters_meet(filter, "att/v1/{a}/{b}") ||
		profile_filters_meet(filter, "att/v1/{a}/{b}/{c}"))
		return "it matches topics of att/v1, which is the gateway's own";
	return NULL;
}

bool profile_filter_match(const char *filter, const char *topic, struct profile_names *ret)
{
	struct profile_names names = {.count = 0};

	while (filter && topic) {
		struct level f = level_of(filter, &filter), t = level_of(topic, &topic);

		if (!is_name(f)) {
			if (f.length != t.length || memcmp(f.at, t.at, f.length) != 0)
				return false;
			continue;
		}
		names.at[names.count].name = f.at + 1;
		names.at[names.count].name_length = f.length - 2;
		names.at[names.count].value = t.at;
		names.at[names.count++].value_length = t.length;
	}
	if (ret)
		*ret = names;
	return !filter && !topic;
}

bool profile_filters_meet(const char *a, const char *b)
{
	while (a && b) {
		bool open_a, open_b;
		struct level l = template_level(a, &a, &open_a), m = template_level(b, &b, &open_b);

		if (!open_a && !open_b &&
			(l.length != m.length || memcmp(l.at, m.at, l.length) != 0))
			return false;
	}
	return !a && !b;
}

bool profile_filter_names(const char *filter, const char *name, size_t n)
{
	while (filter) {
		struct level l = level_of(filter, &filter);

		if (is_name(l) && l.length - 2 == n && memcmp(l.at + 1, name, n) == 0)
			return true;
	}
	return false;
}

void profile_filter_print(const char *filter, struct buf *out)
{
	while (filter) {
		struct level l = level_of(filter, &filter);

		if (is_name(l))
			buf_add_char(out, '+');
		else
			buf_add(out, l.at, l.length);
		if (filter)
			buf_add_char(out, '/');
	}
}

bool profile_level_sound(const char *text, size_t n)
{
	if (n < 1 || n > 64)
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || strchr("/+#$", text[i]))
			return false;
	}
	return true;
}
