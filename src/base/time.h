/*
 * RFC 3339 date-times and the calendar behind them. Pure: no clock, no zone files (base/zone.h).
 */
#ifndef PUNCHD_BASE_TIME_H
#define PUNCHD_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_SIZE 40 /* holds every text that time_format_utc writes, with its NUL */

/* A broken-down civil time, without a zone. */
struct civil {
	int64_t year; /* astronomical: 0 is 1 BC */
	int month;    /* 1–12 */
	int day;      /* 1–31 */
	int hour;     /* 0–23 */
	int minute;   /* 0–59 */
	int second;   /* 0–60: a leap second is accepted by the parser */
};

/* What a text said. */
struct time_text {
	struct civil civil;
	int32_t nanosecond;
	bool has_offset;
	int32_t offset_s; /* east of UTC; "-00:00" and "Z" are 0 */
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
int64_t time_days_from_civil(int64_t year, int month, int day);

/* Seconds since 1970-01-01T00:00:00 of a civil time read as if it were UTC. A 60th second counts
 * as the first of the next minute. */
int64_t time_from_civil(const struct civil *c);

void time_to_civil(int64_t unix_s, struct civil *ret_civil);

/*
 * Parse `YYYY-MM-DD(T|t| )hh:mm:ss[.f…][offset]` whole; offset is `Z`, `z`, `+hh:mm` or `-hh:mm`
 * (RFC 3339 §5.6, plus a missing offset, which ret->has_offset tells). A date that the calendar
 * does not have, or an hour 24, is no time. A second 60 is taken anywhere.
 * Returns 0 or -EINVAL.
 */
int time_parse(const char *text, struct time_text *ret);

/* Seconds since 1970 of a text with offset, fractions cut off towards the past.
 * Returns 0, -EINVAL (no time, or in UTC not within the years 0000 to 9999), or -ENODATA (a time without an offset). */
int time_parse_rfc3339(const char *text, int64_t *ret_unix_s);

/* Write `2023-01-15T10:30:00Z`; with milliseconds where ms >= 0. Years outside 0–9999 get as many
 * digits as they need. Returns ret_text. */
const char *time_format_utc(int64_t unix_s, int ms, char ret_text[static TIME_TEXT_SIZE]);

#endif
