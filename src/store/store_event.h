/*
 * Events of the cloud: the ids of those that had an effect, so that none has it twice, and the records
 * that may yet settle a punch.
 */
#ifndef PUNCHD_STORE_STORE_EVENT_H
#define PUNCHD_STORE_STORE_EVENT_H

#include "core/event.h"
#include "store/store.h"

/* A record that was told of while the punch with its body was under way. */
struct store_kept_event {
	int64_t number;
	int64_t at_us; /* wall clock, when it came */
	int64_t seq;   /* of the punch */
	struct event_record record;
};

/* Whether it was remembered. Returns 1, 0 or an error. */
int store_event_known(struct store *s, const char *id);

/* Remember an event, in the open transaction. Returns 1, 0 (it was there already) or an error. */
int store_event_add(struct store *s, const char *id, int64_t at_us);

/* One that was added is kept for a punch. *ret_number: what it is found by. Returns 0 or an error. */
int store_event_keep(struct store *s, const char *id, int64_t seq, const struct event_record *r,
	int64_t *ret_number);

/* It has settled one, or cannot any more: it is kept no longer. Returns 0 or an error. */
int store_event_used(struct store *s, int64_t number);

/* The next one that is kept behind a number, 0 at first. Returns 1, 0 (none) or an error. */
int store_event_kept(struct store *s, int64_t after, struct store_kept_event *ret);

/* Forget the ids of before_us, and all but the newest `most`: looks at the oldest `limit`. Returns how
 * many went, or an error. */
int store_event_purge(struct store *s, int64_t before_us, int64_t most, int limit);

#endif
