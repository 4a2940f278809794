/*
 * Webhooks: events to one URL, in order, from a thread of their own.
 *
 * hook_push never waits. An event is tried up to HOOK_TRIES times, with growing pauses, until the
 * receiver answers 2xx; then it is given up and counted. What waits is in memory only: a stop or a
 * kill forgets it, as a cloud's webhooks may well do.
 */
#ifndef PUNCHD_SANDBOX_HOOK_H
#define PUNCHD_SANDBOX_HOOK_H

#include <stdint.h>

#define HOOK_TRIES     5
#define HOOK_QUEUE_MAX 200000 /* events waiting; more are dropped and counted as given up */

struct hook;

struct hook_settings {
	const char *url;     /* http or https */
	const char *ca_file; /* NULL: the system's */
	const char *secret;  /* signs each body as X-Webhook-Signature; NULL: no signature */
};

struct hook_counts {
	int64_t waiting, delivered, given_up;
};

/* Start the thread. The settings' texts must outlive it. Returns 0, -ENOMEM or -EAGAIN. */
int hook_start(const struct hook_settings *settings, struct hook **ret_hook);

/* Take over an event's body (malloc'd). hook may be NULL: then it is only freed. */
void hook_push(struct hook *hook, char *body);

/* NULL: all zero. */
struct hook_counts hook_counts(struct hook *hook);

/* Stop the thread, within a second, and free. NULL is taken. */
void hook_stop(struct hook *hook);

#endif
