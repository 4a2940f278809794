#include "store/store.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store/store_private.h"

#define CHECKPOINT_BYTES (1 << 20)

int store_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return -EUCLEAN;
	case SQLITE_IOERR: return code == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
	default: return -EIO;
	}
}

/* A full disk where SQLite does not say SQLITE_FULL: when the log's index grows, or the file at a
 * checkpoint. After a failed fsync nothing is known, whatever the system says. */
int store_db_errno(sqlite3 *db, int code)
{
	int system = sqlite3_system_errno(db);
	bool sync = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;

	if ((code & 0xff) == SQLITE_IOERR && !sync && (system == ENOSPC || system == EDQUOT))
		return -ENOSPC;
	return store_errno(code);
}

bool store_is_fatal(int error)
{
	return error == -EIO || error == -EUCLEAN || error == -EROFS || error == -ESTALE;
}

bool store_made_anew(const struct store *s)
{
	return s->made_anew;
}

const char *store_words(const struct store *s)
{
	return sqlite3_errmsg(s->db);
}

sqlite3_stmt *store_statement(struct store *s, enum store_sql which)
{
	sqlite3_stmt **stmt = &s->statements[which];

	if (!*stmt &&
		sqlite3_prepare_v3(s->db, store_sql_text(which), -1, SQLITE_PREPARE_PERSISTENT,
			stmt, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
	return *stmt;
}

int store_step_done(sqlite3_stmt *stmt)
{
	sqlite3 *db = sqlite3_db_handle(stmt);
	int r = store_db_errno(db, sqlite3_step(stmt));

	sqlite3_reset(stmt);
	return r;
}

int store_step_row(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt), r;

	if (code == SQLITE_ROW)
		return 1;
	r = store_db_errno(sqlite3_db_handle(stmt), code);
	sqlite3_reset(stmt);
	return r;
}

int store_prepared(struct store *s, enum store_sql which, sqlite3_stmt **ret)
{
	*ret = store_statement(s, which);
	return *ret ? 0 : store_db_errno(s->db, sqlite3_extended_errcode(s->db));
}

/* ---- transactions */

static int run(struct store *s, enum store_sql which)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, which, &stmt);

	return r < 0 ? r : store_step_done(stmt);
}

int store_begin(struct store *s)
{
	int r;

	/* After some errors SQLite rolls back by itself. Nothing may follow but store_rollback: it
	 * would be committed row by row. */
	if (s->in_transaction)
		return sqlite3_get_autocommit(s->db) ? -ECANCELED : 0;
	r = run(s, SQL_BEGIN);
	if (r < 0)
		return r;
	s->in_transaction = true;
	s->before = s->now;
	return 0;
}

bool store_in_transaction(const struct store *s)
{
	return s->in_transaction;
}

static int save_tally(struct store *s)
{
	const struct store_tally *now = &s->now.tally, *disk = &s->tally_on_disk;
	int r = 0;

	if (now->duplicate != disk->duplicate)
		r = store_meta_set(s, "duplicate", now->duplicate);
	if (r == 0 && now->ignored != disk->ignored)
		r = store_meta_set(s, "ignored", now->ignored);
	if (r == 0 && now->refused != disk->refused)
		r = store_meta_set(s, "refused", now->refused);
	return r;
}

/* SQLite would go on writing into a file that has no name any more: lost at the end of the process. */
static int check_there(const struct store *s)
{
	struct stat st;

	if (stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
		return 0;
	return -ESTALE;
}

int store_commit(struct store *s)
{
	int r;

	if (!s->in_transaction)
		return 0;
	r = check_there(s);
	if (r == 0)
		r = save_tally(s);
	if (r == 0)
		r = run(s, SQL_COMMIT);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	s->in_transaction = false;
	s->tally_on_disk = s->now.tally;
	s->terminals_committed = s->terminal_count;
	return 0;
}

int store_prepared_write(struct store *s, enum store_sql which, sqlite3_stmt **ret)
{
	int r = store_begin(s);

	return r < 0 ? r : store_prepared(s, which, ret);
}

int store_write_row(struct store *s, enum store_sql which, int64_t row)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, which, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, row);
	return store_step_done(stmt);
}

void store_rollback(struct store *s)
{
	if (!s->in_transaction)
		return;
	if (!sqlite3_get_autocommit(s->db))
		run(s, SQL_ROLLBACK);
	s->in_transaction = false;
	/* The tally too: what was rolled back was not acknowledged, and is counted when it comes
	 * again. */
	s->now = s->before;
	tapcache_clear(&s->taps);
	store_terminals_rollback(s);
}

int store_checkpoint(struct store *s)
{
	int r;

	if (s->in_transaction || (int64_t)s->wal_frames * s->page_size < CHECKPOINT_BYTES)
		return 0;
	r = store_db_errno(s->db,
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
	s->wal_frames = 0;
	/* Somebody reading the file keeps a part of the log: next time. A full disk: the log stays,
	 * and whoever writes to it will hear. */
	return r == -EBUSY || r == -ENOSPC ? 0 : r;
}

int store_check_structure(struct store *s)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	bool sound = false;

	if (r != SQLITE_OK)
		return store_db_errno(s->db, r);
	r = store_step_row(stmt);
	if (r > 0) {
		const char *word = (const char *)sqlite3_column_text(stmt, 0);

		sound = word && strcmp(word, "ok") == 0;
	}
	sqlite3_finalize(stmt);
	if (r < 0)
		return r;
	return sound ? 0 : -EUCLEAN;
}

static int64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

int store_disk(const struct store *s, int64_t *ret_bytes, int64_t *ret_free)
{
	struct statvfs fs;
	int r = check_there(s);

	if (r < 0)
		return r;
	if (statvfs(s->path, &fs) < 0)
		return -errno;
	*ret_free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	*ret_bytes = file_bytes(s->path, "") + file_bytes(s->path, "-wal");
	return 0;
}
