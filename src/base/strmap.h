/*
 * A map from strings to pointers: open addressing, grown at 3/4 full, keys copied.
 *
 * The hash is keyed with a seed, so that whoever chooses the keys cannot choose the collisions.
 * Values belong to the caller. Iteration order is unspecified; neither put nor del while iterating.
 */
#ifndef PUNCHD_BASE_STRMAP_H
#define PUNCHD_BASE_STRMAP_H

#include <stddef.h>
#include <stdint.h>

struct strmap_slot;

struct strmap {
	struct strmap_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t used; /* keys in the map */
	size_t dead; /* slots of deleted keys, reclaimed when it grows */
	uint64_t seed;
};

void strmap_init(struct strmap *m, uint64_t seed);
void strmap_done(struct strmap *m);

/* The value, or NULL. */
void *strmap_get(const struct strmap *m, const char *key);

/* Set key to value, which is not NULL. *ret_old (may be NULL) is the value before, or NULL.
 * Returns 0 or -ENOMEM, with the map unchanged. */
int strmap_put(struct strmap *m, const char *key, void *value, void **ret_old);

/* Remove key. Returns its value, or NULL. */
void *strmap_del(struct strmap *m, const char *key);

size_t strmap_count(const struct strmap *m);

/* The first entry at or after *pos, which begins at 0 and is moved on; NULL at the end. */
void *strmap_next(const struct strmap *m, size_t *pos, const char **ret_key);

#endif
