#include "base/units.h"

#include <ctype.h>
#include <errno.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Longest factor last: the formatter goes from the end and takes the first that divides. */
static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
	{"", 1}, {"K", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};

static int parse_prefix(const char *text, int64_t *ret, const char **ret_end)
{
	char *end;
	long long value;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno == ERANGE)
		return -ERANGE;
	*ret = value;
	*ret_end = end;
	return 0;
}

int units_parse_int(const char *text, int64_t *ret)
{
	const char *end;
	int r = parse_prefix(text, ret, &end);

	return r < 0 ? r : *end ? -EINVAL : 0;
}

static int parse_unit(const char *text, const struct unit *units, int64_t *ret)
{
	const char *end;
	int64_t value;
	int r = parse_prefix(text, &value, &end);

	if (r < 0)
		return r;
	if (value < 0)
		return -EINVAL;
	for (; units->name; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		return __builtin_mul_overflow(value, units->factor, ret) ? -ERANGE : 0;
	}
	return -EINVAL;
}

int units_parse_duration(const char *text, int64_t *ret_ms)
{
	return parse_unit(strcmp(text, "0") == 0 ? "0ms" : text, durations, ret_ms);
}

int units_parse_size(const char *text, int64_t *ret_bytes)
{
	return parse_unit(text, sizes, ret_bytes);
}

static const char *format_unit(int64_t value, const struct unit *units, char *ret_text)
{
	const struct unit *best = units;

	for (const struct unit *u = units; u->name; u++) {
		if (value != 0 && value % u->factor == 0)
			best = u;
	}
	snprintf(ret_text, UNITS_TEXT_SIZE, "%lld%s", (long long)(value / best->factor),
		value == 0 ? "" : best->name);
	return ret_text;
}

const char *units_format_duration(int64_t ms, char ret_text[static UNITS_TEXT_SIZE])
{
	return format_unit(ms, durations, ret_text);
}

const char *units_format_size(int64_t bytes, char ret_text[static UNITS_TEXT_SIZE])
{
	return format_unit(bytes, sizes, ret_text);
}
