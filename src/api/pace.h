/*
 * The rate budget: how many requests may go now, and when the next one may.
 *
 * Pure: monotonic time and headers in, permission out. The server states a limit, what remains in
 * its window and when that ends, on its own clock. Six things carry it:
 *
 *  - An answer's Date and Reset come from the same clock, so (Reset - Date) seconds after its
 *    receipt the window has surely ended, whatever that clock shows. Of all such bounds for one
 *    window the smallest is believed; each is late by about a second, none is ever early. One that
 *    an answer contradicts (it was sent too late for that end) was told by a clock that has been
 *    set back since, and is replaced.
 *  - Within a window Remaining only falls, so the smallest that was seen is believed, in whatever
 *    order answers come, and what is in flight is taken off again. A limit that changed within a
 *    window is another plan: the newer answer's Remaining stands.
 *  - A window whose end has passed is opened by one request; its answer tells what the new one
 *    allows. Nothing else goes meanwhile.
 *  - Windows are told apart by Reset. Which of two is the newer one is told by the requests: one
 *    that was sent after a window was learnt is never answered by an older window; so a server clock
 *    that jumps is followed, and an answer that comes late is not.
 *  - Our own requests are remembered for as long as a window lasts (the longest Reset - Date that
 *    was seen). A server that counts by a sliding window, or fills a bucket, says that nothing
 *    remains for a whole window although some of ours leave it all the time. When one has, by our
 *    own memory, a request goes as if the window had ended. In a fixed window ours leave only when
 *    it has ended, so there this never happens early. Where one of ours was lost, nobody has said how
 *    long it counts, and the memory is not asked.
 *  - What the server counts beyond our own is others'. Where others use the key, the last of what
 *    remains goes fewer at a time, so that what they take meanwhile is not refused to us.
 *
 * Where headers are missing, or cannot be (a Reset that is no time, or over an hour away), the
 * configured plan is kept: never more than that in any while as long as its window, which suits
 * every way of counting. The first of all requests goes alone, to see whether there are headers.
 *
 * Invariants (tests/unit/test_pace.c, test_pace_play.c):
 *  - alone on the key, with headers that are true, nothing is refused, however the server counts;
 *  - never more is in flight than the smallest Remaining of its window allows;
 *  - while requests wait, at least one is allowed, or runs, or a time at most an hour away is given.
 */
#ifndef PUNCHD_API_PACE_H
#define PUNCHD_API_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/pacelog.h"

struct pace {
	int64_t plan_limit; /* requests in plan_window_us where nothing better is known */
	int64_t plan_window_us;

	bool tried;        /* an answer has told how things stand; else one request goes alone */
	bool learnt;       /* there is a window of the server's: */
	int64_t limit;     /* as the server says; -1 unknown */
	int64_t remaining; /* smallest seen in this window, less what ended without saying */
	int64_t reset_s;   /* the window's name: its end on the server's clock */
	int64_t reset_us;  /* its end on our monotonic clock, never early */
	int64_t learnt_ticket; /* requests from this one on were sent after it was learnt */
	int64_t named_us;      /* since when it has that name */
	bool stands;           /* it was refused under an old name: it does not slide */
	int64_t first_us;      /* since when there is one */
	int64_t window_us;     /* how long a request counts at the most; 0: not known */

	struct pacelog log;      /* of our own requests that may count */
	struct pacelog wordless; /* of them those that ended without saying what remains */
	int64_t rest_until_us;   /* after a 429 */
	int64_t others;          /* what the server counted beyond them */
	int64_t others_until_us; /* and may count so long */

	int64_t in_flight;
	int64_t opener; /* ticket of the request that opens a window; 0: none runs */
	int64_t last_ticket;
	int64_t pause_until_us; /* Retry-After, or a 429 that says nothing */
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

/* The request that was sent at sent_us has ended: with an answer (limited: status 429), or without
 * one (headers NULL). */
void pace_answered(struct pace *p, int64_t ticket, int64_t sent_us, int64_t now_us, bool limited,
	const struct pace_headers *headers);

/* It has ended, and certainly never left: as if it had not been sent. */
void pace_never_left(struct pace *p, int64_t ticket);

/*
 * One that may take minutes to be answered is being sent: nothing waits for its answer, so it opens no
 * window. It is reckoned as counted now, and once more when it is answered, since nobody knows which
 * of both the server does. Returns its ticket, for pace_aside_answered; where it ends without an
 * answer nothing needs to be told.
 */
int64_t pace_sent_aside(struct pace *p, int64_t now_us);
void pace_aside_answered(struct pace *p, int64_t ticket, int64_t sent_us, int64_t now_us,
	bool limited, const struct pace_headers *headers);

/* How long until so many requests more have been allowed, if others go on as they do: an estimate. */
int64_t pace_time_for(const struct pace *p, int64_t now_us, int64_t requests);

/* A person wants no pause to be sat out: one request may go, and tells how things are. A window that
 * is used up is no pause and is waited for, unless it lasts longer than the plan's. */
void pace_resume(struct pace *p, int64_t now_us);

/* Another key, another budget: nothing that was learnt counts. One request may go. */
void pace_forget(struct pace *p);

#endif
