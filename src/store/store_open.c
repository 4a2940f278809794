#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store_private.h"

#define BUSY_MS 250 /* how long another program's lock is waited for */

/* What the guarantee stands on: every commit is followed by an fdatasync of the log. */
#define SYNCHRONOUS "PRAGMA synchronous = FULL"

int store_fail(int error, char ret_words[static STORE_WORDS_MAX], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret_words, STORE_WORDS_MAX, format, ap);
	va_end(ap);
	return error;
}

/* ---- the path and its lock */

/* SQLite follows no link under SQLITE_OPEN_NOFOLLOW, not even in the folder's name, and a state
 * folder is one under systemd's DynamicUser: so the folder is resolved here. */
static int resolve(const char *path, char **ret_path, char *ret_words)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char folder[PATH_MAX], real[PATH_MAX];

	if (!name[0] || (size_t)(name - path) >= sizeof folder || strlen(name) > NAME_MAX - 64)
		return store_fail(-EINVAL, ret_words, "it is not the name of a file");
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(name - path) : 1, slash ? path : ".");
	if (!realpath(folder, real)) {
		int error = -errno;

		return store_fail(error, ret_words, "its folder: %s", strerror(-error));
	}
	if (asprintf(ret_path, "%s/%s", real[1] ? real : "", name) < 0) {
		*ret_path = NULL;
		return store_fail(-ENOMEM, ret_words, "out of memory");
	}
	return 0;
}

