/* What people did to punches by hand: a row for each deed, as long as the punch is kept. */
#ifndef PUNCHD_STORE_STORE_HAND_H
#define PUNCHD_STORE_STORE_HAND_H

#include "store/store.h"

/* All texts are owned by whoever holds it, never NULL. */
struct store_deed {
	int64_t seq;   /* of the punch */
	int64_t at_us; /* wall clock */
	uint32_t uid;
	const char *name;
	const char *action;
	const char *note;
	const char *before; /* a JSON object: what it changed, as it was */
};

/* In the open transaction. Returns 0 or an error. */
int store_deed_add(struct store *s, const struct store_deed *deed);

/* < 0 ends the walk and is returned. */
typedef int store_on_deed(void *arg, const struct store_deed *deed);

/* Those of a punch, oldest first. Returns 0 or an error. */
int store_deeds(struct store *s, int64_t seq, store_on_deed *on, void *arg);

#endif
