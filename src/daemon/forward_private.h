/*
 * The forwarder's inside, for its files: forward.c (freezing, sending), forward_pick.c (which goes),
 * forward_settle.c (what is written of answers), forward_answer.c (what becomes of an answer),
 * forward_join.c (punches that come while it runs), forward_doubt.c (what is in doubt),
 * forward_pause.c (a person stops it), forward_event.c (an event of the cloud tells of one). Nobody else
 * includes this.
 */
#ifndef PUNCHD_DAEMON_FORWARD_PRIVATE_H
#define PUNCHD_DAEMON_FORWARD_PRIVATE_H

#include "core/outbox.h"
#include "core/refusals.h"
#include "daemon/forward.h"
#include "daemon/settlement.h"

/* A frozen body that waits for its turn on the wire. */
struct body {
	int64_t seq;
	char user_id[CLOUD_ID_MAX + 1];
	char device_id[CLOUD_ID_MAX + 1];
	enum punch_type type;
	int64_t time_s;
	uint8_t wire_key[WIRE_KEY_SIZE];
};

/* A punch that came in the open transaction, or left its place in the queue. */
struct fresh {
	bool gone;                 /* from where it was: */
	bool left;                 /* it is queued no more */
	bool claimed;              /* frozen with its insert, it goes at once */
	struct outbox_punch punch; /* its texts are the two that follow */
	struct body body;
	char terminal[TERMINAL_MAX + 1];
};

/* Bringing what was in doubt before to where it belongs now. */
enum doubt_pass {
	DOUBT_PASS_NONE,
	DOUBT_PASS_HOLD,   /* out of the queue; so long nothing is sent */
	DOUBT_PASS_RETURN, /* back into it */
};

struct doubt {
	bool began; /* forward_begin was called */
	bool holds; /* what is in doubt is held, not sent again */
	enum doubt_pass pass;
	struct punch_place after; /* of what is queued: where the last slice ended; */
	int64_t before_seq;       /* of what is held this */
	int64_t moved;            /* in this pass */
	struct loop_timer *timer;
};

struct forward {
	struct context *context;
	struct judging *judging;
	struct api_client *client;
	struct forward_events on;
	struct outbox outbox;
	bool looked_for_live;
	struct settlements settlements;
	struct attempts attempts;

	struct body *ready; /* frozen and committed, not handed over yet; in order */
	size_t ready_count, ready_size;

	struct fresh *fresh;
	size_t fresh_count, fresh_size;
	size_t claims; /* of the fresh */
	bool fresh_overflow;

	uint64_t failed_user;      /* whose punch failed last: a probe takes another's */
	struct settlement suspect; /* a 403 that may be the punch's fault; seq 0: none */
	uint64_t suspect_user;
	bool key_forbidden; /* 403 for two people's punches: the key's fault, until one passes */
	struct refusals refusals;
	struct doubt doubt;
	struct forward_pause pause;
	int64_t echo_us; /* monotonic: when an echo differed; 0: never */

	struct loop_timer *wake, *settle;
	int64_t made_us; /* monotonic: this run's beginning */
	int in_flight;
	bool stopping;
};

int64_t forward_now_mono(const struct forward *f);

/* ---- forward.c */

/* What the wire needs of a frozen punch. */
void forward_body_of(const struct punch *p, struct body *ret);
/* Append a body to what is ready. Returns 0 or -ENOMEM. */
int forward_ready_add(struct forward *f, const struct body *body);
/* Freeze a judged punch, in memory: its wire key and its time of freezing. Returns 0 or an error. */
int forward_freeze(struct forward *f, struct punch *p);
/* Look again in so long; < 0: not by itself. */
void forward_wake_in(struct forward *f, int64_t wait_us);

/* ---- forward_pick.c */

/* What the outbox needs of a queued punch; its texts are the punch's. */
void forward_outbox_punch(const struct forward *f, const struct punch *p, struct outbox_punch *ret);

/*
 * Up to `most` punches that may go now, SENDING in the outbox; room for so many. With none it wakes
 * the forwarder when there may be some. Returns 0 or a store error: then what *ret_count says was
 * chosen all the same.
 */
int forward_pick(struct forward *f, size_t most, int64_t *ret_seqs, size_t *ret_count);

/* While nothing may go, what is ready thaws, so that what was judged wrongly can still be mended. */
void forward_thaw_ready(struct forward *f);
/* Whether sending has stopped, however well the destination is. */
bool forward_halts(const struct forward *f);

/* ---- forward_settle.c */

/* Keep a settlement for the next commit, which comes within a second. */
void forward_settle_later(struct forward *f, const struct settlement *one);
/* A commit took the written settlements with it. */
void forward_settlements_landed(struct forward *f);
/* A write failed: roll back, and try again in a while. */
void forward_store_failed(struct forward *f, int error, const char *what);
/* A frozen punch that certainly did not leave may be judged again, once that is on disk. */
void forward_thaw(struct forward *f, int64_t seq);
/* The settlements' timer. */
void forward_on_settle(void *arg);

/* ---- forward_doubt.c */

/* What was known of the cloud as a request was handed over. */
struct send_mark {
	int64_t cloud;    /* which */
	int64_t clock_us; /* its clock: idempotence_clock */
};
struct send_mark forward_mark(const struct forward *f);

/* What an answer says of how the cloud takes what is sent again. Before forward_take_answer. */
void forward_learn(struct forward *f, const struct outbox_entry *e, const struct send_mark *mark,
	const struct api_reply *reply);

/* The timer of what is in doubt. */
void forward_on_doubt(void *arg);

/* ---- forward_event.c */

/* Until when what is in doubt waits for its event before it goes again, monotonic; 0: none can come.
 * since_us: when it came into doubt. */
int64_t forward_await_us(const struct forward *f, int64_t since_us);

/* ---- forward_answer.c */

/* The answer to a punch, or what came instead of one. */
void forward_take_answer(struct forward *f, struct outbox_entry *e, const struct api_reply *reply);

#endif
