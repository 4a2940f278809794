/*
 * SIGHUP: the settings and profiles are read again and take the place of the old ones, but for the keys
 * that need a restart. Where anything is at fault, all of the old ones stay.
 */
#ifndef PUNCHD_DAEMON_RELOAD_H
#define PUNCHD_DAEMON_RELOAD_H

#include "daemon/context.h"
#include "daemon/hooks.h"
#include "daemon/inforce.h"
#include "daemon/intake.h"
#include "daemon/link.h"

/* Whom it tells; all borrowed. */
struct reload {
	struct context *context;
	struct inforce *inforce;
	struct intake *intake;
	struct link *link;
	struct hooks *hooks;
};

/* Logs what came of it, and notes it in inforce. */
void reload_run(const struct reload *r);

#endif
