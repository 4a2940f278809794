/* The hash of a string, keyed with a seed: whoever chooses the strings cannot choose collisions. */
#ifndef PUNCHD_BASE_STRHASH_H
#define PUNCHD_BASE_STRHASH_H

#include <stdint.h>

uint64_t strhash(uint64_t seed, const char *text);

#endif
