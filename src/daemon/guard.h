/*
 * Against a message that kills the daemon: the broker would deliver it again for ever.
 *
 * Runs are watched. After two ends in a row that were not clean and came within a minute of
 * connecting, messages are taken one at a time, and each is committed raw before it is parsed. One
 * that was itself being parsed at two unclean ends is parked as crashed, unparsed; and when the
 * broker delivers that one again it is known by its identity, and is not parsed either.
 */
#ifndef PUNCHD_DAEMON_GUARD_H
#define PUNCHD_DAEMON_GUARD_H

#include <stddef.h>

#include "base/strmap.h"
#include "daemon/context.h"

struct guard {
	struct context *context;
	struct strmap crashed; /* identities in hex; the values mean nothing */
	struct loop_timer *timer;
	int64_t strikes;
	bool careful;
	bool connected;
	void (*on_calm)(void *arg); /* careful no longer */
	void *arg;
};

#define GUARD_PARSES_MAX \
	2 /* unclean ends while a message was parsed: then it is not parsed again */

/* Look at how the last run ended, and note that this one begins. Returns 0 or a store error. */
int guard_init(struct guard *g, struct context *context, void (*on_calm)(void *arg), void *arg);
void guard_done(struct guard *g);

/* The broker took us in. Returns 0 or a store error. */
int guard_connected(struct guard *g);

/* This run ends as it should. Returns 0 or a store error. */
int guard_clean(struct guard *g);

/* Whether a message with this identity has crashed us before. */
bool guard_knows(const struct guard *g, const uint8_t identity[static IDENTITY_SIZE]);

/* Whether anything is known to crash: else identities need not be made. */
bool guard_knows_any(const struct guard *g);

/* This identity is parked as crashed now. Returns 0 or -ENOMEM. */
int guard_learn(struct guard *g, const uint8_t identity[static IDENTITY_SIZE]);

#endif
