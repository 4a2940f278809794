/*
 * Numbers as people write them in settings and on command lines: counts, durations, sizes.
 * All of them parse the whole text, see overflow, and return 0, -EINVAL (no such number) or
 * -ERANGE (one that does not fit 64 bits).
 */
#ifndef PUNCHD_BASE_UNITS_H
#define PUNCHD_BASE_UNITS_H

#include <stdint.h>

/* A decimal number with an optional minus. */
int units_parse_int(const char *text, int64_t *ret);

/* `500ms` `30s` `5m` `6h` `90d`, into milliseconds; a bare `0` is 0. */
int units_parse_duration(const char *text, int64_t *ret_ms);

/* `512` `64K` `10M` `2G`, into bytes (powers of 1024). */
int units_parse_size(const char *text, int64_t *ret_bytes);

#define UNITS_TEXT_SIZE 32

/* The shortest exact text that units_parse_duration reads back as ms. Returns ret_text. */
const char *units_format_duration(int64_t ms, char ret_text[static UNITS_TEXT_SIZE]);

/* The same for sizes. */
const char *units_format_size(int64_t bytes, char ret_text[static UNITS_TEXT_SIZE]);

#endif
