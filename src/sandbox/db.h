/*
 * The sandbox's file: people, devices, records, idempotency keys, API keys and events, in SQLite.
 *
 * Writes of one turn of the loop share a transaction: db_write opens it, db_commit ends it, and
 * answers leave only after that. WAL with synchronous=NORMAL: what was committed survives a kill
 * of the process, which is what a double needs; the last commits may go with a power cut.
 *
 * Functions return 0 or a negative errno; they log what SQLite says, once, where it fails.
 */
#ifndef PUNCHD_SANDBOX_DB_H
#define PUNCHD_SANDBOX_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

enum db_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_USER_ADD,
	SQL_USER_SEED,
	SQL_USER_CHANGE,
	SQL_USER_GET,
	SQL_USER_PAGE,
	SQL_USER_PAGE_SHUFFLED,
	SQL_USER_EACH,
	SQL_USER_NEWEST,
	SQL_USER_COUNT,
	SQL_USER_BY_EMAIL,
	SQL_USER_BY_PHONE,
	SQL_USER_NEXT,
	SQL_USER_REMOVE,
	SQL_DEVICE_ADD,
	SQL_DEVICE_CHANGE,
	SQL_DEVICE_GET,
	SQL_DEVICE_BY_SERIAL,
	SQL_DEVICE_EACH,
	SQL_DEVICE_NEXT,
	SQL_DEVICE_SEEN,
	SQL_DEVICE_REMOVE,
	SQL_RECORD_ADD,
	SQL_RECORD_PAGE,
	SQL_RECORD_NEWEST,
	SQL_RECORD_COUNT,
	SQL_RECORDS_OF,
	SQL_IDEM_SEEN,
	SQL_IDEM_GET,
	SQL_IDEM_ANSWER,
	SQL_IDEM_FORGET,
	SQL_IDEM_PURGE,
	SQL_IDEM_COUNT,
	SQL_IDEM_AGAIN,
	SQL_EVENT_ADD,
	SQL_EVENT_DUE,
	SQL_EVENT_NEXT_DUE,
	SQL_EVENT_SETTLE,
	SQL_EVENT_RESEND,
	SQL_EVENT_PURGE,
	SQL_EVENT_PAGE,
	SQL_EVENT_NEWEST,
	SQL_EVENT_COUNT,
	SQL_EVENT_WAITING,
	SQL_KEY_ADD,
	SQL_KEY_REMOVE,
	SQL_RATE_SAVE,
	SQL_RATE_EACH,
	SQL_RATE_REMOVE,
	SQL_KEY_EACH,
	DB_SQL_COUNT
};

struct db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[DB_SQL_COUNT];
	int lock_fd;
	bool writing; /* a transaction is open */
	bool fresh;   /* the file was made by this db_open */
};

/* Open or make dir/sandbox.db. -EBUSY: another sandbox has the folder. */
int db_open(struct db *db, const char *dir);
void db_close(struct db *db);

/* Open the turn's transaction unless it is open. */
int db_write(struct db *db);
/* End it. After an error nothing of it is kept. Nothing open: 0. */
int db_commit(struct db *db);

/* The statement, reset and with nothing bound; NULL (logged): it could not be made. */
sqlite3_stmt *db_statement(struct db *db, enum db_sql which);

/* Bind text that lives until the statement is run; NULL binds NULL. */
void db_bind_text(sqlite3_stmt *stmt, int index, const char *text);

/* 1: a row, 0: no more, and the statement is reset; negative: failed, logged, reset. */
int db_step(struct db *db, sqlite3_stmt *stmt);

/* Run a statement that gives no rows. NULL is taken as one that could not be made. */
int db_run(struct db *db, sqlite3_stmt *stmt);

/* The one number that a statement gives. */
int db_number(struct db *db, enum db_sql which, int64_t *ret);

/* A column's text, "" for NULL; valid until the next step. */
const char *db_text(sqlite3_stmt *stmt, int column);

#endif
