/*
 * CSV as RFC 4180 has it, read strictly, row by row.
 *
 * Fields are separated by commas, rows by LF or CRLF; a field that holds one of these or a quote
 * stands in quotes, with quotes within it doubled. A byte-order mark at the beginning is passed over,
 * and so are empty lines. Blanks belong to a field. What cannot be one of these is a fault of its
 * row, never guessed at.
 * It reads in place: the text is changed, and fields point into it.
 */
#ifndef PUNCHD_BASE_CSV_H
#define PUNCHD_BASE_CSV_H

#include <stddef.h>

#define CSV_FIELDS_MAX 16

struct csv {
	char *at, *end;
	long next_line; /* of what follows */

	/* the row that was read last */
	long line; /* where it begins, from 1 */
	int count;
	char *fields[CSV_FIELDS_MAX];
	const char *fault; /* a constant, of a row that is at fault */
};

/* bytes[n] must be writable too, and everything lives as long as the fields are used. */
void csv_init(struct csv *c, char *bytes, size_t n);

/*
 * The next row. Returns 1, 0 at the end, or -EINVAL with line and fault set: reading may go on with
 * the line behind what could not be read. Fields are UTF-8 and hold no NUL.
 */
int csv_next(struct csv *c);

#endif
