#include <errno.h>

#include "base/hex.h"
#include "store/store_private.h"
#include "store/store_punch.h"

#define US_PER_MS 1000

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
	read_text(stmt, 7, p->user, sizeof p->user);
	read_text(stmt, 8, p->record_id, sizeof p->record_id);
	read_text(stmt, 9, p->time_sent, sizeof p->time_sent);
	p->received_us = sqlite3_column_int64(stmt, 11) * US_PER_MS;
	p->mono_us = sqlite3_column_int64(stmt, 12) * US_PER_MS;
	p->boot = sqlite3_column_int64(stmt, 13);
}

/* A number that must be one of an enum's; what the schema's CHECKs let through, but disks forget. */
static int read_enum(sqlite3_stmt *stmt, int column, int count, int *bad)
{
	int value = sqlite3_column_int(stmt, column);

	if (value >= 0 && value < count)
		return value;
	*bad = -EUCLEAN;
	return 0;
}

static int read_enums(sqlite3_stmt *stmt, struct punch *p)
{
	int bad = 0;

	p->state = (enum punch_state)read_enum(stmt, 2, PUNCH_STATES, &bad);
	p->user_kind = (enum user_kind)read_enum(stmt, 6, USER_PHONE + 1, &bad);
	p->type_sent = (enum punch_type)read_enum(stmt, 10, TYPE_CHECK_OUT + 1, &bad);
	p->type = (enum punch_type)read_enum(stmt, 15, TYPE_CHECK_OUT + 1, &bad);
	p->type_from = (enum type_from)read_enum(stmt, 16, FROM_PERSON + 1, &bad);
	return bad;
}

static void read_rest(sqlite3_stmt *stmt, struct punch *p)
{
	p->reason = sqlite3_column_int(stmt, 3);
	p->flags = (unsigned)sqlite3_column_int64(stmt, 4);
	p->has_time = sqlite3_column_type(stmt, 14) != SQLITE_NULL;
	p->time_s = sqlite3_column_int64(stmt, 14);
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
	p->frozen_cloud_us = sqlite3_column_int64(stmt, 28) * US_PER_MS;
}

static int read_punch(struct store *s, sqlite3_stmt *stmt, struct punch *p)
{
	*p = (struct punch){.seq = 0};
	read_arrival(s, stmt, p);
	read_rest(stmt, p);
	return read_enums(stmt, p);
}

/* All rows of a bound statement. Returns how many, or an error. */
static int walk(struct store *s, sqlite3_stmt *stmt, store_on_punch *on, void *arg)
{
	struct punch p;
	int n = 0, r;

	while ((r = store_step_row(stmt)) > 0) {
		r = read_punch(s, stmt, &p);
		if (r == 0)
			r = on(arg, &p);
		if (r < 0) {
			sqlite3_reset(stmt);
			return r;
		}
		n++;
		if (r > 0)
			break;
	}
	if (r > 0)
		sqlite3_reset(stmt);
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
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_PUNCH_GET, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, seq);
	return read_only_row(s, stmt, ret);
}

int store_punch_by_identity(
	struct store *s, const uint8_t identity[static IDENTITY_SIZE], struct punch *ret)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_PUNCH_IDENTITY, &stmt);

	if (r < 0)
		return r;
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
	uint8_t low[IDENTITY_SIZE], high[IDENTITY_SIZE];
	sqlite3_stmt *stmt;
	int r;

	if (hex_bound(hex, '0', low) < 0 || hex_bound(hex, 'f', high) < 0)
		return -EINVAL;
	r = store_prepared(s, SQL_PUNCH_RANGE, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_blob(stmt, 1, low, IDENTITY_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 2, high, IDENTITY_SIZE, SQLITE_STATIC);
	return read_only_row(s, stmt, ret);
}

int store_raw_get(
	struct store *s, int64_t seq, void *to, size_t size, char *topic, size_t topic_size)
{
	sqlite3_stmt *stmt;
	size_t n;
	int r = store_prepared(s, SQL_RAW_GET, &stmt);

	if (r < 0)
		return r;
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

static int read_outbox(struct store *s, enum store_sql which, const struct punch_place *after,
	int limit, store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, which, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, after->time_s);
	if (which == SQL_OUTBOX_SECOND)
		sqlite3_bind_blob(stmt, 2, after->identity, IDENTITY_SIZE, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 3, limit);
	return walk(s, stmt, on, arg);
}

int store_outbox_read(
	struct store *s, const struct punch_place *after, int limit, store_on_punch *on, void *arg)
{
	int n = read_outbox(s, SQL_OUTBOX_SECOND, after, limit, on, arg), more;

	if (n < 0 || n >= limit)
		return n;
	more = read_outbox(s, SQL_OUTBOX, after, limit - n, on, arg);
	return more < 0 ? more : n + more;
}

