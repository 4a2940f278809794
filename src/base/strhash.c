#include "base/strhash.h"

/* FNV-1a, started from the seed and stirred at the end (MurmurHash3's finaliser). */
uint64_t strhash(uint64_t seed, const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ seed;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	h ^= seed >> 32 ^ h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	return h ^ h >> 33;
}
