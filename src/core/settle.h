/*
 * From an outcome of a send to what becomes of the punch (JUDGING.md §6, the error table). Pure.
 */
#ifndef PUNCHD_CORE_SETTLE_H
#define PUNCHD_CORE_SETTLE_H

#include "api/outcome.h"
#include "core/punch.h"

enum settle_step {
	SETTLE_DELIVERED, /* done */
	SETTLE_PARKED,    /* refused for good: a person decides */
	SETTLE_THAW,      /* it certainly never left: judged again, no longer frozen */
	SETTLE_AGAIN,     /* not done: the same body goes again, when the destination will */
	SETTLE_IN_DOUBT,  /* may be done: the same body under the same key goes again */
	SETTLE_LATER,     /* as IN_DOUBT, but not before CONFLICT_WAIT_US have passed */
	SETTLE_SUSPECT,   /* as AGAIN, but parked where another user's punch passes first (403) */
};

#define CONFLICT_WAIT_US (30 * 1000000LL) /* a 409 is asked again after this */

/* conflicts: how many 409 without proof this punch has had before in this run. */
enum settle_step settle_step(enum api_outcome outcome, int conflicts);

/* What a refusal says, for settle_apply. */
struct settle_facts {
	enum api_outcome outcome;
	int status;
	const char *att_id;
	const char *code;
	const char *message;
	const char *param;
	int tries;
	int64_t now_us; /* wall clock */
};

/* Write the outcome's consequence into the punch: state, reason, error, settlement, thaw. */
void settle_apply(struct punch *p, enum settle_step step, const struct settle_facts *facts);

#endif
