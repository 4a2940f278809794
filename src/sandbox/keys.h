/*
 * API keys and what each may still ask.
 *
 * A plan of N requests in window_ms is counted in one of three ways, as servers differ in it:
 * - fixed: N between two multiples of window_ms since 1970; all come back at the next;
 * - sliding: N in any trailing window_ms; each comes back window_ms after it was used;
 * - bucket: N at once, and they come back evenly, N in window_ms.
 * Time is an argument: the server's own clock. What was used at a time that has not come (the clock
 * was set back) counts no more where windows slide; a bucket fills from then on.
 *
 * The plan may change at any time; what was used stays used. Counts are saved with each turn's
 * answers, which tell them, and go on after a restart that counts in the same way; a sliding window
 * of more than KEYS_TIMES_SAVED requests begins anew.
 */
#ifndef PUNCHD_SANDBOX_KEYS_H
#define PUNCHD_SANDBOX_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/strmap.h"
#include "sandbox/db.h"

#define KEYS_TEXT_MAX    256
#define KEYS_TIMES_SAVED 4096
#define KEYS_UNLIMITED   1000000 /* what plan `none` tells as limit and remainder */

enum keys_counting { KEYS_FIXED, KEYS_SLIDING, KEYS_BUCKET };

/* What a key may do. The numbers are in people's files. */
enum keys_rights {
	KEYS_ALL = 0,
	KEYS_READ = 1,       /* every GET */
	KEYS_ATTENDANCE = 2, /* POST /attendance, and nothing else */
};

struct keys {
	struct strmap map;
	enum keys_counting counting;
	int64_t per_window; /* 0: no limit */
	int64_t window_ms;
};

/* A key. All zero: one that was never used. */
struct keys_entry {
	int64_t window; /* fixed: the last one it was used in */
	int64_t used;   /* and how often */
	int64_t *times; /* sliding: of those that count, the oldest first; owned */
	size_t times_first, times_count, times_room;
	int64_t owed; /* bucket: what is missing, in requests times window_ms */
	int64_t owed_at_ms;
	enum keys_rights rights;
	bool is_changed; /* since it was saved */
};

/* What the three X-RateLimit headers say. */
struct keys_view {
	int64_t limit;
	int64_t remaining;
	int64_t reset_s; /* UTC epoch seconds, rounded up: a fixed window's end; when the oldest leaves a
			  * sliding one; when the bucket is full */
};

void keys_init(struct keys *k, enum keys_counting counting, int64_t per_window, int64_t window_ms,
	uint64_t seed);
void keys_done(struct keys *k);

/* Take over what the file knows. */
int keys_load(struct keys *k, struct db *db);

/* File what was used since it was last filed; within the turn's transaction, which fails if this
 * does. */
void keys_save(struct keys *k, struct db *db);

/* Add or change, in the file too; within the turn's transaction.
 * -EINVAL: empty, too long, or with characters that a header cannot carry. */
int keys_add(struct keys *k, struct db *db, const char *key, enum keys_rights rights);
/* 1: removed, 0: there was none. */
int keys_remove(struct keys *k, struct db *db, const char *key);

/* `all`, `read` or `attendance`, as people write it. */
const char *keys_rights_name(enum keys_rights rights);
int keys_rights_parse(const char *name, enum keys_rights *ret);

/* Whether a key with these rights may ask this of the API. path is the one below /v1. */
bool keys_may(enum keys_rights rights, const char *method, const char *path);

/* NULL: no such key. */
struct keys_entry *keys_find(const struct keys *k, const char *key);

/* One request of this key at this time. Returns whether it is within the limit. Out of memory it is
 * not. */
bool keys_take(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view);

/* What it may still ask, without asking. */
void keys_peek(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view);

/* What a request without a valid key is told: the plan, untouched. */
void keys_view_untouched(const struct keys *k, int64_t now_ms, struct keys_view *ret_view);

/* Free what an entry holds, not the entry. */
void keys_entry_done(struct keys_entry *entry);

#endif
