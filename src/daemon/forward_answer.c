/* What becomes of a punch that was answered: settled, sent again, or suspected (CLOUD-API.md). */
#include "base/backoff.h"
#include "daemon/forward_private.h"

/* Its own backoff, for a punch that the destination fails on while others may pass. */
static void back_off(struct forward *f, struct outbox_entry *e)
{
	struct backoff b;

	backoff_init(&b, f->context->config.api.retry_min_ms, f->context->config.api.retry_max_ms);
	b.ceiling_ms = e->backoff_ms;
	e->not_before_us = forward_now_mono(f) +
		backoff_next_ms(&b, loop_random(f->context->loop)) * 1000;
	e->backoff_ms = b.ceiling_ms;
}

static void suspect_settle(struct forward *f)
{
	struct outbox_entry *e = outbox_find(&f->outbox, f->suspect.seq);

	if (e && e->step == OUTBOX_WAITING) {
		e->step = OUTBOX_DONE;
		outbox_changed(&f->outbox, e);
		forward_settle_later(f, &f->suspect);
	}
	f->suspect.seq = 0;
}

/* A 403 is the key's fault until another user's punch passes; then it was this punch's. Where it was
 * two users' the key had no right, and when it has one again none of them is to be parked for that. */
static void take_forbidden(
	struct forward *f, const struct settlement *one, const struct outbox_entry *e)
{
	if (f->suspect.seq != 0 && f->suspect_user != e->line->user) {
		f->suspect.seq = 0;
		f->key_forbidden = true;
	}
	if (f->key_forbidden)
		return;
	f->suspect = *one;
	f->suspect.step = SETTLE_PARKED;
	f->suspect_user = e->line->user;
}

static void take_delivered(struct forward *f, struct outbox_entry *e)
{
	refusals_break(&f->refusals);
	outbox_passed(&f->outbox);
	f->key_forbidden = false;
	if (f->failed_user == e->line->user)
		f->failed_user = 0;
	if (f->suspect.seq == 0)
		return;
	if (f->suspect_user == e->line->user)
		f->suspect.seq = 0;
	else
		suspect_settle(f);
}

/* Whether a failure may be the punch's, so that it must not stand before others' for ever. */
static bool may_be_its_fault(enum api_outcome outcome)
{
	switch (outcome) {
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_LOST:
	case API_GARBLED:
	case API_ROAD_FAULT: return true;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT:
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_NEVER_LEFT:
	case API_CANCELLED: return false;
	}
	return false;
}

/* Where events come, one may say that it has arrived. */
static void await_event(struct forward *f, struct outbox_entry *e)
{
	int64_t until_us = forward_await_us(f, forward_now_mono(f));

	if (until_us <= e->not_before_us)
		return;
	e->not_before_us = until_us;
	e->awaits = true;
}

/* It goes again with the same body. */
static void take_again(struct forward *f, struct outbox_entry *e, const struct settlement *one)
{
	bool news = one->step == SETTLE_IN_DOUBT || one->step == SETTLE_LATER;

	e->step = OUTBOX_WAITING;
	f->failed_user = e->line->user;
	if (may_be_its_fault(one->outcome))
		back_off(f, e);
	if (may_be_its_fault(one->outcome) || one->step == SETTLE_SUSPECT)
		outbox_failed(&f->outbox, e);
	if (one->step == SETTLE_LATER) {
		e->conflicts++;
		e->not_before_us = forward_now_mono(f) + CONFLICT_WAIT_US;
	}
	if (news)
		await_event(f, e);
	if (news && !e->in_doubt)
		forward_settle_later(f, one);
	e->in_doubt = e->in_doubt || news;
	outbox_changed(&f->outbox, e);
}

static void take_done(struct forward *f, struct outbox_entry *e)
{
	e->step = OUTBOX_DONE;
	outbox_changed(&f->outbox, e);
}

static void settlement_of(const struct forward *f, const struct api_reply *reply,
	const struct outbox_entry *e, struct settlement *ret)
{
	*ret = (struct settlement){
		.seq = e->seq,
		.step = settle_step(reply->outcome, e->conflicts, f->doubt.holds),
		.outcome = reply->outcome,
		.status = reply->status,
		.tries = e->tries,
		.now_us = loop_now(f->context->loop).wall_us,
		.in_doubt = e->in_doubt,
	};
	punch_text_set(ret->att_id, sizeof ret->att_id, reply->id);
	punch_text_cut(ret->code, sizeof ret->code, reply->code);
	punch_text_cut(ret->message, sizeof ret->message, reply->message);
	punch_text_cut(ret->param, sizeof ret->param, reply->param);
}

void forward_take_answer(struct forward *f, struct outbox_entry *e, const struct api_reply *reply)
{
	const struct attempt attempt = {.seq = e->seq,
		.at_us = reply->sent.wall_us,
		.outcome = reply->outcome,
		.status = reply->status};
	struct settlement one;

	if (e->tries < UINT16_MAX)
		e->tries++;
	if (reply->outcome != API_NEVER_LEFT)
		e->left = true;
	attempts_add(&f->attempts, &attempt);
	settlement_of(f, reply, e, &one);
	switch (one.step) {
	case SETTLE_DELIVERED:
		take_done(f, e);
		take_delivered(f, e);
		forward_settle_later(f, &one);
		break;
	case SETTLE_PARKED:
		take_done(f, e);
		if (reply->outcome == API_REFUSED)
			refusals_note(&f->refusals, reply->code, reply->param, e->line->user);
		forward_settle_later(f, &one);
		break;
	case SETTLE_THAW:
		f->failed_user = e->line->user;
		forward_thaw(f, e->seq);
		break;
	case SETTLE_SUSPECT:
		take_forbidden(f, &one, e);
		take_again(f, e, &one);
		break;
	case SETTLE_HOLD:
		take_done(f, e);
		f->failed_user = e->line->user;
		forward_settle_later(f, &one);
		break;
	case SETTLE_AGAIN:
	case SETTLE_IN_DOUBT:
	case SETTLE_LATER: take_again(f, e, &one); break;
	}
	if (one.step == SETTLE_HOLD || one.step == SETTLE_IN_DOUBT || one.step == SETTLE_LATER)
		f->on.doubted(f->on.arg, one.seq);
}
