/*
 * The rate budget: how many requests may go now, and when the next one may.
 *
 * Pure: monotonic time and headers in, permission out. The server states a limit, what remains in
 * its window and when that ends, on its own clock. Three things carry it:
 *
 *  - An answer's Date and Reset come from the same clock, so (Reset - Date) seconds after its
 *    receipt the window has surely ended, whatever that clock shows. Of all such bounds for one
 *    window the smallest is believed; each is late by about a second, none is ever early.
 *  - Within a window Remaining only falls, so the smallest that was seen is believed, in whatever
 *    order answers come, and what is in flight is taken off again. Others may share the key.
 *  - A window whose end has passed is opened by one request; its answer tells what the new one
 *    allows. Nothing else goes meanwhile.
 *
 * Windows are told apart by Reset. Which of two is the newer one is told by the requests: one that
 * was sent after a window was learnt is never answered by an older window; so a server clock that
 * jumps back is followed, and an answer that comes late is not.
 *
 * Where headers are missing the configured plan is kept, in windows of our own, and the first of
 * all requests goes alone, to see whether there are headers.
 */
#ifndef PUNCHD_API_PACE_H
#define PUNCHD_API_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t plan_limit; /* requests in plan_window_us where nothing better is known */
	int64_t plan_window_us;

	/* The window: the server's where learnt, else our own. */
	bool learnt;
	bool alone;            /* our own: the next one is opened by one request, too */
	int64_t limit;         /* as the server says; -1 unknown */
	int64_t remaining;     /* smallest seen in this window, less what ended without saying */
	int64_t reset_s;       /* the window's name: its end on the server's clock */
	int64_t reset_us;      /* its end on our monotonic clock, never early */
	int64_t learnt_ticket; /* requests from this one on were sent after it was learnt */

	int64_t in_flight;
	int64_t opener; /* ticket of the request that opens a window; 0: none runs */
	int64_t last_ticket;
	int64_t pause_until_us; /* Retry-After */
};

/* What an answer said. -1: no such header, or none that is a number. */
struct pace_headers {
	int64_t date_s;
	int64_t limit;
	int64_t remaining;
	int64_t reset_s;
	int64_t retry_after_s; /* already reckoned from either form */
};

/* No header makes us wait longer than this: a wrong one would be a wage that waits. Nor shorter
 * than a second where a pause is due, or a server that says "now" and 429 is asked without end. */
#define PACE_WAIT_MAX_S 3600
#define PACE_WAIT_MIN_S 1

/* A wait as a header says it, into what we do. */
int64_t pace_clamp_us(int64_t seconds);

/* plan_limit requests in plan_window_us; both at least 1. */
void pace_init(struct pace *p, int64_t plan_limit, int64_t plan_window_us);

/* How many may be sent now. Where it is 0, *ret_wait_us is the time until it is worth asking
 * again, or -1: not before an answer comes. Else *ret_wait_us is 0. */
int64_t pace_room(const struct pace *p, int64_t now_us, int64_t *ret_wait_us);

/* Whether the limit is what holds requests back now: used up, or a pause. */
bool pace_exhausted(const struct pace *p, int64_t now_us);

/* One request is being sent. Returns its ticket, for pace_answered. */
int64_t pace_sent(struct pace *p, int64_t now_us);

/* A request has ended: with an answer (limited: status 429), or without one (headers NULL). */
void pace_answered(struct pace *p, int64_t ticket, int64_t now_us, bool limited,
	const struct pace_headers *headers);

/* A person wants no pause to be sat out: one request may go, and tells how things are. A window that
 * is used up is no pause and is waited for, unless it lasts longer than the plan's. */
void pace_resume(struct pace *p, int64_t now_us);

/* Another key, another budget: nothing that was learnt counts. One request may go. */
void pace_forget(struct pace *p);

#endif
