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
	SETTLE_HOLD,      /* as IN_DOUBT, but a person decides whether it goes again */
};

#define CONFLICT_WAIT_US (30 * 1000000LL) /* a 409 is asked again after this */

/* conflicts: how many 409 without proof this punch has had before in this run. holds: what is in doubt
 * is held; not for a 409, which is an answer, to the effect that the key is known. */
enum settle_step settle_step(enum api_outcome outcome, int conflicts, bool holds);

/* In doubt, and not sent again before a person says so, or the cloud is known to honour keys. */
void settle_hold(struct punch *p);

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
