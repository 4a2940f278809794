/*
 * Judging a punch together with those around it: whose it is and whether it may go
 * (core/verdict.h), which taps count and which way they go (JUDGING.md §4, §5). What changes for
 * the punches around it is written in the open transaction too.
 */
#ifndef PUNCHD_DAEMON_JUDGING_H
#define PUNCHD_DAEMON_JUDGING_H

#include "daemon/context.h"

struct judging_events {
	void *arg;
	/* In the open transaction: a stored punch is queued now, or held now, that was not. */
	void (*queued)(void *arg, const struct punch *p);
	void (*held)(void *arg, const struct punch *p);
	/* In the open transaction: a queued punch has another person or time, or left the queue. */
	void (*moved)(void *arg);
};

struct judging {
	struct context *context;
	struct judging_events on;
};

void judging_init(struct judging *j, struct context *context, const struct judging_events *events);

/*
 * A stored punch was changed, as by a person's hand: p as it is to be, `before` as it is stored. An
 * unfrozen one that is queued, held or suppressed in p is judged; it is written, and what follows
 * from it for the punches around where it was and where it is now. The caller commits, and then
 * tells what shares its transaction (intake.h: join, ended).
 * Returns 0 or a store error: roll back.
 */
int judging_change(struct judging *j, const struct punch *before, struct punch *p);

#endif
