/*
 * From the store to the cloud (the line's second half): which punch goes now, freezing it first,
 * and what becomes of it.
 *
 * The store is the queue; in memory there is a bounded window of it (core/outbox), a send window of
 * frozen bodies, and settlements that wait for a commit. A body is committed before it is handed to
 * the transport: in one commit for the window, together with the settlements that wait.
 */
#ifndef PUNCHD_DAEMON_FORWARD_H
#define PUNCHD_DAEMON_FORWARD_H

#include "api/api.h"
#include "daemon/attempts.h"
#include "daemon/context.h"
#include "daemon/judging.h"

struct forward;

struct forward_events {
	void *arg;
	/* An answer showed the server's clock. */
	void (*server_date)(void *arg, int64_t date_s, struct moment sent, struct moment received);
	/* An answer was lost: a record may be there, of which an event may have told already. */
	void (*doubted)(void *arg, int64_t seq);
};

/* How much of the queue is in memory. A simulated world makes it less, so that little is a backlog. */
struct forward_bounds {
	int read_rows; /* rows of one reading */
	size_t lines;  /* at least as many as may be under way */
};

extern struct forward_bounds forward_bounds;

/* Returns 0 or -ENOMEM. The client is borrowed and outlives this. */
int forward_new(struct context *context, struct judging *judging, struct api_client *client,
	const struct forward_events *events, struct forward **ret_forward);

/* After forward_stop and with the client's calls ended. NULL is taken. */
void forward_free(struct forward *f);

/* The run begins: what an earlier one left in doubt goes again, or is held. */
void forward_begin(struct forward *f);

/* The settings, or what is known of the cloud, may be others now: what is in doubt may be held, or go
 * again. */
void forward_look(struct forward *f);

/* Something may go that could not go before. Cheap; acts when the loop runs again. */
void forward_wake(struct forward *f);

/* ---- sharing a transaction with intake or a re-judging (intake.h: claim, added, ended) */

void forward_claim(struct forward *f, struct punch *p);
void forward_added(struct forward *f, const struct punch *p);
/* In the open transaction, a queued punch got another person or time, or is queued no more. */
void forward_moved(struct forward *f, const struct punch *p);
/* Write waiting settlements into the transaction that is about to be committed. Returns 0 or a
 * store error. */
int forward_join(struct forward *f);
void forward_ended(struct forward *f, bool committed);

/* ---- a person's hand */

/* A stored punch, in the open transaction, is queued again; a frozen one goes under its key, and may
 * have been sent. */
void forward_returned(struct forward *f, const struct punch *p);

/* Write and commit what answers have decided. Returns 0 or a store error. */
int forward_flush(struct forward *f);

/* Whether it is on its way, or what came of that waits to be written: nobody may change it now. */
bool forward_busy(const struct forward *f, int64_t seq);

/* ---- events of the cloud */

/* How a stored punch stands, when the settlements are written (forward_join). */
enum forward_stand {
	FORWARD_STAND_NONE,      /* settled, refused, or not frozen: an event changes nothing */
	FORWARD_STAND_UNDER_WAY, /* it may yet be answered */
	FORWARD_STAND_IN_DOUBT,
};
enum forward_stand forward_stand(const struct forward *f, const struct punch *p);

/* In the open transaction: an event proves that the cloud has one that is in doubt, p as it is stored. It
 * is delivered. Returns 0 or a store error. */
int forward_confirm(struct forward *f, struct punch *p, const char *att_id);

/* ---- */

/* Try at once, whatever was paused but by a person: a changed key, SIGHUP. */
void forward_resume(struct forward *f);

/* A person has stopped forwarding; intake goes on. */
struct forward_pause {
	int64_t at_us; /* wall clock, 0: nobody has */
	int64_t uid;
};

/* Read what an earlier run has kept. Returns 0 or a store error. */
int forward_load(struct forward *f);

/* Stop; where it is stopped, who has stays. What is under way is still answered. On disk when it returns
 * 0; else a store error. */
int forward_pause(struct forward *f, int64_t uid);

/* Go on, and try at once whatever else had paused. Returns as above. */
int forward_go_on(struct forward *f);

/* NULL: it is not paused. */
const struct forward_pause *forward_paused(const struct forward *f);

/* Send nothing any more, and write what is to be written. Answers that still come count. */
void forward_stop(struct forward *f);

/* Requests whose answers are still to come. */
int forward_in_flight(const struct forward *f);

/* Whether something waits to be sent or written, nothing is in its way, and yet nobody will come back
 * to it: our own bug, which only a restart mends. */
bool forward_stuck(const struct forward *f);

/* How long so many queued punches will take, in microseconds; -1: nobody can tell. */
int64_t forward_time_for(const struct forward *f, int64_t queued);

/* Why nothing goes although the API would take it, or NULL: the alarm's words. */
const char *forward_refusing(const struct forward *f);

/* Whether an answer's record differed from what was sent, within the last while. */
bool forward_echo_differed(const struct forward *f);

const struct attempts *forward_attempts(const struct forward *f);

/* Sends of a queued punch in this run; 0 where it was not sent. */
int forward_tries(const struct forward *f, int64_t seq);

/* Whether a frozen punch may have been sent with its answer lost: so is each that this run did not
 * freeze itself. */
bool forward_in_doubt(const struct forward *f, const struct punch *p);

#endif
