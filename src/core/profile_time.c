/* Times as terminals write them. */
#include <errno.h>
#include <time.h>

#include "base/time.h"
#include "core/profile.h"

#define EPOCH_DIGITS 12 /* of seconds: year 33658 */

/* Conversions that neither ask the machine's zone nor mean something else elsewhere. */
#define CONVERSIONS "YmdHMSybBeTFpIzf%"

static bool is_fixed(const char *format)
{
	return strcmp(format, "epoch_s") == 0 || strcmp(format, "epoch_ms") == 0 ||
		strcmp(format, "iso8601") == 0;
}

/* A conversion in a format, or NULL; `%%f` is none of `%f`. */
static const char *find_conversion(const char *format, char conversion)
{
	for (const char *at = format; *at; at++) {
		if (at[0] == '%' && at[1] == conversion)
			return at;
		if (at[0] == '%' && at[1])
			at++;
	}
	return NULL;
}

/* Whether a format has one of these conversions. */
static bool has_any(const char *format, const char *conversions)
{
	for (; *conversions; conversions++) {
		if (find_conversion(format, *conversions))
			return true;
	}
	return false;
}

/* What is not said would be 1900, the first, or midnight. */
static const char *missing_fault(const char *format)
{
	if (!has_any(format, "F") &&
		!(has_any(format, "Yy") && has_any(format, "mbB") && has_any(format, "de")))
		return "it has no day: a year, a month and a day of the month";
	if (!has_any(format, "HIT"))
		return "it has no time of day";
	if (has_any(format, "I") && !has_any(format, "p"))
		return "%I goes with %p: nothing says which half of the day it is";
	return NULL;
}

const char *profile_time_format_fault(const char *format)
{
	bool any = false;

	if (is_fixed(format))
		return NULL;
	for (const char *at = format; *at; at++) {
		if (*at != '%')
			continue;
		any = true;
		if (!*++at || !strchr(CONVERSIONS, *at))
			return "only the conversions %Y %m %d %H %M %S %y %b %B %e %T %F %p %I %z "
			       "%f and %% are known";
	}
	return any ? missing_fault(format)
		   : "it is none of epoch_s, epoch_ms, iso8601, and has no conversion";
}

/* Digits, and a fraction that is cut off. */
static int parse_epoch(const char *text, size_t digits, int64_t *ret)
{
	size_t n = strspn(text, "0123456789");
	const char *rest = text + n;

	if (n == 0 || n > digits)
		return -EINVAL;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	*ret = strtoll(text, NULL, 10);
	return *rest ? -EINVAL : 0;
}

/*
 * strptime knows no fraction. Where its digits are in the text is found by what stands before them;
 * then both are taken out, and what is left is read as a whole, since what %p says of %I counts across
 * it. Returns whether the text is of this format.
 */
static bool parse_whole(const char *text, const char *format, struct tm *tm)
{
	char left[PROFILE_TEXT_SIZE], plain[PROFILE_TEXT_SIZE];
	const char *fraction, *end;

	if (strlen(text) >= sizeof left || strlen(format) >= sizeof plain)
		return false;
	snprintf(left, sizeof left, "%s", text);
	snprintf(plain, sizeof plain, "%s", format);
	while ((fraction = find_conversion(plain, 'f'))) {
		struct tm before = *tm;
		size_t at = (size_t)(fraction - plain), digits;
		char *from;

		plain[at] = '\0';
		from = strptime(left, plain, &before);
		plain[at] = '%';
		digits = from ? strspn(from, "0123456789") : 0;
		if (digits == 0)
			return false;
		memmove(from, from + digits, strlen(from + digits) + 1);
		memmove(plain + at, plain + at + 2, strlen(plain + at + 2) + 1);
	}
	end = strptime(left, plain, tm);
	return end && !*end;
}

static int parse_format(const char *text, const char *format, struct time_text *ret)
{
	struct tm tm = {.tm_mday = 1};
	struct civil again;

	if (!parse_whole(text, format, &tm))
		return -EINVAL;
	*ret = (struct time_text){.has_offset = find_conversion(format, 'z') != NULL,
		.offset_s = (int32_t)tm.tm_gmtoff,
		.civil = {.year = tm.tm_year + 1900LL,
			.month = tm.tm_mon + 1,
			.day = tm.tm_mday,
			.hour = tm.tm_hour,
			.minute = tm.tm_min,
			.second = tm.tm_sec > 60 ? 60 : tm.tm_sec}};
	/* strptime takes a 30th of February. */
	time_to_civil(
		time_days_from_civil(ret->civil.year, ret->civil.month, ret->civil.day) * 86400,
		&again);
	return again.day == ret->civil.day && again.month == ret->civil.month ? 0 : -EINVAL;
}

/* The offset that the record states. Returns 1, 0 (none), or -EINVAL. */
static int stated_offset(const struct profile *profile, const struct profile_view *v, int64_t *ret)
{
	char text[PROFILE_TEXT_SIZE], *end;
	enum profile_value value = VALUE_NONE;

	if (profile->time.offset_s)
		value = profile_get(v, profile->time.offset_s, text);
	if (value == VALUE_NONE)
		return 0;
	*ret = strtol(text, &end, 10);
	return value == VALUE_TEXT && !*end && *ret >= -86400 && *ret <= 86400 ? 1 : -EINVAL;
}

static int to_unix(const struct profile *profile, const struct profile_view *v,
	const struct zone *zone, const struct time_text *t, struct punch *p)
{
	int64_t local_s = time_from_civil(&t->civil), offset_s = t->offset_s;
	int r = t->has_offset ? 1 : stated_offset(profile, v, &offset_s);

	if (r < 0)
		return r;
	if (r == 0 && zone && !profile->time.utc) {
		if (zone_to_unix(zone, local_s, &p->time_s) == ZONE_SKIPPED)
			p->flags |= FLAG_TIME_SKIPPED;
	} else {
		p->time_s = local_s - offset_s;
	}
	return 0;
}

static int parse_as(const char *format, const struct profile *profile, const struct profile_view *v,
	const struct zone *zone, struct punch *p)
{
	struct time_text t;
	int r;

	if (strcmp(format, "epoch_s") == 0)
		return parse_epoch(p->time_sent, EPOCH_DIGITS, &p->time_s);
	if (strcmp(format, "epoch_ms") == 0) {
		r = parse_epoch(p->time_sent, EPOCH_DIGITS + 3, &p->time_s);
		p->time_s /= 1000;
		return r;
	}
	r = is_fixed(format) ? time_parse(p->time_sent, &t)
			     : parse_format(p->time_sent, format, &t);
	return r < 0 ? r : to_unix(profile, v, zone, &t, p);
}

const char *profile_time_read(const struct profile *profile, const struct profile_view *v,
	const struct zone *zone, struct punch *p, bool *ret_bad)
{
	char text[PROFILE_TEXT_SIZE];
	enum profile_value value = profile_first(v, profile->time.from, text);
	size_t i;
	json_t *format;

	*ret_bad = false;
	if (value == VALUE_NONE)
		return profile->time.received ? NULL : "no time";
	if (value == VALUE_ODD || strlen(text) > TIME_SENT_MAX)
		return "time is no text of 1 to 64 characters";
	punch_text_set(p->time_sent, sizeof p->time_sent, text);
	json_array_foreach(profile->time.formats, i, format)
	{
		if (parse_as(json_string_value(format), profile, v, zone, p) == 0) {
			p->has_time = true;
			return NULL;
		}
	}
	p->time_s = 0;
	*ret_bad = true;
	return "time is of none of the profile's formats";
}
