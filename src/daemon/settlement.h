/*
 * Settlements that wait for a commit: what answers have decided, written in batches.
 *
 * An SD card pays for each commit, so an answer is kept in memory until a commit happens anyway, or
 * for a second. A crash before it leaves the punch frozen and queued: it goes again under its key.
 */
#ifndef PUNCHD_DAEMON_SETTLEMENT_H
#define PUNCHD_DAEMON_SETTLEMENT_H

#include "core/settle.h"
#include "daemon/judging.h"

/* One decision, with copies of what the answer said. */
struct settlement {
	int64_t seq;
	enum settle_step step;
	enum api_outcome outcome;
	int status;
	int tries;
	int64_t now_us; /* wall clock of the answer */
	bool in_doubt;  /* a send before this one was, in this run or an earlier */
	char att_id[CLOUD_ID_MAX + 1];
	char code[CLOUD_ID_MAX + 1];
	char message[REFUSAL_TEXT_MAX + 1];
	char param[CLOUD_ID_MAX + 1];
};

struct settlements {
	struct settlement *list;
	size_t count, size;
	size_t written; /* of the list, in the open transaction */
};

void settlements_done(struct settlements *s);

/* Returns 0 or -ENOMEM. */
int settlements_add(struct settlements *s, const struct settlement *one);

/* Write all that are not written yet into the store's transaction (which this opens). Of a punch
 * that has thawed p is judged again. Returns 0 or a store error. */
int settlements_write(struct settlements *s, struct judging *judging);

/* The transaction is gone: they are to be written again. */
void settlements_rolled_back(struct settlements *s);

#endif
