#include "daemon/rejudge.h"

#include <errno.h>

#include "base/log.h"
#include "base/strhash.h"
#include "store/store_punch.h"

/*
 * A slice ends after so many rows, or so long; on a slow disk after the time that the last commit took,
 * since what comes in meanwhile waits for a commit anyway, and each slice is one. `./dev bench rejudge`
 * (--sync-ms: a slower disk) shows what a live punch waits. Where 100,000 are released, 99 of 100 acks
 * came within 6 to 8 ms (idle: 4 to 5); with 200 rows whatever they take, within 16 to 35.
 */
#define SLICE_ROWS   200
#define SLICE_US     4000
#define SLICE_US_MAX 100000
#define PAUSE_MS     2    /* between slices: intake first */
#define RETRY_MS     1000 /* after a write that failed */
#define DUE_MIN_MS   1000

/* By which settings everything was judged that is stored; 0: a pass is due, or under way. */
#define META_JUDGED "judged"

enum phase { PHASE_IDLE, PHASE_HELD, PHASE_SUPPRESSED, PHASE_QUEUED };

struct rejudge {
	struct context *context;
	struct judging *judging;
	struct rejudge_events on;
	struct loop_timer *timer, *due;

	enum rejudge_scope scope; /* of the pass that is under way */
	bool again;               /* something changed meanwhile: once more, so far: */
	enum rejudge_scope again_scope;
	enum phase phase;
	struct punch_place after; /* of what is queued: where the last slice ended; */
	int64_t after_seq;        /* elsewhere this */
	int64_t due_s;    /* earliest time at which a held future_time is due; INT64_MAX: none */
	int64_t released; /* in this pass */

	struct punch *slice; /* SLICE_ROWS of them */
	int count, judged;   /* so many were read, and judged: the others are the next slice's */
	int64_t slice_us;    /* how long it may take */
};

/* ---- what a pass is remembered by */

/* The settings, zones and clock by which punches are judged, as a number that is never 0. */
static int64_t judged_by(const struct context *c)
{
	static const int64_t month_s = 30 * 86400;
	struct buf text;
	uint64_t hash = 0;

	buf_init(&text, 1 << 24);
	buf_addf(&text, "%lld\n", (long long)c->boot);
	config_print(&c->config, &text);
	for (size_t i = 0; i < c->profiles.count; i++)
		buf_addf(&text, "%s %lld\n", c->profiles.list[i]->name,
			(long long)c->profiles.list[i]->double_tap_s);
	for (int64_t i = 0; i < 24; i++)
		buf_addf(&text, "%d ", zone_offset_at(c->zone, 1767225600 + i * month_s));
	if (buf_error(&text) == 0)
		hash = strhash(0, text.data) >> 1;
	buf_done(&text);
	return hash ? (int64_t)hash : 1;
}

int rejudge_mark(struct store *store)
{
	int64_t judged;
	int r = store_meta_get(store, META_JUDGED, 0, &judged);

	return r < 0 || judged == 0 ? r : store_meta_set(store, META_JUDGED, 0);
}

static int remember(struct rejudge *r)
{
	struct store *s = r->context->store;
	int64_t is = judged_by(r->context), was;
	int error = store_meta_get(s, META_JUDGED, 0, &was);

	return error < 0 || was == is ? error : store_meta_set(s, META_JUDGED, is);
}

/* ---- a slice */

static int keep(void *arg, const struct punch *p)
{
	struct rejudge *r = arg;

	r->slice[r->count++] = *p;
	return 0;
}

static int read_slice(struct rejudge *r)
{
	struct store *s = r->context->store;

	r->count = 0;
	switch (r->phase) {
	case PHASE_IDLE: break;
	case PHASE_HELD: return store_state_read(s, PUNCH_HELD, r->after_seq, SLICE_ROWS, keep, r);
	case PHASE_SUPPRESSED:
		return store_state_read(s, PUNCH_SUPPRESSED, r->after_seq, SLICE_ROWS, keep, r);
	case PHASE_QUEUED: return store_outbox_read(s, &r->after, SLICE_ROWS, keep, r);
	}
	return 0;
}

static void note_due(struct rejudge *r, const struct punch *p)
{
	int64_t due_s = p->time_s - r->context->verdict.max_future_s;

	if (p->state == PUNCH_HELD && p->reason == REASON_FUTURE_TIME &&
		due_s > loop_now(r->context->loop).wall_us / CLOCK_US_PER_S && due_s < r->due_s)
		r->due_s = due_s;
}

/* One that was judged with another's taps since the slice was read is not as it was read. */
static int judge_one(struct rejudge *r, int64_t seq)
{
	enum punch_state before;
	struct punch p;
	int error = store_punch_get(r->context->store, seq, &p);

	if (error < 0 || p.frozen_us != 0) /* in doubt: nothing judges it */
		return error;
	before = p.state;
	error = judging_again(r->judging, &p, r->scope == REJUDGE_ALL);
	if (error < 0)
		return error;
	note_due(r, &p);
	r->released += before == PUNCH_HELD && p.state == PUNCH_QUEUED;
	return 0;
}

static bool is_last_phase(const struct rejudge *r)
{
	return r->scope == REJUDGE_HELD ? r->phase == PHASE_HELD : r->phase == PHASE_QUEUED;
}

/* Whether with this slice everything is as it should be. */
static bool completes_all(const struct rejudge *r)
{
	return r->count < SLICE_ROWS && r->judged == r->count && r->scope != REJUDGE_HELD &&
		is_last_phase(r) && !(r->again && r->again_scope != REJUDGE_HELD);
}

