#include "daemon/judging.h"

#include <errno.h>

#include "store/store_punch.h"

/* Read forward at once: mostly all comes out as it is stored behind few; then more, since what is there
 * is lined up anew each time. */
#define FEW_ROWS   16
#define CHUNK_ROWS 64

void judging_init(struct judging *j, struct context *context, const struct judging_events *events)
{
	*j = (struct judging){.context = context, .on = *events};
}

void judging_done(struct judging *j)
{
	free(j->rows);
	free(j->taps);
	j->rows = NULL;
	j->taps = NULL;
}

static int64_t now_us(const struct judging *j)
{
	return loop_now(j->context->loop).wall_us;
}

/* Whether judging decides about a punch as it stands. */
static bool is_open(const struct punch *p)
{
	return p->frozen_us == 0 &&
		(p->state == PUNCH_QUEUED || p->state == PUNCH_HELD ||
			p->state == PUNCH_SUPPRESSED);
}

/* What a walk gave stays until the next one. */
static void take_said(const struct judging *j, struct punch *p)
{
	struct terminal_rules rules = context_rules(j->context, p->terminal);
	enum type_from from;
	enum punch_type said = taps_said(p->type_sent, rules.direction, &from);

	if (p->type_from == FROM_PERSON ||
		(from == FROM_NOBODY && p->has_time && rules.direction == DIRECTION_ALTERNATE))
		return;
	p->type = said;
	p->type_from = from;
}

void judging_alone(const struct judging *j, struct punch *p)
{
	take_said(j, p);
	context_judge(j->context, p);
}

/* ---- the rows of a walk */

static int reserve(struct judging *j)
{
	size_t size = j->size ? j->size * 2 : 64;
	struct store_tap *rows;
	struct tap *taps;

	if (j->count < j->size)
		return 0;
	rows = reallocarray(j->rows, size, sizeof *rows);
	if (!rows)
		return -ENOMEM;
	j->rows = rows;
	taps = reallocarray(j->taps, size, sizeof *taps);
	if (!taps)
		return -ENOMEM;
	j->taps = taps;
	j->size = size;
	return 0;
}

static int add_row(struct judging *j, const struct store_tap *row)
{
	int r = reserve(j);

	if (r == 0)
		j->rows[j->count++] = *row;
	return r;
}

/* A tap that may give others their direction, as it is stored. */
static bool leads(const struct store_tap *row)
{
	return row->state != PUNCH_SUPPRESSED && row->type != TYPE_NONE;
}

/*
 * Reading back from a place. The walk begins with the last tap that lies more than a window before
 * it, since that one may now clash or not; and needs what that one is measured from.
 */
struct backwards {
	struct judging *j;
	int64_t begin_s; /* before it all windows of the place have ended */
	int64_t near_s;  /* before it nothing that happens at the place is felt */
	bool found;
	int64_t first_s; /* time of the tap that the walk begins with */
	bool enough;
	int64_t last_s; /* its second is read whole: within one they come in no order */
};

static int read_back(void *arg, const struct store_tap *row)
{
	struct backwards *b = arg;

	if ((b->enough && row->time_s != b->last_s) || (!b->found && row->time_s < b->near_s))
		return 1;
	if (b->found && leads(row) && row->time_s < b->first_s - b->j->context->window_max_s) {
		b->enough = true;
		b->last_s = row->time_s;
	}
	if (!b->found && leads(row) && row->time_s < b->begin_s) {
		b->found = true;
		b->first_s = row->time_s;
	}
	return add_row(b->j, row);
}

struct forwards {
	struct judging *j;
	int read, most;
	int64_t last_s;
};

/* Whole seconds: within one they come in no order. */
static int read_on(void *arg, const struct store_tap *row)
{
	struct forwards *f = arg;

	if (f->read >= f->most && row->time_s != f->last_s)
		return 1;
	f->read++;
	f->last_s = row->time_s;
	return add_row(f->j, row);
}

static struct taps_site site_of(const struct judging *j)
{
	return context_taps_site(j->context);
}

