#include "store/store_tables.h"

#include <errno.h>

#include "store/schema.h"
#include "store/store_private.h"

#define DEPTH_MAX 20 /* of a tree: SQLite's own limit */

/*
 * shape: a letter a column; n nothing (the rowid stands for it), i number, t text, b bytes, in
 * capitals: or nothing. needed: columns without which a record that is cut off is worth nothing.
 * lone: the shape alone says whose it is.
 */
static const struct table_facts {
	const char *name;
	const char *shape;
	int needed;
	bool lone;
	const char *insert;
} facts[TABLE_COUNT_] = {
	[TABLE_PUNCH] = {"punch", "nbiiiiitttiiiiIiiTTIiBITITTTI", 22, true,
		"INSERT INTO punch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		" ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28,"
		" ?29) ON CONFLICT DO NOTHING"},
	[TABLE_RAW] = {"raw", "ntbib", 5, true,
		"INSERT INTO raw VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"},
	[TABLE_HAND] = {"hand", "niiitttt", 8, true,
		"INSERT INTO hand VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"},
	[TABLE_GUARDED] = {"guarded", "ntbiii", 6, true,
		"INSERT INTO guarded VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"},
	[TABLE_BOOT] = {"boot", "nti", 3, true,
		"INSERT INTO boot VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"},
	[TABLE_TERMINAL] = {"terminal", "nt", 2, true,
		"INSERT INTO terminal VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
	[TABLE_PURGED] = {"purged", "ni", 2, false,
		"INSERT INTO purged VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
	[TABLE_META] = {"meta", "ti", 2, false,
		"INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
	[TABLE_TIMELESS] = {"timeless", "bi", 2, false,
		"INSERT INTO timeless VALUES (?1, ?2) ON CONFLICT DO NOTHING"},
	[TABLE_USER] = {"user", "tttttt", 6, true,
		"INSERT INTO user VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"},
	[TABLE_DEVICE] = {"device", "ttttttt", 7, true,
		"INSERT INTO device VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"},
	/* In a WITHOUT ROWID table the key's columns come first. */
	[TABLE_MISSING] = {"missing", "tii", 3, true,
		"INSERT INTO missing (key, what, passes) VALUES (?1, ?2, ?3) ON CONFLICT DO "
		"NOTHING"},
	[TABLE_LINK] = {"link", "niititttt", 9, true,
		"INSERT INTO link VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO "
		"NOTHING"},
	[TABLE_EVENT] = {"event", "ntiITTTIII", 3, true,
		"INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO "
		"NOTHING"},
	[TABLE_NEWUSER] = {"newuser", "nbttttIttiitiIItitittt", 22, true,
		"INSERT INTO newuser VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22) ON CONFLICT DO NOTHING"},
	[TABLE_TERMINAL_NAMES] = {"sqlite_autoindex_terminal_1", "ti", 2, false,
		"INSERT INTO terminal VALUES (?2, ?1) ON CONFLICT DO NOTHING"},
	[TABLE_IDENTITIES] = {"sqlite_autoindex_punch_1", "bi", 2, false, NULL},
};

const char *table_insert(enum table t)
{
	return facts[t].insert;
}

static bool letter_fits(char letter, enum leaf_type type)
{
	switch (letter) {
	case 'n': return type == LEAF_NULL;
	case 'i': return type == LEAF_INT;
	case 'I': return type == LEAF_INT || type == LEAF_NULL;
	case 't': return type == LEAF_TEXT;
	case 'T': return type == LEAF_TEXT || type == LEAF_NULL;
	case 'b': return type == LEAF_BLOB;
	default: return type == LEAF_BLOB || type == LEAF_NULL;
	}
}

/* Columns at the end that a row lacks which was written before there were any. */
static int columns_added(enum table t)
{
	return t == TABLE_PUNCH ? 1 : 0;
}

bool table_fits(enum table t, enum leaf_kind kind, const struct leaf_record *r)
{
	const struct table_facts *f = &facts[t];

	int columns = f->shape ? (int)strlen(f->shape) : 0;

	if (!f->shape || r->stated > columns || r->stated < columns - columns_added(t) ||
		r->count < f->needed || (kind == LEAF_TABLE) != (f->shape[0] == 'n'))
		return false;
	for (int i = 0; i < r->count; i++) {
		if (!letter_fits(f->shape[i], r->values[i].type))
			return false;
	}
	return true;
}

enum table table_of(enum table owner, enum leaf_kind kind, const struct leaf_record *r)
{
	if (owner == TABLE_OTHER || table_fits(owner, kind, r))
		return owner;
	for (int t = TABLE_PUNCH; t < TABLE_COUNT_; t++) {
		if (facts[t].lone && table_fits((enum table)t, kind, r))
			return (enum table)t;
	}
	return TABLE_NONE;
}

static void bind_value(sqlite3_stmt *stmt, int at, const struct leaf_value *v)
{
	const char *bytes = (const char *)v->bytes;

	if (v->type == LEAF_INT)
		sqlite3_bind_int64(stmt, at, v->number);
	else if (v->type == LEAF_TEXT)
		sqlite3_bind_text64(
			stmt, at, bytes, (sqlite3_uint64)v->length, SQLITE_STATIC, SQLITE_UTF8);
	else if (v->type == LEAF_BLOB)
		sqlite3_bind_blob64(
			stmt, at, v->length ? bytes : "", (sqlite3_uint64)v->length, SQLITE_STATIC);
}

void table_bind(enum table t, sqlite3_stmt *stmt, const struct leaf_record *r)
{
	sqlite3_clear_bindings(stmt);
	for (int i = 0; i < r->count; i++)
		bind_value(stmt, i + 1, &r->values[i]);
	if (facts[t].shape[0] == 'n')
		sqlite3_bind_int64(stmt, 1, r->rowid);
}

/* ---- the trees */

static enum table named(const char *name, size_t n)
{
	for (int t = TABLE_PUNCH; t < TABLE_COUNT_; t++) {
		if (strlen(facts[t].name) == n && memcmp(facts[t].name, name, n) == 0)
			return (enum table)t;
	}
	return TABLE_OTHER;
}

struct trees {
	const struct pages *pages;
	uint8_t *owners;
	bool found[TABLE_COUNT_]; /* a root that can be one */
	int error;
};

/* Give a page and all below it to a table; what has an owner keeps it. */
static void own(struct trees *t, uint32_t number, enum table table, int depth)
{
	struct leaf_page page;
	uint8_t *bytes;

	if (t->error < 0 || depth > DEPTH_MAX || number == 0 || number > t->pages->count ||
		t->owners[number] != TABLE_NONE)
		return;
	t->owners[number] = (uint8_t)table;
	bytes = malloc((size_t)t->pages->page_size);
	if (!bytes) {
		t->error = -ENOMEM;
		return;
	}
	if (pages_read(t->pages, number, bytes) == 0) {
		leaf_look(t->pages, number, bytes, &page);
		if (page.kind == LEAF_INDEX_INNER || page.kind == LEAF_TABLE_INNER) {
			for (int i = 0; i <= page.cells; i++)
				own(t, leaf_child(t->pages, &page, i), table, depth + 1);
		}
	}
	free(bytes);
}

/* A row of sqlite_schema: type, name, table, root page, statement. */
static void take_root(struct trees *t, const struct leaf_record *r)
{
	enum table table;

	if (r->count < 4 || r->values[1].type != LEAF_TEXT || r->values[3].type != LEAF_INT ||
		r->values[3].number < 2 || r->values[3].number > t->pages->count)
		return;
	table = named((const char *)r->values[1].bytes, r->values[1].length);
	t->found[table] = true;
	own(t, (uint32_t)r->values[3].number, table, 0);
}

/* Page 1 is the root of sqlite_schema, and owned by it already. */
static void read_schema(struct trees *t, uint8_t *bytes)
{
	struct leaf_record record = {0};
	struct leaf_page page;

	own(t, 1, TABLE_OTHER, 0);
	for (uint32_t n = 1; n <= t->pages->count && t->error == 0; n++) {
		if (t->owners[n] != TABLE_OTHER || pages_read(t->pages, n, bytes) < 0 ||
			leaf_look(t->pages, n, bytes, &page) != LEAF_TABLE)
			continue;
		for (int i = 0; i < page.cells && t->error == 0; i++) {
			int r = leaf_record(t->pages, &page, i, &record);

			if (r == 0)
				take_root(t, &record);
			else if (r == -ENOMEM)
				t->error = r;
		}
	}
	leaf_record_done(&record);
}

/* The same statements in the same order make the same roots: so a fresh database knows them. */
static void borrow_roots(struct trees *t, sqlite3 *fresh)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(fresh, "SELECT name, rootpage FROM sqlite_schema", -1, &stmt,
		    NULL) != SQLITE_OK) {
		t->error = -ENOMEM;
		return;
	}
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		enum table table = name ? named(name, strlen(name)) : TABLE_OTHER;

		if (table != TABLE_OTHER && !t->found[table])
			own(t, (uint32_t)sqlite3_column_int64(stmt, 1), table, 0);
	}
	sqlite3_finalize(stmt);
}

uint8_t *table_owners(const struct pages *p, sqlite3 *fresh)
{
	struct trees t = {.pages = p, .owners = calloc((size_t)p->count + 1, 1)};
	uint8_t *bytes = malloc((size_t)p->page_size);

	t.error = t.owners && bytes ? 0 : -ENOMEM;
	if (t.error == 0)
		read_schema(&t, bytes);
	if (t.error == 0)
		borrow_roots(&t, fresh);
	free(bytes);
	if (t.error == 0)
		return t.owners;
	free(t.owners);
	return NULL;
}
