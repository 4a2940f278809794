/* What is in doubt: learning whether it may be sent again without harm. */
#include "daemon/forward_private.h"

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

	if (mark->cloud == f->context->cloud.cloud)
		cloudmarks_answered(f->context, &a, e->place.identity);
}
