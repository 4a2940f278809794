/* A store's tables as a salvage sees them: by their trees, and by the shape of their records. */
#ifndef PUNCHD_STORE_STORE_TABLES_H
#define PUNCHD_STORE_STORE_TABLES_H

#include <sqlite3.h>

#include "store/store_leaf.h"

enum table {
	TABLE_NONE = 0, /* nobody knows whose page it is */
	TABLE_OTHER,    /* of a tree that is made anew */
	TABLE_PUNCH,
	TABLE_RAW,
	TABLE_HAND,
	TABLE_GUARDED,
	TABLE_BOOT,
	TABLE_TERMINAL,
	TABLE_PURGED,
	TABLE_META,
	TABLE_TIMELESS,
	TABLE_USER,
	TABLE_DEVICE,
	TABLE_MISSING,
	TABLE_LINK,
	TABLE_EVENT,
	TABLE_NEWUSER,
	TABLE_TERMINAL_NAMES, /* the index by name, which says what the table says */
	TABLE_IDENTITIES,     /* the index of identities: it knows of rows that are lost */
	TABLE_COUNT_
};

/* The statement that takes a record; NULL: it is not copied. */
const char *table_insert(enum table t);

/* Whether a record may be one of that table's. */
bool table_fits(enum table t, enum leaf_kind kind, const struct leaf_record *r);

/* Whose record it is: its tree's, if it fits, else by its shape alone where that is enough. */
enum table table_of(enum table owner, enum leaf_kind kind, const struct leaf_record *r);

/* Bind a record's columns to its table's statement. */
void table_bind(enum table t, sqlite3_stmt *stmt, const struct leaf_record *r);

/*
 * Which page belongs to which table, by the trees: an array of `enum table` by page number, freed by
 * the caller. Where the schema cannot be read its roots are taken from `fresh`, a database made by
 * the same statements. NULL without memory.
 */
uint8_t *table_owners(const struct pages *p, sqlite3 *fresh);

#endif
