#include "chance.h"

/* SplitMix64: Steele, Lea, Flood 2014. */
uint64_t chance_bits(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void chance_init(struct chance *c, uint64_t seed, const char *word, uint64_t number)
{
	c->state = seed;
	chance_bits(c);
	for (; *word; word++) {
		c->state ^= (unsigned char)*word;
		c->state = chance_bits(c);
	}
	c->state ^= number;
	c->state = chance_bits(c);
}

int64_t chance_below(struct chance *c, int64_t n)
{
	return (int64_t)(chance_bits(c) % (uint64_t)n);
}

int64_t chance_from(struct chance *c, int64_t min, int64_t max)
{
	return min + chance_below(c, max - min + 1);
}

bool chance_of(struct chance *c, int per_mille)
{
	return chance_below(c, 1000) < per_mille;
}
