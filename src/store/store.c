#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store_private.h"

#define BUSY_MS          250 /* how long another program's lock is waited for */
#define CHECKPOINT_BYTES (1 << 20)

/* What the guarantee stands on: every commit is followed by an fdatasync of the log. */
#define SYNCHRONOUS "PRAGMA synchronous = FULL"

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
	case SQLITE_CANTOPEN: return -ENOENT;
	case SQLITE_IOERR: return code == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
	default: return -EIO;
	}
}

bool store_is_fatal(int error)
{
	return error == -EIO || error == -EUCLEAN || error == -EROFS || error == -ENOENT;
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
	int code = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return store_errno(code);
}

int store_step_row(sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return 1;
	sqlite3_reset(stmt);
	return store_errno(code);
}

/* ---- transactions */

static int run(struct store *s, enum store_sql which)
{
	sqlite3_stmt *stmt = store_statement(s, which);

	return stmt ? store_step_done(stmt) : store_errno(sqlite3_errcode(s->db));
}

int store_begin(struct store *s)
{
	int r;

	if (s->in_transaction)
		return 0;
	r = run(s, SQL_BEGIN);
	if (r < 0)
		return r;
	s->in_transaction = true;
	s->counts_saved = s->counts;
	return 0;
}

bool store_in_transaction(const struct store *s)
{
	return s->in_transaction;
}

static int save_tally(struct store *s)
{
	int r = 0;

	if (memcmp(&s->tally, &s->tally_saved, sizeof s->tally) == 0)
		return 0;
	if (s->tally.duplicate != s->tally_saved.duplicate)
		r = store_meta_set(s, "duplicate", s->tally.duplicate);
	if (r == 0 && s->tally.ignored != s->tally_saved.ignored)
		r = store_meta_set(s, "ignored", s->tally.ignored);
	if (r == 0 && s->tally.refused != s->tally_saved.refused)
		r = store_meta_set(s, "refused", s->tally.refused);
	return r;
}

int store_commit(struct store *s)
{
	int r;

	if (!s->in_transaction)
		return 0;
	r = save_tally(s);
	if (r == 0)
		r = run(s, SQL_COMMIT);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	s->in_transaction = false;
	s->tally_saved = s->tally;
	s->terminals_committed = s->terminal_count;
	return 0;
}

void store_rollback(struct store *s)
{
	if (!s->in_transaction)
		return;
	/* After some errors SQLite has rolled back by itself. */
	if (!sqlite3_get_autocommit(s->db))
		run(s, SQL_ROLLBACK);
	s->in_transaction = false;
	s->counts = s->counts_saved;
	store_terminals_rollback(s);
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_frames = frames;
	return SQLITE_OK;
}

int store_checkpoint(struct store *s)
{
	int code;

	if (s->in_transaction || (int64_t)s->wal_frames * SCHEMA_PAGE_SIZE < CHECKPOINT_BYTES)
		return 0;
	code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	s->wal_frames = 0;
	/* Somebody reading the file keeps a part of the log: next time. A full disk: the log stays,
	 * and whoever writes to it will hear. */
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL)
		return 0;
	return store_errno(code);
}

int store_check_structure(struct store *s)
{
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	bool sound = false;

	if (r != SQLITE_OK)
		return store_errno(r);
	r = sqlite3_step(stmt);
	if (r == SQLITE_ROW)
		sound = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
	sqlite3_finalize(stmt);
	if (r != SQLITE_ROW)
		return store_errno(r);
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

	if (statvfs(s->path, &fs) < 0)
		return -errno;
	*ret_free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	*ret_bytes = file_bytes(s->path, "") + file_bytes(s->path, "-wal");
	return 0;
}

/* ---- opening */

static int __attribute__((format(printf, 3, 4)))
fail(int error, char *ret_words, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret_words, STORE_WORDS_MAX, format, ap);
	va_end(ap);
	return error;
}

