/*
 * Tables: cells of any script, aligned by the columns that they take on a screen.
 *
 * Rows are gathered, then drawn at once. Drawing again goes on below: the head is not repeated and
 * columns never get narrower, so that long lists can be drawn page by page. Whatever is put into a
 * cell is made harmless first (ctl/text.h).
 */
#ifndef PUNCHD_CTL_TABLE_H
#define PUNCHD_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define TABLE_COLUMNS_MAX 12

enum tint { TINT_PLAIN, TINT_BOLD, TINT_FAINT, TINT_GOOD, TINT_WARN, TINT_BAD };

/* What is drawn on. */
struct paper {
	struct buf *out;
	bool colours;
	size_t width;    /* columns of a line; what is longer is cut. 0: endless */
	size_t cell_max; /* columns of a cell other than the last; 0: endless */
};

struct table_cell {
	char *text; /* owned, safe */
	size_t length;
	size_t width;
	enum tint tint;
};

struct table {
	const char *const *heads; /* borrowed; NULL: none */
	size_t columns;
	size_t widths[TABLE_COLUMNS_MAX];
	struct table_cell *cells; /* row by row */
	size_t count, size;
	bool head_drawn;
	int error; /* 0 or -ENOMEM: sticky */
};

/* heads: that many titles, or NULL. Allocates nothing. */
void table_init(struct table *t, size_t columns, const char *const *heads);
void table_done(struct table *t);

/* Add the next cell, from left to right, row by row. NULL and "" show as `-`. */
void table_add(struct table *t, enum tint tint, const char *text);
void table_add_bytes(struct table *t, enum tint tint, const char *bytes, size_t n);
void table_addf(struct table *t, enum tint tint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Append the rows to the paper and forget them. Returns 0 or -ENOMEM. */
int table_draw(struct table *t, const struct paper *paper);

/* Append a tinted piece of a line outside of any table. It is made harmless too. *left are the
 * columns that are free in the line, and then still are; at its beginning it is paper_columns. */
void paper_add(const struct paper *paper, enum tint tint, const char *text, size_t *left);
size_t paper_columns(const struct paper *paper);

/* Append a line of its own. */
void paper_line(const struct paper *paper, enum tint tint, const char *text);

#endif
