/*
 * Webhooks: events that are due go to one URL, by libcurl on the loop.
 *
 * One at a time they go in order, and one that is not taken holds up the others, until it is taken
 * or given up after so many tries with growing pauses. Several at a time each go their own way, and
 * the order is nobody's. What waits lies in the file: a restart goes on with it.
 *
 * Events leave only once their change is committed: hook_pump() is called after each commit, and
 * what the hook itself writes is committed with the next one that it asks for.
 */
#ifndef PUNCHD_SANDBOX_HOOK_H
#define PUNCHD_SANDBOX_HOOK_H

#include <stdint.h>

#include <event2/event.h>

#include "sandbox/db.h"

#define HOOK_PARALLEL_MAX 64
#define HOOK_WAITING_MAX  200000 /* more events are given up at once */

struct hook;

struct hook_settings {
	struct event_base *base;
	struct db *db;
	struct event *commit; /* is made active to have a commit */
	const char *url;      /* http or https */
	const char *ca_file;  /* NULL: the system's */
	const char *secret;   /* signs each body as X-Webhook-Signature; NULL: no signature */
	int64_t parallel;
	int64_t tries;
};

/* waiting is what the file says; the others count since the start. */
struct hook_counts {
	int64_t waiting, delivered, given_up;
};

/* The settings' texts must outlive it. Returns 0 or a negative errno. */
int hook_start(const struct hook_settings *settings, struct hook **ret_hook);

/* Send what is due and may be sent. NULL is taken. */
void hook_pump(struct hook *hook);

/* Instead of that where the commit failed: what became of events is written anew, and none leaves.
 * NULL is taken. */
void hook_settle_again(struct hook *hook);

/* Whether there is room for one event more; if not, it is counted as given up. */
bool hook_has_room(struct hook *hook);

/* Look into the file how many wait: now and then. */
void hook_recount(struct hook *hook);

/* NULL: all zero. */
struct hook_counts hook_counts(struct hook *hook);

/* Stop and free. What is on its way is broken off and stays waiting. NULL is taken. */
void hook_stop(struct hook *hook);

#endif