static enum tap_standing standing_of(const struct store_tap *row)
{
	if (row->frozen)
		return TAP_FROZEN;
	/* What is parked waits for a person; one that is only about to be stored does not yet. */
	if ((row->flags & FLAG_RELEASED) || (row->state == PUNCH_PARKED && row->seq != 0))
		return TAP_COUNTS;
	return TAP_OPEN;
}

static unsigned beside_of(const struct store_tap *row)
{
	return (row->flags & FLAG_BESIDE_BEFORE ? TAP_BEFORE : 0) |
		(row->flags & FLAG_BESIDE_BEHIND ? TAP_BEHIND : 0);
}

static void tap_of(
	const struct judging *j, const struct store_tap *row, const char *terminal, struct tap *ret)
{
	struct terminal_rules rules = context_rules(j->context, terminal);

	*ret = (struct tap){
		.seq = row->seq,
		.time_s = row->time_s,
		.terminal = row->terminal,
		.standing = standing_of(row),
		.beside = beside_of(row),
		.sent = row->type_sent,
		.rule = rules.direction,
		.window_s = rules.double_tap_s,
		.suppressed = row->state == PUNCH_SUPPRESSED,
		.type = row->type,
		.type_from = row->type_from,
	};
	memcpy(ret->identity, row->identity, IDENTITY_SIZE);
}

static int compare_rows(const void *a, const void *b)
{
	const struct store_tap *x = a, *y = b;

	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return memcmp(x->identity, y->identity, IDENTITY_SIZE);
}

/* Sort the rows and make taps of them; find where the walk begins. */
static void line_up(struct judging *j, const struct punch *fresh, const struct backwards *b)
{
	int64_t from_s = b->found ? b->first_s : b->begin_s;

	if (j->count > 0) /* nobody has had any yet: there are no rows to point at */
		qsort(j->rows, j->count, sizeof *j->rows, compare_rows);
	j->from = j->count;
	j->fresh = SIZE_MAX;
	for (size_t i = j->count; i-- > 0;) {
		const struct store_tap *row = &j->rows[i];
		const char *name = fresh && row->seq == 0
			? fresh->terminal
			: store_tap_terminal(j->context->store, row);

		tap_of(j, row, name, &j->taps[i]);
		if (row->seq == 0)
			j->fresh = i;
		if (row->time_s >= from_s)
			j->from = i;
	}
}

static bool outcome_differs(const struct store_tap *row, const struct tap *t)
{
	return t->suppressed != (row->state == PUNCH_SUPPRESSED) || t->type != row->type ||
		t->type_from != row->type_from;
}

/*
 * Whether nothing further on can come out otherwise than it is stored: behind all that changed, and
 * behind all windows of it, there is a tap as before from which the rest follows. What is not known
 * to the end of the list, as the next one behind it, is only needed from there on.
 */
static bool has_converged(struct judging *j, int64_t at_s)
{
	int64_t window_s = j->context->window_max_s, changed_s = at_s;

	for (size_t i = j->count; i-- > j->from && changed_s == at_s;) {
		if (outcome_differs(&j->rows[i], &j->taps[i]) && j->rows[i].time_s > at_s)
			changed_s = j->rows[i].time_s;
	}
	j->until = j->count;
	for (size_t i = j->from; i < j->count; i++) {
		if (j->rows[i].time_s > changed_s + window_s && !j->taps[i].suppressed &&
			j->taps[i].type != TYPE_NONE) {
			j->until = i;
			return true;
		}
	}
	return false;
}

static int add_fresh(struct judging *j, const struct punch *p)
{
	struct store_tap row = {.terminal = store_tap_number(j->context->store, p->terminal),
		.state = p->state,
		.reason = p->reason,
		.flags = p->flags,
		.type_sent = p->type_sent,
		.time_s = p->time_s,
		.type = p->type,
		.type_from = p->type_from,
		.frozen = p->frozen_us != 0};

	memcpy(row.identity, p->identity, IDENTITY_SIZE);
	return add_row(j, &row);
}

static int add_double(void *arg, const struct store_tap *row)
{
	return add_row(arg, row);
}

/* All that stands before a place or in its second, but for what was suppressed before its windows. */
static int read_before(
	struct judging *j, const struct punch *whose, int64_t at_s, struct backwards *b)
{
	int64_t window_s = j->context->window_max_s, reach = context_reach_s(j->context);
	int r;

