/*
 * Whether the cloud honours idempotency keys, learnt from what it answers (CLOUD-API.md, Errors).
 *
 * A punch that is in doubt is sent again under its key. Answered with a record that is older than
 * this send, by the server's own clock, the cloud has kept the key: yes. Two records of one punch:
 * no. Everything else says nothing, above all a record that is as new as the send: nobody knows
 * whether the one before has arrived.
 *
 * Dates are whole seconds, and the clock that stamps records need not be the one that writes Date
 * headers. So only what is certain counts: a record is older where that holds by this answer's Date
 * and by that of one before the send, so that no step of the clock in between feigns it, and by more
 * than records that are certainly new ever looked older than their own request.
 *
 * Pure: answers and moments in, a verdict out.
 */
#ifndef PUNCHD_CORE_IDEMPOTENCE_H
#define PUNCHD_CORE_IDEMPOTENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/punch.h"

/* The numbers are on people's disks. */
enum idempotent { IDEMPOTENT_UNKNOWN = 0, IDEMPOTENT_YES = 1, IDEMPOTENT_NO = 2 };

const char *idempotent_name(enum idempotent verdict);

#define IDEMPOTENCE_NEVER    INT64_MIN
#define IDEMPOTENCE_IDS      64 /* punches whose record is known while they are in doubt */
#define IDEMPOTENCE_STALE_US (3600 * 1000000LL) /* an older Date says nothing of the clock now */

/* All zero: nothing is known, of no cloud. */
struct idempotence {
	enum idempotent verdict;
	int64_t proof_us; /* of YES: so much older was the record; INT64_MAX: the same one twice */
	int64_t lag_us;   /* new records have looked older than their request by less than this */
	int64_t doubled_seq; /* the last punch that was seen to have two records; 0: none */
	bool dated;          /* the two below are set */
	int64_t server_us;   /* the server's clock, at the least, */
	int64_t mono_us;     /* at this moment of ours */
	struct idempotence_id {
		int64_t seq;
		char id[CLOUD_ID_MAX + 1];
	} ids[IDEMPOTENCE_IDS]; /* a ring */
	unsigned next;
};

/* An answer to a send of a punch. */
struct idempotence_answer {
	int64_t seq;
	bool again;        /* an earlier send under this key may have arrived */
	bool first;        /* for certain none has */
	bool done;         /* it is not sent any more */
	const char *id;    /* of the record; "" where the answer tells none */
	int64_t created_s; /* its created_at; 0: none */
	int64_t date_s;    /* the answer's Date; 0: none */
	int64_t clock_us;  /* idempotence_clock when it was handed over */
	int64_t took_us;   /* from then to the answer */
};

/* The server's clock now, at the least, microseconds since 1970; IDEMPOTENCE_NEVER: not known. */
int64_t idempotence_clock(const struct idempotence *i, int64_t mono_us);

/* Any answer showed this Date. */
void idempotence_date(struct idempotence *i, int64_t date_s, int64_t mono_us);

/* What an answer says. Where it shows a second record, the id of the first is returned, which stays
 * valid until the next call; else NULL. */
const char *idempotence_answered(struct idempotence *i, const struct idempotence_answer *a);

/* An event shows a second record of one that was sent again. What events say is never a yes: they do not
 * tell of which send they come. */
void idempotence_doubled(struct idempotence *i, int64_t seq);

/* It is another cloud: nothing is known. */
void idempotence_forget(struct idempotence *i);

#endif
