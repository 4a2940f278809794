/*
 * Judging a punch together with those around it: whose it is and whether it may go
 * (core/verdict.h), which taps count and which way they go (core/taps.h).
 *
 * Every unfrozen punch in the store is as these rules say, given what is stored with it: whatever
 * adds, moves or takes away a tap goes through here, and what follows for the taps around it is
 * written in the same transaction. What changes for many at once (links, people, settings) is
 * brought up to date by daemon/rejudge.h, and until then context.rejudging keeps punches from being
 * frozen.
 */
#ifndef PUNCHD_DAEMON_JUDGING_H
#define PUNCHD_DAEMON_JUDGING_H

#include "core/taps.h"
#include "daemon/context.h"
#include "store/store_taps.h"

struct judging_events {
	void *arg;
	/* In the open transaction: a stored punch is queued now, or held now, that was not. */
	void (*queued)(void *arg, const struct punch *p);
	void (*held)(void *arg, const struct punch *p);
	/* In the open transaction: a queued punch has another person or time, or left the queue. */
	void (*moved)(void *arg, const struct punch *p);
};

struct judging {
	struct context *context;
	struct judging_events on;

	/* the walk at hand: rows as they are stored, and what becomes of them; in order */
	struct store_tap *rows;
	struct tap *taps;
	size_t count, size;
	size_t from;     /* before it are those that are taken as they stand, */
	size_t until;    /* and from it on those that come out as they are stored */
	size_t fresh;    /* the one that is not stored yet; SIZE_MAX: none */
	int64_t subject; /* whose own events the caller of the walk tells; 0: nobody's */
};

void judging_init(struct judging *j, struct context *context, const struct judging_events *events);
void judging_done(struct judging *j);

/* Judge by everything but the punches around it. */
void judging_alone(const struct judging *j, struct punch *p);

/*
 * Judge a punch that is about to be added. After it was, and perhaps frozen with its insert,
 * judging_added writes what follows for those around it; where it turned out to be a duplicate,
 * nothing is to be done. Return 0 or a store error: roll back.
 */
int judging_arrive(struct judging *j, struct punch *p);
int judging_added(struct judging *j, const struct punch *p);

/*
 * A stored punch was changed, by a person's hand or by what is known of it: p as it is to be,
 * `before` as it is stored. An unfrozen one that is queued, held or suppressed in p is judged; it is
 * written, and what follows from it for the punches around where it was and where it is now. p is
 * then as it is stored. The caller commits, and tells what shares its transaction (intake.h: join,
 * ended).
 * Returns 0 or a store error: roll back.
 */
int judging_change(struct judging *j, const struct punch *before, struct punch *p);

/*
 * Look at a stored, unfrozen punch again: judged alone, it may have become somebody else's, or may go
 * now. deep: also what it is among its taps, as after a change of settings. p is then as it is
 * stored. Returns 0 or a store error.
 */
int judging_again(struct judging *j, struct punch *p, bool deep);

/* Write a punch that was just frozen, and what follows from that. Returns 0 or a store error. */
int judging_frozen(struct judging *j, const struct punch *p);

#endif
