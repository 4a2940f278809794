/*
 * Changing links within a transaction: on disk and in memory at once, so that what follows in it is
 * judged by them. Who began it marks the store for a pass (rejudge.h), and commits.
 */
#ifndef PUNCHD_DAEMON_LINKING_H
#define PUNCHD_DAEMON_LINKING_H

#include "core/links.h"
#include "daemon/context.h"

/* Returns 0, -EDQUOT (LINKS_MAX) or another error; after one the caller takes all back. */
int linking_add(struct context *c, const struct user_link *change);

/* Roll the transaction back, and have the links in memory be those on disk again: nothing may be
 * judged by others. Where they cannot be read the daemon ends. */
void linking_roll_back(struct context *c);

#endif
