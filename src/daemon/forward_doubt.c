/*
 * What is in doubt: learning whether it may be sent again without harm, and holding it where that is
 * not known and [api] in_doubt says so.
 *
 * The answer that leaves a punch in doubt holds it, in the same commit. What was in doubt before the
 * rule changed, or before this run, is brought to where it belongs in a pass of slices. It is frozen
 * all the time, so nothing judges it meanwhile.
 */
#include "base/log.h"
#include "core/rules.h"
#include "daemon/forward_private.h"
#include "store/store_punch.h"

#define QUEUED_ROWS 512 /* of a slice, of which few are in doubt */
#define HELD_ROWS   200
#define RETRY_MS    1000

/* ---- learning */

struct send_mark forward_mark(const struct forward *f)
{
	const struct cloudmarks *cloud = &f->context->cloud;

	return (struct send_mark){.cloud = cloud->cloud,
		.clock_us = idempotence_clock(&cloud->idempotence, forward_now_mono(f))};
}

/* Nothing of it is sent again under this key. */
static bool is_final(enum api_outcome outcome)
{
	return outcome == API_DONE || outcome == API_DONE_NO_ID || outcome == API_REFUSED;
}

void forward_learn(struct forward *f, const struct outbox_entry *e, const struct send_mark *mark,
	const struct api_reply *reply)
{
	const struct idempotence_answer a = {
		.seq = e->seq,
		.again = e->in_doubt,
		.first = !e->in_doubt && !e->left && e->tries == 0,
		.done = is_final(reply->outcome),
		.id = reply->id,
		.created_s = reply->created_s,
		.date_s = reply->date_s,
		.clock_us = mark->clock_us,
		.took_us = reply->received.mono_us - reply->sent.mono_us,
	};

	if (mark->cloud != f->context->cloud.cloud)
		return;
	cloudmarks_answered(f->context, &a, e->place.identity);
	forward_look(f);
}

/* ---- a pass */

struct slice {
	struct forward *f;
	int64_t seqs[QUEUED_ROWS]; /* those that are to be moved */
	int count, read;
};

/* Whether a queued punch is in doubt. What is under way is left to its answer, and of what this run
 * froze answers have said so. One that a person let go and that has not gone yet is held once more. */
static bool must_be_held(const struct forward *f, const struct punch *p)
{
	const struct outbox_entry *e = outbox_find(&f->outbox, p->seq);

	if (e)
		return e->step == OUTBOX_WAITING && e->in_doubt;
	return p->frozen_us != 0;
}

static int look_at_queued(void *arg, const struct punch *p)
{
	struct slice *s = arg;

	s->read++;
	s->f->doubt.after = punch_place(p);
	if (must_be_held(s->f, p))
		s->seqs[s->count++] = p->seq;
	return 0;
}

static int look_at_held(void *arg, const struct punch *p)
{
	struct slice *s = arg;

	if (p->frozen_us != 0)
		s->seqs[s->count++] = p->seq;
	return 0;
}

/* Returns 0 or an error; *ret_over: this was the last slice. */
static int read_slice(struct forward *f, struct slice *s, bool *ret_over)
{
	struct store *store = f->context->store;
	const struct store_filter filter = {.state = PUNCH_HELD,
		.reason = REASON_IN_DOUBT,
		.from_s = INT64_MIN,
		.to_s = INT64_MAX,
		.before_seq = f->doubt.before_seq,
		.limit = HELD_ROWS};
	int r;

	if (f->doubt.pass == DOUBT_PASS_HOLD) {
		r = store_outbox_read(store, &f->doubt.after, QUEUED_ROWS, look_at_queued, s);
		*ret_over = s->read < QUEUED_ROWS;
	} else {
		r = store_punch_list(store, &filter, look_at_held, s, &f->doubt.before_seq);
		*ret_over = f->doubt.before_seq == 0;
	}
	return r < 0 ? r : 0;
}

static int move_one(struct forward *f, int64_t seq)
{
	struct punch before, p;
	int r = store_punch_get(f->context->store, seq, &p);

	if (r < 0)
		return r;
	before = p;
	if (f->doubt.pass == DOUBT_PASS_HOLD) {
		settle_hold(&p);
	} else {
		p.state = PUNCH_QUEUED;
		p.reason = REASON_NONE;
	}
	return judging_change(f->judging, &before, &p);
}

static int move_slice(struct forward *f, const struct slice *s)
{
	int r = 0;

	for (int i = 0; i < s->count && r == 0; i++)
		r = move_one(f, s->seqs[i]);
	if (r == 0)
		r = forward_flush(f);
	else
		forward_store_failed(f, r, "moving what is in doubt");
	return r;
}

static void finish(struct forward *f)
{
	const char *words = f->doubt.pass == DOUBT_PASS_HOLD
		? "punches that may have been sent are held: release those that the cloud lacks"
		: "punches that may have been sent go again";

	if (f->doubt.moved > 0)
		log_info("in_doubt", words, LOG_I("punches", f->doubt.moved));
	f->doubt.pass = DOUBT_PASS_NONE;
	forward_wake(f);
}

void forward_on_doubt(void *arg)
{
	struct forward *f = arg;
	struct punch_place after = f->doubt.after;
	int64_t before_seq = f->doubt.before_seq;
	struct slice s = {.f = f};
	bool over = false;
	int r;

	if (f->stopping || f->context->stopping || f->doubt.pass == DOUBT_PASS_NONE)
		return;
	/* What answers have decided comes first: it may be about the same punches. */
	r = forward_flush(f);
	if (r == 0) {
		r = read_slice(f, &s, &over);
		if (r < 0)
			context_store_failed(f->context, r, "looking for what is in doubt");
		else
			r = move_slice(f, &s);
	}
	if (r < 0) {
		f->doubt.after = after;
		f->doubt.before_seq = before_seq;
		loop_timer_set(f->doubt.timer, RETRY_MS);
		return;
	}
	f->doubt.moved += s.count;
	if (over)
		finish(f);
	else
		loop_timer_set(f->doubt.timer, 0);
}

/* ---- the rule */

static bool holds(const struct forward *f)
{
	return f->context->config.api.in_doubt == DOUBT_HOLD &&
		f->context->cloud.idempotence.verdict != IDEMPOTENT_YES;
}

static void begin_pass(struct forward *f)
{
	f->doubt.holds = holds(f);
	f->doubt.pass = f->doubt.holds ? DOUBT_PASS_HOLD : DOUBT_PASS_RETURN;
	f->doubt.after = PUNCH_PLACE_FIRST;
	f->doubt.before_seq = 0;
	f->doubt.moved = 0;
	if (f->doubt.holds)
		forward_thaw_ready(f);
	loop_timer_set(f->doubt.timer, 0);
}

void forward_begin(struct forward *f)
{
	f->doubt.began = true;
	begin_pass(f);
	forward_wake(f);
}

void forward_look(struct forward *f)
{
	if (f->doubt.began && f->doubt.holds != holds(f))
		begin_pass(f);
}
