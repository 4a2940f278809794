/*
 * API keys and what each may still ask in this window.
 *
 * The window is fixed: window_ms of the server's own clock, beginning at multiples of it since
 * 1970. Counts live in memory only: after a restart a key has its whole budget again.
 */
#ifndef PUNCHD_SANDBOX_KEYS_H
#define PUNCHD_SANDBOX_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/strmap.h"
#include "sandbox/db.h"

#define KEYS_TEXT_MAX  256
#define KEYS_UNLIMITED 1000000 /* what plan `none` tells as limit and remainder */

struct keys {
	struct strmap map;
	int64_t per_window; /* 0: no limit */
	int64_t window_ms;
};

struct keys_entry {
	int64_t window; /* the last one it was used in */
	int64_t used;
	bool read_only;
};

/* What the three X-RateLimit headers say. */
struct keys_view {
	int64_t limit;
	int64_t remaining;
	int64_t reset_s; /* UTC epoch seconds, rounded up */
};

void keys_init(struct keys *k, int64_t per_window, int64_t window_ms, uint64_t seed);
void keys_done(struct keys *k);

/* Take over what the file knows. */
int keys_load(struct keys *k, struct db *db);

/* Add or change, in the file too; within the turn's transaction.
 * -EINVAL: empty, too long, or with characters that a header cannot carry. */
int keys_add(struct keys *k, struct db *db, const char *key, bool read_only);
/* 1: removed, 0: there was none. */
int keys_remove(struct keys *k, struct db *db, const char *key);

/* NULL: no such key. */
struct keys_entry *keys_find(const struct keys *k, const char *key);

/* One request of this key at this time. Returns whether it is within the limit. */
bool keys_take(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view);

/* What a request without a valid key is told: the plan, untouched. */
void keys_view_untouched(const struct keys *k, int64_t now_ms, struct keys_view *ret_view);

#endif
