/*
 * Links on disk: every change of one is a row, and rows are never changed or deleted. So who did what
 * and when is kept for good, and a damaged file cannot bring back what was taken away unless the
 * very row is lost that took it.
 */
#ifndef PUNCHD_STORE_STORE_LINK_H
#define PUNCHD_STORE_STORE_LINK_H

#include "core/links.h"
#include "store/store.h"

/* Add a change, in the open transaction. Returns 0 or an error. */
int store_link_add(struct store *s, const struct user_link *change);

/* Called for each change, oldest first; < 0 ends the walk and is returned. */
typedef int store_on_link(void *arg, const struct user_link *change);
int store_link_walk(struct store *s, store_on_link *on, void *arg);

/* Those that were ever made of a name at a terminal, or anywhere; at most 100. */
int store_link_history(struct store *s, enum user_kind kind, const char *value, const char *device,
	store_on_link *on, void *arg);

/* Make links what all changes lead to, whatever they were. Returns 0 or an error. */
int store_link_load(struct store *s, struct links *links);

#endif
