#include "store/store_taps.h"

#include <errno.h>

#include "store/store_private.h"

#define AHEAD_S (24 * 3600)

static void bind_person(sqlite3_stmt *stmt, const struct punch *whose, int64_t terminal)
{
	bool known = whose->user_id[0] != '\0';

	sqlite3_bind_text(stmt, 2, known ? whose->user_id : whose->user, -1, SQLITE_STATIC);
	/* An id is its own user_id, known or not. */
	sqlite3_bind_int(stmt, 5, known ? USER_ID : (int)whose->user_kind);
	if (whose->user_kind == USER_SLOT && !known)
		sqlite3_bind_int64(stmt, 6, terminal);
}

static int read_tap(sqlite3_stmt *stmt, struct store_tap *ret)
{
	int state = sqlite3_column_int(stmt, 2), sent = sqlite3_column_int(stmt, 6),
	    type = sqlite3_column_int(stmt, 8), from = sqlite3_column_int(stmt, 9);

	if (sqlite3_column_bytes(stmt, 1) != IDENTITY_SIZE || state < 0 || state >= PUNCH_STATES ||
		sent < 0 || sent > TYPE_CHECK_OUT || type < 0 || type > TYPE_CHECK_OUT ||
		from < 0 || from > FROM_PERSON)
		return -EUCLEAN;
	*ret = (struct store_tap){
		.seq = sqlite3_column_int64(stmt, 0),
		.state = (enum punch_state)state,
		.reason = sqlite3_column_int(stmt, 3),
		.flags = (unsigned)sqlite3_column_int64(stmt, 4),
		.terminal = sqlite3_column_int64(stmt, 5),
		.type_sent = (enum punch_type)sent,
		.time_s = sqlite3_column_int64(stmt, 7),
		.type = (enum punch_type)type,
		.type_from = (enum type_from)from,
		.frozen = sqlite3_column_int(stmt, 10) != 0,
	};
	memcpy(ret->identity, sqlite3_column_blob(stmt, 1), IDENTITY_SIZE);
	return 0;
}

/* A part of a reading: one bucket, and the times. */
struct part {
	int64_t bucket, from_s, to_s;
};

/* Returns 0, 1 (the caller has enough), or an error. */
static int read_part(sqlite3_stmt *stmt, const struct part *part, store_on_tap *on, void *arg)
{
	struct store_tap tap;
	int r;

	sqlite3_bind_int64(stmt, 1, part->bucket);
	sqlite3_bind_int64(stmt, 3, part->from_s);
	sqlite3_bind_int64(stmt, 4, part->to_s);
	while ((r = store_step_row(stmt)) > 0) {
		r = read_tap(stmt, &tap);
		if (r == 0)
			r = on(arg, &tap);
		if (r != 0)
			break;
	}
	sqlite3_reset(stmt);
	return r > 0 ? 1 : r;
}

static enum store_sql statement_of(enum store_taps which)
{
	switch (which) {
	case STORE_TAPS: return SQL_TAPS;
	case STORE_TAPS_BACK: return SQL_TAPS_BACK;
	case STORE_TAPS_DOUBLE: break;
	}
	return SQL_TAPS_DOUBLE;
}

int store_taps_look(struct store *s, enum store_taps which, const struct punch *whose,
	int64_t from_s, int64_t to_s, store_on_tap *on, void *arg)
{
	int64_t first = from_s >> STORE_BUCKET_SHIFT, last = to_s >> STORE_BUCKET_SHIFT;
	struct part part = {.from_s = from_s, .to_s = to_s};
	sqlite3_stmt *stmt;
	int r = store_prepared(s, statement_of(which), &stmt);

	if (r == 0)
		bind_person(stmt, whose, store_tap_number(s, whose->terminal));
	for (int64_t i = 0; i <= last - first && r == 0; i++) {
		part.bucket = which == STORE_TAPS_BACK ? last - i : first + i;
		r = read_part(stmt, &part, on, arg);
	}
	return r;
}

/* ---- by way of what is in memory */

