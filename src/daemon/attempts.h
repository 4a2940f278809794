/* The last sends of this run, for the traces that people ask for: a ring in memory. */
#ifndef PUNCHD_DAEMON_ATTEMPTS_H
#define PUNCHD_DAEMON_ATTEMPTS_H

#include <stddef.h>
#include <stdint.h>

#include "api/outcome.h"

#define ATTEMPTS_MAX 4096

struct attempt {
	int64_t seq;
	int64_t at_us; /* wall clock: handed to the transport */
	enum api_outcome outcome;
	int status; /* HTTP; 0 where none came */
};

struct attempts {
	struct attempt *ring; /* ATTEMPTS_MAX of them, made at the first use */
	size_t next;
	size_t count;
};

void attempts_done(struct attempts *a);

/* Keep one; the oldest goes. Without memory nothing is kept. */
void attempts_add(struct attempts *a, const struct attempt *attempt);

/* The next one of a punch at or behind *pos, which begins at 0; NULL at the end. Oldest first. */
const struct attempt *attempts_next(const struct attempts *a, int64_t seq, size_t *pos);

#endif
