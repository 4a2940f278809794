/* Lower-case hexadecimal. */
#ifndef PUNCHD_BASE_HEX_H
#define PUNCHD_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Write 2·n digits and a NUL into ret_text. Returns ret_text. */
char *hex_encode(const void *bytes, size_t n, char *ret_text);

/* Decode up to max bytes; upper case is taken too. An odd digit at the end is an error.
 * Returns the number of bytes, or -EINVAL (no digit, odd) or -E2BIG (more than max). */
int hex_decode(const char *text, void *ret_bytes, size_t max);

#endif
