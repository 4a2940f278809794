/* Pages of what the sandbox keeps, in the order in which it came: `after` and `limit` in the query,
 * `total` and `last` in meta (punch-sandbox(1), WHILE IT RUNS). */
#ifndef PUNCHD_SANDBOX_LISTING_H
#define PUNCHD_SANDBOX_LISTING_H

#include <jansson.h>

#include "sandbox/db.h"

struct exchange;

/* A row as a document; its first column is its number. */
typedef json_t *listing_row(sqlite3_stmt *stmt);

/* Answer with a page. page: a statement of the number that it begins behind, and of how many rows;
 * count: one of all of them. */
void listing_answer(struct exchange *x, enum db_sql page, enum db_sql count, listing_row *row);

#endif
