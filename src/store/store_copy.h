/*
 * Copying what can be read of a damaged store's pages into a fresh one.
 *
 * Every leaf is read for itself, whether or not its tree still leads there, so that a damaged page
 * costs what stood on it and nothing else. Which table a leaf belongs to is told by its tree, else
 * by the shape of its records. Of two versions of a row the one from the log's newest page counts,
 * but delivered and discarded are final. The fresh file's STRICT tables and CHECKs refuse what
 * cannot be a row.
 */
#ifndef PUNCHD_STORE_STORE_COPY_H
#define PUNCHD_STORE_STORE_COPY_H

#include <sqlite3.h>

#include "store/store_pages.h"

struct copy_result {
	int64_t pages_bad;   /* that belong to a table and could not be read whole */
	int64_t rows_bad;    /* that could not be read, or cannot be ours */
	bool purged_read;    /* the counts of what was purged */
	int64_t lost;        /* punches whose identity stood in its index alone */
	int64_t lost_from_s; /* hours of their times as sent, read as if UTC; 0: none known */
	int64_t lost_to_s;
};

/*
 * Copy into `to`: a fresh database with the present schema, within a transaction.
 * Returns 0, -ENOMEM, -ENOSPC, or another error of `to`; what cannot be read is no error.
 */
int copy_pages(const struct pages *from, sqlite3 *to, struct copy_result *ret);

/* Whether these pages are a store's at all: 1, 0 or -ENOMEM. */
int copy_recognises(const struct pages *from);

#endif
