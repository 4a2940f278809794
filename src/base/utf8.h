/* UTF-8 (RFC 3629): whether bytes are it, and where they may be cut. */
#ifndef PUNCHD_BASE_UTF8_H
#define PUNCHD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the character at the beginning of n bytes: 1 to 4, or 0 where there is none: cut off,
 * overlong, a surrogate, beyond U+10FFFF, or n is 0. A NUL byte is a character. */
size_t utf8_length(const char *bytes, size_t n);

/* Whether a string is UTF-8 from end to end. */
bool utf8_valid(const char *text);

#endif
