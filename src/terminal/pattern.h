/*
 * Names by number: a text with one `%d` or `%0Nd` in it, such as `BIO-FP-%03d`. `%%` is a per cent
 * sign. Written out by hand, because a text from the command line is no format for printf.
 */
#ifndef PUNCHD_TERMINAL_PATTERN_H
#define PUNCHD_TERMINAL_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* How many numbers the text takes: 0 or 1; -EINVAL for any other conversion, or a second number. */
int pattern_check(const char *pattern);

/* Write the text with the number put in. Returns 0, -EINVAL, or -E2BIG (over size - 1 bytes). */
int pattern_expand(const char *pattern, int64_t number, char *ret_text, size_t size);

#endif
