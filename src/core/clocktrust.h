/*
 * Whether the gateway's wall clock may be believed (JUDGING.md §2). A Pi has no clock battery: after
 * a power cut its clock is wrong but plausible.
 *
 * Trusted from the first moment in a boot when the kernel or timesyncd says so, or a server's Date
 * agrees; it stays so for that boot, and so does a jump. A boot may see many runs of the daemon, so
 * what is known of it is handed on from run to run: a restart must not forget that the clock jumped.
 * Pure: moments and dates are handed in.
 */
#ifndef PUNCHD_CORE_CLOCKTRUST_H
#define PUNCHD_CORE_CLOCKTRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct clocktrust {
	bool trusted;
	bool disagrees;    /* a server's Date disagreed later: alarm clock_unsynced */
	bool jumped;       /* stepped forward by over an hour after it was trusted: no purge */
	bool known;        /* offset_us is set */
	int64_t offset_us; /* wall minus monotonic at the last look */
	bool news; /* the next run must know something that is not kept yet; the keeper clears it */
};

void clocktrust_init(struct clocktrust *c);

/* What an earlier run of this boot knew. The first look sees a step that came in between. */
void clocktrust_resume(struct clocktrust *c, bool trusted, bool jumped, int64_t offset_us);

/* Look at the clock: a step since the last look is seen here. synchronized: what the kernel says.
 * Returns whether the wall clock was stepped by more than a second. */
bool clocktrust_look(struct clocktrust *c, struct moment now, bool synchronized);

/* An answer's Date (whole seconds, cut off), of a request sent and received then. */
void clocktrust_server_date(
	struct clocktrust *c, int64_t date_s, struct moment sent, struct moment received);

/* Whether settled punches may be purged by this clock (JUDGING.md §10). */
bool clocktrust_may_purge(const struct clocktrust *c);

#endif
