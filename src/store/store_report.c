#include "store/store_report.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "store/store_private.h"

#define CACHE "PRAGMA cache_size = -1024; PRAGMA query_only = ON"

enum { USERS, TAPS, QUEUED, WAITING, FIRST, PURGED_TO, STATEMENTS };

struct store_report {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	atomic_bool stopped;
	char words[STORE_WORDS_MAX];
};

/* Of the indexes only what repeats their condition word for word is found (schema.c). */
static const char *const texts[STATEMENTS] = {
	/* 1: DIR_USERS, 2: DIR_GONE */
	[USERS] = "SELECT id, name, department FROM user WHERE (?1 IS NULL OR id = ?1)"
		  " AND (?2 IS NULL OR department = ?2) AND NOT EXISTS"
		  " (SELECT 1 FROM missing WHERE what = 1 AND key = user.id AND passes >= 2)"
		  " ORDER BY id",
	[TAPS] =
		"SELECT user_id, type, time FROM punch INDEXED BY punch_person"
		" WHERE time IS NOT NULL AND reason <> 20 AND time >> 17 >= ?1 AND time >> 17 <= ?2"
		" AND time >= ?3 AND time < ?4 AND (state = 0 OR state = 2)"
		" AND user_id IS NOT NULL AND (?5 IS NULL OR user_id = ?5)",
	[QUEUED] = "SELECT user_id, state, flags & 8 OR frozen IS NOT NULL, time"
		   " FROM punch INDEXED BY punch_queued"
		   " WHERE state = 0 AND time >= ?1 AND time < ?2",
	[WAITING] = "SELECT user_id, state, flags & 8, coalesce(time, received / 1000)"
		    " FROM punch INDEXED BY punch_waiting"
		    " WHERE state <> 0 AND state <> 2 AND (state = 1 OR state = 4)"
		    " AND coalesce(time, received / 1000) >= ?1"
		    " AND coalesce(time, received / 1000) < ?2",
	[FIRST] = "SELECT received / 1000 FROM punch ORDER BY seq LIMIT 1",
	[PURGED_TO] = "SELECT max(value) FROM meta WHERE key = '" STORE_META_PURGED_TO "'",
};

/* ---- the connection */

static int fail(struct store_report *r, int code)
{
	return store_fail(store_db_errno(r->db, code), r->words, "%s", sqlite3_errmsg(r->db));
}

static int open_own(struct store_report *r, const char *path)
{
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int code = sqlite3_open_v2(path, &r->db, flags, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(r->db, 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(r->db, CACHE, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL);
	for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v2(r->db, texts[i], -1, &r->statements[i], NULL);
	return code;
}

int store_report_new(
	const struct store *s, struct store_report **ret, char ret_words[static STORE_WORDS_MAX])
{
	struct store_report *r = calloc(1, sizeof *r);
	int code, error = 0;

	if (!r)
		return store_fail(-ENOMEM, ret_words, "out of memory");
	code = open_own(r, s->path);
	if (code == SQLITE_OK) {
		*ret = r;
		return 0;
	}
	error = r->db ? fail(r, code) : -ENOMEM;
	snprintf(ret_words, STORE_WORDS_MAX, "%s", r->words);
	store_report_free(r);
	return error;
}

void store_report_free(struct store_report *r)
{
	if (!r)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(r->statements[i]);
	sqlite3_close(r->db);
	free(r);
}

const char *store_report_words(const struct store_report *r)
{
	return r->words;
}

void store_report_stop(struct store_report *r)
{
	atomic_store(&r->stopped, true);
	sqlite3_interrupt(r->db);
}

/* ---- walks */

static sqlite3_stmt *begin(struct store_report *r, int which)
{
	sqlite3_stmt *stmt = r->statements[which];

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return stmt;
}

static void bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

/* The end of a walk: what ended it, or what is wrong. */
static int end(struct store_report *r, sqlite3_stmt *stmt, int code, int stopped)
{
	sqlite3_reset(stmt);
	/* Between two walks there is nothing to interrupt. */
	if (code == SQLITE_INTERRUPT || atomic_load(&r->stopped))
		return store_fail(-ECANCELED, r->words, "given up");
	return code == SQLITE_DONE || code == SQLITE_ROW ? stopped : fail(r, code);
}

int store_report_users(struct store_report *r, const char *user_id, const char *department,
	store_report_on_user *on, void *arg)
{
	sqlite3_stmt *stmt = begin(r, USERS);
	int code = SQLITE_DONE, stop = 0;

	bind_text(stmt, 1, user_id);
	bind_text(stmt, 2, department);
	while (stop == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		stop = on(arg, text_of(stmt, 0), text_of(stmt, 1), text_of(stmt, 2));
	return end(r, stmt, code, stop);
}

int store_report_taps(struct store_report *r, int64_t from_s, int64_t to_s, const char *user_id,
	store_report_on_tap *on, void *arg)
{
	sqlite3_stmt *stmt = begin(r, TAPS);
	int code = SQLITE_DONE, stop = 0;

	sqlite3_bind_int64(stmt, 1, from_s >> STORE_BUCKET_SHIFT);
	sqlite3_bind_int64(stmt, 2, to_s >> STORE_BUCKET_SHIFT);
	sqlite3_bind_int64(stmt, 3, from_s);
	sqlite3_bind_int64(stmt, 4, to_s);
	bind_text(stmt, 5, user_id);
	while (stop == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		stop = on(arg, text_of(stmt, 0), sqlite3_column_int(stmt, 1),
			sqlite3_column_int64(stmt, 2));
	return end(r, stmt, code, stop);
}

static int walk_waiting(struct store_report *r, int which, const int64_t span[2],
	store_report_on_waiting *on, void *arg)
{
	sqlite3_stmt *stmt = begin(r, which);
	int code = SQLITE_DONE, stop = 0;

	sqlite3_bind_int64(stmt, 1, span[0]);
	sqlite3_bind_int64(stmt, 2, span[1]);
	while (stop == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW)
		stop = on(arg, text_of(stmt, 0), sqlite3_column_int(stmt, 1),
			sqlite3_column_int(stmt, 2) != 0, sqlite3_column_int64(stmt, 3));
	return end(r, stmt, code, stop);
}

int store_report_waiting(struct store_report *r, int64_t from_s, int64_t to_s,
	store_report_on_waiting *on, void *arg)
{
	const int64_t span[2] = {from_s, to_s};
	int result = walk_waiting(r, QUEUED, span, on, arg);

	return result == 0 ? walk_waiting(r, WAITING, span, on, arg) : result;
}

/* ---- how far it reaches back */

/* INT64_MIN: there is none. */
static int read_number(struct store_report *r, int which, int64_t *ret)
{
	sqlite3_stmt *stmt = begin(r, which);
	int code = sqlite3_step(stmt);

	*ret = INT64_MIN;
	if (code == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		*ret = sqlite3_column_int64(stmt, 0);
	return end(r, stmt, code, 0);
}

int store_report_reach(struct store_report *r, int64_t *ret_first_s, int64_t *ret_purged_s)
{
	int result = read_number(r, FIRST, ret_first_s);

	return result == 0 ? read_number(r, PURGED_TO, ret_purged_s) : result;
}
