#include "base/backoff.h"

void backoff_init(struct backoff *b, int64_t min_ms, int64_t max_ms)
{
	*b = (struct backoff){.min_ms = min_ms, .max_ms = max_ms};
}

int64_t backoff_next_ms(struct backoff *b, uint64_t random)
{
	uint64_t span;

	if (b->ceiling_ms == 0)
		b->ceiling_ms = b->min_ms;
	else if (b->ceiling_ms > b->max_ms / 2)
		b->ceiling_ms = b->max_ms;
	else
		b->ceiling_ms *= 2;
	span = (uint64_t)(b->ceiling_ms - b->min_ms) + 1;
	return b->min_ms + (int64_t)(random % span);
}

void backoff_reset(struct backoff *b)
{
	b->ceiling_ms = 0;
}
