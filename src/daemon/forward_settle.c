/* What is written of answers: in batches, with a commit that happens anyway or within a second. */
#include "base/log.h"
#include "daemon/forward_private.h"

#define SETTLE_MS      1000 /* an answer waits at most so long for its commit */
#define SETTLE_COUNT   50
#define STORE_RETRY_MS 1000

/* What is on disk now leaves the outbox, or waits in it as a punch that may be judged again. */
void forward_settlements_landed(struct forward *f)
{
	for (size_t i = 0; i < f->settlements.count; i++) {
		const struct settlement *one = &f->settlements.list[i];
		struct outbox_entry *e = outbox_find(&f->outbox, one->seq);

		/* A thawed one was judged again, and will be once more when its turn comes. */
		if (e &&
			(one->step == SETTLE_DELIVERED || one->step == SETTLE_PARKED ||
				one->step == SETTLE_HOLD))
			outbox_remove(&f->outbox, one->seq);
		if (e && one->step == SETTLE_THAW) {
			e->step = OUTBOX_WAITING;
			outbox_changed(&f->outbox, e);
		}
	}
	f->settlements.count = 0;
	f->settlements.written = 0;
	loop_timer_stop(f->settle);
}

void forward_store_failed(struct forward *f, int error, const char *what)
{
	store_rollback(f->context->store);
	forward_ended(f, false);
	context_store_failed(f->context, error, what);
	loop_timer_set(f->settle, STORE_RETRY_MS);
}

int forward_flush(struct forward *f)
{
	int r = settlements_write(&f->settlements, f->judging);

	if (r == 0)
		r = store_commit(f->context->store);
	if (r < 0)
		forward_store_failed(f, r, "writing what the API answered");
	else
		forward_ended(f, true);
	return r;
}

/* Without one, what failed was freezing, which is tried again. */
void forward_on_settle(void *arg)
{
	struct forward *f = arg;

	if (f->settlements.count == 0 || forward_flush(f) == 0)
		forward_wake(f);
}

void forward_settle_later(struct forward *f, const struct settlement *one)
{
	if (settlements_add(&f->settlements, one) < 0) {
		/* The punch stays frozen and queued: it goes again under its key after a restart. */
		log_error("no_memory", "ending: a restart loses nothing");
		loop_stop(f->context->loop, 1);
		return;
	}
	if (f->settlements.count >= SETTLE_COUNT)
		loop_timer_set(f->settle, 0);
	else if (!loop_timer_armed(f->settle))
		loop_timer_set(f->settle, SETTLE_MS);
}

void forward_thaw(struct forward *f, int64_t seq)
{
	const struct settlement one = {.seq = seq, .step = SETTLE_THAW, .outcome = API_NEVER_LEFT};
	struct outbox_entry *e = outbox_find(&f->outbox, seq);

	if (!e)
		return;
	if (e->in_doubt || e->left) {
		e->step = OUTBOX_WAITING; /* somebody has seen its key: its body stands for ever */
		outbox_changed(&f->outbox, e);
		return;
	}
	e->frozen = false; /* and stays SENDING until that is on disk */
	forward_settle_later(f, &one);
}
