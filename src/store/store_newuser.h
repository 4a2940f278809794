/* People who are to be made in the cloud, and for a while those who were, on disk. */
#ifndef PUNCHD_STORE_STORE_NEWUSER_H
#define PUNCHD_STORE_STORE_NEWUSER_H

#include "core/newuser.h"
#include "store/store.h"

/* Add one, in the open transaction; sets its id. Returns 0 or an error. */
int store_newuser_add(struct store *s, struct newuser *u);

/* What became of it since, in the open transaction; what was asked for never changes. Returns 0 or an
 * error. */
int store_newuser_update(struct store *s, const struct newuser *u);

/* < 0 ends the walk and is returned. */
typedef int store_on_newuser(void *arg, const struct newuser *u);

/* Those that wait, or were refused and nobody was told, as they were asked for. */
int store_newuser_open(struct store *s, store_on_newuser *on, void *arg);
/* The others, newest first. */
int store_newuser_settled(struct store *s, int limit, store_on_newuser *on, void *arg);

/* Forget those others that were settled before, in the open transaction. Returns how many, or an
 * error. */
int store_newuser_purge(struct store *s, int64_t settled_before_us);

#endif
