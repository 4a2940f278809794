#include "daemon/attempts.h"

#include <stdlib.h>

void attempts_done(struct attempts *a)
{
	free(a->ring);
	free(a->older);
	*a = (struct attempts){.count = 0};
}

const struct attempts_older *attempts_older(const struct attempts *a, int64_t seq)
{
	for (size_t i = 0; i < a->older_count; i++) {
		if (a->older[i].seq == seq)
			return &a->older[i];
	}
	return NULL;
}

/* Whether a rather than b is forgotten. */
static bool goes_before(const struct attempts_older *a, const struct attempts_older *b)
{
	return a->failed != b->failed ? !a->failed : a->last_us < b->last_us;
}

/* A place for another punch's sum. */
static struct attempts_older *make_place(struct attempts *a)
{
	struct attempts_older *place = a->older;

	if (a->older_count < ATTEMPTS_OLDER_MAX)
		return &a->older[a->older_count++];
	for (size_t i = 1; i < a->older_count; i++) {
		if (goes_before(&a->older[i], place))
			place = &a->older[i];
	}
	return place;
}

static void sum_up(struct attempts *a, const struct attempt *lost)
{
	const struct attempts_older *known = attempts_older(a, lost->seq);
	struct attempts_older *sum = known ? &a->older[known - a->older] : make_place(a);

	if (!known)
		*sum = (struct attempts_older){.seq = lost->seq, .first_us = lost->at_us};
	sum->count++;
	sum->last_us = lost->at_us;
	if (lost->outcome == API_DONE || lost->outcome == API_DONE_NO_ID)
		return;
	sum->failed = true;
	sum->last_error = lost->outcome;
	sum->status = lost->status;
}

static bool make(struct attempts *a)
{
	a->ring = calloc(ATTEMPTS_MAX, sizeof *a->ring);
	a->older = calloc(ATTEMPTS_OLDER_MAX, sizeof *a->older);
	if (a->ring && a->older)
		return true;
	attempts_done(a);
	return false;
}

void attempts_add(struct attempts *a, const struct attempt *attempt)
{
	if (!a->ring && !make(a))
		return;
	if (a->count == ATTEMPTS_MAX)
		sum_up(a, &a->ring[a->next]);
	else
		a->count++;
	a->ring[a->next] = *attempt;
	a->next = (a->next + 1) % ATTEMPTS_MAX;
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
