/*
 * All chance of a story, from one seed. Each actor draws from a stream of its own, named by a word
 * and a number, so that taking one actor out of a story leaves what the others do as it was.
 */
#ifndef PUNCHD_SIM_CHANCE_H
#define PUNCHD_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

void chance_init(struct chance *c, uint64_t seed, const char *word, uint64_t number);

uint64_t chance_bits(struct chance *c);
/* 0 … n-1; n at least 1. */
int64_t chance_below(struct chance *c, int64_t n);
/* min … max. */
int64_t chance_from(struct chance *c, int64_t min, int64_t max);
/* True in so many of a thousand cases. */
bool chance_of(struct chance *c, int per_mille);

#endif
