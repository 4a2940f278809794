#include "daemon/rejudge.h"

#include <errno.h>

#include "base/log.h"
#include "store/store_punch.h"

#define SLICE_ROWS 200
#define SLICE_MS   2    /* between slices: intake first */
#define RETRY_MS   1000 /* after a write that failed */
#define DUE_MIN_MS 1000

struct rejudge {
	struct context *context;
	struct rejudge_events on;
	struct loop_timer *timer, *due;
	int64_t after_seq; /* -1: no pass is under way */
	int64_t due_s;     /* earliest time at which a held future_time is due; INT64_MAX: none */
	int64_t released;  /* in this pass */

	struct punch *slice; /* SLICE_ROWS of them */
	int count;
};

static int keep(void *arg, const struct punch *p)
{
	struct rejudge *r = arg;

	r->slice[r->count++] = *p;
	return 0;
}

static bool differs(const struct punch *a, const struct punch *b)
{
	return a->state != b->state || a->reason != b->reason || a->has_time != b->has_time ||
		a->time_s != b->time_s || a->type != b->type || a->type_from != b->type_from ||
		strcmp(a->user_id, b->user_id) != 0 || strcmp(a->device_id, b->device_id) != 0;
}

static void note_due(struct rejudge *r, const struct punch *p)
{
	int64_t due_s = p->time_s - r->context->verdict.max_future_s;

	if (p->state == PUNCH_HELD && p->reason == REASON_FUTURE_TIME &&
		due_s > loop_now(r->context->loop).wall_us / CLOCK_US_PER_S && due_s < r->due_s)
		r->due_s = due_s;
}

static int judge_one(struct rejudge *r, const struct punch *before)
{
	struct punch p = *before;
	int error;

	if (p.frozen_us != 0)
		return 0; /* in doubt: nothing judges it */
	context_judge(r->context, &p);
	note_due(r, &p);
	if (!differs(before, &p))
		return 0;
	error = store_punch_update(r->context->store, &p);
	if (error == 0 && p.state == PUNCH_QUEUED) {
		r->on.added(r->on.arg, &p);
		r->released++;
	}
	return error;
}

static int judge_slice(struct rejudge *r)
{
	struct store *s = r->context->store;
	int error = 0;

	for (int i = 0; i < r->count && error == 0; i++)
		error = judge_one(r, &r->slice[i]);
	if (error == 0 && store_in_transaction(s))
		error = r->on.join(r->on.arg);
	if (error == 0)
		error = store_commit(s);
	if (error < 0)
		store_rollback(s);
	r->on.ended(r->on.arg, error == 0);
	return error;
}

static void wait_for_due(struct rejudge *r)
{
	int64_t wait_ms;

	if (r->due_s == INT64_MAX)
		return;
	wait_ms = (r->due_s - loop_now(r->context->loop).wall_us / CLOCK_US_PER_S) * 1000;
	loop_timer_set(r->due, wait_ms > DUE_MIN_MS ? wait_ms : DUE_MIN_MS);
}

static void finish(struct rejudge *r)
{
	r->after_seq = -1;
	if (r->released > 0)
		log_info("released", "held punches are queued now", LOG_I("punches", r->released));
	wait_for_due(r);
}

static void on_slice(void *arg)
{
	struct rejudge *r = arg;
	int n;

	if (r->context->stopping)
		return;
	r->count = 0;
	n = store_state_read(r->context->store, PUNCH_HELD, r->after_seq, SLICE_ROWS, keep, r);
	if (n >= 0)
		n = judge_slice(r);
	if (n < 0) {
		context_store_failed(r->context, n, "judging held punches again");
		loop_timer_set(r->timer, RETRY_MS);
		return;
	}
	if (r->count > 0)
		r->after_seq = r->slice[r->count - 1].seq;
	if (r->count < SLICE_ROWS)
		finish(r);
	else
		loop_timer_set(r->timer, SLICE_MS);
}

static void on_due(void *arg)
{
	rejudge_start(arg);
}

int rejudge_new(
	struct context *context, const struct rejudge_events *events, struct rejudge **ret_rejudge)
{
	struct rejudge *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = (struct rejudge){
		.context = context, .on = *events, .after_seq = -1, .due_s = INT64_MAX};
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

void rejudge_start(struct rejudge *r)
{
	r->after_seq = 0;
	r->due_s = INT64_MAX;
	r->released = 0;
	loop_timer_stop(r->due);
	loop_timer_set(r->timer, 0);
}

void rejudge_held(struct rejudge *r, const struct punch *p)
{
	int64_t before_s = r->due_s;

	note_due(r, p);
	if (r->due_s < before_s && r->after_seq < 0)
		wait_for_due(r);
}
