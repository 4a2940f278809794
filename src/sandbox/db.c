#include "sandbox/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"

#define SCHEMA_VERSION 3

/* A checkpoint syncs, so it should come seldom: 16 MiB of log. */
static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			       "PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -16384;";

/* From nothing to version 1.
 * `gone` keeps who was removed, so that --users does not bring them back at the next start. */
static const char schema_1[] =
	"CREATE TABLE user (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
	" email TEXT NOT NULL, phone TEXT NOT NULL, department TEXT, created_at INTEGER NOT NULL,"
	" updated_at INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE device (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
	" serial_number TEXT NOT NULL UNIQUE, type TEXT NOT NULL, status TEXT NOT NULL,"
	" location TEXT, last_sync INTEGER, created_at INTEGER NOT NULL,"
	" updated_at INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE attendance (seq INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL,"
	" device_id TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL,"
	" created_at INTEGER NOT NULL, key TEXT);"
	/* posts counts arrivals; digest, status and answer come with the first answer. */
	"CREATE TABLE idempotency (key TEXT PRIMARY KEY, posts INTEGER NOT NULL, digest BLOB,"
	" status INTEGER, answer TEXT) WITHOUT ROWID;"
	"CREATE TABLE api_key (key TEXT PRIMARY KEY, read_only INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

/* From 1 to 2: what a key may do, when an idempotency key first came, events that wait, and indexes
 * for reports and for what no two users share. */
static const char schema_2[] =
	"ALTER TABLE api_key RENAME COLUMN read_only TO rights;"
	"ALTER TABLE idempotency ADD COLUMN at INTEGER NOT NULL DEFAULT 0;"
	"UPDATE idempotency SET at = strftime('%s', 'now') * 1000;"
	"CREATE INDEX idempotency_at ON idempotency (at);"
	"CREATE INDEX attendance_of ON attendance (user_id, at, type);"
	"CREATE INDEX user_email ON user (lower(email)) WHERE gone = 0;"
	"CREATE INDEX user_phone ON user (phone) WHERE gone = 0;"
	/* due_ms is of this machine's clock, whatever the server's is set to; failed: tries since it
	 * was last taken; again_ms: sent once more so long after it was taken, -1: not. */
	"CREATE TABLE event (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
	" type TEXT NOT NULL, body TEXT NOT NULL, state INTEGER NOT NULL, due_ms INTEGER NOT NULL,"
	" tries INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
	" taken INTEGER NOT NULL DEFAULT 0,"
	" again_ms INTEGER NOT NULL DEFAULT -1, bad_signature INTEGER NOT NULL DEFAULT 0,"
	" status INTEGER);"
	"CREATE INDEX event_waiting ON event (due_ms, n) WHERE state = 0;"
	"PRAGMA user_version = 2;";

/* From 2 to 3: what of its plan a key has used; times are a sliding window's. */
static const char schema_3[] =
	"CREATE TABLE rate (key TEXT PRIMARY KEY, counting INTEGER NOT NULL,"
	" window_ms INTEGER NOT NULL, window INTEGER NOT NULL, used INTEGER NOT NULL,"
	" owed INTEGER NOT NULL, owed_at_ms INTEGER NOT NULL, times BLOB) WITHOUT ROWID;"
	"PRAGMA user_version = 3;";

#define USER_COLUMNS "id, name, email, phone, department, created_at, updated_at"
#define DEVICE_COLUMNS \
	"id, name, serial_number, type, status, location, last_sync, created_at, updated_at"

