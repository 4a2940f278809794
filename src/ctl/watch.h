/*
 * watch: punchd looked at again and again, and two ways to show it. Each look keeps what punchd
 * answered; while it is away the last answers stay.
 */
#ifndef PUNCHD_CTL_WATCH_H
#define PUNCHD_CTL_WATCH_H

#include "ctl/ctl.h"

#define WATCH_PUNCHES 100 /* the newest ones are looked at */

struct watch {
	struct ctl *ctl;
	json_t *status;            /* NULL: never answered */
	json_t *punches;           /* an array, newest first; NULL with status */
	bool away;                 /* the last look failed */
	int64_t away_since_s;      /* since when */
	char words[CTL_WORDS_MAX]; /* why */
	int64_t interval_ms, looks_left;
};

/* Look once. */
void watch_look(struct watch *w);

/* Show the looks until the end. Returns an enum ctl_exit. */
int watch_on_screen(struct watch *w);
int watch_as_lines(struct watch *w);

/* Whether another look is wanted; counts the one before. */
bool watch_goes_on(struct watch *w);

#endif
