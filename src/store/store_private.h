/* What the files of store/ share and nobody else sees: the handle, statements, error mapping. */
#ifndef PUNCHD_STORE_STORE_PRIVATE_H
#define PUNCHD_STORE_STORE_PRIVATE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/strmap.h"
#include "store/store.h"
#include "store/store_log.h"
#include "store/store_salvage.h"
#include "store/tapcache.h"

/* The first column of the indexes by person: punches of the same days lie together in them, so that a
 * day's punches write few of their pages (`./dev bench bytes`). As in schema.c and store_sql.c. */
#define STORE_BUCKET_SHIFT 17

/* Every statement, prepared on first use and kept. */
enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_META_GET,
	SQL_META_SET,
	SQL_BOOT_GET,
	SQL_BOOT_ADD,
	SQL_BOOT_FIRST,
	SQL_TERMINAL_ADD,
	SQL_TERMINAL_ALL,
	SQL_PUNCH_ADD,
	SQL_PUNCH_UPDATE,
	SQL_PUNCH_UPDATE_IN_PLACE,
	SQL_PUNCH_UPDATE_STILL,
	SQL_PUNCH_GET,
	SQL_PUNCH_RANGE,
	SQL_PUNCH_IDENTITY,
	SQL_PUNCH_PLACE,
	SQL_OUTBOX_SECOND,
	SQL_OUTBOX,
	SQL_OUTBOX_PERSON,
	SQL_FROZEN_BODY,
	SQL_STATE_READ,
	SQL_TAPS,
	SQL_TAPS_BACK,
	SQL_TAPS_DOUBLE,
	SQL_LIST,
	SQL_LIST_STATE,
	SQL_LIST_STATE_END,
	SQL_RAW_ADD,
	SQL_RAW_GET,
	SQL_TIMELESS_GET,
	SQL_TIMELESS_SET,
	SQL_MALFORMED_COUNT,
	SQL_RECEIPTS_SCAN,
	SQL_RECEIPT_SET,
	SQL_PURGE_SCAN,
	SQL_PURGE_PUNCH,
	SQL_PURGE_RAW,
	SQL_PURGE_TIMELESS,
	SQL_PURGE_HAND,
	SQL_PURGED_ADD,
	SQL_PURGED_ALL,
	SQL_MAX_SEQ,
	SQL_COUNT_QUEUED,
	SQL_COUNT_STATE,
	SQL_CHECK_STATES,
	SQL_CHECK_IDENTITIES,
	SQL_USER_PUT,
	SQL_USER_ALL,
	SQL_DEVICE_PUT,
	SQL_DEVICE_ALL,
	SQL_MISSING_PUT,
	SQL_MISSING_DEL,
	SQL_MISSING_ALL,
	SQL_LINK_ADD,
	SQL_LINK_ALL,
	SQL_LINK_OF,
	SQL_NEWUSER_ADD,
	SQL_NEWUSER_UPDATE,
	SQL_NEWUSER_OPEN,
	SQL_NEWUSER_SETTLED,
	SQL_NEWUSER_PURGE,
	SQL_LOBBY_END,
	SQL_LOBBY,
	SQL_DEED_ADD,
	SQL_DEEDS,
	SQL_EVENT_ADD,
	SQL_EVENT_KEEP,
	SQL_EVENT_USED,
	SQL_EVENT_KEPT,
	SQL_EVENT_NUMBER,
	SQL_EVENT_PURGE,
	SQL_GUARD_ADD,
	SQL_GUARD_RAISE,
	SQL_GUARD_DEL,
	SQL_GUARD_FIRST,
	SQL_CRASHED_ALL,
	SQL_COUNT_
};

/* What is kept in memory and follows the transactions. */
struct store_facts {
	struct store_tally tally;
	struct store_counts counts;
	int64_t last_seq; /* the newest row's number */
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT_];
	char *path;
	dev_t device; /* with inode: the file that was opened */
	ino_t inode;
	int lock_fd;
	bool made_anew;
	bool in_transaction;
	int page_size;
	int wal_frames; /* in the log after the last commit */

	struct strmap terminals; /* name → id, as (void *)(intptr_t) */
	char **terminal_names;   /* by id */
	int64_t terminal_count;
	int64_t terminals_committed; /* how many of them are on disk: for a roll-back */
	struct tapcache taps;

	struct store_facts now, before; /* before: as the open transaction began, for a roll-back */
	struct store_tally tally_on_disk;
};

/* Numbers below the newest row's that no punch has: lost in a damaged file (store_salvage.h). */
#define STORE_META_HOLES "holes"

/* The latest time of a punch that was purged, seconds (store_report.h). */
#define STORE_META_PURGED_TO "purged_to"

/* Write words, and return error. */
int __attribute__((format(printf, 3, 4)))
store_fail(int error, char ret_words[static STORE_WORDS_MAX], const char *format, ...);

/* Resolve the path's folder and take the lock beside the file. *ret_path is freed by the caller.
 * Returns the lock's descriptor, or an error with words. */
int store_lock(const char *path, char **ret_path, char ret_words[static STORE_WORDS_MAX]);
/* Whether a store was made beside that lock before. */
bool store_marked(int lock_fd);

/* An empty handle; closed by store_close. NULL without memory. */
struct store *store_alloc(void);
/* The rest of opening, once path is set and checked. */
int store_open_database(struct store *s, char ret_words[static STORE_WORDS_MAX]);

/* A negative errno for an SQLite result code; 0 for OK, ROW and DONE. */
int store_errno(int sqlite_code);
/* The same, looking also at what the system said to the last call. */
int store_db_errno(sqlite3 *db, int sqlite_code);

/* The statement, reset and without bindings; NULL where it cannot be prepared. */
sqlite3_stmt *store_statement(struct store *s, enum store_sql which);

/* The same: 0 or an error. */
int store_prepared(struct store *s, enum store_sql which, sqlite3_stmt **ret);
/* The same for a statement that writes: in a transaction, opened where none is open. */
int store_prepared_write(struct store *s, enum store_sql which, sqlite3_stmt **ret);
/* Run a statement that writes and whose one parameter is a row's number. Returns 0 or an error. */
int store_write_row(struct store *s, enum store_sql which, int64_t row);

/* Step a statement that yields no row, and reset it. Returns 0 or an error. */
int store_step_done(sqlite3_stmt *stmt);

/* Step one that yields at most a row: 1 (a row: reset it when read), 0 (none; reset), an error. */
int store_step_row(sqlite3_stmt *stmt);

const char *store_sql_text(enum store_sql which);

/* The number of a terminal, made on first use; an error otherwise. */
int64_t store_terminal_id(struct store *s, const char *name);
/* Its name, "" for a number that is none. */
const char *store_terminal_name(const struct store *s, int64_t id);
/* Forget the terminals that a roll-back took away. */
void store_terminals_rollback(struct store *s);
int store_terminals_load(struct store *s);
void store_terminals_free(struct store *s);

/* store_taps_read, from the rows themselves: what is looked at once pushes nobody out. */
int store_taps_look(struct store *s, enum store_taps which, const struct punch *whose,
	int64_t from_s, int64_t to_s, store_on_tap *on, void *arg);

/* A punch moved from one state to another (from -1: it is new). Keeps the counts. */
void store_count_move(struct store *s, int from, int to);
int store_counts_load(struct store *s);

#endif
