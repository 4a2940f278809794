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

static int write_one(const struct settlement *one, struct judging *judging)
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
	struct punch before, p;
	int r = store_punch_get(judging->context->store, one->seq, &p);

	if (r < 0)
		return r;
	assert(p.state == PUNCH_QUEUED && p.frozen_us != 0);
	before = p;
	if (one->in_doubt)
		p.flags |= FLAG_IN_DOUBT;
	settle_apply(&p, one->step, &facts);
	if (p.frozen_us == 0)
		return judging_change(judging, &before, &p);
	return store_punch_update(judging->context->store, &p);
}

int settlements_write(struct settlements *s, struct judging *judging)
{
	int r = 0;

	for (; s->written < s->count && r == 0; s->written++)
		r = write_one(&s->list[s->written], judging);
	return r;
}

void settlements_rolled_back(struct settlements *s)
{
	s->written = 0;
}
