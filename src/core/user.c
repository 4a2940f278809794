#include "core/user.h"

#include <errno.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* ASCII only: what a locale thinks of a letter must not decide who somebody is. */
static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* What becomes of one character; '\0' drops it. */
static char map(enum user_kind kind, char c)
{
	switch (kind) {
	case USER_CARD: return c == '-' || c == ':' || is_blank(c) ? '\0' : upper(c);
	case USER_EMAIL: return lower(c);
	case USER_PHONE: return (c && strchr("-.()/", c)) || is_blank(c) ? '\0' : c;
	case USER_ID:
	case USER_PIN:
	case USER_SLOT: return c;
	}
	return c;
}

int user_normalise(enum user_kind kind, const char *text, char ret[static USER_MAX + 1])
{
	const char *end = text + strlen(text);
	size_t n = 0;

	while (is_blank(*text))
		text++;
	while (end > text && is_blank(end[-1]))
		end--;
	for (; text < end; text++) {
		char c = map(kind, *text);

		if (c == '\0')
			continue;
		if (n == USER_MAX)
			return -E2BIG;
		ret[n++] = c;
	}
	ret[n] = '\0';
	if (kind == USER_PHONE && n > 2 && strncmp(ret, "00", 2) == 0) {
		ret[0] = '+';
		memmove(ret + 1, ret + 2, n - 1);
	}
	return n > 0 ? 0 : -EINVAL;
}

enum user_kind user_kind_guess(const char *text)
{
	while (is_blank(*text))
		text++;
	return strncmp(text, "usr_", 4) == 0 ? USER_ID : USER_PIN;
}
