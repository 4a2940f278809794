#include "core/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define DAYS        7
#define DAY_S       86400
#define WHOLE       10   /* bytes of 2026-12-25 */
#define EACH_YEAR   5    /* of 12-25 */
#define A_LEAP_YEAR 2000 /* so that 02-29 is a day */

static const char names[DAYS][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- the week */

static int find_day(const char *word, size_t n)
{
	for (int i = 0; i < DAYS; i++) {
		if (n == 3 && strncmp(names[i], word, n) == 0)
			return i;
	}
	return -EINVAL;
}

int calendar_parse_week(const char *text, int64_t *ret_week)
{
	int64_t week = 0;
	size_t n;

	for (const char *at = text + strspn(text, " "); *at; at += n + strspn(at + n, " ")) {
		int day;

		n = strcspn(at, " ");
		day = find_day(at, n);
		if (day < 0 || (week & 1 << day))
			return -EINVAL;
		week |= 1 << day;
	}
	if (week == 0)
		return -EINVAL;
	*ret_week = week;
	return 0;
}

void calendar_print_week(int64_t week, struct buf *out)
{
	const char *before = "";

	for (int i = 0; i < DAYS; i++) {
		if (!(week & 1 << i))
			continue;
		buf_addf(out, "%s%s", before, names[i]);
		before = " ";
	}
}

int calendar_weekday(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(((day + 3) % DAYS + DAYS) % DAYS);
}

/* ---- days */

int calendar_parse_day(const char *text, int64_t *ret_day)
{
	char whole[TIME_TEXT_SIZE];
	struct time_text t;

	snprintf(whole, sizeof whole, "%.*sT00:00:00Z", WHOLE, text);
	if (strlen(text) != WHOLE || time_parse(whole, &t) < 0)
		return -EINVAL;
	*ret_day = time_days_from_civil(t.civil.year, t.civil.month, t.civil.day);
	return 0;
}

const char *calendar_day_text(int64_t day, char ret[static CALENDAR_DAY_SIZE])
{
	struct civil c;

	time_to_civil(day * DAY_S, &c);
	snprintf(ret, CALENDAR_DAY_SIZE, "%04lld-%02d-%02d", (long long)c.year, c.month, c.day);
	return ret;
}

/* ---- holidays */

static bool holiday_sound(const char *word, size_t n)
{
	char text[WHOLE + 1];
	int64_t day;

	if (n == WHOLE)
		snprintf(text, sizeof text, "%.*s", WHOLE, word);
	else if (n == EACH_YEAR)
		snprintf(text, sizeof text, "%d-%.*s", A_LEAP_YEAR, EACH_YEAR, word);
	else
		return false;
	return calendar_parse_day(text, &day) == 0;
}

bool calendar_holidays_sound(const char *text)
{
	size_t n;

	for (const char *at = text + strspn(text, " "); *at; at += n + strspn(at + n, " ")) {
		n = strcspn(at, " ");
		if (!holiday_sound(at, n))
			return false;
	}
	return true;
}

bool calendar_works(int64_t week, const char *holidays, int64_t day)
{
	char text[CALENDAR_DAY_SIZE];
	size_t n;

	if (!(week & 1 << calendar_weekday(day)))
		return false;
	calendar_day_text(day, text);
	for (const char *at = holidays + strspn(holidays, " "); *at;
		at += n + strspn(at + n, " ")) {
		n = strcspn(at, " ");
		if (strncmp(at, text + strlen(text) - n, n) == 0)
			return false;
	}
	return true;
}
