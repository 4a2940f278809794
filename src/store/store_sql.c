#include "store/store_private.h"

/* The columns of a punch, in the order in which store_punch.c reads and writes them. */
#define PUNCH_COLUMNS \
	"seq, identity, state, reason, flags, terminal, user_kind, user, record_id, time_sent," \
	" type_sent, received, mono, boot, time, type, type_from, user_id, device_id, frozen," \
	" generation, wire_key, settled, att_id, tries, error_code, error_message, error_param," \
	" frozen_cloud"

/* The same of one who is to be made in the cloud, for store_newuser.c. */
#define NEWUSER_COLUMNS \
	"id, key, name, email, phone, department, link_kind, link_value, link_device, asked, uid," \
	" who, state, sent, settled, user_id, told, note, error_status, error_code," \
	" error_message, error_param"
/* What still waits for the cloud, or for somebody who is told that it was refused. */
#define NEWUSER_IS_OPEN "(state = 0 OR (state = 3 AND told = 0))"

/* As the index of the rare states has it: only so it is found. */
#define RARE "state <> 0 AND state <> 2"

/* A page of a list: newest first, within [?2, ?1), by what was asked for. */
#define LIST_FILTER \
	" AND (?3 = 0 OR reason = ?3)" \
	" AND (?4 IS NULL OR user = ?4 OR user_id = ?4)" \
	" AND (?5 < 0 OR user_kind = ?5)" \
	" AND (?6 IS NULL OR device_id = ?6 OR terminal = (SELECT id FROM terminal WHERE name = " \
	"?6))" \
	" AND (?7 IS NULL OR time >= ?7) AND (?8 IS NULL OR time < ?8)" \
	" AND (?11 = 0 OR (flags & 8) <> 0 OR (state = 0 AND frozen IS NOT NULL))" \
	" ORDER BY seq DESC LIMIT ?9"

/* What no index stands on. */
#define SET_IN_PLACE \
	" flags = ?5, received = ?12, type = ?16, type_from = ?17, device_id = ?19," \
	" frozen = ?20, generation = ?21, wire_key = ?22, settled = ?23, att_id = ?24," \
	" tries = ?25, error_code = ?26, error_message = ?27, error_param = ?28," \
	" frozen_cloud = ?29 WHERE seq = ?1"

/* One person's punches within a bucket of days. ?2: who; ?5: what kind of name that is. */
#define TAPS_SELECT(index, which) \
	"SELECT seq, identity, state, reason, flags, terminal, type_sent, time, type, type_from," \
	" frozen IS NOT NULL FROM punch INDEXED BY " index " WHERE time IS NOT NULL AND " which \
	" AND time >> 17 = ?1 AND substr(coalesce(user_id, user), -8) = substr(?2, -8)" \
	" AND time >= ?3 AND time <= ?4 AND state <> 5" \
	" AND coalesce(user_id, user) = ?2 AND iif(user_id IS NULL, user_kind, 0) = ?5" \
	" AND (?6 IS NULL OR terminal = ?6) ORDER BY time"

