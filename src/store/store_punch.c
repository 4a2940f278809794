#include "store/store_punch.h"

#include <errno.h>

#include "base/hex.h"
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
	sqlite3_stmt *stmt = store_statement(s, SQL_RAW_ADD);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
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
	stmt = store_statement(s, SQL_PUNCH_ADD);
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	bind_arrival(stmt, p, terminal);
	bind_rest(stmt, p);
	r = store_step_done(stmt);
	if (r < 0 || sqlite3_changes(s->db) == 0)
		return r;
	p->seq = sqlite3_last_insert_rowid(s->db);
	store_count_move(s, -1, (int)p->state);
	if (raw)
		r = add_raw(s, p->seq, raw);
	return r < 0 ? r : 1;
}

/* The state that a row is in: 0 or more, -ENOENT, or an error. */
static int stored_state(struct store *s, int64_t seq)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_PUNCH_STATE);
	int r, state;

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, seq);
	r = store_step_row(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	state = sqlite3_column_int(stmt, 0);
	sqlite3_reset(stmt);
	return state >= 0 && state < PUNCH_STATES ? state : -EUCLEAN;
}

int store_punch_update(struct store *s, const struct punch *p)
{
	sqlite3_stmt *stmt;
	int from, r = store_begin(s);

	if (r < 0)
		return r;
	from = stored_state(s, p->seq);
	if (from < 0)
		return from;
	stmt = store_statement(s, SQL_PUNCH_UPDATE);
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, p->seq);
	bind_rest(stmt, p);
	r = store_step_done(stmt);
	if (r == 0)
		store_count_move(s, from, (int)p->state);
	return r;
}

/* ---- reading. Nothing is believed: a damaged row must not overrun anything. */

static void read_text(sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	punch_text_cut(to, size, text ? text : "");
}

static void read_blob(sqlite3_stmt *stmt, int column, uint8_t *to, size_t size)
{
	size_t n = (size_t)sqlite3_column_bytes(stmt, column);

	memset(to, 0, size);
	if (n > 0)
		memcpy(to, sqlite3_column_blob(stmt, column), n < size ? n : size);
}

static void read_arrival(struct store *s, sqlite3_stmt *stmt, struct punch *p)
{
	p->seq = sqlite3_column_int64(stmt, 0);
	read_blob(stmt, 1, p->identity, IDENTITY_SIZE);
	punch_text_cut(p->terminal, sizeof p->terminal,
		store_terminal_name(s, sqlite3_column_int64(stmt, 5)));
	p->user_kind = (enum user_kind)sqlite3_column_int(stmt, 6);
	read_text(stmt, 7, p->user, sizeof p->user);
	read_text(stmt, 8, p->record_id, sizeof p->record_id);
	read_text(stmt, 9, p->time_sent, sizeof p->time_sent);
	p->type_sent = (enum punch_type)sqlite3_column_int(stmt, 10);
	p->received_us = sqlite3_column_int64(stmt, 11) * US_PER_MS;
	p->mono_us = sqlite3_column_int64(stmt, 12) * US_PER_MS;
	p->boot = sqlite3_column_int64(stmt, 13);
}

static void read_rest(sqlite3_stmt *stmt, struct punch *p)
{
	p->state = (enum punch_state)sqlite3_column_int(stmt, 2);
	p->reason = sqlite3_column_int(stmt, 3);
	p->flags = (unsigned)sqlite3_column_int64(stmt, 4);
	p->has_time = sqlite3_column_type(stmt, 14) != SQLITE_NULL;
	p->time_s = sqlite3_column_int64(stmt, 14);
	p->type = (enum punch_type)sqlite3_column_int(stmt, 15);
	p->type_from = (enum type_from)sqlite3_column_int(stmt, 16);
	read_text(stmt, 17, p->user_id, sizeof p->user_id);
	read_text(stmt, 18, p->device_id, sizeof p->device_id);
	p->frozen_us = sqlite3_column_int64(stmt, 19) * US_PER_MS;
	p->generation = sqlite3_column_int(stmt, 20);
	read_blob(stmt, 21, p->wire_key, WIRE_KEY_SIZE);
	p->settled_us = sqlite3_column_int64(stmt, 22) * US_PER_MS;
	read_text(stmt, 23, p->att_id, sizeof p->att_id);
	p->tries = sqlite3_column_int(stmt, 24);
	read_text(stmt, 25, p->error_code, sizeof p->error_code);
	read_text(stmt, 26, p->error_message, sizeof p->error_message);
	read_text(stmt, 27, p->error_param, sizeof p->error_param);
}

static void read_punch(struct store *s, sqlite3_stmt *stmt, struct punch *p)
{
	*p = (struct punch){.seq = 0};
	read_arrival(s, stmt, p);
	read_rest(stmt, p);
}

/* All rows of a bound statement. Returns how many, or an error. */
static int walk(struct store *s, sqlite3_stmt *stmt, store_on_punch *on, void *arg)
{
	struct punch p;
	int n = 0, r;

	while ((r = store_step_row(stmt)) > 0) {
		read_punch(s, stmt, &p);
		r = on(arg, &p);
		if (r < 0) {
			sqlite3_reset(stmt);
			return r;
		}
		n++;
	}
	return r < 0 ? r : n;
}

static int keep_punch(void *arg, const struct punch *p)
{
	*(struct punch *)arg = *p;
	return 0;
}

/* The one row of a bound statement: 0, -ENOENT, -ENOTUNIQ, or an error. */
static int read_only_row(struct store *s, sqlite3_stmt *stmt, struct punch *ret)
{
	int n = walk(s, stmt, keep_punch, ret);

	if (n < 0)
		return n;
	return n == 0 ? -ENOENT : n > 1 ? -ENOTUNIQ : 0;
}

