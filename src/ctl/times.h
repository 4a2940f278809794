/*
 * Times as an operator reads and writes them: in the zone of TZ, else of the machine, always with
 * its offset, so that what is shown can be given back. Pure but for the zone: now is an argument.
 */
#ifndef PUNCHD_CTL_TIMES_H
#define PUNCHD_CTL_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#define TIMES_TEXT_SIZE 64

struct times {
	int64_t now_s;
	bool utc; /* instead of the operator's zone */
};

/* Which edge of a stretch of time a text names. */
enum times_edge {
	TIMES_FROM, /* a date is its first second */
	TIMES_TO,   /* a date is the first second of the next: the edge is outside */
};

/* `2026-02-01 10:00:00+02:00`, or `…Z` with utc. Returns ret_text. */
const char *times_format(
	const struct times *t, int64_t unix_s, char ret_text[static TIMES_TEXT_SIZE]);

/* The same of an RFC 3339 text. What is none comes back as it is; NULL as "". */
const char *times_show(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE]);

/* The same without its offset where there is no room for it. */
const char *times_show_brief(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE]);

/* `3m 2s ago`, `in 12s`, or "" where the text is no time. */
const char *times_ago(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE]);

/* `12s` `3m 2s` `2h 5m` `4d 3h`; below 0 is 0. Returns ret_text. */
const char *times_span(int64_t seconds, char ret_text[static TIMES_TEXT_SIZE]);

/*
 * Read RFC 3339, the same without its offset (a local time), a date, or how long ago (`90s` `2h`
 * `7d`). A local time that the clocks skipped is the moment of the change, an ambiguous one the
 * earlier.
 * Returns 0, or -EINVAL.
 */
int times_read(const struct times *t, const char *text, enum times_edge edge, int64_t *ret_unix_s);

#endif
