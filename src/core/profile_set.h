/*
 * The profiles in force, and which of them hears what.
 *
 * Of all that are in force at most one reads punches from a topic.
 */
#ifndef PUNCHD_CORE_PROFILE_SET_H
#define PUNCHD_CORE_PROFILE_SET_H

#include "core/profile.h"

#define PROFILE_SET_MAX 64

struct profile_set {
	struct profile *list[PROFILE_SET_MAX]; /* owned */
	size_t count;
	bool native; /* att/v1 is listened on as well */
};

/* Load a profile that is asked for by name, and add it. Faults as profile_load gives them, also
 * where it meets one that is there. Returns 0, also with faults, or -ENOMEM. */
int profile_set_add(struct profile_set *s, const char *name, const char *file, const char *text,
	size_t n, struct buf *faults);
void profile_set_done(struct profile_set *s);

/* The one that reads punches from a topic, or NULL. */
const struct profile *profile_set_find(const struct profile_set *s, const char *topic);

/* Whether any of them, or att/v1, listens on a topic: nothing may be published there. */
bool profile_set_hears(const struct profile_set *s, const char *topic);

/*
 * The filters to subscribe, each once, with prefix, + for each named level; a NULL behind them.
 * Freed by profile_set_topics_free. NULL: out of memory.
 */
char **profile_set_topics(const struct profile_set *s, const char *prefix);
void profile_set_topics_free(char **topics);

#endif
