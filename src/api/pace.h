/*
 * The rate budget: how many requests may go now, and when the next one may.
 *
 * Pure: monotonic time and headers in, permission out. The server states a limit, what remains in
 * its window and when that ends, on its own clock. Three things carry it:
 *
 *  - An answer's Date and Reset come from the same clock, so (Reset - Date) seconds after its
 *    receipt the window has surely ended, whatever that clock shows. Of all such bounds for one
 *    window the smallest is believed; each is late by less than a second, none is ever early.
 *  - Within a window Remaining only falls, so the smallest that was seen is believed, in whatever
 *    order answers come, and what is in flight is taken off again. Others may share the key.
 *  - A window whose end has passed is opened by one request; its answer tells what the new one
 *    allows. Nothing else goes meanwhile.
 *
 * Where headers are missing the configured plan is kept, in minutes of our own.
 */
#ifndef PUNCHD_API_PACE_H
#define PUNCHD_API_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t plan_limit; /* requests in plan_window_us where nothing better is known */
	int64_t plan_window_us;

	bool learnt;       /* the server's window is known */
	int64_t limit;     /* as the server says */
	int64_t remaining; /* smallest seen in this window */
	int64_t reset_s;   /* the window's name: its end on the server's clock */
	int64_t reset_us;  /* its end on our monotonic clock, never early */

	int in_flight;
	int64_t opener; /* ticket of the request that opens a window; 0: none runs */
	int64_t next_ticket;
	int64_t pause_until_us; /* Retry-After */

	int64_t own_window_us; /* start of our own window, while nothing is learnt */
	int64_t own_sent;
};

/* What an answer said. -1: no such header, or none that is a number. */
struct pace_headers {
	int64_t date_s;
	int64_t limit;
	int64_t remaining;
	int64_t reset_s;
	int64_t retry_after_s; /* already reckoned from either form; clamped to an hour in here */
};

/* plan_limit requests in plan_window_us; both at least 1. */
void pace_init(struct pace *p, int64_t plan_limit, int64_t plan_window_us);

/* How many may be sent now. Where it is 0, *ret_wait_us is the time until it is worth asking
 * again, or -1: not before an answer comes. */
int64_t pace_room(const struct pace *p, int64_t now_us, int64_t *ret_wait_us);

/* One request is being sent. Returns its ticket, for pace_answered. */
int64_t pace_sent(struct pace *p, int64_t now_us);

/* A request has ended: with an answer (limited: status 429), or without one (headers NULL). */
void pace_answered(struct pace *p, int64_t ticket, int64_t now_us, bool limited,
	const struct pace_headers *headers);

/* Forget pauses. */
void pace_resume(struct pace *p);

#endif
