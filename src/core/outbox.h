/*
 * The outbox: which punch goes next (JUDGING.md §9). A pure scheduler over a small projection of
 * the queued punches; the punches themselves stay in the store, which its owner reads for it.
 *
 * What is queued stands in lines: a line is one person's punches of one working day, by place
 * (struct punch_place), and only its first may go, one at a time. Of each line the first few punches
 * are here, the others are read when their turn comes; so neither one person's thousand punches nor a
 * million of many people's take more than OUTBOX_LINES lines, and each step costs the logarithm of
 * that.
 *
 * Two things are known of a line: up to which place all of its queued punches are here (outbox_line.known),
 * and of the whole queue how far it was read (outbox.cursor): a queued punch that is not behind the
 * cursor is here, or its line is here and `cut`, to be read on by itself. What lies behind what is known of
 * its line waits, since an earlier one may be in the store.
 *
 * Lines whose next punch is live, or goes before a live one, have a lane of their own: of four that go
 * three are theirs, as long as both have some; what is not live goes oldest first. In the lane of the
 * live ones the terminals take turns, so that one that sends a thousand does not hold up the others.
 */
#ifndef PUNCHD_CORE_OUTBOX_H
#define PUNCHD_CORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/chain.h"
#include "base/heap.h"
#include "core/punch.h"

#define OUTBOX_LINES     2048
#define OUTBOX_LINE_MAX  4 /* punches of a line that are here, but for those that are under way */
#define OUTBOX_LIVE_RUN  3 /* lines of the live lane for each of the others */
#define OUTBOX_TERMINALS 256

enum outbox_step {
	OUTBOX_WAITING, /* may go when it is its turn */
	OUTBOX_SENDING, /* frozen, handed over or about to be */
	OUTBOX_DONE,    /* answered for good; the store does not know yet. Blocks nobody */
};

/* A queued punch as its owner sees it; the texts are borrowed for the call. */
struct outbox_punch {
	int64_t seq;
	struct punch_place place;
	const char *user_id;
	int32_t day;          /* working day */
	bool alone;           /* released: it neither waits for others nor do they for it */
	bool live;            /* it is of just now */
	const char *terminal; /* for the live lane */
	bool frozen;
	bool in_doubt;
	/* Monotonic: until then an event may tell of one that is in doubt that it has arrived; 0: none can. */
	int64_t await_us;
};

struct outbox_line;

/* One that is here. The owner may change what stands behind `step`, and then says outbox_changed. */
struct outbox_entry {
	struct chain_node by_seq;
	struct outbox_entry *next; /* in its line, by place */
	struct outbox_line *line;
	char name[24]; /* seq as text: its key */
	bool waits;    /* counted as waiting */
	int64_t seq;
	struct punch_place place;
	uint8_t step;          /* enum outbox_step */
	bool frozen;           /* its body is frozen in the store */
	bool in_doubt;         /* a send's answer was lost, in this run or an earlier one */
	bool left;             /* a send of it has left in this run, whatever was answered */
	bool awaits;           /* not_before_us is for an event, which nobody cuts short */
	bool gave_way;         /* it was thawed once to let an earlier one go first */
	uint8_t conflicts;     /* 409 without proof, in this run */
	uint16_t tries;        /* sends of this run */
	uint32_t failed_in;    /* outbox.passes when the destination failed on it last; 0: never */
	int64_t not_before_us; /* monotonic: its own backoff; 0 none */
	int64_t backoff_ms;
};

#define OUTBOX_KEY_SIZE (CLOUD_ID_MAX + 48)

struct outbox_line {
	struct chain_node by_key;
	struct heap_node in_lane;
	struct heap *lane;         /* NULL: nothing of it can go now */
	char key[OUTBOX_KEY_SIZE]; /* person, day */
	char user_id[CLOUD_ID_MAX + 1];
	uint64_t user; /* outbox_user_hash */
	int32_t day;
	bool alone; /* its only punch is released: there is nothing more to know */
	bool cut;   /* the store may have more behind `known`, and the cursor does not tell */
	struct punch_place known;
	struct punch_place live; /* the last live one; only while is_live */
	bool is_live;
	uint64_t turn;         /* in the live lane */
	size_t terminal;       /* of the live one that came first: its place in next_turn */
	struct punch_place at; /* what it is ordered by */
	int64_t due_us;
	struct outbox_line *aside; /* only within outbox_next */
	struct outbox_entry *first;
};

