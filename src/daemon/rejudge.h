/*
 * Judging the held punches again when something has changed (JUDGING.md §7): in slices, so that
 * intake never waits. Queued ones are judged again when their turn to be frozen comes.
 */
#ifndef PUNCHD_DAEMON_REJUDGE_H
#define PUNCHD_DAEMON_REJUDGE_H

#include "daemon/context.h"

struct rejudge;

struct rejudge_events {
	void *arg;
	/* As in intake.h: a punch is queued now, in the open transaction; settlements may join it; it
	 * is on disk or gone. */
	void (*added)(void *arg, const struct punch *p);
	int (*join)(void *arg);
	void (*ended)(void *arg, bool committed);
};

int rejudge_new(
	struct context *context, const struct rejudge_events *events, struct rejudge **ret_rejudge);
void rejudge_free(struct rejudge *r);

/* Something changed: look at every held punch, from the first on. */
void rejudge_start(struct rejudge *r);

/* A punch was held elsewhere: it is looked at again when its time is due, if that is all. */
void rejudge_held(struct rejudge *r, const struct punch *p);

#endif
