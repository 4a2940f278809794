/*
 * What is looked at every second: the disk, the clock, and what follows from them; and the daily
 * purge. Everything here can wait for intake, and is done in slices.
 */
#ifndef PUNCHD_DAEMON_UPKEEP_H
#define PUNCHD_DAEMON_UPKEEP_H

#include "daemon/context.h"

struct upkeep;

struct upkeep_events {
	void *arg;
	/* Whether the disk is too full to store anything: said every second. */
	void (*disk)(void *arg, bool low);
	/* Verdicts may differ now: the clock was stepped, or has become trusted. */
	void (*clock_changed)(void *arg);
	/* Once a second, after all else. */
	void (*second)(void *arg);
};

int upkeep_new(
	struct context *context, const struct upkeep_events *events, struct upkeep **ret_upkeep);
void upkeep_free(struct upkeep *u);

/* Settings have changed: look at once, and purge by the new ones. */
void upkeep_wake(struct upkeep *u);

#endif