struct outbox {
	struct chain lines, entries;
	struct heap live, backlog, later;
	size_t lines_max;     /* OUTBOX_LINES; a test may want fewer */
	size_t waiting, cuts; /* entries that wait, lines that are cut */
	struct punch_place cursor;
	int live_run;
	uint32_t passes; /* one more each time the destination did well; from 1 */
	uint64_t turn;   /* of the live line that went last */
	uint64_t next_turn[OUTBOX_TERMINALS]; /* by hash of the terminal's name */
};

/* seed: for the hashes, so that nobody chooses the collisions. */
void outbox_init(struct outbox *o, uint64_t seed);
void outbox_done(struct outbox *o);

uint64_t outbox_user_hash(const char *user_id);

/* ---- what is queued */

/*
 * One that was read behind the cursor, in order: the cursor moves to it.
 * Returns 0, -ENOSPC (no room: it is to be read again later), or -ENOMEM; then the cursor stays.
 */
int outbox_read(struct outbox *o, const struct outbox_punch *p);

/* There was nothing more behind the cursor. */
void outbox_read_all(struct outbox *o);
bool outbox_complete(const struct outbox *o);

/* One that was stored just now, or is queued again, or got another person or place. Where it is not
 * taken in, it will be read. Returns 0 or -ENOMEM: outbox_rewind, then. */
int outbox_came(struct outbox *o, const struct outbox_punch *p);

/* One that is frozen, and goes at once. Returns 0, -ENOSPC or -ENOMEM. */
int outbox_came_frozen(struct outbox *o, const struct outbox_punch *p);

/*
 * A line that outbox_next wants to be read: its queued punches behind line->known, in order. Returns
 * 1 when that is enough, 0, or -ENOMEM. Then outbox_line_read_all where there were no more.
 */
int outbox_line_read(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p);
void outbox_line_read_all(struct outbox *o, struct outbox_line *line);

/* Begin again from the front. Kept is what the store does not know: what is sending or done, and of
 * frozen ones how often they were sent, with what result, and how long they wait. */
void outbox_rewind(struct outbox *o);

/* Their own backoffs are over; a 409 is asked again after its time all the same, and what waits for an
 * event waits on. */
void outbox_end_backoffs(struct outbox *o);

/* ---- one of them */

/* The entry of a punch, or NULL. Valid until it is removed, moved, or the outbox rewound. */
struct outbox_entry *outbox_find(const struct outbox *o, int64_t seq);

/* Its owner changed it. */
void outbox_changed(struct outbox *o, struct outbox_entry *e);

void outbox_remove(struct outbox *o, int64_t seq);

/* A waiting one was judged again. Returns whether it has another person or place now; then it is not
 * here any more, unless it belongs here. */
bool outbox_move(struct outbox *o, const struct outbox_punch *p);

/* Whether an earlier punch of its line is here and not done, or may be in the store: it must not go. */
bool outbox_is_overtaken(const struct outbox *o, const struct outbox_entry *e);

/* Whether one that is not here could go at once: nothing waits, and none of its line is under way. */
bool outbox_may_go_at_once(const struct outbox *o, const struct outbox_punch *p);

/* ---- which is next */

enum outbox_need {
	OUTBOX_GO,   /* entry: it is SENDING now */
	OUTBOX_LINE, /* line: read on in it first */
	OUTBOX_READ, /* read on behind the cursor first */
	OUTBOX_NONE, /* nothing can go before due_us */
};

struct outbox_choice {
	struct outbox_entry *entry;
	struct outbox_line *line;
	int64_t due_us; /* INT64_MAX: not before something happens */
};

/* The destination failed on one, for what may be its own fault; or it did well. */
void outbox_failed(struct outbox *o, struct outbox_entry *e);
void outbox_passed(struct outbox *o);

/* not_user: leave this person (outbox_user_hash) out where another's can go instead, and before that
 * whatever has failed since the destination last did well (a probe: else two that fail for ever would
 * take turns, and nobody else's came); 0: nobody. */
enum outbox_need outbox_next(
	struct outbox *o, int64_t now_us, uint64_t not_user, struct outbox_choice *ret);

/* How many lines are here: so many can go side by side. */
size_t outbox_lines(const struct outbox *o);

#endif