static const char *const texts[DB_SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",

	[SQL_USER_ADD] = "INSERT INTO user (" USER_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_USER_SEED] = "INSERT OR IGNORE INTO user (" USER_COLUMNS
			  ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_USER_CHANGE] = "UPDATE user SET name = ?2, email = ?3, phone = ?4, department = ?5,"
			    " updated_at = ?7, gone = 0 WHERE id = ?1",
	[SQL_USER_GET] = "SELECT " USER_COLUMNS ", gone FROM user WHERE id = ?1",
	[SQL_USER_PAGE] = "SELECT " USER_COLUMNS " FROM user WHERE gone = 0 ORDER BY n"
			  " LIMIT ?1 OFFSET ?2",
	[SQL_USER_PAGE_SHUFFLED] = "SELECT " USER_COLUMNS " FROM user WHERE gone = 0"
				   " ORDER BY random() LIMIT ?1 OFFSET ?2",
	[SQL_USER_EACH] = "SELECT id, name, department FROM user WHERE gone = 0"
			  " AND (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR department = ?2)"
			  " ORDER BY n",
	[SQL_USER_NEWEST] = "SELECT " USER_COLUMNS
			    " FROM user WHERE gone = 0 ORDER BY n DESC LIMIT ?1",
	[SQL_USER_COUNT] = "SELECT count(*) FROM user WHERE gone = 0",
	[SQL_USER_BY_EMAIL] = "SELECT 1 FROM user WHERE lower(email) = lower(?1) AND gone = 0",
	[SQL_USER_BY_PHONE] = "SELECT 1 FROM user WHERE phone = ?1 AND gone = 0",
	[SQL_USER_NEXT] = "SELECT coalesce(max(n), 0) + 1 FROM user",
	[SQL_USER_REMOVE] = "UPDATE user SET gone = 1 WHERE id = ?1 AND gone = 0",

	[SQL_DEVICE_ADD] = "INSERT INTO device (" DEVICE_COLUMNS
			   ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7, ?8)",
	[SQL_DEVICE_CHANGE] = "UPDATE device SET name = ?2, type = ?4, status = ?5, location = ?6,"
			      " updated_at = ?8, gone = 0 WHERE id = ?1 AND serial_number = ?3",
	[SQL_DEVICE_GET] = "SELECT " DEVICE_COLUMNS ", gone FROM device WHERE id = ?1",
	[SQL_DEVICE_BY_SERIAL] = "SELECT " DEVICE_COLUMNS
				 ", gone FROM device WHERE serial_number = ?1",
	[SQL_DEVICE_EACH] = "SELECT " DEVICE_COLUMNS " FROM device WHERE gone = 0 ORDER BY n",
	[SQL_DEVICE_NEXT] = "SELECT coalesce(max(n), 0) + 1 FROM device",
	[SQL_DEVICE_SEEN] = "UPDATE device SET last_sync = ?2 WHERE id = ?1",
	[SQL_DEVICE_REMOVE] =
		"UPDATE device SET gone = 1 WHERE (id = ?1 OR serial_number = ?1) AND gone = 0",

	[SQL_RECORD_ADD] = "INSERT INTO attendance (user_id, device_id, type, at, created_at, key)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_RECORD_PAGE] = "SELECT seq, user_id, device_id, type, a.at, created_at, a.key,"
			    " coalesce(posts, 0) FROM attendance a LEFT JOIN idempotency i"
			    " ON i.key = a.key WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[SQL_RECORD_NEWEST] = "SELECT seq, user_id, u.name, device_id, serial_number, a.type, a.at"
			      " FROM attendance a LEFT JOIN user u ON u.id = user_id"
			      " LEFT JOIN device d ON d.id = device_id ORDER BY seq DESC LIMIT ?1",
	[SQL_RECORD_COUNT] = "SELECT count(*) FROM attendance",
	[SQL_RECORDS_OF] = "SELECT at, type = 'check_in' FROM attendance"
			   " WHERE user_id = ?1 AND at >= ?2 AND at < ?3",

	/* ?2 is now, ?3 what is forgotten by now. */
	[SQL_IDEM_SEEN] = "INSERT INTO idempotency (key, posts, at) VALUES (?1, 1, ?2)"
			  " ON CONFLICT (key) DO UPDATE SET posts = iif(at <= ?3, 1, posts + 1),"
			  " digest = iif(at <= ?3, NULL, digest), at = iif(at <= ?3, ?2, at)",
	[SQL_IDEM_GET] = "SELECT digest, status, answer FROM idempotency WHERE key = ?1",
	[SQL_IDEM_ANSWER] =
		"UPDATE idempotency SET digest = ?2, status = ?3, answer = ?4 WHERE key = ?1",
	[SQL_IDEM_FORGET] = "UPDATE idempotency SET digest = NULL, status = NULL, answer = NULL",
	[SQL_IDEM_PURGE] = "DELETE FROM idempotency WHERE key IN"
			   " (SELECT key FROM idempotency WHERE at <= ?1 LIMIT 10000)",
	[SQL_IDEM_COUNT] = "SELECT count(*) FROM idempotency",
	[SQL_IDEM_AGAIN] = "SELECT key, posts FROM idempotency WHERE posts > 1 ORDER BY key",

	[SQL_EVENT_ADD] =
		"INSERT INTO event (id, type, body, state, due_ms, again_ms, bad_signature)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_EVENT_DUE] = "SELECT n, body, failed, again_ms, bad_signature, due_ms FROM event"
			  " WHERE state = 0 AND due_ms <= ?1 ORDER BY due_ms, n LIMIT ?2",
	[SQL_EVENT_NEXT_DUE] = "SELECT due_ms FROM event WHERE state = 0 AND due_ms > ?1"
			       " ORDER BY due_ms LIMIT 1",
	[SQL_EVENT_SETTLE] = "UPDATE event SET state = iif(due_ms = ?7, ?2, 0), tries = tries + 1, "
			     "taken = taken + ?3,"
			     " failed = iif(?3, 0, failed + 1), status = ?4,"
			     " due_ms = iif(?5 < 0 OR due_ms <> ?7, due_ms, ?5), again_ms = ?6, "
			     "bad_signature = 0"
			     " WHERE n = ?1",
	[SQL_EVENT_RESEND] = "UPDATE event SET state = 0, failed = 0, again_ms = -1,"
			     " due_ms = iif(due_ms = ?3, ?3 + 1, ?3),"
			     " bad_signature = 0"
			     " WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR type = ?2)",
	[SQL_EVENT_PURGE] =
		"DELETE FROM event WHERE n IN (SELECT n FROM event"
		" WHERE n <= (SELECT max(n) FROM event) - ?1 AND state <> 0 LIMIT 20000)",
	[SQL_EVENT_PAGE] = "SELECT n, id, type, state, tries, taken, status, body FROM event"
			   " WHERE n > ?1 ORDER BY n LIMIT ?2",
	[SQL_EVENT_NEWEST] = "SELECT id, type, state, tries FROM event ORDER BY n DESC LIMIT ?1",
	[SQL_EVENT_COUNT] = "SELECT count(*) FROM event",
	[SQL_EVENT_WAITING] = "SELECT count(*) FROM event WHERE state = 0",

	[SQL_KEY_ADD] = "INSERT INTO api_key (key, rights) VALUES (?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET rights = ?2",
	[SQL_KEY_REMOVE] = "DELETE FROM api_key WHERE key = ?1",
	[SQL_RATE_SAVE] = "INSERT OR REPLACE INTO rate VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_RATE_EACH] = "SELECT key, window, used, owed, owed_at_ms, times FROM rate"
			  " WHERE counting = ?1 AND window_ms = ?2",
	[SQL_RATE_REMOVE] = "DELETE FROM rate WHERE key = ?1",
	[SQL_KEY_EACH] = "SELECT key, rights FROM api_key ORDER BY key",
};

