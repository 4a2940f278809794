/*
 * Webhooks: what the cloud tells by itself (CLOUD-API.md, Webhooks; punchd(8), WEBHOOKS).
 *
 * Whoever knows the secrets is listened to. What came close together is committed once and answered
 * after that, so that what was answered 2xx survives whatever comes; where it cannot be stored the
 * answer is 503, and the cloud tries again. An event that was seen already has no second effect.
 *
 * People and devices go the way of the lists (daemon/entry.h). A record settles a punch that is in doubt
 * and that it proves (core/event.h); one for a punch that is still under way is kept for an hour.
 * Off unless [webhook] listen is set: then all of this does nothing.
 */
#ifndef PUNCHD_DAEMON_HOOKS_H
#define PUNCHD_DAEMON_HOOKS_H

#include <jansson.h>

#include "daemon/context.h"
#include "daemon/forward.h"

struct hooks;

struct hooks_events {
	void *arg;
	/* Something in the directory is new or different. people: a name may mean another person now. */
	void (*changed)(void *arg, bool people);
	/* Two events of one second contradict each other: only the list can say which is right. */
	void (*unsure)(void *arg);
};

/* Reads the secrets and what an earlier run has kept. Returns 0, -ENOMEM, a store error, or -EINVAL
 * (logged: a file has changed since the settings were checked). forward is borrowed. */
int hooks_new(struct context *context, struct forward *forward, const struct hooks_events *events,
	struct hooks **ret_hooks);
/* NULL is taken. */
void hooks_free(struct hooks *h);

/* Listen. Returns 0 or a negative errno, logged. */
int hooks_listen(struct hooks *h);

/* What earlier runs have kept settles what it can: before forward_begin. */
void hooks_begin(struct hooks *h);

/* The settings have been read again: other secrets, another certificate. */
void hooks_take_settings(struct hooks *h);

/* forward_events.doubted. */
void hooks_doubted(struct hooks *h, int64_t seq);

/* Answer what waits, and hang up. */
void hooks_stop(struct hooks *h);

/* For the status document; null where it is off. A new reference. */
json_t *hooks_json(const struct hooks *h);

#endif
