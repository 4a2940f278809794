/* One seed, one story: everything is begun, lived through, judged and cleared away. */
#ifndef PUNCHD_SIM_STORY_H
#define PUNCHD_SIM_STORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "plan.h"

struct result {
	bool crashed; /* the process ended; nothing else is known */
	uint64_t steps;
	char trace[65];
	char broken[160]; /* "" where every law held */
	char how[640];
	int64_t taps, delivered, doubles, windows, starts, boots, ends_us;
};

/* Play a plan in this process. told, logs: where words and the daemon's log go; NULL: nowhere. */
void story_play(const struct plan *plan, FILE *told, FILE *logs, struct result *ret);

/* Remove what the story of a process that has ended left behind: a crash leaves its folder. */
void story_clear(pid_t pid);

/* A process of its own ends where a step never does. A week takes seconds. */
#define STORY_WEEK_S 300

/* Play it in a process of its own, so that an assertion of the daemon's is a result, too. */
void story_play_apart(const struct plan *plan, struct result *ret);

/* Make a failing plan as small as it goes while the same law is broken. */
void story_shrink(struct plan *plan, const struct result *failed);

#endif
