/*
 * Judging again what is not settled when something has changed that many punches stand on
 * (JUDGING.md §7): in slices, so that intake never waits. A change at one punch goes through
 * daemon/judging.h at once and needs none of this.
 */
#ifndef PUNCHD_DAEMON_REJUDGE_H
#define PUNCHD_DAEMON_REJUDGE_H

#include "daemon/context.h"
#include "daemon/judging.h"

struct rejudge;

struct rejudge_events {
	void *arg;
	/* As in intake.h: settlements may join the open transaction; it is on disk or gone. */
	int (*join)(void *arg);
	void (*ended)(void *arg, bool committed);
	/* Punches may be frozen again. */
	void (*finished)(void *arg);
};

/* How far a change reaches. Each includes those before it. */
enum rejudge_scope {
	/* What is held may go: devices, a time that is due. */
	REJUDGE_HELD,
	/* Any unfrozen punch may have become another person's, and the taps around it something else:
	 * people, links. Until that is written nothing is frozen (context.rejudging). */
	REJUDGE_PEOPLE,
	/* Each tap is to be looked at anew: settings, the clock. */
	REJUDGE_ALL,
};

int rejudge_new(struct context *context, struct judging *judging,
	const struct rejudge_events *events, struct rejudge **ret_rejudge);
void rejudge_free(struct rejudge *r);

/* At the start: everything where a pass was cut short, the settings are others now or the machine was
 * off, else what is held. */
void rejudge_begin(struct rejudge *r);

/* Something changed: look at every punch that it may reach, from the first on. */
void rejudge_start(struct rejudge *r, enum rejudge_scope scope);

/*
 * In the open transaction of a change that reaches people: should the daemon end before the pass
 * that it needs is over, the next start makes it. Returns 0 or a store error.
 */
int rejudge_mark(struct store *store);

/* A punch was held elsewhere: it is looked at again when its time is due, if that is all. */
void rejudge_held(struct rejudge *r, const struct punch *p);

#endif
