#include "base/tzrule.h"

#include <errno.h>

#include "base/time.h"

#define DAY_S        86400
#define CHANGE_HOURS 167 /* of a change's time, RFC 9636 */
#define OFFSET_HOURS 24  /* of an offset from UTC, POSIX */

/* ---- reading; each takes what it knows and returns what is left, or NULL */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number from min to max, of as many digits as one likes up to four. */
static const char *take_number(const char *s, int min, int max, int *ret)
{
	int n = 0, digits = 0;

	for (; is_digit(*s) && digits < 4; s++, digits++)
		n = n * 10 + (*s - '0');
	*ret = n;
	return digits > 0 && !is_digit(*s) && n >= min && n <= max ? s : NULL;
}

static const char *take_name(const char *s)
{
	const char *from = s;

	if (*s == '<') {
		for (s++; is_letter(*s) || is_digit(*s) || *s == '+' || *s == '-'; s++)
			;
		return *s == '>' && s - from >= 4 ? s + 1 : NULL;
	}
	while (is_letter(*s))
		s++;
	return s - from >= 3 ? s : NULL;
}

/* `[+-]hh[:mm[:ss]]`. */
static const char *take_time(const char *s, int max_hours, int32_t *ret)
{
	int sign = *s == '-' ? -1 : 1, hour, minute = 0, second = 0;

	if (*s == '-' || *s == '+')
		s++;
	s = take_number(s, 0, max_hours, &hour);
	if (s && *s == ':') {
		s = take_number(s + 1, 0, 59, &minute);
		if (s && *s == ':')
			s = take_number(s + 1, 0, 59, &second);
	}
	*ret = sign * (hour * 3600 + minute * 60 + second);
	return s;
}

/* An offset, which the text counts west of UTC. */
static const char *take_offset(const char *s, int32_t *ret)
{
	s = take_time(s, OFFSET_HOURS, ret);
	*ret = -*ret;
	return s;
}

static const char *take_char(const char *s, char c)
{
	return s && *s == c ? s + 1 : NULL;
}

static const char *take_day(const char *s, struct tzrule_day *ret)
{
	if (*s == 'J') {
		ret->form = TZRULE_JULIAN;
		return take_number(s + 1, 1, 365, &ret->day);
	}
	if (*s != 'M') {
		ret->form = TZRULE_YEARDAY;
		return take_number(s, 0, 365, &ret->day);
	}
	ret->form = TZRULE_WEEKDAY;
	s = take_number(s + 1, 1, 12, &ret->month);
	s = take_char(s, '.');
	s = s ? take_number(s, 1, 5, &ret->week) : NULL;
	s = take_char(s, '.');
	return s ? take_number(s, 0, 6, &ret->day) : NULL;
}

/* `,day[/time]`. */
static const char *take_change(const char *s, struct tzrule_day *ret)
{
	*ret = (struct tzrule_day){.time_s = 2 * 3600};
	s = take_char(s, ',');
	s = s ? take_day(s, ret) : NULL;
	return s && *s == '/' ? take_time(s + 1, CHANGE_HOURS, &ret->time_s) : s;
}

int tzrule_parse(const char *text, struct tzrule *ret)
{
	const char *s = take_name(text);

	*ret = (struct tzrule){.has_daylight = false};
	s = s ? take_offset(s, &ret->standard_s) : NULL;
	if (s && *s != '\0') {
		ret->has_daylight = true;
		ret->daylight_s = ret->standard_s + 3600;
		s = take_name(s);
		if (s && *s != ',')
			s = take_offset(s, &ret->daylight_s);
		s = take_change(s, &ret->start);
		s = take_change(s, &ret->end);
	}
	return s && *s == '\0' ? 0 : -EINVAL;
}

/* ---- reckoning */

static int64_t year_of(int64_t unix_s)
{
	struct civil c;

	time_to_civil(unix_s, &c);
	return c.year;
}

static int64_t weekday_in_month(int64_t year, const struct tzrule_day *d)
{
	int64_t first = time_days_from_civil(year, d->month, 1);
	int64_t next = d->month == 12 ? time_days_from_civil(year + 1, 1, 1)
				      : time_days_from_civil(year, d->month + 1, 1);
	/* 1970-01-01 was a Thursday; the remainder is made positive. */
	int64_t weekday = ((first + 4) % 7 + 7) % 7;
	int64_t day = first + (d->day - weekday + 7) % 7 + (d->week - 1) * 7;

	return day < next ? day : day - 7;
}

/* The local time of a year's change as if it were UTC, in seconds. */
static int64_t change_in(int64_t year, const struct tzrule_day *d)
{
	int64_t january = time_days_from_civil(year, 1, 1);
	int64_t march = time_days_from_civil(year, 3, 1);
	int64_t day = january;

	switch (d->form) {
	case TZRULE_JULIAN: day = d->day <= 59 ? january + d->day - 1 : march + d->day - 60; break;
	case TZRULE_YEARDAY: day = january + d->day; break;
	case TZRULE_WEEKDAY: day = weekday_in_month(year, d); break;
	}
	return day * DAY_S + d->time_s;
}

static int64_t start_of(const struct tzrule *rule, int64_t year)
{
	return change_in(year, &rule->start) - rule->standard_s;
}

static int64_t end_of(const struct tzrule *rule, int64_t year)
{
	return change_in(year, &rule->end) - rule->daylight_s;
}

/* Whether the daylight time that begins in this year holds; in the south it ends in the next. */
static bool in_daylight_of(const struct tzrule *rule, int64_t year, int64_t unix_s)
{
	int64_t start = start_of(rule, year), end = end_of(rule, year);

	if (end < start)
		end = end_of(rule, year + 1);
	return unix_s >= start && unix_s < end;
}

int32_t tzrule_offset_at(const struct tzrule *rule, int64_t unix_s)
{
	int64_t year = year_of(unix_s);

	if (!rule->has_daylight)
		return rule->standard_s;
	/* A change may lie a week outside of its year. */
	for (int64_t y = year - 1; y <= year + 1; y++) {
		if (in_daylight_of(rule, y, unix_s))
			return rule->daylight_s;
	}
	return rule->standard_s;
}

int64_t tzrule_next_change(const struct tzrule *rule, int64_t unix_s)
{
	int64_t year = year_of(unix_s), next = INT64_MAX;

	if (!rule->has_daylight)
		return INT64_MAX;
	for (int64_t y = year - 1; y <= year + 2; y++) {
		int64_t start = start_of(rule, y), end = end_of(rule, y);

		if (start > unix_s && start < next)
			next = start;
		if (end > unix_s && end < next)
			next = end;
	}
	return next;
}
