#include "base/jsplit.h"

#include <errno.h>

/* A walk over JSON text that knows how deep it stands. */
struct walk {
	const char *json;
	size_t n, at;
	bool in_text;
	int depth;
};

/* The next character that is no part of a text, or 0 at the end; depth counts it already. */
static char step(struct walk *w)
{
	while (w->at < w->n) {
		char c = w->json[w->at++];

		if (w->in_text && c == '\\')
			w->at++;
		else if (c == '"')
			w->in_text = !w->in_text;
		else if (!w->in_text) {
			w->depth += (c == '[' || c == '{') - (c == ']' || c == '}');
			if (c != '\0')
				return c;
		}
	}
	return '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool jsplit_deeper(const char *json, size_t n, int max)
{
	struct walk w = {.json = json, .n = n};

	while (step(&w)) {
		if (w.depth > max)
			return true;
	}
	return false;
}

/* The element from `from` to before `end`, where its comma or bracket stands. */
static struct jspan trimmed(const char *json, size_t from, size_t end)
{
	while (from < end && is_blank(json[from]))
		from++;
	while (end > from && is_blank(json[end - 1]))
		end--;
	return (struct jspan){.at = from, .length = end - from};
}

static bool only_blanks_follow(const struct walk *w)
{
	for (size_t i = w->at; i < w->n; i++) {
		if (!is_blank(w->json[i]))
			return false;
	}
	return true;
}

int jsplit(const char *json, size_t n, struct jspan *ret_spans, size_t max)
{
	struct walk w = {.json = json, .n = n};
	size_t from, count = 0;
	char c;

	while (w.at < n && is_blank(json[w.at]))
		w.at++;
	if (w.at == n || step(&w) != '[' || w.depth != 1)
		return -EINVAL;
	from = w.at;
	while ((c = step(&w))) {
		struct jspan span = trimmed(json, from, w.at - 1);
		bool ends = w.depth == 0;

		if (!ends && (c != ',' || w.depth != 1))
			continue;
		if (ends && (c != ']' || !only_blanks_follow(&w)))
			return -EINVAL;
		if (ends && count == 0 && span.length == 0)
			return 0;
		if (count < max)
			ret_spans[count] = span;
		count++;
		from = w.at;
		if (ends)
			return (int)count;
	}
	return -EINVAL;
}
