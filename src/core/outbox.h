/*
 * The outbox: which punch goes next (JUDGING.md §9). A pure scheduler over a small projection of
 * the queued punches; the punches themselves stay in the store.
 *
 * It holds a window: every queued punch up to a place in the order (struct punch_place). The owner
 * fills it from the store, oldest first, and adds a punch that arrives before its end; so whatever
 * blocks a punch in the window is in the window too. What a rewind has kept may lie behind its end:
 * it waits until the window has come so far. Rules: per user within one working day by time, one at
 * a time; else oldest first. The window is bounded, whatever waits.
 */
#ifndef PUNCHD_CORE_OUTBOX_H
#define PUNCHD_CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/punch.h"

#define OUTBOX_MAX 4096 /* entries of the window: 400 KiB */

enum outbox_step {
	OUTBOX_WAITING, /* may go when it is its turn */
	OUTBOX_SENDING, /* frozen, handed over or about to be */
	OUTBOX_DONE,    /* answered for good; the store does not know yet. Blocks nobody */
};

struct outbox_entry {
	struct punch_place place;
	int64_t seq;
	uint64_t user;         /* hash of the user's id */
	int32_t day;           /* working day */
	uint8_t step;          /* enum outbox_step */
	bool frozen;           /* its body is frozen in the store */
	bool in_doubt;         /* a send's answer was lost, in this run or an earlier one */
	bool left;             /* a send of it has left in this run, whatever was answered */
	bool gave_way;         /* it was thawed once to let an earlier one go first */
	uint8_t conflicts;     /* 409 without proof, in this run */
	uint16_t tries;        /* sends of this run */
	int64_t not_before_us; /* monotonic: its own backoff; 0 none */
	int64_t backoff_ms;
};

struct outbox {
	struct outbox_entry *entries; /* sorted by place */
	size_t count;
	size_t size;
	struct punch_place end; /* the window holds all up to here; only while !complete */
	bool complete;          /* the window holds everything that is queued */
};

/* Where a window begins: before everything. */
void outbox_init(struct outbox *o);
void outbox_done(struct outbox *o);

uint64_t outbox_user_hash(const char *user_id);

/* Whether a queued punch with this place belongs into the window as it stands. */
bool outbox_covers(const struct outbox *o, const struct punch_place *place);

/*
 * Add an entry: one that the owner read behind the window's end, in order, or one that the window
 * covers. An entry whose seq is there already stays as it is.
 * Returns 0, -ENOSPC (the window is full), or -ENOMEM.
 */
int outbox_add(struct outbox *o, const struct outbox_entry *entry);

/* After reading: the window's new end, and whether that was all there is. */
void outbox_set_end(struct outbox *o, const struct punch_place *end, bool complete);

/* Begin again from the front. Kept is what the store does not know: what is sending or done, and of
 * frozen ones how often they were sent, with what result, and how long they wait. */
void outbox_rewind(struct outbox *o);

/* The entry of a punch, or NULL. Valid until the next add or remove. */
struct outbox_entry *outbox_find(const struct outbox *o, int64_t seq);

void outbox_remove(struct outbox *o, int64_t seq);

/*
 * A waiting entry was judged again: give it the place, user and day of `entry` and keep the rest.
 * One that now lies behind the window's end leaves it. Returns whether anything differed.
 */
bool outbox_move(struct outbox *o, const struct outbox_entry *entry);

/*
 * Up to max entries that may go now, oldest first, none blocked by an earlier one of its user's day
 * or by its own backoff. not_user: leave this user's out where another's can go instead (a probe);
 * 0: nobody. Returns how many; *ret_wait_until_us is the earliest end of a backoff that holds
 * something back, or INT64_MAX.
 */
size_t outbox_pick(const struct outbox *o, int64_t now_us, uint64_t not_user, size_t max,
	int64_t *ret_seqs, int64_t *ret_wait_until_us);

/* Whether the window shows that no earlier punch of its user's day is queued or under way: it may be
 * sent. The entry need not be in the window. */
bool outbox_is_first(const struct outbox *o, const struct outbox_entry *entry);

/* Whether it is worth reading more: fewer than `want` could go although more may be behind the
 * end, and there is room. */
bool outbox_wants_more(const struct outbox *o, size_t could_go, size_t want);

#endif
