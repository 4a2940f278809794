/* What an event of the cloud says of a punch: waiting for one, and settling by one. */
#include "core/settle.h"
#include "daemon/forward_private.h"
#include "store/store_punch.h"

#define AWAIT_US (120 * CLOCK_US_PER_S)

int64_t forward_await_us(const struct forward *f, int64_t since_us)
{
	return f->context->config.webhook.listen[0] ? since_us + AWAIT_US : 0;
}

enum forward_stand forward_stand(const struct forward *f, const struct punch *p)
{
	const struct outbox_entry *e = outbox_find(&f->outbox, p->seq);

	if (p->frozen_us == 0 || punch_settled(p->state))
		return FORWARD_STAND_NONE;
	if (p->state != PUNCH_QUEUED)
		return p->flags & FLAG_IN_DOUBT ? FORWARD_STAND_IN_DOUBT : FORWARD_STAND_NONE;
	if (!e) /* left by an earlier run, or let go by a person */
		return FORWARD_STAND_IN_DOUBT;
	return e->step == OUTBOX_WAITING && e->in_doubt ? FORWARD_STAND_IN_DOUBT
							: FORWARD_STAND_UNDER_WAY;
}

int forward_confirm(struct forward *f, struct punch *p, const char *att_id)
{
	const struct settle_facts facts = {.outcome = API_DONE,
		.att_id = att_id,
		.tries = forward_tries(f, p->seq),
		.now_us = loop_now(f->context->loop).wall_us};
	int r;

	settle_apply(p, SETTLE_DELIVERED, &facts);
	p->flags |= FLAG_IN_DOUBT | FLAG_BY_EVENT;
	r = store_punch_update(f->context->store, p);
	if (r == 0)
		forward_moved(f, p); /* out of the outbox, once that is on disk */
	return r;
}
