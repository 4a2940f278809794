/*
 * By which profile each terminal speaks: a fact of the store, since a profile's window decides about
 * double taps and the answer must be the same after a restart. Written when it changes, in memory
 * once asked for.
 */
#ifndef PUNCHD_DAEMON_FAMILIES_H
#define PUNCHD_DAEMON_FAMILIES_H

#include "base/strmap.h"
#include "core/profile_set.h"
#include "store/store.h"

struct families {
	struct strmap known; /* terminal → the hash of its profile's name, 1: none */
};

void families_init(struct families *f, uint64_t seed);
void families_done(struct families *f);

/* A terminal speaks by this profile; NULL: natively. In the open transaction where that is news.
 * Returns 1 where it is news, 0, or a store error. */
int families_note(
	struct families *f, struct store *s, const char *terminal, const struct profile *profile);

/* The one it spoke by last, if that is in force; else NULL. */
const struct profile *families_find(struct families *f, struct store *s, const char *terminal,
	const struct profile_set *profiles);

/* A transaction was rolled back: what is in memory may not be on disk. */
void families_forget(struct families *f);

#endif
