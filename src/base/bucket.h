/*
 * A token bucket: `burst` at once, one more every `interval_us`. Time is handed in.
 *
 * It remembers only when it will be full again, so it is right over any pause without being
 * ticked, and a clock that stands still only makes it stricter.
 */
#ifndef PUNCHD_BASE_BUCKET_H
#define PUNCHD_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t interval_us; /* what one token costs */
	int64_t burst_us;    /* what all tokens cost together */
	int64_t full_at_us;  /* monotonic time at which no token is missing any more */
};

/* A full bucket. interval_us and burst are at least 1. */
void bucket_init(struct bucket *b, int64_t interval_us, int64_t burst);

/* Take one token. Returns whether there was one. */
bool bucket_take(struct bucket *b, int64_t now_us);

#endif
