/*
 * The sends of this run, for the traces that people ask for: the last ones each, in a ring in memory,
 * and of what the ring has lost a sum for each punch.
 */
#ifndef PUNCHD_DAEMON_ATTEMPTS_H
#define PUNCHD_DAEMON_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/outcome.h"

#define ATTEMPTS_MAX       4096
#define ATTEMPTS_OLDER_MAX 1024 /* punches whose lost attempts are summed up */

struct attempt {
	int64_t seq;
	int64_t at_us; /* wall clock: handed to the transport */
	enum api_outcome outcome;
	int status; /* HTTP; 0 where none came */
};

/* Attempts of one punch that the ring has lost. */
struct attempts_older {
	int64_t seq;
	int count;
	int64_t first_us, last_us; /* wall clock */
	bool failed;               /* at least one: last_error and its status are set */
	enum api_outcome last_error;
	int status;
};

struct attempts {
	struct attempt *ring; /* ATTEMPTS_MAX of them, made at the first use */
	size_t next;
	size_t count;
	struct attempts_older *older; /* ATTEMPTS_OLDER_MAX of them, made with the ring */
	size_t older_count;
};

void attempts_done(struct attempts *a);

/* Keep one; the oldest goes into its punch's sum, and where there are too many sums the oldest of
 * those without a failure is forgotten first. Without memory nothing is kept. */
void attempts_add(struct attempts *a, const struct attempt *attempt);

/* The next one of a punch at or behind *pos, which begins at 0; NULL at the end. Oldest first. */
const struct attempt *attempts_next(const struct attempts *a, int64_t seq, size_t *pos);

/* The sum of those that came before the ones listed, or NULL. */
const struct attempts_older *attempts_older(const struct attempts *a, int64_t seq);

#endif
