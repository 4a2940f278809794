/*
 * The world: virtual time, what happens next, and the story that is told of it.
 *
 * One story a process at a time, so there is one world. Everything that happens is an event: a
 * moment, a function, an argument. Events of the same moment happen in the order in which they were
 * made. A story is told in words; its lines are hashed, so that two runs of a seed can be compared
 * by one number. A law that is broken ends the story.
 */
#ifndef PUNCHD_SIM_WORLD_H
#define PUNCHD_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "plan.h"

#define MS     1000LL
#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct event;

struct world {
	const struct plan *plan;
	int64_t now_us;   /* true time, UTC, microseconds since 1970 */
	int64_t began_us; /* when the story begins: a Monday, midnight UTC */
	int64_t until_us; /* when the faults are over */
	uint64_t steps;   /* events so far */
	bool over;        /* the story has ended: whatever runs comes back */
	bool quiet;       /* no fault works any more */
	bool logs;        /* somebody reads the daemon's log */
	char broken[160]; /* the law that was broken, "" none */
	char how[640];    /* and in what way */
};
extern struct world world;

/* told: where the words go, NULL for nowhere. */
void world_begin(const struct plan *plan, FILE *told);
/* Free what is left; *ret_trace is the hash of all words, in hex. */
void world_end(char ret_trace[static 65]);

/* Let something happen. Returns a handle that is valid until it has happened or is cancelled. */
struct event *world_at(int64_t at_us, void (*happen)(void *arg), void *arg);
struct event *world_in(int64_t delay_us, void (*happen)(void *arg), void *arg);
/* NULL is taken. */
void world_cancel(struct event *e);

/* A tick that nobody waits for: it may come up to a minute late while nothing else happens, which
 * is what makes a week short. */
struct event *world_tick_in(int64_t delay_us, void (*happen)(void *arg), void *arg);

/* The next thing that happens; false: nothing is left. */
bool world_step(void);

/* One line of the story. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The story ends here: this law was broken. Only the first counts. */
void law_broken(const char *law, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Does it hold? Else the story ends. */
#define LAW(holds, law, ...) \
	do { \
		if (!(holds)) \
			law_broken(law, __VA_ARGS__); \
	} while (0)

/* `Tue 08:59:12.345` of a moment. Static buffers, a few in turn. */
const char *when(int64_t at_us);

#endif
