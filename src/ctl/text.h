/*
 * Text from strangers on an operator's terminal: made harmless, measured in columns, cut.
 *
 * A name may hold escape sequences that repaint the screen, line ends that forge rows, or marks
 * that turn the reading direction of what follows. text_add_safe writes all of them as visible
 * escapes; what it wrote can be printed as it is. Columns are those of wcwidth(3): wide letters take
 * two, combining ones none.
 */
#ifndef PUNCHD_CTL_TEXT_H
#define PUNCHD_CTL_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* Widths need a locale that knows Unicode: sets LC_CTYPE to C.UTF-8, whatever the operator's is,
 * since all that punchd says is UTF-8. Call once, at the start. */
void text_init(void);

/* Append n bytes: control characters, what turns the direction or is invisible, what no terminal
 * knows, and bytes that are not UTF-8 come as `\n`, `\x1b`, `\u202e`. */
void text_add_safe(struct buf *out, const char *bytes, size_t n);

/* Columns that n bytes of safe text take. */
size_t text_width(const char *safe, size_t n);

/* The bytes of the longest beginning that fits into max columns; *ret_width are the columns that it
 * takes. Marks that belong to its last letter are within. */
size_t text_fit(const char *safe, size_t n, size_t max, size_t *ret_width);

/* Append one JSON document of n bytes as it came, but for characters in its strings that a terminal
 * would obey or not show: they are written as JSON's own \u escapes. It stays the same document. */
void text_add_json(struct buf *out, const char *json, size_t n);

#endif
