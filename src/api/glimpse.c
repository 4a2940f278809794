#include "api/glimpse.h"

#include <string.h>

struct scan {
	const char *at, *end;
};

static bool take(struct scan *s, char c)
{
	while (s->at < s->end && *s->at && strchr(" \t\r\n", *s->at))
		s->at++;
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* A text without escapes, with both its quotes. */
static bool take_text(struct scan *s, const char **ret_text, size_t *ret_length)
{
	const char *from;

	if (!take(s, '"'))
		return false;
	for (from = s->at; s->at < s->end && *s->at != '"'; s->at++) {
		if (*s->at == '\\' || (unsigned char)*s->at < ' ')
			return false;
	}
	*ret_text = from;
	*ret_length = (size_t)(s->at - from);
	return s->at++ < s->end;
}

static bool is(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(text, word, n) == 0;
}

/* An id of ours: visible ASCII behind its prefix. */
static bool is_record_id(const char *text, size_t n)
{
	static const char prefix[] = "att_";

	if (n < sizeof prefix || memcmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '!' || text[i] > '~')
			return false;
	}
	return true;
}

bool glimpse_id(const char *json, size_t n, char *ret, size_t size)
{
	struct scan s = {.at = json, .end = json + n};
	const char *key, *value;
	size_t key_length, length;

	if (!take(&s, '{') || !take_text(&s, &key, &key_length) || !is(key, key_length, "data") ||
		!take(&s, ':') || !take(&s, '{'))
		return false;
	do {
		if (!take_text(&s, &key, &key_length) || !take(&s, ':') ||
			!take_text(&s, &value, &length))
			return false;
		if (!is(key, key_length, "id"))
			continue;
		if (!is_record_id(value, length) || length >= size)
			return false;
		memcpy(ret, value, length);
		ret[length] = '\0';
		return true;
	} while (take(&s, ','));
	return false;
}
