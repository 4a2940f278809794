/*
 * The event loop: the only way to time, timers, sockets, signals and randomness.
 *
 * libevent stays behind it, so that the simulation can put virtual time in its place. Callbacks run
 * one after the other, never from inside the call that armed them. Objects are freed by their
 * owner, which may be inside their own callback.
 */
#ifndef PUNCHD_EDGE_LOOP_H
#define PUNCHD_EDGE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* NULL: no memory. */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* Run until loop_stop. Returns the code that was given there, or -EIO where libevent gave up. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int code);

/* The clocks, read afresh. */
struct moment loop_now(struct loop *l);

/* 64 random bits from the kernel. */
uint64_t loop_random(struct loop *l);

/* A timer that fires once for each loop_timer_set. NULL: no memory. */
struct loop_timer *loop_timer_new(struct loop *l, void (*on)(void *arg), void *arg);
/* (Re)start it; 0: as soon as the loop runs again. */
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_armed(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* Watch a descriptor; events: LOOP_READ | LOOP_WRITE, 0 for none. Level-triggered. */
struct loop_watch *loop_watch_new(
	struct loop *l, int fd, void (*on)(void *arg, int events), void *arg);
/* Returns 0 or -EIO. */
int loop_watch_set(struct loop_watch *w, int events);
void loop_watch_free(struct loop_watch *w);

struct loop_signal *loop_signal_new(struct loop *l, int signo, void (*on)(void *arg), void *arg);
void loop_signal_free(struct loop_signal *s);

#endif