static int fail(struct db *db)
{
	log_error("db", "SQLite refuses: the request or the start fails",
		LOG_S("words", db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory"));
	return -EIO;
}

/* One sandbox a folder: two would share the file, but neither the windows nor the running keys. */
static int lock_folder(struct db *db, const char *dir)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/lock", dir);
	db->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (db->lock_fd < 0) {
		int error = errno;

		log_error("data", "the data folder cannot be written", LOG_S("path", path),
			LOG_S("error", strerror(error)));
		return -error;
	}
	if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	log_error("data", "another punch-sandbox uses this folder", LOG_S("dir", dir));
	return -EBUSY;
}

/* Whole or not at all. */
static int migrate(struct db *db, const char *steps)
{
	if (sqlite3_exec(db->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
		sqlite3_exec(db->sqlite, steps, NULL, NULL, NULL) == SQLITE_OK &&
		sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return fail(db);
}

static int prepare_schema(struct db *db)
{
	static const char *const steps[SCHEMA_VERSION] = {schema_1, schema_2, schema_3};
	sqlite3_stmt *stmt = NULL;
	int version = -1, r = 0;

	if (sqlite3_exec(db->sqlite, settings, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(db->sqlite, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return fail(db);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	if (version < 0 || version > SCHEMA_VERSION) {
		log_error("data", "sandbox.db was made by a newer version: choose another --data",
			LOG_I("version", version));
		return -EINVAL;
	}
	db->fresh = version == 0;
	for (; version < SCHEMA_VERSION && r == 0; version++)
		r = migrate(db, steps[version]);
	return r;
}

int db_open(struct db *db, const char *dir)
{
	char path[4096];
	int r;

	*db = (struct db){.lock_fd = -1};
	r = lock_folder(db, dir);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "%s/sandbox.db", dir);
	if (sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
		SQLITE_OK)
		return fail(db);
	/* A person with sqlite3(1) may look while it runs. */
	sqlite3_busy_timeout(db->sqlite, 2000);
	return prepare_schema(db);
}

void db_close(struct db *db)
{
	for (int i = 0; i < DB_SQL_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	*db = (struct db){.lock_fd = -1};
}

sqlite3_stmt *db_statement(struct db *db, enum db_sql which)
{
	sqlite3_stmt **stmt = &db->statements[which];

	if (!*stmt &&
		sqlite3_prepare_v3(db->sqlite, texts[which], -1, SQLITE_PREPARE_PERSISTENT, stmt,
			NULL) != SQLITE_OK) {
		fail(db);
		return NULL;
	}
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
	return *stmt;
}

void db_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

int db_step(struct db *db, sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		fail(db);
	sqlite3_reset(stmt);
	return code == SQLITE_DONE ? 0 : -EIO;
}

int db_run(struct db *db, sqlite3_stmt *stmt)
{
	return stmt ? db_step(db, stmt) : -EIO;
}

int db_number(struct db *db, enum db_sql which, int64_t *ret)
{
	sqlite3_stmt *stmt = db_statement(db, which);
	int r = stmt ? db_step(db, stmt) : -EIO;

	if (r != 1)
		return r < 0 ? r : -EIO;
	*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

const char *db_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

int db_write(struct db *db)
{
	int r;

	if (db->writing)
		return 0;
	r = db_run(db, db_statement(db, SQL_BEGIN));
	db->writing = r == 0;
	return r;
}

int db_commit(struct db *db)
{
	int r;

	if (!db->writing)
		return 0;
	db->writing = false;
	/* After some errors SQLite has rolled back by itself. */
	if (sqlite3_get_autocommit(db->sqlite))
		return -EIO;
	r = db_run(db, db_statement(db, SQL_COMMIT));
	if (r < 0 && !sqlite3_get_autocommit(db->sqlite))
		db_run(db, db_statement(db, SQL_ROLLBACK));
	return r;
}
