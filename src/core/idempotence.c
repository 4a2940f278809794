#include "core/idempotence.h"

#include "base/clock.h"

const char *idempotent_name(enum idempotent verdict)
{
	switch (verdict) {
	case IDEMPOTENT_UNKNOWN: return "unknown";
	case IDEMPOTENT_YES: return "yes";
	case IDEMPOTENT_NO: return "no";
	}
	return "";
}

/* ---- the server's clock */

int64_t idempotence_clock(const struct idempotence *i, int64_t mono_us)
{
	int64_t since_us = mono_us - i->mono_us;

	if (!i->dated || since_us < 0 || since_us > IDEMPOTENCE_STALE_US)
		return IDEMPOTENCE_NEVER;
	return i->server_us + since_us;
}

void idempotence_date(struct idempotence *i, int64_t date_s, int64_t mono_us)
{
	i->dated = true;
	i->server_us = date_s * CLOCK_US_PER_S;
	i->mono_us = mono_us;
}

/*
 * By how much the record is older than a moment of the server's clock: at the least, and negative for
 * one that can have been made then. created_at has lost up to a second by being cut.
 */
static int64_t older_by_us(const struct idempotence_answer *a, int64_t clock_us)
{
	return clock_us - (a->created_s + 1) * CLOCK_US_PER_S;
}

/* The server's clock when the request left, at the least, by the Date of its answer. */
static int64_t clock_by_answer(const struct idempotence_answer *a)
{
	return a->date_s * CLOCK_US_PER_S - a->took_us;
}

/* ---- by age */

/* A record that is certainly new shows how far the two clocks are from one another. */
static void learn_lag(struct idempotence *i, const struct idempotence_answer *a)
{
	int64_t older_us = older_by_us(a, clock_by_answer(a));

	if (older_us >= 0 && older_us >= i->lag_us)
		i->lag_us = older_us + CLOCK_US_PER_S;
	/* What was proven by less was none. */
	if (i->verdict == IDEMPOTENT_YES && i->proof_us < i->lag_us)
		i->verdict = IDEMPOTENT_UNKNOWN;
}

static void prove(struct idempotence *i, int64_t proof_us)
{
	if (i->verdict == IDEMPOTENT_NO)
		return;
	if (i->verdict == IDEMPOTENT_UNKNOWN || proof_us > i->proof_us)
		i->proof_us = proof_us;
	i->verdict = IDEMPOTENT_YES;
}

static void learn_age(struct idempotence *i, const struct idempotence_answer *a)
{
	int64_t clock_us = clock_by_answer(a), older_us;

	if (a->clock_us == IDEMPOTENCE_NEVER)
		return;
	if (a->clock_us < clock_us)
		clock_us = a->clock_us;
	older_us = older_by_us(a, clock_us);
	if (older_us >= 0 && older_us >= i->lag_us)
		prove(i, older_us);
}

/* ---- by its id */

static struct idempotence_id *find_id(struct idempotence *i, int64_t seq)
{
	for (int n = 0; n < IDEMPOTENCE_IDS; n++) {
		if (i->ids[n].seq == seq)
			return &i->ids[n];
	}
	return NULL;
}

static void keep_id(struct idempotence *i, const struct idempotence_answer *a)
{
	struct idempotence_id *one = &i->ids[i->next++ % IDEMPOTENCE_IDS];

	one->seq = punch_text_set(one->id, sizeof one->id, a->id) == 0 ? a->seq : 0;
}

static const char *learn_id(struct idempotence *i, const struct idempotence_answer *a)
{
	struct idempotence_id *one = find_id(i, a->seq);
	bool same = one && strcmp(one->id, a->id) == 0;

	if (!one && !a->done)
		keep_id(i, a);
	if (one && a->done)
		one->seq = 0;
	if (same)
		prove(i, INT64_MAX);
	if (!one || same)
		return NULL;
	i->verdict = IDEMPOTENT_NO;
	i->doubled_seq = a->seq;
	return one->id;
}

const char *idempotence_answered(struct idempotence *i, const struct idempotence_answer *a)
{
	bool timed = a->created_s != 0 && a->date_s != 0;

	if (a->first && timed)
		learn_lag(i, a);
	if (a->again && timed)
		learn_age(i, a);
	return a->id[0] ? learn_id(i, a) : NULL;
}

void idempotence_doubled(struct idempotence *i, int64_t seq)
{
	i->verdict = IDEMPOTENT_NO;
	i->doubled_seq = seq;
}

void idempotence_forget(struct idempotence *i)
{
	*i = (struct idempotence){.verdict = IDEMPOTENT_UNKNOWN};
}
