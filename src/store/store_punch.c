#include "store/store_punch.h"

#include <assert.h>
#include <errno.h>

#include "store/store_private.h"

#define US_PER_MS 1000

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

/* Texts and times that most rows do not have are NULL: a byte each. */
static void bind_text_or_null(sqlite3_stmt *stmt, int at, const char *text)
{
	if (text[0])
		bind_text(stmt, at, text);
}

static void bind_ms_or_null(sqlite3_stmt *stmt, int at, int64_t us)
{
	if (us != 0)
		sqlite3_bind_int64(stmt, at, us / US_PER_MS);
}

/* Bind what never changes: the columns of an arrival. */
static void bind_arrival(sqlite3_stmt *stmt, const struct punch *p, int64_t terminal)
{
	sqlite3_bind_blob(stmt, 2, p->identity, IDENTITY_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, terminal);
	sqlite3_bind_int(stmt, 7, (int)p->user_kind);
	bind_text(stmt, 8, p->user);
	bind_text(stmt, 9, p->record_id);
	bind_text(stmt, 10, p->time_sent);
	sqlite3_bind_int(stmt, 11, (int)p->type_sent);
	sqlite3_bind_int64(stmt, 13, p->mono_us / US_PER_MS);
	sqlite3_bind_int64(stmt, 14, p->boot);
}

static void bind_rest(sqlite3_stmt *stmt, const struct punch *p)
{
	/* The outbox goes by time: without one it would wait there for ever. */
	assert(p->state != PUNCH_QUEUED || p->has_time);
	sqlite3_bind_int(stmt, 3, (int)p->state);
	sqlite3_bind_int(stmt, 4, p->reason);
	sqlite3_bind_int64(stmt, 5, p->flags);
	sqlite3_bind_int64(stmt, 12, p->received_us / US_PER_MS);
	if (p->has_time)
		sqlite3_bind_int64(stmt, 15, p->time_s);
	sqlite3_bind_int(stmt, 16, (int)p->type);
	sqlite3_bind_int(stmt, 17, (int)p->type_from);
	bind_text_or_null(stmt, 18, p->user_id);
	bind_text_or_null(stmt, 19, p->device_id);
	bind_ms_or_null(stmt, 20, p->frozen_us);
	sqlite3_bind_int(stmt, 21, p->generation);
	if (p->frozen_us != 0)
		sqlite3_bind_blob(stmt, 22, p->wire_key, WIRE_KEY_SIZE, SQLITE_STATIC);
	bind_ms_or_null(stmt, 23, p->settled_us);
	bind_text_or_null(stmt, 24, p->att_id);
	if (p->tries > 0)
		sqlite3_bind_int(stmt, 25, p->tries);
	bind_text_or_null(stmt, 26, p->error_code);
	bind_text_or_null(stmt, 27, p->error_message);
	bind_text_or_null(stmt, 28, p->error_param);
}

static int add_raw(struct store *s, int64_t seq, const struct store_raw *raw)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_RAW_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, seq);
	bind_text(stmt, 2, raw->topic);
	sqlite3_bind_blob64(stmt, 3, raw->length ? raw->bytes : "", raw->length, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, raw->full_length);
	sqlite3_bind_blob(stmt, 5, raw->sha256, 32, SQLITE_STATIC);
	return store_step_done(stmt);
}

int store_punch_add(struct store *s, struct punch *p, const struct store_raw *raw)
{
	sqlite3_stmt *stmt;
	int64_t terminal;
	int r = store_begin(s);

	if (r < 0)
		return r;
	terminal = store_terminal_id(s, p->terminal);
	if (terminal < 0)
		return (int)terminal;
	r = store_prepared(s, SQL_PUNCH_ADD, &stmt);
	if (r < 0)
		return r;
	bind_arrival(stmt, p, terminal);
	bind_rest(stmt, p);
	r = store_step_done(stmt);
	if (r < 0 || sqlite3_changes(s->db) == 0)
		return r;
	p->seq = s->now.last_seq = sqlite3_last_insert_rowid(s->db);
	store_count_move(s, -1, (int)p->state);
	if (raw)
		r = add_raw(s, p->seq, raw);
	return r < 0 ? r : 1;
}

/* Whether a row has another place in the indexes than p. Its state, or an error. */
static int compare_place(sqlite3_stmt *stmt, const struct punch *p, bool *ret_moved)
{
	int state = sqlite3_column_int(stmt, 0);
	const char *user_id = (const char *)sqlite3_column_text(stmt, 3);
	bool has_time = sqlite3_column_type(stmt, 2) != SQLITE_NULL;

	*ret_moved = sqlite3_column_int(stmt, 1) != p->reason || has_time != p->has_time ||
		(has_time && sqlite3_column_int64(stmt, 2) != p->time_s) ||
		strcmp(user_id ? user_id : "", p->user_id) != 0;
	return state >= 0 && state < PUNCH_STATES ? state : -EUCLEAN;
}

/* The state that the row of p is in: 0 or more, -ENOENT, or an error. */
static int stored_state(struct store *s, const struct punch *p, bool *ret_moved)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_PUNCH_PLACE, &stmt), state;

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, p->seq);
	r = store_step_row(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	state = compare_place(stmt, p, ret_moved);
	sqlite3_reset(stmt);
	return state;
}

int store_punch_update(struct store *s, const struct punch *p)
{
	sqlite3_stmt *stmt;
	bool moved;
	int from, r = store_begin(s);

	if (r < 0)
		return r;
	from = stored_state(s, p, &moved);
	if (from < 0)
		return from;
	r = store_prepared(s, moved ? SQL_PUNCH_UPDATE : SQL_PUNCH_UPDATE_IN_PLACE, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, p->seq);
	bind_rest(stmt, p);
	r = store_step_done(stmt);
	if (r == 0)
		store_count_move(s, from, (int)p->state);
	return r;
}
