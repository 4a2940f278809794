#include "store/schema.h"

/*
 * STRICT and the CHECKs are for damaged disks: store_check_structure and a salvage see by them that
 * a row cannot be one of ours.
 * Times are milliseconds since 1970 (received, frozen, settled), seconds (time), or milliseconds of
 * a boot's monotonic clock (mono). Numbers of states, reasons, types and flags: core/punch.h.
 */
static const char *const migrations[] = {
	/* 1 */
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE boot ("
	" id INTEGER PRIMARY KEY,"
	" boot_id TEXT NOT NULL UNIQUE,"
	" first_seq INTEGER NOT NULL) STRICT;" /* no punch of this boot has a smaller seq */
	"CREATE TABLE terminal (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE punch ("
	" seq INTEGER PRIMARY KEY,"
	" identity BLOB NOT NULL UNIQUE CHECK (length(identity) = 16),"
	" state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),"
	" reason INTEGER NOT NULL,"
	" flags INTEGER NOT NULL,"
	" terminal INTEGER NOT NULL,"
	" user_kind INTEGER NOT NULL CHECK (user_kind BETWEEN 0 AND 5),"
	" user TEXT NOT NULL,"
	" record_id TEXT NOT NULL,"
	" time_sent TEXT NOT NULL,"
	" type_sent INTEGER NOT NULL CHECK (type_sent BETWEEN 0 AND 2),"
	" received INTEGER NOT NULL,"
	" mono INTEGER NOT NULL,"
	" boot INTEGER NOT NULL,"
	" time INTEGER," /* NULL: none that can be believed */
	" type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 2),"
	" type_from INTEGER NOT NULL CHECK (type_from BETWEEN 0 AND 4),"
	" user_id TEXT," /* the frozen body is user_id, device_id, type, time */
	" device_id TEXT,"
	" frozen INTEGER," /* NULL: not frozen */
	" generation INTEGER NOT NULL DEFAULT 0,"
	" wire_key BLOB,"
	" settled INTEGER,"
	" att_id TEXT,"
	" tries INTEGER,"
	" error_code TEXT,"
	" error_message TEXT,"
	" error_param TEXT,"
	" CHECK (state <> 0 OR time IS NOT NULL)) STRICT;"
	/* The outbox: what is queued, in the order in which it goes. */
	"CREATE INDEX punch_queued ON punch (time, seq) WHERE state = 0;"
	/* The rare states, in order of arrival; delivered is everything else. */
	"CREATE INDEX punch_waiting ON punch (state, seq) WHERE state IN (1, 3, 4, 5);"
	/* What could not be read: topic and bytes of a parked message. */
	"CREATE TABLE raw ("
	" seq INTEGER PRIMARY KEY,"
	" topic TEXT NOT NULL,"
	" bytes BLOB NOT NULL,"
	" length INTEGER NOT NULL,"
	" sha256 BLOB NOT NULL) STRICT;"
	/* Punches with a record id and no time: the newest of each fingerprint. */
	"CREATE TABLE timeless (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	/* What people did by hand, and what it was before. */
	"CREATE TABLE hand ("
	" id INTEGER PRIMARY KEY,"
	" seq INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" note TEXT NOT NULL,"
	" before TEXT NOT NULL) STRICT;"
	"CREATE INDEX hand_seq ON hand (seq);"
	/* Messages committed before they are parsed, while something crashes: daemon/guard.h. */
	"CREATE TABLE guarded ("
	" id INTEGER PRIMARY KEY,"
	" topic TEXT NOT NULL,"
	" payload BLOB NOT NULL,"
	" retained INTEGER NOT NULL,"
	" dup INTEGER NOT NULL,"
	" parses INTEGER NOT NULL) STRICT;" /* unclean ends during which it was being parsed, and one */
	/* Purged punches, by the state they were in. */
	"CREATE TABLE purged (state INTEGER PRIMARY KEY CHECK (state BETWEEN 0 AND 5), n INTEGER "
	"NOT NULL)"
	" STRICT;"
	"CREATE TABLE user ("
	" id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,"
	" department TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE device ("
	" serial TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,"
	" status TEXT NOT NULL, location TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT, WITHOUT "
	"ROWID;",
	/* 2: who is missing from the last passes over a list of the cloud, and from how many; enum
	 * dir_what. Rows of their own: the lists' do not change by it. */
	"CREATE TABLE missing ("
	" what INTEGER NOT NULL CHECK (what IN (0, 1)),"
	" key TEXT NOT NULL,"
	" passes INTEGER NOT NULL CHECK (passes IN (1, 2)),"
	" PRIMARY KEY (key, what)) STRICT, WITHOUT ROWID;",
	/* 3: every change of a link, oldest first; user_id '': it was taken away */
	"CREATE TABLE link ("
	" id INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 5),"
	" value TEXT NOT NULL CHECK (value <> ''),"
	" device TEXT NOT NULL,"
	" user_id TEXT NOT NULL,"
	" note TEXT NOT NULL) STRICT;",
	/* 4: a person's punches in order of time, those of the same days (131,072 s) side by side, so
	 * that a burst writes few pages; the end of a name tells people apart well enough. Double taps
	 * (reason 20) in one of their own: however many there are, the others are found at once. */
	("CREATE INDEX punch_person ON punch"
	 " (time >> 17, substr(coalesce(user_id, user), -8), time)"
	 " WHERE time IS NOT NULL AND reason <> 20;"
	 "CREATE INDEX punch_double ON punch"
	 " (time >> 17, substr(coalesce(user_id, user), -8), time)"
	 " WHERE time IS NOT NULL AND reason = 20;"),
	/* 5: the rare states' index, in words that cost nothing: for a list of four numbers SQLite fills
	 * a table of its own at each write, 32 KiB cleared, twice for an update (3.40). */
	("DROP INDEX punch_waiting;"
	 "CREATE INDEX punch_waiting ON punch (state, seq) WHERE state <> 0 AND state <> 2;"),
	/* 6: events of the cloud that had an effect, by their id, so that none has it twice; and of what
	 * it may yet settle, the record (seq NULL: nothing). When a body froze, by the cloud's clock. */
	("ALTER TABLE punch ADD COLUMN frozen_cloud INTEGER;"
	 "CREATE TABLE event ("
	 " n INTEGER PRIMARY KEY,"
	 " id TEXT NOT NULL UNIQUE,"
	 " at INTEGER NOT NULL,"
	 " seq INTEGER,"
	 " att_id TEXT,"
	 " user_id TEXT,"
	 " device_id TEXT,"
	 " type INTEGER,"
	 " time INTEGER,"
	 " created INTEGER) STRICT;"),
	/* 7: people who are to be made in the cloud, and a while those who were (core/newuser.h); sent:
	 * something of it may have left since, and was not answered for certain */
	"CREATE TABLE newuser ("
	" id INTEGER PRIMARY KEY,"
	" key BLOB NOT NULL CHECK (length(key) = 16)," /* an index of it would look like that of identities */
	" name TEXT NOT NULL,"
	" email TEXT NOT NULL,"
	" phone TEXT NOT NULL,"
	" department TEXT NOT NULL,"
	" link_kind INTEGER CHECK (link_kind BETWEEN 0 AND 5)," /* NULL: no link is wanted */
	" link_value TEXT NOT NULL,"
	" link_device TEXT NOT NULL,"
	" asked INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
	" sent INTEGER,"
	" settled INTEGER,"
	" user_id TEXT NOT NULL,"
	" told INTEGER NOT NULL CHECK (told IN (0, 1)),"
	" note TEXT NOT NULL,"
	" error_status INTEGER NOT NULL,"
	" error_code TEXT NOT NULL,"
	" error_message TEXT NOT NULL,"
	" error_param TEXT NOT NULL) STRICT;",
};
#define VERSIONS ((int)(sizeof migrations / sizeof migrations[0]))

int schema_version(void)
{
	return VERSIONS;
}

static int exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int migrate_step(sqlite3 *db, int to)
{
	char pragma[96];
	int r;

	/* Both live in the file's header, so they are part of the transaction. */
	snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		SCHEMA_APPLICATION_ID, to);
	r = exec(db, "BEGIN EXCLUSIVE");
	if (r == SQLITE_OK)
		r = exec(db, migrations[to - 1]);
	if (r == SQLITE_OK)
		r = exec(db, pragma);
	if (r == SQLITE_OK)
		r = exec(db, "COMMIT");
	if (r != SQLITE_OK && !sqlite3_get_autocommit(db))
		exec(db, "ROLLBACK");
	return r;
}

