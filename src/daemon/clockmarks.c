#include "daemon/clockmarks.h"

#define US_IN_MS 1000

enum { MARK_TRUSTED = 1, MARK_JUMPED = 2 };

int clockmarks_load(struct context *c)
{
	int64_t boot = 0, marks = 0, offset_ms = 0;
	int r = store_meta_get(c->store, "clock_boot", 0, &boot);

	if (r == 0)
		r = store_meta_get(c->store, "clock_marks", 0, &marks);
	if (r == 0)
		r = store_meta_get(c->store, "clock_offset", 0, &offset_ms);
	if (r < 0)
		return r;
	clocktrust_init(&c->clock);
	if (boot == c->boot)
		clocktrust_resume(
			&c->clock, marks & MARK_TRUSTED, marks & MARK_JUMPED, offset_ms * US_IN_MS);
	clocktrust_look(&c->clock, loop_now(c->loop), clock_synchronized());
	return 0;
}

int clockmarks_save(struct context *c)
{
	struct store *s = c->store;
	int64_t marks = (c->clock.trusted ? MARK_TRUSTED : 0) | (c->clock.jumped ? MARK_JUMPED : 0);
	int r;

	if (!c->clock.news)
		return 0;
	r = store_begin(s);
	if (r == 0)
		r = store_meta_set(s, "clock_boot", c->boot);
	if (r == 0)
		r = store_meta_set(s, "clock_marks", marks);
	if (r == 0)
		r = store_meta_set(s, "clock_offset", c->clock.offset_us / US_IN_MS);
	if (r < 0)
		store_rollback(s);
	else
		r = store_commit(s);
	if (r == 0)
		c->clock.news = false;
	return r;
}
