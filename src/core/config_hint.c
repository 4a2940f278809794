#include "core/config_hint.h"

#include <ctype.h>

#include "base/nearest.h"
#include "core/config_road.h"

/* ---- keys and sections */

/* The keys of all sections, one after the other; NULL behind the last. */
static const struct config_key *key_at(size_t i)
{
	if (i < config_keys_count)
		return &config_keys[i];
	i -= config_keys_count;
	return i < CONFIG_TERMINAL_KEYS ? &config_terminal_keys[i] : NULL;
}

static void add_section(const char *section, struct buf *out)
{
	buf_addf(out, strcmp(section, "terminal") == 0 ? "[%s \"NAME\"]" : "[%s]", section);
}

/* The sections that have a key of this name. Returns whether there are any. */
static bool add_homes(const char *name, struct buf *out)
{
	const char *before = ": it belongs into ";
	const struct config_key *k;

	for (size_t i = 0; (k = key_at(i)); i++) {
		if (strcmp(k->name, name) != 0)
			continue;
		buf_add_str(out, before);
		add_section(k->section, out);
		before = " or ";
	}
	return before[0] != ':';
}

static const struct config_key *nearest_key(const char *section, const char *name)
{
	const struct config_key *k, *best = NULL;
	unsigned least = NEAREST_FAR;

	for (size_t i = 0; (k = key_at(i)); i++) {
		unsigned steps = nearest_distance(name, k->name);

		if (section && strcmp(k->section, section) != 0)
			continue;
		if (steps < least)
			best = k;
		least = steps < least ? steps : least;
	}
	return best;
}

/* The very name elsewhere says more than a like one here. */
void config_hint_key(const char *section, const char *name, struct buf *out)
{
	const struct config_key *near;

	if (add_homes(name, out))
		return;
	near = nearest_key(section, name);
	if (near) {
		buf_addf(out, ": %s?", near->name);
		return;
	}
	near = nearest_key(NULL, name);
	if (near) {
		buf_addf(out, ": %s in ", near->name);
		add_section(near->section, out);
		buf_add_char(out, '?');
	}
}

void config_hint_section(const char *name, struct buf *out)
{
	const struct config_key *k;
	const char *best = NULL;
	unsigned least = NEAREST_FAR;

	for (size_t i = 0; (k = key_at(i)); i++) {
		unsigned steps = nearest_distance(name, k->section);

		if (steps < least)
			best = k->section;
		least = steps < least ? steps : least;
	}
	if (!best)
		return;
	buf_add_str(out, ": ");
	add_section(best, out);
	buf_add_char(out, '?');
}

/* ---- values */

#define VALUE_MAX CONFIG_LINE_MAX

/* Try a way to write it; if the key takes it, it is the hint. */
static bool offer(const struct config_key *k, const char *value, struct buf *out)
{
	if (!config_key_takes(k, value))
		return false;
	buf_addf(out, ": `%s`?", value);
	return true;
}

static bool offer_with(
	const struct config_key *k, const char *value, const char *unit, struct buf *out)
{
	char text[VALUE_MAX + 8];

	snprintf(text, sizeof text, "%s%s", value, unit);
	return offer(k, text, out);
}

/* Without blanks, in one case. */
static void squeeze(const char *value, bool upper, char to[static VALUE_MAX + 1])
{
	size_t n = 0;

	for (const char *s = value; *s && n < VALUE_MAX; s++) {
		if (*s != ' ' && *s != '\t')
			to[n++] = (char)(upper ? toupper((unsigned char)*s)
					       : tolower((unsigned char)*s));
	}
	to[n] = '\0';
}

/* `60`, `60 s`, `5M`, `5min`, `1day`: the unit is one letter, or ms. */
static bool hint_duration(const struct config_key *k, const char *value, struct buf *out)
{
	char text[VALUE_MAX + 1];
	size_t digits;

	squeeze(value, false, text);
	digits = strspn(text, "0123456789");
	if (digits == 0)
		return false;
	if (text[digits] == '\0')
		return offer_with(k, text, "s", out);
	if (offer(k, text, out))
		return true;
	text[digits + 1] = '\0';
	return offer(k, text, out);
}

/* `64m`, `64 MB`, `64MiB`. */
static bool hint_size(const struct config_key *k, const char *value, struct buf *out)
{
	char text[VALUE_MAX + 1];
	size_t digits;

	squeeze(value, true, text);
	digits = strspn(text, "0123456789");
	if (digits == 0 || text[digits] == '\0')
		return false;
	text[digits + 1] = '\0';
	return offer(k, text, out);
}

static bool hint_bool(const struct config_key *k, const char *value, struct buf *out)
{
	static const char *const said[] = {"true", "on", "1", "y", "false", "off", "0", "n"};
	char text[VALUE_MAX + 1];

	squeeze(value, false, text);
	for (size_t i = 0; i < 8; i++) {
		if (strcmp(text, said[i]) == 0)
			return offer(k, i < 4 ? "yes" : "no", out);
	}
	return offer(k, text, out);
}

static bool hint_word(const struct config_key *k, const char *value, struct buf *out)
{
	const char *best = NULL;
	unsigned least = NEAREST_FAR;
	size_t n;
	const char *const *words = config_key_words(k, &n);

	for (size_t i = 0; i < n; i++) {
		unsigned steps = nearest_distance(value, words[i]);

		if (steps < least)
			best = words[i];
		least = steps < least ? steps : least;
	}
	return best && offer(k, best, out);
}

/* `https://api.example/v1/`, or without a scheme. */
static bool hint_url(const struct config_key *k, const char *value, struct buf *out)
{
	char text[sizeof CONFIG_SCHEME + VALUE_MAX];
	size_t n;

	snprintf(text, sizeof text, "%s%s", strstr(value, "://") ? "" : CONFIG_SCHEME, value);
	n = strlen(text);
	while (n > 0 && text[n - 1] == '/')
		text[--n] = '\0';
	return offer(k, text, out);
}

static bool hint_spelling(const struct config_key *k, const char *value, struct buf *out)
{
	switch (k->type) {
	case CONFIG_DURATION: return hint_duration(k, value, out);
	case CONFIG_SIZE: return hint_size(k, value, out);
	case CONFIG_BOOL: return hint_bool(k, value, out);
	case CONFIG_URL: return hint_url(k, value, out);
	case CONFIG_PLAN:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT: return hint_word(k, value, out);
	case CONFIG_WEEK:
	case CONFIG_INT:
	case CONFIG_CLOCK:
	case CONFIG_TIME:
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_HOST:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS:
	case CONFIG_LISTEN:
	case CONFIG_HEADER:
	case CONFIG_HOLIDAYS: break;
	}
	return false;
}

/* A comment that the reader takes for a part of the value: `1883;the port`, `1883 # the port`. */
static bool has_comment(const struct config_key *k, const char *value)
{
	char text[VALUE_MAX + 1];
	size_t n = strcspn(value, ";#");

	if (value[n] == '\0')
		return false;
	snprintf(text, sizeof text, "%.*s", (int)n, value);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return n > 0 && config_key_takes(k, text);
}

void config_hint_value(const struct config_key *k, const char *value, struct buf *out)
{
	if (k->type == CONFIG_SECRET)
		buf_add_str(out, "; the secret itself lies in the file that is named here");
	else if (has_comment(k, value))
		buf_add_str(out, ": a comment behind a value begins with a blank and a semicolon");
	else
		hint_spelling(k, value, out);
}
