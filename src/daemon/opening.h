/* Opening the store when the daemon starts, and what to say when it cannot be. */
#ifndef PUNCHD_DAEMON_OPENING_H
#define PUNCHD_DAEMON_OPENING_H

#include "daemon/context.h"

/*
 * Open the store that the settings name and load what is held in memory. Everything that goes wrong
 * is logged in words an operator can act on.
 * Returns 0 or a negative errno.
 */
int opening_store(struct context *c);

#endif