int store_punch_get(struct store *s, int64_t seq, struct punch *ret)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_PUNCH_GET);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, seq);
	return read_only_row(s, stmt, ret);
}

int store_punch_by_identity(
	struct store *s, const uint8_t identity[static IDENTITY_SIZE], struct punch *ret)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_PUNCH_IDENTITY);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_blob(stmt, 1, identity, IDENTITY_SIZE, SQLITE_STATIC);
	return read_only_row(s, stmt, ret);
}

/* A prefix of an odd number of digits is a range too: pad with 0 below, with f above. */
static int hex_bound(const char *hex, char pad, uint8_t ret[static IDENTITY_SIZE])
{
	char whole[IDENTITY_SIZE * 2 + 1];
	size_t n = strlen(hex);

	if (n < 2 || n > IDENTITY_SIZE * 2)
		return -EINVAL;
	memset(whole, pad, sizeof whole - 1);
	whole[sizeof whole - 1] = '\0';
	memcpy(whole, hex, n);
	return hex_decode(whole, ret, IDENTITY_SIZE) == IDENTITY_SIZE ? 0 : -EINVAL;
}

int store_punch_find(struct store *s, const char *hex, struct punch *ret)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_PUNCH_RANGE);
	uint8_t low[IDENTITY_SIZE], high[IDENTITY_SIZE];

	if (hex_bound(hex, '0', low) < 0 || hex_bound(hex, 'f', high) < 0)
		return -EINVAL;
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_blob(stmt, 1, low, IDENTITY_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 2, high, IDENTITY_SIZE, SQLITE_STATIC);
	return read_only_row(s, stmt, ret);
}

int store_raw_get(
	struct store *s, int64_t seq, void *to, size_t size, char *topic, size_t topic_size)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_RAW_GET);
	size_t n;
	int r;

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, seq);
	r = store_step_row(stmt);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_text(stmt, 0, topic, topic_size);
	n = (size_t)sqlite3_column_bytes(stmt, 1);
	n = n < size ? n : size;
	if (n > 0)
		memcpy(to, sqlite3_column_blob(stmt, 1), n);
	sqlite3_reset(stmt);
	return (int)n;
}

int store_outbox_read(
	struct store *s, int64_t time_s, int64_t seq, int limit, store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_OUTBOX);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, time_s);
	sqlite3_bind_int64(stmt, 2, seq);
	sqlite3_bind_int(stmt, 3, limit);
	return walk(s, stmt, on, arg);
}

int store_state_read(struct store *s, enum punch_state state, int64_t after_seq, int limit,
	store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_STATE_READ);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int(stmt, 1, (int)state);
	sqlite3_bind_int64(stmt, 2, after_seq);
	sqlite3_bind_int(stmt, 3, limit);
	return walk(s, stmt, on, arg);
}

/* ---- lists */

#define LIST_ROWS_MAX 20000 /* rows that one page of a list looks at */

/* A list, and the place where its page ended. */
struct listing {
	store_on_punch *on;
	void *arg;
	int64_t last_seq;
};

static int list_one(void *arg, const struct punch *p)
{
	struct listing *l = arg;

	l->last_seq = p->seq;
	return l->on(l->arg, p);
}

/* `kind:value` asks for that kind; anything else for a value of any kind, or an id. */
static void bind_user(sqlite3_stmt *stmt, const char *user)
{
	const char *colon = user ? strchr(user, ':') : NULL;
	enum user_kind kind;
	char name[16];

	sqlite3_bind_int(stmt, 5, -1);
	if (!user)
		return;
	if (colon && colon - user < (ptrdiff_t)sizeof name) {
		snprintf(name, sizeof name, "%.*s", (int)(colon - user), user);
		if (user_kind_parse(name, &kind) == 0) {
			sqlite3_bind_int(stmt, 5, (int)kind);
			user = colon + 1;
		}
	}
	bind_text(stmt, 4, user);
}

static void bind_filter(sqlite3_stmt *stmt, const struct store_filter *f)
{
	sqlite3_bind_int(stmt, 3, f->reason);
	bind_user(stmt, f->user);
	if (f->device)
		bind_text(stmt, 6, f->device);
	if (f->from_s != INT64_MIN)
		sqlite3_bind_int64(stmt, 7, f->from_s);
	if (f->to_s != INT64_MAX)
		sqlite3_bind_int64(stmt, 8, f->to_s);
	sqlite3_bind_int(stmt, 9, f->limit);
	sqlite3_bind_int(stmt, 10, f->state);
}

int store_punch_list(struct store *s, const struct store_filter *filter, store_on_punch *on,
	void *arg, int64_t *ret_next)
{
	/* A rare state has an index that finds its rows alone. */
	bool rare = filter->state > PUNCH_QUEUED && filter->state != PUNCH_DELIVERED;
	sqlite3_stmt *stmt = store_statement(s, rare ? SQL_LIST_STATE : SQL_LIST);
	int64_t newest = s->counts.stored + 1;
	int64_t below = filter->before_seq > 0 && filter->before_seq < newest ? filter->before_seq
									      : newest;
	int64_t from = rare || below <= LIST_ROWS_MAX ? 1 : below - LIST_ROWS_MAX;
	struct listing l = {.on = on, .arg = arg, .last_seq = 0};
	int n;

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, below);
	sqlite3_bind_int64(stmt, 2, from);
	bind_filter(stmt, filter);
	n = walk(s, stmt, list_one, &l);
	if (n < 0)
		return n;
	*ret_next = n == filter->limit ? l.last_seq : from;
	if (*ret_next <= 1)
		*ret_next = 0;
	return n;
}
