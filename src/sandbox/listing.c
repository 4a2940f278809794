#include "sandbox/listing.h"

#include <errno.h>

#include "sandbox/answer.h"
#include "sandbox/sandbox.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX     10000

struct page {
	int64_t after, limit, last, total;
	json_t *list;
};

static int read_page(struct db *db, enum db_sql which, listing_row *row, struct page *p)
{
	sqlite3_stmt *stmt = db_statement(db, which);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, p->after);
	sqlite3_bind_int64(stmt, 2, p->limit);
	while ((r = db_step(db, stmt)) == 1) {
		p->last = sqlite3_column_int64(stmt, 0);
		json_array_append_new(p->list, row(stmt));
	}
	return r;
}

void listing_answer(struct exchange *x, enum db_sql page, enum db_sql count, listing_row *row)
{
	struct db *db = &x->sandbox->db;
	struct page p = {.limit = PAGE_DEFAULT};

	if (!exchange_query_int(x, "after", 0, INT64_MAX, &p.after) ||
		!exchange_query_int(x, "limit", 1, PAGE_MAX, &p.limit))
		return;
	p.last = p.after;
	p.list = json_array();
	if (read_page(db, page, row, &p) < 0 || db_number(db, count, &p.total) < 0) {
		json_decref(p.list);
		answer_broken(x);
		return;
	}
	answer_data(x, 200, p.list,
		json_pack("{s:I, s:I}", "total", (json_int_t)p.total, "last", (json_int_t)p.last));
}