	*b = (struct backwards){
		.j = j, .begin_s = at_s - window_s, .near_s = at_s - window_s - reach};
	r = store_taps_read(
		j->context->store, STORE_TAPS_BACK, whose, b->near_s - reach, at_s, read_back, b);
	return r < 0 ? r : 0;
}

/* What comes behind it, a piece; *from_s moves on. */
static int read_behind(struct judging *j, const struct punch *whose, int64_t *from_s, bool *ret_all)
{
	struct store *s = j->context->store;
	int64_t to_s = *from_s + context_reach_s(j->context);
	size_t before = j->count;
	struct forwards f = {.j = j,
		.most = whose->time_s + 1 == *from_s ? FEW_ROWS : CHUNK_ROWS,
		.last_s = *from_s};
	int r = store_taps_read(s, STORE_TAPS, whose, *from_s, to_s, read_on, &f);

	r = r < 0 ? r : 0;
	if (r == 0 && f.read >= f.most)
		to_s = f.last_s;
	if (r == 0)
		r = store_taps_read(s, STORE_TAPS_DOUBLE, whose, *from_s, to_s, add_double, j);
	*ret_all = j->count == before;
	*from_s = to_s + 1;
	return r;
}

/*
 * Walk a person's taps around a place: all that a change there can touch. fresh: one that is not
 * stored; a duplicate meets itself, and what comes out is of no use. Nothing is written yet.
 */
static int walk(
	struct judging *j, const struct punch *whose, int64_t at_s, const struct punch *fresh)
{
	struct store *s = j->context->store;
	struct taps_site site = site_of(j);
	int64_t from_s = at_s + 1;
	struct backwards b;
	bool all = false;
	int r;

	j->count = 0;
	r = read_before(j, whose, at_s, &b);
	if (r == 0 && fresh)
		r = add_fresh(j, fresh);
	if (r == 0 && fresh) {
		line_up(j, fresh, &b);
		if (taps_double(j->taps, j->fresh)) {
			/* A double tap of what counts: nobody else is touched by it. */
			taps_walk(&site, j->taps, j->fresh + 1, j->fresh);
			j->from = j->until = j->count;
			return 0;
		}
	}
	if (r == 0)
		r = store_taps_read(s, STORE_TAPS_DOUBLE, whose, b.begin_s, at_s, add_double, j);
	while (r == 0 && !all) {
		r = read_behind(j, whose, &from_s, &all);
		if (r < 0)
			break;
		line_up(j, fresh, &b);
		taps_walk(&site, j->taps, j->count, j->from);
		if (has_converged(j, at_s))
			break;
	}
	return r;
}

/* ---- writing what came of it */

static bool is_moved(const struct punch *a, const struct punch *b)
{
	return a->has_time != b->has_time || (a->has_time && a->time_s != b->time_s) ||
		strcmp(a->user_id, b->user_id) != 0;
}

static void tell(struct judging *j, const struct punch *before, const struct punch *p)
{
	if (before->state == PUNCH_QUEUED && (p->state != PUNCH_QUEUED || is_moved(before, p)))
		j->on.moved(j->on.arg, p);
	if (p->state == PUNCH_QUEUED && before->state != PUNCH_QUEUED)
		j->on.queued(j->on.arg, p);
	if (p->state == PUNCH_HELD && before->state != PUNCH_HELD)
		j->on.held(j->on.arg, p);
}

/* Whether a stored row is not as its tap says. */
static bool is_wrong(const struct store_tap *row, const struct tap *t)
{
	if (t->standing == TAP_FROZEN)
		return false;
	if (outcome_differs(row, t))
		return true;
	if (row->state == PUNCH_QUEUED)
		return t->clashes || t->type == TYPE_NONE;
	return row->state == PUNCH_HELD && row->reason == REASON_NO_DIRECTION &&
		t->type != TYPE_NONE && !t->clashes;
}

