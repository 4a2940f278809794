#include "daemon/judging.h"

#include "store/store_punch.h"

void judging_init(struct judging *j, struct context *context, const struct judging_events *events)
{
	*j = (struct judging){.context = context, .on = *events};
}

int judging_change(struct judging *j, const struct punch *before, struct punch *p)
{
	int r;

	if (p->frozen_us == 0 &&
		(p->state == PUNCH_QUEUED || p->state == PUNCH_HELD ||
			p->state == PUNCH_SUPPRESSED))
		context_judge(j->context, p);
	r = store_punch_update(j->context->store, p);
	if (r == 0 && before->state == PUNCH_QUEUED)
		j->on.moved(j->on.arg);
	if (r == 0 && p->state == PUNCH_QUEUED && before->state != PUNCH_QUEUED)
		j->on.queued(j->on.arg, p);
	if (r == 0 && p->state == PUNCH_HELD && before->state != PUNCH_HELD)
		j->on.held(j->on.arg, p);
	return r;
}
