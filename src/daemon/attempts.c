#include "daemon/attempts.h"

void attempts_done(struct attempts *a)
{
	free(a->ring);
	*a = (struct attempts){.count = 0};
}

void attempts_add(struct attempts *a, const struct attempt *attempt)
{
	if (!a->ring)
		a->ring = calloc(ATTEMPTS_MAX, sizeof *a->ring);
	if (!a->ring)
		return;
	a->ring[a->next] = *attempt;
	a->next = (a->next + 1) % ATTEMPTS_MAX;
	if (a->count < ATTEMPTS_MAX)
		a->count++;
}

const struct attempt *attempts_next(const struct attempts *a, int64_t seq, size_t *pos)
{
	while (*pos < a->count) {
		size_t oldest = a->count < ATTEMPTS_MAX ? 0 : a->next;
		const struct attempt *one = &a->ring[(oldest + (*pos)++) % ATTEMPTS_MAX];

		if (one->seq == seq)
			return one;
	}
	return NULL;
}
