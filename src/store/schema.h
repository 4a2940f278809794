/* The store's tables, and how a file of any older version becomes the present one. */
#ifndef PUNCHD_STORE_SCHEMA_H
#define PUNCHD_STORE_SCHEMA_H

#include <sqlite3.h>

/* "pnch": marks a file as ours, PRAGMA application_id. */
#define SCHEMA_APPLICATION_ID 0x706e6368

/* Bytes of a page, for new files. Chosen by `./dev bench bytes --variants` (docs/durability.md). */
#define SCHEMA_PAGE_SIZE 1024

/* The present version: PRAGMA user_version. */
int schema_version(void);

/*
 * Bring an open database to the present version, each step in a transaction of its own.
 * from: its user_version, 0 for an empty file. Returns an SQLite result code.
 */
int schema_migrate(sqlite3 *db, int from);

/* Whether a database has the tables and indexes of a fresh one of the present version. Returns
 * SQLITE_OK, SQLITE_CORRUPT (it has others), or another result code. */
int schema_check(sqlite3 *db);

/* As schema_migrate, up to a version; for the tests of each step. */
int schema_migrate_to(sqlite3 *db, int from, int to);

#endif
