/*
 * The POSIX TZ string that ends a TZif file: what holds behind its last transition, for ever
 * (RFC 9636 §3.3.1; POSIX.1 "TZ"). `EET-2EEST,M3.5.0/3,M10.5.0/4`, `<+0330>-3:30`.
 *
 * All three forms of a day (Jn, n, Mm.w.d), names in angle brackets and the hours from -167 to 167
 * of version 3 are read; a daylight time without its rule is not, since its dates would be a guess.
 */
#ifndef PUNCHD_BASE_TZRULE_H
#define PUNCHD_BASE_TZRULE_H

#include <stdbool.h>
#include <stdint.h>

enum tzrule_form {
	TZRULE_JULIAN,  /* Jn: 1–365, 29 February is never counted */
	TZRULE_YEARDAY, /* n: 0–365, it is */
	TZRULE_WEEKDAY, /* Mm.w.d: weekday d of the w-th week of month m, 5 being the last */
};

/* When a year's change is. */
struct tzrule_day {
	enum tzrule_form form;
	int month;      /* 1–12 */
	int week;       /* 1–5 */
	int day;        /* of the year, or of the week from Sunday = 0 */
	int32_t time_s; /* on the clock that the change ends; may lie outside of the day */
};

struct tzrule {
	int32_t standard_s; /* east of UTC, as everywhere but in the text */
	int32_t daylight_s;
	bool has_daylight; /* start, end and daylight_s are set */
	struct tzrule_day start, end;
};

/* Seconds since 1970 beyond which nothing is reckoned: some 36 million years. */
#define TZRULE_FAR_S (1LL << 50)

/* Returns 0, or -EINVAL for what is no such string. */
int tzrule_parse(const char *text, struct tzrule *ret);

/* Seconds east of UTC. |unix_s| is at most TZRULE_FAR_S. */
int32_t tzrule_offset_at(const struct tzrule *rule, int64_t unix_s);

/* The first change later than unix_s, or INT64_MAX. What is told may be no change at all, where a
 * rule's daylight times touch; none is left out. */
int64_t tzrule_next_change(const struct tzrule *rule, int64_t unix_s);

#endif
