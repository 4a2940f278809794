/*
 * Links as a CSV file: a header row that names the columns, then a link a row. Pure: text in, what
 * PUT /v1/links takes out, and the other way round.
 */
#ifndef PUNCHD_CTL_LINKS_CSV_H
#define PUNCHD_CTL_LINKS_CSV_H

#include <jansson.h>

#include "base/buf.h"

struct links_csv {
	json_t *links;   /* owned: an array of objects */
	long *lines;     /* owned: where each of them stands */
	long faults;     /* how many rows are at fault */
	struct buf told; /* owned: "LINE: what is wrong\n" for the first of these */
};

/* Read; the text is changed. Returns 0, also with faults, or -ENOMEM. links_csv_done in any case. */
int links_csv_read(struct links_csv *l, char *bytes, size_t n);
void links_csv_done(struct links_csv *l);

/* Tell one more fault, of a link by its index or (-1) of a line. */
void links_csv_tell(struct links_csv *l, json_int_t index, long line, const char *message);

/* Append the file that says what GET /v1/links answered as `data`. */
void links_csv_write(struct buf *out, const json_t *links);

#endif
