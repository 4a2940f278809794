/* A person stops forwarding, and lets it go on: kept in the store, since a restart is no reason to go
 * on. */
#include "daemon/forward_private.h"

int forward_load(struct forward *f)
{
	struct store *s = f->context->store;
	int64_t at_s = 0;
	int r = store_meta_get(s, "paused_at", 0, &at_s);

	if (r == 0)
		r = store_meta_get(s, "paused_by", 0, &f->pause.uid);
	f->pause.at_us = at_s * CLOCK_US_PER_S;
	return r;
}

static int keep(struct forward *f, const struct forward_pause *pause)
{
	struct store *s = f->context->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_meta_set(s, "paused_at", pause->at_us / CLOCK_US_PER_S);
	if (r == 0)
		r = store_meta_set(s, "paused_by", pause->uid);
	if (r < 0)
		forward_store_failed(f, r, "keeping that forwarding is paused");
	else
		r = forward_flush(f);
	return r;
}

static int set(struct forward *f, const struct forward_pause *pause)
{
	int r = keep(f, pause);

	if (r == 0) {
		f->pause = *pause;
		forward_wake(f);
	}
	return r;
}

int forward_pause(struct forward *f, int64_t uid)
{
	const struct forward_pause pause = {
		.at_us = loop_now(f->context->loop).wall_us, .uid = uid};

	return f->pause.at_us != 0 ? 0 : set(f, &pause);
}

int forward_go_on(struct forward *f)
{
	const struct forward_pause none = {.at_us = 0};
	int r = f->pause.at_us == 0 ? 0 : set(f, &none);

	if (r == 0)
		forward_resume(f);
	return r;
}

const struct forward_pause *forward_paused(const struct forward *f)
{
	return f->pause.at_us != 0 ? &f->pause : NULL;
}