/* One daemon a file: a lock on a file of its own, since SQLite's are only held while it works. */
static int take_lock(struct store *s, char *ret_words)
{
	char name[4096];
	int error;

	if (snprintf(name, sizeof name, "%s.lock", s->path) >= (int)sizeof name)
		return fail(-ENAMETOOLONG, ret_words, "the path is too long");
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0) {
		error = -errno;
		return fail(error, ret_words, "cannot write %s: %s", name, strerror(-error));
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
		return fail(error, ret_words,
			error == -EBUSY ? "another punchd is using it" : "it cannot be locked");
	}
	return 0;
}

static int pragma_int(struct store *s, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return store_errno(code);
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -EIO : store_errno(code);
}

static int exec(struct store *s, const char *sql)
{
	return store_errno(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* Whose file is it? Nothing has been written to it when this says no. */
static int check_owner(struct store *s, int64_t *ret_version, char *ret_words)
{
	int64_t application = 0, pages = 0;
	int r = pragma_int(s, "PRAGMA application_id", &application);

	if (r == 0)
		r = pragma_int(s, "PRAGMA user_version", ret_version);
	if (r == 0)
		r = pragma_int(s, "PRAGMA page_count", &pages);
	if (r < 0)
		return fail(r, ret_words, "%s", sqlite3_errmsg(s->db));
	if (pages > 0 && application != SCHEMA_APPLICATION_ID)
		return fail(-EMEDIUMTYPE, ret_words, "it is a database, but not one of punchd");
	if (*ret_version > schema_version())
		return fail(-EPROTONOSUPPORT, ret_words,
			"it was made by a newer punchd (format %lld, this one knows %d)",
			(long long)*ret_version, schema_version());
	return 0;
}

static int configure(struct store *s)
{
	char page_size[64];
	int r;

	snprintf(page_size, sizeof page_size, "PRAGMA page_size = %d", SCHEMA_PAGE_SIZE);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = exec(s, page_size);
	if (r == 0)
		r = exec(s,
			"PRAGMA auto_vacuum = NONE; PRAGMA cell_size_check = ON;"
			" PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;"
			" PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF");
	return r;
}

/* Only for a file that is ours: this writes. */
static int configure_log(struct store *s)
{
	int r = exec(s, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 4194304");

	if (r == 0)
		r = exec(s, SYNCHRONOUS);
	/* The log is moved into the file by store_checkpoint alone, where its errors are seen. */
	if (r == 0)
		r = exec(s, "PRAGMA wal_autocheckpoint = 0");
	sqlite3_wal_hook(s->db, on_wal, s);
	return r;
}

static int load(struct store *s)
{
	int r = store_meta_get(s, "duplicate", 0, &s->tally.duplicate);

	if (r == 0)
		r = store_meta_get(s, "ignored", 0, &s->tally.ignored);
	if (r == 0)
		r = store_meta_get(s, "refused", 0, &s->tally.refused);
	s->tally_saved = s->tally;
	if (r == 0)
		r = store_terminals_load(s);
	if (r == 0)
		r = store_counts_load(s);
	return r;
}

static int open_database(struct store *s, char *ret_words)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW;
	int64_t version = 0;
	int r = store_errno(sqlite3_open_v2(s->path, &s->db, flags, NULL));

	if (r == 0)
		r = configure(s);
	if (r < 0)
		return fail(r, ret_words, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
	r = check_owner(s, &version, ret_words);
	if (r < 0)
		return r;
	r = configure_log(s);
	if (r == 0)
		r = store_errno(schema_migrate(s->db, (int)version));
	if (r == 0)
		r = load(s);
	return r < 0 ? fail(r, ret_words, "%s", sqlite3_errmsg(s->db)) : 0;
}

int store_open(const char *path, struct store **ret_store, char ret_words[static STORE_WORDS_MAX])
{
	struct store *s = calloc(1, sizeof *s);
	mode_t mask = umask(0077);
	int r;

	*ret_store = NULL;
	if (!s || !(s->path = strdup(path))) {
		free(s);
		umask(mask);
		return fail(-ENOMEM, ret_words, "out of memory");
	}
	s->lock_fd = -1;
	strmap_init(&s->terminals, 0);
	r = take_lock(s, ret_words);
	if (r == 0)
		r = open_database(s, ret_words);
	umask(mask);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*ret_store = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db)
		store_rollback(s);
	for (int i = 0; i < SQL_COUNT_; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	store_terminals_free(s);
	free(s->path);
	free(s);
}
