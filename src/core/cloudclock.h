/*
 * The cloud's clock, by the Date headers of its answers, reckoned on our monotonic one.
 *
 * A Date is cut to whole seconds and was written between request and answer; so each tells only an
 * interval. What several have in common is narrower, and within that our own wall clock is taken where
 * it lies in it: two clocks that are both right agree to the millisecond. What is older than an hour
 * says nothing any more, and a Date that contradicts the others begins anew: somebody's clock was set.
 * Pure: dates and moments are handed in.
 */
#ifndef PUNCHD_CORE_CLOUDCLOCK_H
#define PUNCHD_CORE_CLOUDCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define CLOUDCLOCK_STALE_US (3600 * CLOCK_US_PER_S)

/* All zero: nothing is known. */
struct cloudclock {
	bool known;
	int64_t least_us, most_us; /* its clock less our monotonic one */
	int64_t heard_us;          /* monotonic: when the last Date came */
};

/* An answer's Date, of a request sent and received then. */
void cloudclock_date(
	struct cloudclock *c, int64_t date_s, struct moment sent, struct moment received);

/* What it shows at a moment, microseconds since 1970. False: nobody knows. */
bool cloudclock_at(const struct cloudclock *c, struct moment at, int64_t *ret_us);

#endif