int schema_migrate_to(sqlite3 *db, int from, int to)
{
	int r = SQLITE_OK;

	for (int version = from + 1; version <= to && r == SQLITE_OK; version++)
		r = migrate_step(db, version);
	return r;
}

int schema_migrate(sqlite3 *db, int from)
{
	return schema_migrate_to(db, from, VERSIONS);
}

/* Everything that a schema says, one text; freed by sqlite3_free. */
static int schema_text(sqlite3 *db, char **ret_text)
{
	/* Statistics are nobody's schema: an administrator's ANALYZE is no damage. */
	static const char sql[] =
		"SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), ';')"
		" FROM (SELECT * FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
		" ORDER BY name)";
	sqlite3_stmt *stmt;
	int r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(stmt);
	if (r == SQLITE_ROW) {
		*ret_text = sqlite3_mprintf("%s", sqlite3_column_text(stmt, 0));
		r = *ret_text ? SQLITE_OK : SQLITE_NOMEM;
	}
	sqlite3_finalize(stmt);
	return r;
}

int schema_check(sqlite3 *db)
{
	sqlite3 *fresh = NULL;
	char *is = NULL, *should = NULL;
	int r = schema_text(db, &is);

	if (r == SQLITE_OK)
		r = sqlite3_open(":memory:", &fresh);
	if (r == SQLITE_OK)
		r = schema_migrate(fresh, 0);
	if (r == SQLITE_OK)
		r = schema_text(fresh, &should);
	if (r == SQLITE_OK && strcmp(is, should) != 0)
		r = SQLITE_CORRUPT;
	sqlite3_free(is);
	sqlite3_free(should);
	sqlite3_close(fresh);
	return r;
}