static const char *const texts[SQL_COUNT_] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?",
	[SQL_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
			 " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[SQL_BOOT_GET] = "SELECT id FROM boot WHERE boot_id = ?",
	[SQL_BOOT_ADD] = "INSERT INTO boot (boot_id, first_seq)"
			 " VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM punch))",
	[SQL_BOOT_FIRST] = "SELECT first_seq FROM boot WHERE id = ?",
	[SQL_TERMINAL_ADD] = "INSERT INTO terminal (id, name) VALUES (?, ?)",
	[SQL_TERMINAL_ALL] = "SELECT id, name FROM terminal ORDER BY id",
	[SQL_PUNCH_ADD] =
		"INSERT INTO punch (" PUNCH_COLUMNS ") VALUES (NULL, ?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,"
		" ?24, ?25, ?26, ?27, ?28, ?29) ON CONFLICT (identity) DO NOTHING",
	[SQL_PUNCH_UPDATE] =
		"UPDATE punch SET state = ?3, reason = ?4, flags = ?5, received = ?12,"
		" time = ?15, type = ?16, type_from = ?17, user_id = ?18, device_id = ?19,"
		" frozen = ?20, generation = ?21, wire_key = ?22, settled = ?23,"
		" att_id = ?24, tries = ?25, error_code = ?26, error_message = ?27,"
		" error_param = ?28, frozen_cloud = ?29 WHERE seq = ?1",
	/* Where none of them changes, the columns that most indexes stand on are not written. */
	[SQL_PUNCH_UPDATE_IN_PLACE] = "UPDATE punch SET state = ?3," SET_IN_PLACE,
	/* And where the state stays too, as where a body freezes, none is looked at. */
	[SQL_PUNCH_UPDATE_STILL] = "UPDATE punch SET" SET_IN_PLACE,
	[SQL_PUNCH_GET] = "SELECT " PUNCH_COLUMNS " FROM punch WHERE seq = ?",
	[SQL_PUNCH_RANGE] = "SELECT " PUNCH_COLUMNS
			    " FROM punch WHERE identity >= ?1 AND identity <= ?2"
			    " ORDER BY identity LIMIT 2",
	[SQL_PUNCH_IDENTITY] = "SELECT " PUNCH_COLUMNS " FROM punch WHERE identity = ?",
	[SQL_PUNCH_PLACE] = "SELECT state, reason, time, user_id FROM punch WHERE seq = ?",
	/* Two statements, so that each has its span of the index, which sorts by time; within one
	 * second the few that there are get sorted. */
	[SQL_OUTBOX_SECOND] =
		"SELECT " PUNCH_COLUMNS " FROM punch INDEXED BY punch_queued"
		" WHERE state = 0 AND time = ?1 AND identity > ?2 ORDER BY identity LIMIT ?3",
	[SQL_OUTBOX] = "SELECT " PUNCH_COLUMNS " FROM punch"
		       " WHERE state = 0 AND time > ?1 ORDER BY time, identity LIMIT ?3",
	[SQL_OUTBOX_PERSON] = "SELECT " PUNCH_COLUMNS " FROM punch INDEXED BY punch_person"
			      " WHERE time IS NOT NULL AND reason <> 20 AND time >> 17 = ?1"
			      " AND substr(coalesce(user_id, user), -8) = substr(?2, -8)"
			      " AND time >= ?3 AND time <= ?4 AND state = 0 AND user_id = ?2"
			      " AND (time > ?3 OR identity > ?5) ORDER BY time, identity",
	[SQL_FROZEN_BODY] = "SELECT " PUNCH_COLUMNS " FROM punch INDEXED BY punch_person"
			    " WHERE time IS NOT NULL AND reason <> 20 AND time >> 17 = ?1"
			    " AND substr(coalesce(user_id, user), -8) = substr(?2, -8)"
			    " AND time = ?3 AND user_id = ?2 AND device_id = ?4 AND type = ?5"
			    " AND frozen IS NOT NULL ORDER BY seq LIMIT 16",
	[SQL_STATE_READ] = "SELECT " PUNCH_COLUMNS " FROM punch WHERE " RARE ""
			   " AND state = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
	[SQL_TAPS] = TAPS_SELECT("punch_person", "reason <> 20"),
	[SQL_TAPS_BACK] = TAPS_SELECT("punch_person", "reason <> 20") " DESC",
	[SQL_TAPS_DOUBLE] = TAPS_SELECT("punch_double", "reason = 20"),
	[SQL_LIST] = "SELECT " PUNCH_COLUMNS " FROM punch WHERE seq < ?1 AND seq >= ?2"
		     " AND (?10 < 0 OR state = ?10)" LIST_FILTER,
	[SQL_LIST_STATE] = "SELECT " PUNCH_COLUMNS " FROM punch WHERE " RARE ""
			   " AND state = ?10 AND seq < ?1 AND seq >= ?2" LIST_FILTER,
	[SQL_LIST_STATE_END] = "SELECT seq FROM punch WHERE " RARE ""
			       " AND state = ?10 AND seq < ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2",
	[SQL_RAW_ADD] =
		"INSERT INTO raw (seq, topic, bytes, length, sha256) VALUES (?, ?, ?, ?, ?)",
	[SQL_RAW_GET] = "SELECT topic, bytes FROM raw WHERE seq = ?",
	[SQL_TIMELESS_GET] = "SELECT seq FROM timeless WHERE key = ?",
	[SQL_TIMELESS_SET] = "INSERT INTO timeless (key, seq) VALUES (?1, ?2)"
			     " ON CONFLICT (key) DO UPDATE SET seq = excluded.seq",
	[SQL_MALFORMED_COUNT] = "SELECT count(*) FROM punch WHERE " RARE " AND state = 4"
				" AND reason IN (30, 32, 33) AND terminal = ?",
	[SQL_RECEIPTS_SCAN] =
		"SELECT seq, mono, boot, flags FROM punch WHERE seq >= ? ORDER BY seq LIMIT ?",
	[SQL_RECEIPT_SET] = "UPDATE punch SET received = ?2, flags = flags | 64 WHERE seq = ?1",
	[SQL_PURGE_SCAN] =
		"SELECT seq, state, settled, coalesce(time, received / 1000), received, time_sent"
		" FROM punch WHERE seq > ? ORDER BY seq LIMIT ?",
	[SQL_PURGE_PUNCH] = "DELETE FROM punch WHERE seq = ?",
	[SQL_PURGE_RAW] = "DELETE FROM raw WHERE seq = ?",
	[SQL_PURGE_TIMELESS] = "DELETE FROM timeless WHERE key = ? AND seq = ?",
	[SQL_PURGE_HAND] = "DELETE FROM hand WHERE seq = ?",
	[SQL_PURGED_ADD] = "INSERT INTO purged (state, n) VALUES (?1, ?2)"
			   " ON CONFLICT (state) DO UPDATE SET n = n + excluded.n",
	[SQL_PURGED_ALL] = "SELECT state, n FROM purged",
	[SQL_MAX_SEQ] = "SELECT coalesce(max(seq), 0) FROM punch",
	[SQL_COUNT_QUEUED] = "SELECT count(*) FROM punch WHERE state = 0",
	[SQL_COUNT_STATE] = "SELECT count(*) FROM punch WHERE " RARE " AND state = ?",
	[SQL_CHECK_STATES] = "SELECT state FROM punch NOT INDEXED",
	[SQL_CHECK_IDENTITIES] = "SELECT 1 FROM punch INDEXED BY sqlite_autoindex_punch_1",
	[SQL_USER_PUT] = "INSERT INTO user (id, name, email, phone, department, updated_at)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET"
			 " name = excluded.name, email = excluded.email, phone = excluded.phone,"
			 " department = excluded.department, updated_at = excluded.updated_at",
	[SQL_USER_ALL] = "SELECT id, name, email, phone, department, updated_at FROM user",
	[SQL_DEVICE_PUT] =
		"INSERT INTO device (id, serial, name, type, status, location, updated_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (serial) DO UPDATE SET"
		" id = excluded.id, name = excluded.name, type = excluded.type,"
		" status = excluded.status, location = excluded.location,"
		" updated_at = excluded.updated_at",
	[SQL_DEVICE_ALL] =
		"SELECT id, serial, name, type, status, location, updated_at FROM device",
	[SQL_MISSING_PUT] = "INSERT INTO missing (what, key, passes) VALUES (?1, ?2, ?3)"
			    " ON CONFLICT (key, what) DO UPDATE SET passes = excluded.passes",
	[SQL_MISSING_DEL] = "DELETE FROM missing WHERE what = ?1 AND key = ?2",
	[SQL_MISSING_ALL] = "SELECT what, key, passes FROM missing",
	[SQL_LINK_ADD] = "INSERT INTO link (at, uid, name, kind, value, device, user_id, note)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_LINK_ALL] = "SELECT at, uid, name, kind, value, device, user_id, note FROM link"
			 " ORDER BY id",
	/* Seldom asked, and mostly of a short table: no index. */
	[SQL_LINK_OF] = "SELECT at, uid, name, kind, value, device, user_id, note FROM link"
			" WHERE kind = ?1 AND value = ?2 AND (device = '' OR device = ?3)"
			" ORDER BY id LIMIT 100",
	[SQL_NEWUSER_ADD] =
		"INSERT INTO newuser (" NEWUSER_COLUMNS ") VALUES (NULL, ?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
	[SQL_NEWUSER_UPDATE] =
		"UPDATE newuser SET state = ?13, sent = ?14, settled = ?15, user_id = ?16,"
		" told = ?17, note = ?18, error_status = ?19, error_code = ?20,"
		" error_message = ?21, error_param = ?22 WHERE id = ?1",
	/* Seldom asked, of a short table: no index. */
	[SQL_NEWUSER_OPEN] = "SELECT " NEWUSER_COLUMNS " FROM newuser WHERE " NEWUSER_IS_OPEN
			     " ORDER BY id",
	[SQL_NEWUSER_SETTLED] = "SELECT " NEWUSER_COLUMNS " FROM newuser WHERE NOT " NEWUSER_IS_OPEN
				" ORDER BY id DESC LIMIT ?1",
	[SQL_NEWUSER_PURGE] = "DELETE FROM newuser WHERE NOT " NEWUSER_IS_OPEN " AND settled < ?1",
	[SQL_LOBBY_END] = "SELECT seq FROM punch WHERE " RARE " AND state = 1"
			  " AND seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2",
	/* unknown_user and no_direction are about a person */
	[SQL_LOBBY] = "SELECT reason, iif(reason IN (8, 9), user_kind, -1) AS kind,"
		      " iif(reason IN (8, 9), user, '') AS who, terminal, count(*),"
		      " min(received), max(received) FROM punch"
		      " WHERE " RARE " AND state = 1 AND seq > ?1 AND seq <= ?2"
		      " GROUP BY reason, kind, who, terminal",
	[SQL_DEED_ADD] = "INSERT INTO hand (seq, at, uid, name, action, note, before)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_DEEDS] = "SELECT at, uid, name, action, note, before FROM hand WHERE seq = ?"
		      " ORDER BY id",
	[SQL_EVENT_ADD] = "INSERT INTO event (id, at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
	[SQL_EVENT_KEEP] = "UPDATE event SET seq = ?2, att_id = ?3, user_id = ?4, device_id = ?5,"
			   " type = ?6, time = ?7, created = ?8 WHERE id = ?1",
	[SQL_EVENT_USED] = "UPDATE event SET seq = NULL WHERE n = ?1",
	[SQL_EVENT_KEPT] = "SELECT n, at, seq, att_id, user_id, device_id, type, time, created"
			   " FROM event WHERE seq IS NOT NULL AND n > ?1 ORDER BY n LIMIT 1",
	[SQL_EVENT_NUMBER] = "SELECT n FROM event WHERE id = ?1",
	[SQL_EVENT_PURGE] =
		"DELETE FROM event WHERE n IN (SELECT n FROM event"
		" ORDER BY n LIMIT ?3) AND (at < ?1 OR n <= (SELECT max(n) FROM event) - ?2)",
	[SQL_GUARD_ADD] = "INSERT INTO guarded (topic, payload, retained, dup, parses)"
			  " VALUES (?, ?, ?, ?, 1)",
	[SQL_GUARD_RAISE] = "UPDATE guarded SET parses = parses + 1 WHERE id = ?",
	[SQL_GUARD_DEL] = "DELETE FROM guarded WHERE id = ?",
	[SQL_GUARD_FIRST] =
		"SELECT id, topic, payload, retained, dup, parses FROM guarded ORDER BY id LIMIT 1",
	[SQL_CRASHED_ALL] = "SELECT identity FROM punch WHERE " RARE
			    " AND state = 4 AND reason = 33",
};

const char *store_sql_text(enum store_sql which)
{
	return texts[which];
}
