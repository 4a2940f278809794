#include "daemon/settlement.h"

#include <assert.h>
#include <errno.h>

#include "store/store_punch.h"

void settlements_done(struct settlements *s)
{
	free(s->list);
	*s = (struct settlements){.count = 0};
}

int settlements_add(struct settlements *s, const struct settlement *one)
{
	if (s->count == s->size) {
		struct settlement *list = reallocarray(s->list, s->size + 64, sizeof *list);

		if (!list)
			return -ENOMEM;
		s->list = list;
		s->size += 64;
	}
	s->list[s->count++] = *one;
	return 0;
}

static int write_one(const struct settlement *one, struct context *context)
{
	const struct settle_facts facts = {
		.outcome = one->outcome,
		.status = one->status,
		.att_id = one->att_id,
		.code = one->code,
		.message = one->message,
		.param = one->param,
		.tries = one->tries,
		.now_us = one->now_us,
	};
	struct punch p;
	int r = store_punch_get(context->store, one->seq, &p);

	if (r < 0)
		return r;
	assert(p.state == PUNCH_QUEUED && p.frozen_us != 0);
	if (one->in_doubt)
		p.flags |= FLAG_IN_DOUBT;
	settle_apply(&p, one->step, &facts);
	if (p.frozen_us == 0)
		context_judge(context, &p);
	return store_punch_update(context->store, &p);
}

int settlements_write(struct settlements *s, struct context *context)
{
	int r = 0;

	for (; s->written < s->count && r == 0; s->written++)
		r = write_one(&s->list[s->written], context);
	return r;
}

void settlements_rolled_back(struct settlements *s)
{
	s->written = 0;
}
