/* The store's punches: adding, judging, freezing, settling, listing, purging. */
#ifndef PUNCHD_STORE_STORE_PUNCH_H
#define PUNCHD_STORE_STORE_PUNCH_H

#include "store/store.h"

/* What is kept of a message that could not be read. */
struct store_raw {
	const char *topic;
	const void *bytes; /* at most PAYLOAD_RAW_MAX of it */
	size_t length;
	int64_t full_length;   /* of the message as received */
	const uint8_t *sha256; /* 32 bytes, of the message as received */
};

/*
 * Add a punch, in the open transaction. raw may be NULL.
 * Returns 1 (p->seq is set), 0 (its identity is there already: nothing done), or an error; among
 * them -EDQUOT: a new terminal, but there are as many names as strangers may make up (100,000).
 * Nothing was done and the transaction may go on: refuse that punch.
 */
int store_punch_add(struct store *s, struct punch *p, const struct store_raw *raw);

/* Write all that may change of a punch: state, judgement, frozen body, settlement. A queued one has
 * a time: that is asserted, here and above.
 * Returns 0, -ENOENT, or an error. */
int store_punch_update(struct store *s, const struct punch *p);

/* Returns 0, -ENOENT, or an error. */
int store_punch_get(struct store *s, int64_t seq, struct punch *ret);

/* By the first digits of its identity in hex (at least one byte).
 * Returns 0, -ENOENT, -ENOTUNIQ (several begin so), -EINVAL (no hex), or an error. */
int store_punch_find(struct store *s, const char *hex, struct punch *ret);

/* By a whole identity. Returns 0, -ENOENT, or an error. */
int store_punch_by_identity(
	struct store *s, const uint8_t identity[static IDENTITY_SIZE], struct punch *ret);

/* Raw bytes of a parked message, for showing: at most size bytes are copied.
 * Returns how many bytes, -ENOENT, or an error. */
int store_raw_get(
	struct store *s, int64_t seq, void *to, size_t size, char *topic, size_t topic_size);

/* Called for each row; < 0 ends the walk and is returned, > 0 ends it. */
typedef int store_on_punch(void *arg, const struct punch *p);

/* Queued punches behind a place, in the order of places. Returns how many were read, or an error. */
int store_outbox_read(
	struct store *s, const struct punch_place *after, int limit, store_on_punch *on, void *arg);

/* The queued punches of one person behind a place and not later than to_s, in the order of places.
 * Returns how many were read, or an error. */
int store_outbox_read_person(struct store *s, const char *user_id, const struct punch_place *after,
	int64_t to_s, store_on_punch *on, void *arg);

/* Punches whose body is frozen so, whatever became of them: in order of arrival, at most 16. Returns how
 * many were read, or an error. */
int store_frozen_read(struct store *s, const char *user_id, const char *device_id,
	enum punch_type type, int64_t time_s, store_on_punch *on, void *arg);

/* Punches of one state behind seq, in order of arrival; not for delivered ones. */
int store_state_read(struct store *s, enum punch_state state, int64_t after_seq, int limit,
	store_on_punch *on, void *arg);

/* What a list may ask for; zero or NULL: not asked. */
struct store_filter {
	int state;          /* -1: any */
	int reason;         /* REASON_NONE: any */
	const char *user;   /* a usr_ id, a value as sent, or kind:value */
	const char *device; /* a terminal's name or a dev_ id */
	int64_t from_s;     /* of punch time; INT64_MIN: none */
	int64_t to_s;       /* exclusive; INT64_MAX: none */
	bool in_doubt;      /* only those with a send whose answer was lost, or that is under way */
	int64_t before_seq; /* 0: the newest */
	int limit;
};

/*
 * Newest first. It looks at a bounded number of rows, so that a rare filter over a million rows
 * does not stop the daemon: *ret_next is the before_seq to go on with, 0 at the end.
 * Returns how many were found, which may be fewer than limit although there are more, or an error.
 */
int store_punch_list(struct store *s, const struct store_filter *filter, store_on_punch *on,
	void *arg, int64_t *ret_next);

/*
 * A punch without a time, but with a record id: the last one with this fingerprint, if any.
 * Returns its seq, 0, or an error. Setting replaces it.
 */
int64_t store_timeless_get(struct store *s, const uint8_t key[static IDENTITY_SIZE]);
int store_timeless_set(struct store *s, const uint8_t key[static IDENTITY_SIZE], int64_t seq);

/* Parked malformed messages of a terminal. Returns how many, or an error. */
int64_t store_malformed_count(struct store *s, const char *terminal);

/*
 * Correct the receipt times of a boot whose clock has become trusted: received = monotonic + offset.
 * Looks at up to limit rows from *seq on (0 at first) and moves it; returns how many were corrected,
 * or an error, with *seq as it was; *ret_done when none are left. Where the commit fails, go on from
 * the *seq before it.
 */
int store_receipts_correct(
	struct store *s, int64_t boot, int64_t offset_us, int limit, int64_t *seq, bool *ret_done);

/*
 * Purge what is settled before settled_before_us and whose time lies before time_before_s: looks at
 * up to limit rows behind *seq (0 at first), and moves it. The newest row always stays; so does a
 * delivered one as long as there is one of its person within reach_s of it that is not frozen, and
 * may be judged by it. Returns how
 * many went, or an error, with *seq as it was; *ret_done when nothing that old is left behind *seq.
 */
int store_purge(struct store *s, int64_t settled_before_us, int64_t time_before_s, int64_t reach_s,
	int limit, int64_t *seq, bool *ret_done);

#endif
