/* The cached directory on disk: users and devices as the cloud last showed them. */
#ifndef PUNCHD_STORE_STORE_DIRECTORY_H
#define PUNCHD_STORE_STORE_DIRECTORY_H

#include "core/directory.h"
#include "store/store.h"

/* Fill a directory with what is on disk. Returns 0 or an error. */
int store_directory_load(struct store *s, struct directory *d);

/* Add or replace one, in the open transaction. Returns 0 or an error. */
int store_user_put(struct store *s, const struct dir_user *user);
int store_device_put(struct store *s, const struct dir_device *device);

/* From how many passes one is missing, 0 for none; in the open transaction. Returns 0 or an error. */
int store_missing_put(struct store *s, enum dir_what what, const char *key, int passes);

#endif