/* What the caller asked for, and the track that learns from what is read for it. */
struct reading {
	struct store *s;
	enum store_taps which;
	const struct punch *whose;
	int64_t from_s, to_s;
	store_on_tap *on;
	void *arg;

	struct taptrack *track;
	bool learns;     /* until the track is full: */
	int64_t known_s; /* up to this second, which may not have been read whole */
	bool passed;     /* what was asked for is over */
};

static int learn(void *arg, const struct store_tap *tap)
{
	struct reading *r = arg;
	struct tapcache *c = &r->s->taps;

	if (r->which != STORE_TAPS_BACK && tap->time_s > r->to_s) {
		if (r->learns)
			r->known_s = tap->time_s;
		r->passed = true;
		return 1;
	}
	if (r->learns) {
		r->known_s = tap->time_s;
		r->learns = r->which == STORE_TAPS_BACK ? taptrack_prepend(c, r->track, tap)
							: taptrack_append(c, r->track, tap);
	}
	return r->on(r->arg, tap);
}

/* Read on from the track's end, and see what comes after: a moment later just that will be asked. */
static int learn_behind(struct reading *r)
{
	int64_t to_s = r->to_s + AHEAD_S;
	int error = store_taps_look(r->s, r->which, r->whose, r->track->to_s + 1, to_s, learn, r);

	taptrack_end_at(r->track, error == 0 && r->learns ? to_s : r->known_s - 1);
	return r->passed ? 0 : error;
}

static int learn_before(struct reading *r)
{
	int error = store_taps_look(
		r->s, r->which, r->whose, r->from_s, r->track->from_s - 1, learn, r);

	taptrack_begin_at(r->track, error == 0 && r->learns ? r->from_s : r->known_s + 1);
	return error;
}

static int read_forward(struct reading *r)
{
	struct taptrack *t = r->track;
	int error = 0;

	if (r->from_s < t->from_s || r->from_s > t->to_s + 1)
		taptrack_begin(t, r->from_s);
	for (int i = taptrack_place(t, r->from_s);
		i < t->count && t->rows[i].time_s <= r->to_s && error == 0; i++)
		error = r->on(r->arg, &t->rows[i]);
	r->known_s = t->to_s + 1;
	return error == 0 && t->to_s < r->to_s ? learn_behind(r) : error;
}

static int read_backward(struct reading *r)
{
	struct taptrack *t = r->track;
	int error = 0;

	if (r->to_s > t->to_s || r->to_s < t->from_s - 1)
		taptrack_begin(t, r->to_s + 1);
	for (int i = taptrack_place(t, r->to_s + 1);
		i-- > 0 && t->rows[i].time_s >= r->from_s && error == 0;)
		error = r->on(r->arg, &t->rows[i]);
	r->known_s = t->from_s - 1;
	return error == 0 && t->from_s > r->from_s ? learn_before(r) : error;
}

int store_taps_read(struct store *s, enum store_taps which, const struct punch *whose,
	int64_t from_s, int64_t to_s, store_on_tap *on, void *arg)
{
	struct reading r = {.s = s,
		.which = which,
		.whose = whose,
		.from_s = from_s,
		.to_s = to_s,
		.on = on,
		.arg = arg,
		.learns = true};
	char key[TAPCACHE_KEY_SIZE];

	if (to_s < from_s)
		return 0;
	if (tapcache_key(whose, whose->user_id, store_tap_number(s, whose->terminal), key))
		r.track = tapcache_track(&s->taps, key, which == STORE_TAPS_DOUBLE);
	if (!r.track)
		return store_taps_look(s, which, whose, from_s, to_s, on, arg);
	return which == STORE_TAPS_BACK ? read_backward(&r) : read_forward(&r);
}

const char *store_tap_terminal(const struct store *s, const struct store_tap *t)
{
	return store_terminal_name(s, t->terminal);
}

int64_t store_tap_number(const struct store *s, const char *terminal)
{
	return (int64_t)(intptr_t)strmap_get(&s->terminals, terminal);
}