/* One that has become somebody else's, or of another time, waits for the pass that is due then. */
static int write_tap(struct judging *j, const struct tap *t)
{
	struct punch before, p;
	int r = store_punch_get(j->context->store, t->seq, &before);

	if (r < 0)
		return r;
	p = before;
	if (is_open(&p)) {
		context_judge(j->context, &p);
		if (is_moved(&before, &p))
			return 0;
	}
	taps_apply(t, now_us(j), &p);
	r = store_punch_update(j->context->store, &p);
	if (r == 0 && p.seq != j->subject)
		tell(j, &before, &p);
	return r;
}

static int write_walk(struct judging *j)
{
	int r = 0;

	for (size_t i = j->from; i < j->until && r == 0; i++) {
		if (i != j->fresh && is_wrong(&j->rows[i], &j->taps[i]))
			r = write_tap(j, &j->taps[i]);
	}
	return r;
}

static int walk_and_write(struct judging *j, const struct punch *whose)
{
	int r = whose->has_time ? walk(j, whose, whose->time_s, NULL) : 0;

	return r == 0 && whose->has_time ? write_walk(j) : r;
}

/* ---- */

int judging_arrive(struct judging *j, struct punch *p)
{
	int r;

	judging_alone(j, p);
	j->count = 0;
	if (!p->has_time)
		return 0;
	r = walk(j, p, p->time_s, p);
	if (r == 0)
		taps_apply(&j->taps[j->fresh], now_us(j), p);
	return r;
}

int judging_added(struct judging *j, const struct punch *p)
{
	struct taps_site site = site_of(j);
	struct tap *t;

	if (!p->has_time)
		return 0;
	t = &j->taps[j->fresh];
	if (p->frozen_us != 0) {
		t->standing = TAP_FROZEN;
		taps_walk(&site, j->taps, j->count, j->from);
	}
	return write_walk(j);
}

/* A double tap is released: note beside what, so that this one stays too. */
static int note_beside(struct judging *j, const struct punch *before, struct punch *p)
{
	int r = walk(j, before, before->time_s, NULL);

	for (size_t i = j->from; i < j->count && r == 0; i++) {
		if (j->taps[i].seq != p->seq)
			continue;
		if (j->taps[i].double_of & TAP_BEFORE)
			p->flags |= FLAG_BESIDE_BEFORE;
		if (j->taps[i].double_of & TAP_BEHIND)
			p->flags |= FLAG_BESIDE_BEHIND;
	}
	return r;
}

int judging_change(struct judging *j, const struct punch *before, struct punch *p)
{
	struct store *s = j->context->store;
	int r = 0;

	if (before->state == PUNCH_SUPPRESSED && p->flags & FLAG_RELEASED)
		r = note_beside(j, before, p);
	if (r < 0)
		return r;
	if (is_open(p)) {
		judging_alone(j, p);
		p->settled_us = 0;
	}
	r = store_punch_update(s, p);
	j->subject = p->seq;
	if (r == 0 && before->has_time && is_moved(before, p))
		r = walk_and_write(j, before);
	if (r == 0)
		r = walk_and_write(j, p);
	j->subject = 0;
	if (r == 0)
		r = store_punch_get(s, p->seq, p);
	if (r == 0)
		tell(j, before, p);
	return r;
}

static bool differs(const struct punch *a, const struct punch *b)
{
	if (a->state == PUNCH_SUPPRESSED)
		return is_moved(a, b);
	/* Judged alone it may go; what stands before that is its taps. */
	if (a->state == PUNCH_HELD && a->reason == REASON_NO_DIRECTION && b->state == PUNCH_QUEUED)
		return is_moved(a, b);
	return a->state != b->state || a->reason != b->reason || is_moved(a, b) ||
		strcmp(a->device_id, b->device_id) != 0;
}

int judging_again(struct judging *j, struct punch *p, bool deep)
{
	struct punch before = *p;
	int r;

	judging_alone(j, p);
	if (differs(&before, p))
		return judging_change(j, &before, p);
	*p = before;
	if (!deep)
		return 0;
	r = walk_and_write(j, p);
	return r < 0 ? r : store_punch_get(j->context->store, p->seq, p);
}

int judging_frozen(struct judging *j, const struct punch *p)
{
	int r = store_punch_update(j->context->store, p);

	return r < 0 ? r : walk_and_write(j, p);
}