int store_lock(const char *path, char **ret_path, char ret_words[static STORE_WORDS_MAX])
{
	char name[PATH_MAX];
	int fd, error = resolve(path, ret_path, ret_words);

	if (error < 0)
		return error;
	snprintf(name, sizeof name, "%s.lock", *ret_path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		error = store_fail(-errno, ret_words, "cannot write %s: %s", name, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		error = errno == EWOULDBLOCK
			? store_fail(-EBUSY, ret_words, "another punchd is using it")
			: store_fail(
				  -errno, ret_words, "cannot lock %s: %s", name, strerror(errno));
	if (error == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	free(*ret_path);
	*ret_path = NULL;
	return error;
}

/* The lock file remembers that a store was made beside it. So an emptied file is known as one. */
#define MARK "A store of punchd was made beside this file: an empty one is damaged.\n"

bool store_marked(int lock_fd)
{
	struct stat st;

	return fstat(lock_fd, &st) == 0 && st.st_size > 0;
}

/* A mark that cannot be written is done without: it only serves when more is lost. */
static void mark(int lock_fd)
{
	if (store_marked(lock_fd) || pwrite(lock_fd, MARK, sizeof MARK - 1, 0) < 0)
		return;
	fdatasync(lock_fd);
}

/* ---- whose file is it? Nothing has been written to it when these say no. */

static int check_file(struct store *s, char *ret_words)
{
	struct stat st;
	bool there = lstat(s->path, &st) == 0;
	int r;

	s->made_anew = !there && store_marked(s->lock_fd);
	if (there && S_ISLNK(st.st_mode))
		return store_fail(-ELOOP, ret_words, "it is a symbolic link");
	if (there && !S_ISREG(st.st_mode))
		return store_fail(-EMEDIUMTYPE, ret_words, "it is no regular file");
	if (there && access(s->path, R_OK | W_OK) < 0) {
		r = -errno;
		return store_fail(r, ret_words, "it cannot be written: %s", strerror(-r));
	}
	if (there && st.st_size == 0 && store_marked(s->lock_fd))
		return store_fail(-EUCLEAN, ret_words, "it has been emptied");
	r = store_log_check(s->path, ret_words);
	if (r == 0 && there && st.st_size > 0)
		r = store_file_check(s->path, store_marked(s->lock_fd), ret_words);
	return r;
}

/* CANTOPEN: a full disk, a missing right, a descriptor too many are one code. ERROR: our statements
 * are sound, so the file's tables are not. */
static int open_errno(struct store *s, int code)
{
	int system = s->db ? sqlite3_system_errno(s->db) : 0;

	if (!s->db)
		return -ENOMEM;
	if ((code & 0xff) == SQLITE_CANTOPEN && system != 0)
		return -system;
	return (code & 0xff) == SQLITE_ERROR ? -EUCLEAN : store_db_errno(s->db, code);
}

static int pragma_int(struct store *s, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int r = open_errno(s, sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL));

	if (r < 0)
		return r;
	r = store_step_row(stmt);
	if (r > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return r > 0 ? 0 : r < 0 ? r : -EIO;
}

static int check_owner(struct store *s, int64_t *ret_version, char *ret_words)
{
	int64_t application = 0, tables = 0, version = 0;
	int r = pragma_int(s, "PRAGMA application_id", &application);

	if (r == 0)
		r = pragma_int(s, "PRAGMA user_version", &version);
	if (r == 0)
		r = pragma_int(s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r < 0)
		return store_fail(r, ret_words, "%s", sqlite3_errmsg(s->db));
	*ret_version = version;
	/* Without a table it may be ours, cut off while it was being made. */
	if (tables == 0 && application == 0 && version == 0)
		return 0;
	if (application == SCHEMA_APPLICATION_ID && tables > 0 && version > 0 &&
		version <= schema_version())
		return 0;
	/* With exactly our tables it is ours, whatever its header says: a newer one has others. */
	if (tables > 0 && schema_check(s->db) == SQLITE_OK)
		return store_fail(-EUCLEAN, ret_words, "its header is damaged");
	if (application != SCHEMA_APPLICATION_ID)
		return store_fail(
			-EMEDIUMTYPE, ret_words, "it is a database, but not one of punchd");
	if (version > schema_version())
		return store_fail(-EPROTONOSUPPORT, ret_words,
			"it was made by a newer punchd (format %lld, this one knows %d)",
			(long long)version, schema_version());
	return store_fail(-EUCLEAN, ret_words, "its header or its tables are damaged");
}

/* ---- opening */

static int exec(struct store *s, const char *sql)
{
	return open_errno(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

/* cell_size_check: a damaged page is seen when it is read. secure_delete: what is purged is gone
 * from the disk, and a salvage does not find it again. */
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
			" PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
			" PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;"
			" PRAGMA foreign_keys = OFF");
	return r;
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_frames = frames;
	return SQLITE_OK;
}

/* Only for a file that is ours: this writes. */
static int configure_log(struct store *s)
{
	int64_t page_size = 0;
	int r = exec(s, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 4194304");

	if (r == 0)
		r = exec(s, SYNCHRONOUS);
	/* The log is moved into the file by store_checkpoint alone, where its errors are seen. */
	if (r == 0)
		r = exec(s, "PRAGMA wal_autocheckpoint = 0");
	if (r == 0)
		r = pragma_int(s, "PRAGMA page_size", &page_size);
	s->page_size = (int)page_size;
	sqlite3_wal_hook(s->db, on_wal, s);
	return r;
}

static int load(struct store *s)
{
	struct store_tally *tally = &s->now.tally;
	int r = store_meta_get(s, "duplicate", 0, &tally->duplicate);

	if (r == 0)
		r = store_meta_get(s, "ignored", 0, &tally->ignored);
	if (r == 0)
		r = store_meta_get(s, "refused", 0, &tally->refused);
	s->tally_on_disk = *tally;
	if (r == 0)
		r = store_terminals_load(s);
	if (r == 0)
		r = store_counts_load(s);
	return r;
}

static int note_file(struct store *s)
{
	struct stat st;

	if (stat(s->path, &st) < 0)
		return -errno;
	s->device = st.st_dev;
	s->inode = st.st_ino;
	return 0;
}

int store_open_database(struct store *s, char ret_words[static STORE_WORDS_MAX])
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW;
	int64_t version = 0;
	int r = open_errno(s, sqlite3_open_v2(s->path, &s->db, flags, NULL));

	if (r == 0)
		r = configure(s);
	if (r < 0)
		return store_fail(
			r, ret_words, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
	r = check_owner(s, &version, ret_words);
	if (r < 0)
		return r;
	r = configure_log(s);
	if (r == 0)
		r = open_errno(s, schema_migrate(s->db, (int)version));
	if (r == 0)
		r = open_errno(s, schema_check(s->db));
	if (r == 0)
		r = load(s);
	if (r == 0)
		r = note_file(s);
	return r < 0 ? store_fail(r, ret_words, "%s", sqlite3_errmsg(s->db)) : 0;
}

struct store *store_alloc(void)
{
	struct store *s = calloc(1, sizeof *s);
	uint64_t seed;

	if (!s)
		return NULL;
	/* Strangers choose the names of terminals. */
	sqlite3_randomness(sizeof seed, &seed);
	s->lock_fd = -1;
	strmap_init(&s->terminals, seed);
	tapcache_init(&s->taps, seed);
	return s;
}

int store_open(const char *path, struct store **ret_store, char ret_words[static STORE_WORDS_MAX])
{
	struct store *s = store_alloc();
	mode_t mask = umask(0077);
	int r = s ? 0 : store_fail(-ENOMEM, ret_words, "out of memory");

	*ret_store = NULL;
	if (r == 0)
		r = s->lock_fd = store_lock(path, &s->path, ret_words);
	if (r >= 0)
		r = store_salvage_finish(s->path, NULL, ret_words);
	if (r >= 0)
		r = check_file(s, ret_words);
	if (r >= 0)
		r = store_open_database(s, ret_words);
	umask(mask);
	if (r < 0) {
		store_close(s);
		return r;
	}
	mark(s->lock_fd);
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
	tapcache_done(&s->taps);
	free(s->path);
	free(s);
}
