#include "core/skew.h"

#include <stdlib.h>
#include <string.h>

#define HALF_SECOND_MS 500 /* on average that much is cut off */

void skew_add(struct skew *s, int64_t time_s, int64_t received_us)
{
	s->off_ms[s->next] = time_s * 1000 + HALF_SECOND_MS - received_us / 1000;
	s->next = (uint8_t)((s->next + 1) % SKEW_SAMPLES);
	if (s->count < SKEW_SAMPLES)
		s->count++;
}

void skew_forget(struct skew *s)
{
	s->count = s->next = 0;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

bool skew_ms(const struct skew *s, int64_t *ret_ms)
{
	int64_t sorted[SKEW_SAMPLES];

	if (s->count < SKEW_LEAST)
		return false;
	memcpy(sorted, s->off_ms, s->count * sizeof *sorted);
	qsort(sorted, s->count, sizeof *sorted, compare);
	*ret_ms = sorted[s->count / 2];
	return true;
}
