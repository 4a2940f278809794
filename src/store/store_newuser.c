#include "store/store_newuser.h"

#include <errno.h>

#include "store/store_private.h"

#define US_PER_MS 1000

/* ---- writing */

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static void bind_time(sqlite3_stmt *stmt, int at, int64_t wall_us)
{
	if (wall_us != 0)
		sqlite3_bind_int64(stmt, at, wall_us / US_PER_MS);
}

/* Columns 2 to 12: what was asked for. */
static void bind_asked(sqlite3_stmt *stmt, const struct newuser *u)
{
	sqlite3_bind_blob(stmt, 2, u->key, sizeof u->key, SQLITE_STATIC);
	bind_text(stmt, 3, u->name);
	bind_text(stmt, 4, u->email);
	bind_text(stmt, 5, u->phone);
	bind_text(stmt, 6, u->department);
	if (u->wants_link)
		sqlite3_bind_int(stmt, 7, (int)u->link_kind);
	bind_text(stmt, 8, u->link_value);
	bind_text(stmt, 9, u->link_device);
	sqlite3_bind_int64(stmt, 10, u->asked_us / US_PER_MS);
	sqlite3_bind_int64(stmt, 11, u->uid);
	bind_text(stmt, 12, u->who);
}

/* Columns 13 to 22: what became of it. */
static void bind_outcome(sqlite3_stmt *stmt, const struct newuser *u)
{
	sqlite3_bind_int(stmt, 13, (int)u->state);
	bind_time(stmt, 14, u->sent_us);
	bind_time(stmt, 15, u->settled_us);
	bind_text(stmt, 16, u->user_id);
	sqlite3_bind_int(stmt, 17, u->told);
	bind_text(stmt, 18, u->note);
	sqlite3_bind_int(stmt, 19, u->error_status);
	bind_text(stmt, 20, u->error_code);
	bind_text(stmt, 21, u->error_message);
	bind_text(stmt, 22, u->error_param);
}

int store_newuser_add(struct store *s, struct newuser *u)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_NEWUSER_ADD, &stmt);

	if (r < 0)
		return r;
	bind_asked(stmt, u);
	bind_outcome(stmt, u);
	r = store_step_done(stmt);
	if (r == 0)
		u->id = sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_newuser_update(struct store *s, const struct newuser *u)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_NEWUSER_UPDATE, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, u->id);
	bind_outcome(stmt, u);
	return store_step_done(stmt);
}

int store_newuser_purge(struct store *s, int64_t settled_before_us)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_NEWUSER_PURGE, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, settled_before_us / US_PER_MS);
	r = store_step_done(stmt);
	return r < 0 ? r : sqlite3_changes(s->db);
}

/* ---- reading */

static int64_t time_of(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt, column) * US_PER_MS;
}

/* All texts fit when they are written; what a disk made of them is cut. */
static void read_text(sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	punch_text_cut(to, size, text ? text : "");
}

static void read_texts(sqlite3_stmt *stmt, struct newuser *u)
{
	read_text(stmt, 2, u->name, sizeof u->name);
	read_text(stmt, 3, u->email, sizeof u->email);
	read_text(stmt, 4, u->phone, sizeof u->phone);
	read_text(stmt, 5, u->department, sizeof u->department);
	read_text(stmt, 7, u->link_value, sizeof u->link_value);
	read_text(stmt, 8, u->link_device, sizeof u->link_device);
	read_text(stmt, 11, u->who, sizeof u->who);
	read_text(stmt, 15, u->user_id, sizeof u->user_id);
	read_text(stmt, 17, u->note, sizeof u->note);
	read_text(stmt, 19, u->error_code, sizeof u->error_code);
	read_text(stmt, 20, u->error_message, sizeof u->error_message);
	read_text(stmt, 21, u->error_param, sizeof u->error_param);
}

static int on_row(sqlite3_stmt *stmt, store_on_newuser *on, void *arg)
{
	const void *key = sqlite3_column_blob(stmt, 1);
	int kind = sqlite3_column_int(stmt, 6), state = sqlite3_column_int(stmt, 12);
	struct newuser u = {
		.id = sqlite3_column_int64(stmt, 0),
		.wants_link = sqlite3_column_type(stmt, 6) != SQLITE_NULL,
		.link_kind = (enum user_kind)kind,
		.asked_us = time_of(stmt, 9),
		.uid = (uint32_t)sqlite3_column_int64(stmt, 10),
		.state = (enum newuser_state)state,
		.sent_us = time_of(stmt, 13),
		.settled_us = time_of(stmt, 14),
		.told = sqlite3_column_int(stmt, 16) != 0,
		.error_status = sqlite3_column_int(stmt, 18),
	};

	/* The schema's CHECKs let no other one through, but disks forget. */
	if (!key || sqlite3_column_bytes(stmt, 1) != sizeof u.key || kind < 0 ||
		kind > USER_PHONE || state < 0 || state >= NEWUSER_STATES)
		return -EUCLEAN;
	read_texts(stmt, &u);
	memcpy(u.key, key, sizeof u.key);
	return on(arg, &u);
}

static int walk(sqlite3_stmt *stmt, store_on_newuser *on, void *arg)
{
	int r = 0;

	while (r >= 0 && (r = store_step_row(stmt)) > 0)
		r = on_row(stmt, on, arg);
	sqlite3_reset(stmt);
	return r;
}

int store_newuser_open(struct store *s, store_on_newuser *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_NEWUSER_OPEN, &stmt);

	return r < 0 ? r : walk(stmt, on, arg);
}

int store_newuser_settled(struct store *s, int limit, store_on_newuser *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_NEWUSER_SETTLED, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int(stmt, 1, limit);
	return walk(stmt, on, arg);
}
