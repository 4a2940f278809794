/*
 * Events of the webhook: rows of the file, from the change that caused them until they are settled,
 * and some time after that so that they can be looked at and sent again.
 *
 * An event is added in the transaction of its change, so that neither is ever without the other.
 * Results are 0 or a negative errno (logged by db) unless said otherwise.
 */
#ifndef PUNCHD_SANDBOX_EVENTS_H
#define PUNCHD_SANDBOX_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "sandbox/db.h"
#include "sandbox/fault.h"

#define EVENTS_KEPT 10000 /* settled ones, the newest */

/* The numbers are in people's files. */
enum event_state {
	EVENT_WAITING = 0,
	EVENT_DELIVERED = 1,
	EVENT_GIVEN_UP = 2,
	EVENT_DROPPED = 3, /* by a fault */
	EVENT_STATES
};

/* One that is to be sent; texts are valid until the next statement. */
struct event_row {
	int64_t n;
	const char *body;
	int64_t failed; /* tries since it was last taken */
	int64_t again_ms;
	bool bad_signature;
	int64_t due_ms;
};

/* What became of a try. */
struct event_outcome {
	int64_t n;
	enum event_state state;
	bool taken;            /* by the receiver */
	int status;            /* of its answer; 0: none */
	int64_t picked_due_ms; /* of the row: another one by now means that it was asked for again */
	int64_t due_ms;        /* -1: as it is */
	int64_t again_ms;
};

const char *event_state_name(enum event_state state);

/* Add one that says this; data is stolen. said_ms is the server's clock, now_ms this machine's. */
int events_add(struct db *db, const char *type, json_t *data, const struct fault_hook *plan,
	int64_t said_ms, int64_t now_ms);

/* Those that are due, first things first: pick is called until it returns false. */
int events_due(struct db *db, int64_t now_ms, int64_t limit,
	bool (*pick)(void *arg, const struct event_row *row), void *arg);

/* When the next one is due that is not due now; INT64_MAX: none is. */
int events_next_due(struct db *db, int64_t now_ms, int64_t *ret_ms);

int events_settle(struct db *db, const struct event_outcome *outcome);

/* Send again: the one with this id, those of this type, or (both NULL) all. How many, or an errno. */
int events_resend(struct db *db, const char *id, const char *type, int64_t now_ms);

/* Remove settled ones but the newest, a slice at a time. */
int events_purge(struct db *db);

#endif
