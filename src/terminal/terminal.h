/*
 * One terminal, behaving as a real one does: it makes punches by its own clock whether or not there
 * is a network, keeps each until the gateway's ack names its id, sends again what was not
 * acknowledged in time and everything after reconnecting, and obeys set_time.
 *
 * A record walks through three lists: fresh (made, not yet in the keep for good), waiting (kept,
 * not sent on this connection), flying (sent). An ack ends it wherever it is.
 */
#ifndef PUNCHD_TERMINAL_TERMINAL_H
#define PUNCHD_TERMINAL_TERMINAL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "terminal/journal.h"
#include "terminal/keep.h"
#include "terminal/make.h"
#include "terminal/options.h"
#include "terminal/reply.h"

/* What the terminals of a process did together; they add to it. */
struct tally {
	int64_t sent;  /* punches made in this run, and those the keep brought */
	int64_t kept;  /* of these, those that the keep brought */
	int64_t acked; /* of these, those that are done */
	int64_t status[REPLY_STATUS_COUNT];
	int64_t resent;     /* records published once more */
	int64_t reconnects; /* connections after a terminal's first */
	int64_t late;       /* acks for punches that were done already */
	int64_t strange;    /* acks for ids that the terminal never used */
	int64_t garbled;    /* messages from the gateway that are none */
};

/* What all terminals of a process share; outlives them. */
struct terminal_env {
	struct event_base *base;
	const struct options *options;
	const struct make *make;
	const char *password; /* NULL none */
	struct keep *keep;
	struct journal *journal;
	struct tally tally;
	void *arg;
	/* Something waits for terminal_flush, or for the keep's commit. */
	void (*dirty)(void *arg);
	/* Count reached and all acknowledged; once. */
	void (*done)(void *arg);
	/* Not connected, or not any more. */
	void (*trouble)(void *arg, const char *serial, const char *words);
	/* Nothing more can be kept or noted: the run is over. */
	void (*broken)(void *arg, int error);
};

struct terminal;

/* number: from 0. Returns 0, -EINVAL (a serial that is no topic level of 1 to 64 bytes), -ENOMEM or
 * the keep's error. */
int terminal_new(struct terminal_env *env, int64_t number, const char *serial,
	struct terminal **ret_terminal);
void terminal_free(struct terminal *t);

const char *terminal_serial(const struct terminal *t);

/* Take over a record that the keep brought. Returns 0 or -ENOMEM. */
int terminal_adopt(struct terminal *t, int64_t row, const char *id, const char *body);

/* Begin ids at 000001 again. Returns 0, -EBUSY (records wait whose ids would be used twice), or the
 * keep's error. */
int terminal_reset_counter(struct terminal *t);

/* Switch on. */
void terminal_start(struct terminal *t);

/* The keep has committed: what is fresh may be sent. */
void terminal_flush(struct terminal *t);

/* Keep-alive, status and time-outs; once a second. */
void terminal_tick(struct terminal *t);

/* Switch off in order: say that it is offline, and goodbye. Waits for the broker, at most until that
 * monotonic time. */
void terminal_stop(struct terminal *t, int64_t until_us);

/* Punches that are not acknowledged. */
int64_t terminal_unacked(const struct terminal *t);

#endif