static int64_t mono_us(const struct rejudge *r)
{
	return loop_now(r->context->loop).mono_us;
}

static int64_t slice_for(int64_t commit_us)
{
	if (commit_us < SLICE_US)
		return SLICE_US;
	return commit_us < SLICE_US_MAX ? commit_us : SLICE_US_MAX;
}

static int judge_slice(struct rejudge *r)
{
	struct store *s = r->context->store;
	int64_t begun_us = mono_us(r);
	int error = 0;

	r->judged = 0;
	do
		error = r->judged < r->count ? judge_one(r, r->slice[r->judged++].seq) : 0;
	while (error == 0 && r->judged < r->count && mono_us(r) - begun_us < r->slice_us);
	if (error == 0 && completes_all(r))
		error = remember(r);
	if (error == 0 && store_in_transaction(s))
		error = r->on.join(r->on.arg);
	begun_us = mono_us(r);
	if (error == 0)
		error = store_commit(s);
	if (error < 0)
		store_rollback(s);
	else
		r->slice_us = slice_for(mono_us(r) - begun_us);
	r->on.ended(r->on.arg, error == 0);
	return error;
}

/* ---- a pass */

static void wait_for_due(struct rejudge *r)
{
	int64_t wait_ms;

	if (r->due_s == INT64_MAX)
		return;
	wait_ms = (r->due_s - loop_now(r->context->loop).wall_us / CLOCK_US_PER_S) * 1000;
	loop_timer_set(r->due, wait_ms > DUE_MIN_MS ? wait_ms : DUE_MIN_MS);
}

static void enter(struct rejudge *r, enum phase phase)
{
	r->phase = phase;
	r->after = PUNCH_PLACE_FIRST;
	r->after_seq = 0;
	loop_timer_set(r->timer, 0);
}

static void begin(struct rejudge *r, enum rejudge_scope scope)
{
	r->scope = scope;
	r->again = false;
	r->due_s = INT64_MAX;
	r->released = 0;
	loop_timer_stop(r->due);
	enter(r, PHASE_HELD);
}

/* A pass is over. What changed meanwhile did not begin it anew: it might never end. */
static void finish(struct rejudge *r)
{
	bool more = r->again && r->again_scope != REJUDGE_HELD;

	r->phase = PHASE_IDLE;
	if (r->released > 0)
		log_info("released", "held punches are queued now", LOG_I("punches", r->released));
	if (r->context->rejudging && !more) {
		r->context->rejudging = false;
		r->on.finished(r->on.arg);
	}
	if (r->again)
		begin(r, r->again_scope);
	else
		wait_for_due(r);
}

static void go_on(struct rejudge *r)
{
	if (r->count == SLICE_ROWS || r->judged < r->count) {
		r->after = punch_place(&r->slice[r->judged - 1]);
		r->after_seq = r->slice[r->judged - 1].seq;
		loop_timer_set(r->timer, PAUSE_MS);
	} else if (is_last_phase(r)) {
		finish(r);
	} else {
		enter(r, r->phase == PHASE_HELD ? PHASE_SUPPRESSED : PHASE_QUEUED);
	}
}

static void on_slice(void *arg)
{
	struct rejudge *r = arg;
	int n;

	if (r->context->stopping || r->phase == PHASE_IDLE)
		return;
	n = read_slice(r);
	if (n >= 0)
		n = judge_slice(r);
	if (n < 0) {
		context_store_failed(r->context, n, "judging punches again");
		loop_timer_set(r->timer, RETRY_MS);
		return;
	}
	go_on(r);
}

static void on_due(void *arg)
{
	rejudge_start(arg, REJUDGE_HELD);
}

/* ---- */

int rejudge_new(struct context *context, struct judging *judging,
	const struct rejudge_events *events, struct rejudge **ret_rejudge)
{
	struct rejudge *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = (struct rejudge){.context = context,
		.judging = judging,
		.on = *events,
		.due_s = INT64_MAX,
		.slice_us = SLICE_US};
	r->timer = loop_timer_new(context->loop, on_slice, r);
	r->due = loop_timer_new(context->loop, on_due, r);
	r->slice = calloc(SLICE_ROWS, sizeof *r->slice);
	if (!r->timer || !r->due || !r->slice) {
		rejudge_free(r);
		return -ENOMEM;
	}
	*ret_rejudge = r;
	return 0;
}

void rejudge_free(struct rejudge *r)
{
	if (!r)
		return;
	loop_timer_free(r->timer);
	loop_timer_free(r->due);
	free(r->slice);
	free(r);
}

void rejudge_begin(struct rejudge *r)
{
	int64_t was = 0;

	/* What cannot be read is judged anew. */
	if (store_meta_get(r->context->store, META_JUDGED, 0, &was) < 0)
		was = 0;
	rejudge_start(r, was == judged_by(r->context) ? REJUDGE_HELD : REJUDGE_ALL);
}

void rejudge_start(struct rejudge *r, enum rejudge_scope scope)
{
	if (scope != REJUDGE_HELD)
		r->context->rejudging = true;
	if (r->phase == PHASE_IDLE || scope > r->scope) {
		begin(r, scope);
		return;
	}
	if (!r->again || scope > r->again_scope)
		r->again_scope = scope;
	r->again = true;
}

void rejudge_held(struct rejudge *r, const struct punch *p)
{
	int64_t before_s = r->due_s;

	note_due(r, p);
	if (r->due_s < before_s && r->phase == PHASE_IDLE)
		wait_for_due(r);
}
