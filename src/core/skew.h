/*
 * How far a terminal's clock is off, learnt from live punches: what it showed, less when the punch
 * came. The median of the last few, so that one punch that was delayed on its way, or a stored one
 * that passes for live, moves nothing; as many wrong ones as right ones are needed for that.
 */
#ifndef PUNCHD_CORE_SKEW_H
#define PUNCHD_CORE_SKEW_H

#include <stdbool.h>
#include <stdint.h>

#define SKEW_SAMPLES 9
#define SKEW_LEAST   3 /* so many are needed before anything is said */

struct skew {
	int64_t off_ms[SKEW_SAMPLES]; /* a ring */
	uint8_t count, next;
};

/* Both may be any; time_s is a whole second that the terminal has cut off. */
void skew_add(struct skew *s, int64_t time_s, int64_t received_us);

/* Its clock was set: what was learnt is over. */
void skew_forget(struct skew *s);

/* Whether it is known; then milliseconds, positive where the terminal is ahead. */
bool skew_ms(const struct skew *s, int64_t *ret_ms);

#endif
