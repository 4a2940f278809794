/* Opening the store when the daemon starts, and what to say when it cannot be. */
#ifndef PUNCHD_DAEMON_OPENING_H
#define PUNCHD_DAEMON_OPENING_H

#include "daemon/context.h"

/*
 * Open the store that the settings name, salvaging a damaged one, and load what is held in memory.
 * Everything that goes wrong is logged in words an operator can act on.
 * Returns 0 or a negative errno.
 */
int opening_store(struct context *c);

/* Damage was met in the store at this path: it is looked into at the next start, and salvaged where
 * damage is met again after a check that found none. So no crash loop needs a person. */
void opening_suspect(const char *path);

/* A run has ended in order. */
void opening_trust(const char *path);

#endif
