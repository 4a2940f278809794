#include "terminal/keep.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>

#define APPLICATION_ID 0x70746b31 /* "ptk1" */

enum statement { MADE, ADD, COUNT, DEL, LOAD, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[MADE] = "SELECT made FROM terminal WHERE serial = ?1",
	[ADD] = "INSERT INTO punch (serial, id, body) VALUES (?1, ?2, ?3)",
	[COUNT] = ("INSERT INTO terminal (serial, made) VALUES (?1, ?2) "
		   "ON CONFLICT (serial) DO UPDATE SET made = excluded.made"),
	[DEL] = "DELETE FROM punch WHERE row = ?1",
	[LOAD] = "SELECT row, serial, id, body FROM punch ORDER BY row",
};

struct keep {
	sqlite3 *db; /* NULL: no file */
	sqlite3_stmt *statements[STATEMENTS];
	bool in_transaction;
	int64_t last_row; /* without a file */
};

static int result(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_NOTADB: return -EMEDIUMTYPE;
	case SQLITE_NOMEM: return -ENOMEM;
	default: return -EIO;
	}
}

static int run(struct keep *k, const char *text)
{
	return result(sqlite3_exec(k->db, text, NULL, NULL, NULL));
}

static int pragma_int(struct keep *k, const char *text, int *ret)
{
	sqlite3_stmt *s;
	int code = sqlite3_prepare_v2(k->db, text, -1, &s, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	*ret = code == SQLITE_ROW ? sqlite3_column_int(s, 0) : 0;
	sqlite3_finalize(s);
	return result(code);
}

/* A new file gets its tables; an old one must be ours. */
static int settle_schema(struct keep *k)
{
	int application, pages, r;

	r = pragma_int(k, "PRAGMA application_id", &application);
	if (r == 0)
		r = pragma_int(k, "PRAGMA page_count", &pages);
	if (r < 0)
		return r;
	if (application != APPLICATION_ID && pages > 0)
		return -EMEDIUMTYPE;
	/* The lock is taken with the first write and kept. */
	r = run(k,
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
		"PRAGMA synchronous = FULL; BEGIN IMMEDIATE; "
		"CREATE TABLE IF NOT EXISTS terminal (serial TEXT PRIMARY KEY, "
		"made INTEGER NOT NULL) WITHOUT ROWID; "
		"CREATE TABLE IF NOT EXISTS punch (row INTEGER PRIMARY KEY, "
		"serial TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL); "
		"PRAGMA application_id = 0x70746b31; COMMIT");
	return r;
}

int keep_open(const char *path, struct keep **ret_keep)
{
	struct keep *k = calloc(1, sizeof *k);
	int r;

	*ret_keep = k;
	if (!k)
		return -ENOMEM;
	if (!path)
		return 0;
	r = result(sqlite3_open_v2(path, &k->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
	if (r == 0)
		r = settle_schema(k);
	for (int i = 0; r == 0 && i < STATEMENTS; i++)
		r = result(sqlite3_prepare_v2(k->db, sql[i], -1, &k->statements[i], NULL));
	return r;
}

void keep_close(struct keep *k)
{
	if (!k)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(k->statements[i]);
	sqlite3_close(k->db);
	free(k);
}

const char *keep_words(const struct keep *k)
{
	return k && k->db ? sqlite3_errmsg(k->db) : "out of memory";
}

static int begin(struct keep *k)
{
	int r = k->in_transaction ? 0 : run(k, "BEGIN");

	if (r == 0)
		k->in_transaction = true;
	return r;
}

/* Run a statement that gives no rows, whose values are bound already. */
static int step(struct keep *k, enum statement which)
{
	sqlite3_stmt *s = k->statements[which];
	int r = begin(k);

	if (r == 0)
		r = result(sqlite3_step(s));
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

int keep_made(struct keep *k, const char *serial, int64_t *ret_made)
{
	sqlite3_stmt *s = k->statements[MADE];
	int code;

	*ret_made = 0;
	if (!k->db)
		return 0;
	sqlite3_bind_text(s, 1, serial, -1, SQLITE_STATIC);
	code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		*ret_made = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return result(code);
}

static const char *text_at(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}

int keep_load(struct keep *k,
	int (*on)(void *arg, const char *serial, int64_t row, const char *id, const char *body),
	void *arg)
{
	sqlite3_stmt *s = k->statements[LOAD];
	int code = SQLITE_DONE, r = 0;

	if (!k->db)
		return 0;
	while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW)
		r = on(arg, text_at(s, 1), sqlite3_column_int64(s, 0), text_at(s, 2),
			text_at(s, 3));
	sqlite3_reset(s);
	return r < 0 ? r : result(code);
}

static int count(struct keep *k, const char *serial, int64_t made)
{
	sqlite3_bind_text(k->statements[COUNT], 1, serial, -1, SQLITE_STATIC);
	sqlite3_bind_int64(k->statements[COUNT], 2, made);
	return step(k, COUNT);
}

int keep_add(struct keep *k, const char *serial, int64_t made, const char *id, const char *body,
	int64_t *ret_row)
{
	sqlite3_stmt *s = k->statements[ADD];
	int r;

	*ret_row = ++k->last_row;
	if (!k->db)
		return 0;
	sqlite3_bind_text(s, 1, serial, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, body, -1, SQLITE_STATIC);
	r = step(k, ADD);
	*ret_row = sqlite3_last_insert_rowid(k->db);
	return r < 0 ? r : count(k, serial, made);
}

int keep_del(struct keep *k, int64_t row)
{
	if (!k->db)
		return 0;
	sqlite3_bind_int64(k->statements[DEL], 1, row);
	return step(k, DEL);
}

int keep_reset(struct keep *k, const char *serial)
{
	return k->db ? count(k, serial, 0) : 0;
}

int keep_commit(struct keep *k)
{
	int r;

	if (!k->in_transaction)
		return 0;
	r = run(k, "COMMIT");
	if (r == 0)
		k->in_transaction = false;
	return r;
}
