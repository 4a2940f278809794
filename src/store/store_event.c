#include "store/store_event.h"

#include <errno.h>

#include "store/store_private.h"

#define US_PER_MS 1000

int store_event_add(struct store *s, const char *id, int64_t at_us)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_EVENT_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, at_us / US_PER_MS);
	r = store_step_done(stmt);
	return r < 0 ? r : sqlite3_changes(s->db) > 0;
}

static int number_of(struct store *s, const char *id, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_EVENT_NUMBER, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	r = store_step_row(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

int store_event_known(struct store *s, const char *id)
{
	int64_t number;
	int r = number_of(s, id, &number);

	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

int store_event_keep(struct store *s, const char *id, int64_t seq, const struct event_record *e,
	int64_t *ret_number)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_EVENT_KEEP, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, seq);
	sqlite3_bind_text(stmt, 3, e->att_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, e->user_id, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 5, e->device_id, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 6, (int)e->type);
	sqlite3_bind_int64(stmt, 7, e->time_s);
	sqlite3_bind_int64(stmt, 8, e->created_s);
	r = store_step_done(stmt);
	return r < 0 ? r : number_of(s, id, ret_number);
}

int store_event_used(struct store *s, int64_t number)
{
	return store_write_row(s, SQL_EVENT_USED, number);
}

static void read_text(sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	punch_text_cut(to, size, text ? text : "");
}

int store_event_kept(struct store *s, int64_t after, struct store_kept_event *ret)
{
	struct event_record *e = &ret->record;
	sqlite3_stmt *stmt;
	int type, r = store_prepared(s, SQL_EVENT_KEPT, &stmt);

	*ret = (struct store_kept_event){.number = 0};
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, after);
	r = store_step_row(stmt);
	if (r <= 0)
		return r;
	ret->number = sqlite3_column_int64(stmt, 0);
	ret->at_us = sqlite3_column_int64(stmt, 1) * US_PER_MS;
	ret->seq = sqlite3_column_int64(stmt, 2);
	read_text(stmt, 3, e->att_id, sizeof e->att_id);
	read_text(stmt, 4, e->user_id, sizeof e->user_id);
	read_text(stmt, 5, e->device_id, sizeof e->device_id);
	type = sqlite3_column_int(stmt, 6);
	/* A disk may have forgotten it: then it fits no frozen body. */
	e->type = type == TYPE_CHECK_IN || type == TYPE_CHECK_OUT ? (enum punch_type)type
								  : TYPE_NONE;
	e->time_s = sqlite3_column_int64(stmt, 7);
	e->created_s = sqlite3_column_int64(stmt, 8);
	sqlite3_reset(stmt);
	return 1;
}

int store_event_purge(struct store *s, int64_t before_us, int64_t most, int limit)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_EVENT_PURGE, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, before_us / US_PER_MS);
	sqlite3_bind_int64(stmt, 2, most);
	sqlite3_bind_int(stmt, 3, limit);
	r = store_step_done(stmt);
	return r < 0 ? r : sqlite3_changes(s->db);
}
