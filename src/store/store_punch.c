#include "store/store_punch.h"

#include <assert.h>
#include <errno.h>

#include "store/store_private.h"
#include "store/store_taps.h"

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
	if (p->frozen_us != 0)
		bind_ms_or_null(stmt, 29, p->frozen_cloud_us);
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

/* As store_taps.c would read it. */
static struct store_tap tap_of(const struct punch *p, int64_t terminal)
{
	struct store_tap tap = {.seq = p->seq,
		.state = p->state,
		.reason = p->reason,
		.flags = p->flags,
		.terminal = terminal,
		.type_sent = p->type_sent,
		.time_s = p->time_s,
		.type = p->type,
		.type_from = p->type_from,
		.frozen = p->frozen_us != 0};

	memcpy(tap.identity, p->identity, IDENTITY_SIZE);
	return tap;
}

static void keep_tap(struct store *s, const struct punch *p)
{
	int64_t terminal = store_tap_number(s, p->terminal);
	struct store_tap tap = tap_of(p, terminal);
	char key[TAPCACHE_KEY_SIZE];

	if (p->has_time && p->state != PUNCH_DISCARDED &&
		tapcache_key(p, p->user_id, terminal, key))
		tapcache_put(&s->taps, key, &tap);
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
	keep_tap(s, p);
	if (raw)
		r = add_raw(s, p->seq, raw);
	return r < 0 ? r : 1;
}

/* Where a row stands in the indexes before it is written. */
struct place {
	int state, reason;
	bool has_time;
	int64_t time_s;
	char user_id[CLOUD_ID_MAX + 1];
};

/* Returns 0, -ENOENT, or an error. */
static int read_place(struct store *s, int64_t seq, struct place *ret)
{
	sqlite3_stmt *stmt;
	const char *user_id;
	int r = store_prepared(s, SQL_PUNCH_PLACE, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, seq);
	r = store_step_row(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	ret->state = sqlite3_column_int(stmt, 0);
	ret->reason = sqlite3_column_int(stmt, 1);
	ret->has_time = sqlite3_column_type(stmt, 2) != SQLITE_NULL;
	ret->time_s = sqlite3_column_int64(stmt, 2);
	user_id = (const char *)sqlite3_column_text(stmt, 3);
	punch_text_cut(ret->user_id, sizeof ret->user_id, user_id ? user_id : "");
	sqlite3_reset(stmt);
	return ret->state >= 0 && ret->state < PUNCH_STATES ? 0 : -EUCLEAN;
}

static bool has_moved(const struct place *was, const struct punch *p)
{
	return was->reason != p->reason || was->has_time != p->has_time ||
		(p->has_time && was->time_s != p->time_s) || strcmp(was->user_id, p->user_id) != 0;
}

static enum store_sql update_for(const struct place *was, const struct punch *p, bool moved)
{
	if (moved)
		return SQL_PUNCH_UPDATE;
	return was->state == (int)p->state ? SQL_PUNCH_UPDATE_STILL : SQL_PUNCH_UPDATE_IN_PLACE;
}

static void drop_tap(struct store *s, const struct place *was, const struct punch *p)
{
	char key[TAPCACHE_KEY_SIZE];

	if (tapcache_key(p, was->user_id, store_tap_number(s, p->terminal), key))
		tapcache_drop(&s->taps, key, was->reason == REASON_DOUBLE_TAP, was->time_s, p->seq);
}

int store_punch_update(struct store *s, const struct punch *p)
{
	sqlite3_stmt *stmt;
	struct place was;
	bool moved;
	int r = store_begin(s);

	if (r == 0)
		r = read_place(s, p->seq, &was);
	if (r < 0)
		return r;
	moved = has_moved(&was, p);
	r = store_prepared(s, update_for(&was, p, moved), &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, p->seq);
	bind_rest(stmt, p);
	r = store_step_done(stmt);
	if (r < 0)
		return r;
	store_count_move(s, was.state, (int)p->state);
	if (moved || p->state == PUNCH_DISCARDED)
		drop_tap(s, &was, p);
	keep_tap(s, p);
	return 0;
}
