/*
 * The intake's inside, for its files: intake.c (bursts, topics, life), intake_record.c (one record
 * of a message), intake_crash.c (messages that ended the daemon). Nobody else includes this.
 */
#ifndef PUNCHD_DAEMON_INTAKE_PRIVATE_H
#define PUNCHD_DAEMON_INTAKE_PRIVATE_H

#include "base/bucket.h"
#include "core/payload.h"
#include "core/profile.h"
#include "daemon/acks.h"
#include "daemon/intake.h"
#include "daemon/letters.h"

#define INTAKE_ONCE_MAX 1024 /* messages remembered for `ack.once` */

struct intake {
	struct context *context;
	struct judging *judging;
	struct guard *guard;
	struct terminals *terminals;
	struct intake_events on;
	char *prefix;
	char **topics;

	struct acks acks;
	struct letters letters;                       /* acknowledgements and replies of profiles */
	uint8_t once[INTAKE_ONCE_MAX][IDENTITY_SIZE]; /* of messages; a ring */
	size_t once_count, once_durable;
	int error;         /* of this burst: what follows it is not even looked at */
	int64_t counter;   /* messages that brought punches without a time, ever */
	bool counter_rose; /* in this burst */

	bool link_quiet;      /* since connecting: what comes now has not waited at the broker */
	bool link_known;      /* the broker was heard just before */
	int64_t last_us;      /* monotonic: connected, or a message */
	int64_t connected_us; /* monotonic */

	struct bucket log_bucket; /* strangers decide how many lines there are */
};

/* The message being taken apart. */
struct arrival {
	const struct mqtt_message *m;
	bool is_status; /* what the terminal says of itself; else punches */
	char serial[TERMINAL_MAX + 1];
	bool sound_serial;
	struct moment at;
	uint8_t sha256[32];
	bool waited; /* nobody knows for how long it was on its way */
	bool counted;
	const char *topic;               /* without our prefix; NULL: it is native */
	struct profile_reading *reading; /* NULL: it is native, or none is under way */
	unsigned outcome;                /* of the record taken last: enum profile_outcome */
};

/* ---- intake.c */

/* Note when a message came, and whether it may have waited at the broker for long. */
void intake_arrive(struct intake *in, struct arrival *a, const struct mqtt_message *m);
/* Note who sent it and what it is, from its topic. Returns whether it is for us. */
bool intake_set_serial(struct intake *in, struct arrival *a);
/* Take a message apart, unless it is one that crashes. Returns 0 or a store error. */
int intake_take(struct intake *in, struct arrival *a);

/* ---- intake_profile.c */

/* Note which profile a message is for, from its topic. Returns whether it is for any. */
bool intake_set_family(struct intake *in, struct arrival *a);
/* Take such a message apart. Returns 0 or a store error. */
int intake_take_profiled(struct intake *in, struct arrival *a);

/* ---- intake_record.c */

/* Make one record durable, within the burst, and queue its ack. Returns 0 or a store error. */
int intake_record(struct intake *in, struct arrival *a, const struct payload *payload,
	struct payload_record *record);
/* Park what cannot be read, with topic and bytes. Returns 0 or a store error. */
int intake_park(struct intake *in, struct arrival *a, const struct payload *payload,
	const struct payload_record *record, int reason);

/* ---- intake_crash.c */

/* Careful: the message is on disk before it is looked at. Returns 0 or a store error. */
int intake_take_carefully(struct intake *in, struct arrival *a);
/* Whether this message is one that is known to crash. Returns 1, 0, or an error. */
int intake_is_crasher(struct intake *in, struct arrival *a);

#endif
