/*
 * Exponential backoff with full jitter: each wait is drawn evenly from [min, ceiling], and the
 * ceiling doubles from min to max with every failure. Full jitter keeps a hundred gateways that
 * lost the same server from coming back together. Randomness is handed in.
 */
#ifndef PUNCHD_BASE_BACKOFF_H
#define PUNCHD_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t min_ms;
	int64_t max_ms;
	int64_t ceiling_ms; /* 0: no failure since the last success */
};

/* 0 < min_ms <= max_ms. */
void backoff_init(struct backoff *b, int64_t min_ms, int64_t max_ms);

/* How long to wait after one more failure. random: 64 even bits. */
int64_t backoff_next_ms(struct backoff *b, uint64_t random);

/* After a success: the next failure waits min again. */
void backoff_reset(struct backoff *b);

#endif
