/*
 * What is known of this boot's clock, handed on from one run of the daemon to the next through the
 * store (core/clocktrust.h): a few bytes, written when the clock becomes trusted or is stepped.
 */
#ifndef PUNCHD_DAEMON_CLOCKMARKS_H
#define PUNCHD_DAEMON_CLOCKMARKS_H

#include "daemon/context.h"

/* Take over what an earlier run of this boot knew, and look at the clock. Returns 0 or a store
 * error. */
int clockmarks_load(struct context *c);

/* Keep what is new, in a commit of its own. Returns 0, also where there is nothing, or a store error:
 * tried again at the next call. */
int clockmarks_save(struct context *c);

#endif