/* For one bucket of the index: store_taps.c. */
static int read_person(struct store *s, int64_t bucket, const char *user_id,
	const struct punch_place *after, int64_t to_s, store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_OUTBOX_PERSON, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, bucket);
	sqlite3_bind_text(stmt, 2, user_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, after->time_s);
	sqlite3_bind_int64(stmt, 4, to_s);
	sqlite3_bind_blob(stmt, 5, after->identity, IDENTITY_SIZE, SQLITE_STATIC);
	return walk(s, stmt, on, arg);
}

/* Whether the caller has had enough. */
struct enough {
	store_on_punch *on;
	void *arg;
	bool yes;
};

static int until_enough(void *arg, const struct punch *p)
{
	struct enough *enough = arg;
	int r = enough->on(enough->arg, p);

	enough->yes = r > 0;
	return r;
}

int store_outbox_read_person(struct store *s, const char *user_id, const struct punch_place *after,
	int64_t to_s, store_on_punch *on, void *arg)
{
	struct enough enough = {.on = on, .arg = arg};
	int n = 0, r = 0;

	for (int64_t bucket = after->time_s >> STORE_BUCKET_SHIFT;
		bucket <= to_s >> STORE_BUCKET_SHIFT && r >= 0 && !enough.yes; bucket++) {
		r = read_person(s, bucket, user_id, after, to_s, until_enough, &enough);
		n += r > 0 ? r : 0;
	}
	return r < 0 ? r : n;
}

int store_frozen_read(struct store *s, const char *user_id, const char *device_id,
	enum punch_type type, int64_t time_s, store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_FROZEN_BODY, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, time_s >> STORE_BUCKET_SHIFT);
	sqlite3_bind_text(stmt, 2, user_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, time_s);
	sqlite3_bind_text(stmt, 4, device_id, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 5, (int)type);
	return walk(s, stmt, on, arg);
}

int store_state_read(struct store *s, enum punch_state state, int64_t after_seq, int limit,
	store_on_punch *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_STATE_READ, &stmt);

	if (r < 0)
		return r;
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
	sqlite3_bind_text(stmt, 4, user, -1, SQLITE_STATIC);
}

static void bind_filter(sqlite3_stmt *stmt, const struct store_filter *f)
{
	sqlite3_bind_int(stmt, 3, f->reason);
	bind_user(stmt, f->user);
	if (f->device)
		sqlite3_bind_text(stmt, 6, f->device, -1, SQLITE_STATIC);
	if (f->from_s != INT64_MIN)
		sqlite3_bind_int64(stmt, 7, f->from_s);
	if (f->to_s != INT64_MAX)
		sqlite3_bind_int64(stmt, 8, f->to_s);
	sqlite3_bind_int(stmt, 9, f->limit);
	sqlite3_bind_int(stmt, 10, f->state);
	sqlite3_bind_int(stmt, 11, f->in_doubt);
}

/* Where a page over a rare state ends that has looked at LIST_ROWS_MAX rows of it: 0 at the end. */
static int rare_end(struct store *s, int state, int64_t below, int64_t *ret_seq)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_LIST_STATE_END, &stmt);

	*ret_seq = 0;
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, below);
	sqlite3_bind_int64(stmt, 2, LIST_ROWS_MAX - 1);
	sqlite3_bind_int(stmt, 10, state);
	r = store_step_row(stmt);
	if (r > 0)
		*ret_seq = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

/* A state that has an index which finds its rows alone. */
static bool is_rare(int state)
{
	return state > PUNCH_QUEUED && state != PUNCH_DELIVERED;
}

/* The rows that one page may look at: [*ret_from, *ret_below). */
static int list_span(
	struct store *s, const struct store_filter *f, int64_t *ret_from, int64_t *ret_below)
{
	int64_t newest = s->now.last_seq + 1;

	*ret_below = f->before_seq > 0 && f->before_seq < newest ? f->before_seq : newest;
	*ret_from = *ret_below > LIST_ROWS_MAX ? *ret_below - LIST_ROWS_MAX : 0;
	return is_rare(f->state) ? rare_end(s, f->state, *ret_below, ret_from) : 0;
}

int store_punch_list(struct store *s, const struct store_filter *filter, store_on_punch *on,
	void *arg, int64_t *ret_next)
{
	struct listing l = {.on = on, .arg = arg, .last_seq = 0};
	int64_t from, below;
	sqlite3_stmt *stmt;
	int r = list_span(s, filter, &from, &below);

	*ret_next = 0;
	if (r == 0)
		r = store_prepared(s, is_rare(filter->state) ? SQL_LIST_STATE : SQL_LIST, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, below);
	sqlite3_bind_int64(stmt, 2, from);
	bind_filter(stmt, filter);
	r = walk(s, stmt, list_one, &l);
	if (r < 0)
		return r;
	*ret_next = r == filter->limit ? l.last_seq : from;
	if (*ret_next <= 1)
		*ret_next = 0;
	return r;
}
