/*
 * The destination's health: pause, probe, open again. Pure: time, randomness and outcomes in.
 *
 * A failure that is the destination's (401, 5xx, no connection, a lost answer, something that is
 * not the API) closes the circuit for a while: backoff with full jitter, for 401 the fixed
 * auth_retry, for an answer with Retry-After what it says. Then one probe may go; what it brings
 * opens the circuit or closes it for longer. It opens by degrees: two at once after the probe, and
 * one more with each success, so that a server that has just come back is not buried by all who
 * waited for it. Of the requests that were in flight when it closed
 * only the first failure counts: they belong to an older epoch.
 */
#ifndef PUNCHD_API_CIRCUIT_H
#define PUNCHD_API_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#include "api/outcome.h"
#include "base/backoff.h"

enum circuit_cause {
	CIRCUIT_OPEN_ROAD, /* nothing is wrong */
	CIRCUIT_AUTH,      /* 401 */
	CIRCUIT_SERVER,    /* 5xx, 408 */
	CIRCUIT_GARBLED,   /* not the API's answers */
	CIRCUIT_OFFLINE,   /* no connection, or answers that do not come */
};

struct circuit {
	struct backoff backoff;
	int64_t auth_retry_us;
	enum circuit_cause cause;
	int64_t until_us; /* monotonic: a probe may go from here on */
	uint64_t epoch;   /* rises whenever the circuit closes or opens */
	bool probing;     /* the probe is under way */
	int width;        /* how many may be under way while it opens; 0: no bound */
	int in_flight;    /* of this epoch */
};

/* All at least 1, retry_min_ms <= retry_max_ms. */
void circuit_init(
	struct circuit *c, int64_t retry_min_ms, int64_t retry_max_ms, int64_t auth_retry_ms);

/* How many may go: 0, 1 (a probe), a few while it opens, or INT_MAX. *ret_wait_us as in pace_room. */
int circuit_room(const struct circuit *c, int64_t now_us, int64_t *ret_wait_us);

/* Whether the next request would be a probe. */
bool circuit_probing(const struct circuit *c);

/* A request is being sent. Returns the epoch to hand back with its outcome. */
uint64_t circuit_sent(struct circuit *c);

/* Its outcome. retry_after_us: the pause that the answer asks for, or -1. random: 64 even bits. */
void circuit_ended(struct circuit *c, uint64_t epoch, enum api_outcome outcome,
	int64_t retry_after_us, int64_t now_us, uint64_t random);

/* What a request brought that was not counted by circuit_sent, and never is the probe: one that may
 * take minutes. epoch is that of when it was sent. */
void circuit_heard(struct circuit *c, uint64_t epoch, enum api_outcome outcome,
	int64_t retry_after_us, int64_t now_us, uint64_t random);

/* As if a probe had come back well. */
void circuit_resume(struct circuit *c);

#endif
