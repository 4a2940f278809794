/*
 * SQLite's b-tree pages and records, read from bytes that nobody vouches for: every offset and
 * length is checked against what is there.
 * Format: https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
#ifndef PUNCHD_STORE_STORE_LEAF_H
#define PUNCHD_STORE_STORE_LEAF_H

#include "store/store_pages.h"

enum leaf_kind {
	LEAF_NONE = 0,
	LEAF_INDEX_INNER = 0x02,
	LEAF_TABLE_INNER = 0x05,
	LEAF_INDEX = 0x0a,
	LEAF_TABLE = 0x0d,
};

#define LEAF_COLUMNS_MAX 48
#define LEAF_RECORD_MAX  (64 << 20) /* bytes: a longer one is damage */

enum leaf_type { LEAF_NULL, LEAF_INT, LEAF_REAL, LEAF_TEXT, LEAF_BLOB };

struct leaf_value {
	enum leaf_type type;
	int64_t number;
	const uint8_t *bytes; /* of text and blob, in the record's memory */
	size_t length;
};

/* One record. Begin with {0}; leaf_record_done frees it. */
struct leaf_record {
	int64_t rowid; /* of a table's; 0 in an index */
	int count;     /* columns that could be read */
	int stated;    /* columns that it says it has */
	struct leaf_value values[LEAF_COLUMNS_MAX];
	uint8_t *payload; /* owned */
	size_t size;      /* allocated */
	size_t length;
};

struct leaf_page {
	enum leaf_kind kind;
	int cells;
	const uint8_t *bytes; /* the caller's */
	int header;           /* where its header begins: 100 on page 1 */
	int there;            /* bytes up to here are the page's: pages_there */
};

/* Look at a page's header. Returns its kind, LEAF_NONE for what is no b-tree page. */
enum leaf_kind leaf_look(
	const struct pages *p, uint32_t number, const uint8_t *bytes, struct leaf_page *ret);

/* The page below cell i (i == cells: the last one) of an inner page; 0 where it is none. */
uint32_t leaf_child(const struct pages *p, const struct leaf_page *page, int i);

/*
 * Read cell i, following its overflow pages. A record whose end is out of reach yields the columns
 * before. Returns 0, -EUCLEAN (no record), or -ENOMEM.
 */
int leaf_record(
	const struct pages *p, const struct leaf_page *page, int i, struct leaf_record *ret);
void leaf_record_done(struct leaf_record *r);

#endif
