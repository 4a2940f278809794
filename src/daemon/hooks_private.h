/* The inside of daemon/hooks.h, for hooks.c (who asks, and answers), hooks_apply.c (what an event does)
 * and hooks_kept.c (records that may yet settle a punch). */
#ifndef PUNCHD_DAEMON_HOOKS_PRIVATE_H
#define PUNCHD_DAEMON_HOOKS_PRIVATE_H

#include "base/bucket.h"
#include "core/event.h"
#include "core/hooksig.h"
#include "daemon/entry.h"
#include "daemon/hooks.h"
#include "edge/http_tcp.h"
#include "store/store_event.h"

#define HOOKS_BATCH    256 /* events of one commit */
#define HOOKS_KEPT_MAX 4096

/* What came of an event. */
enum fate {
	FATE_TAKEN,
	FATE_DUPLICATE, /* its id was seen */
	FATE_OLDER,     /* what is known is newer */
	FATE_IGNORED,   /* it is about nothing of ours, or of no type that is known */
	FATE_KEPT,
	FATE_SETTLED,
	FATES
};

/* Why a call was refused. */
enum refusal {
	REFUSED_PATH,
	REFUSED_METHOD,
	REFUSED_SIGNATURE,
	REFUSED_BODY,
	REFUSED_FUTURE,
	REFUSED_STORE,
	REFUSALS
};

struct arrival {
	struct event event;
	struct http_later *later;
	enum fate fate;
	bool applied; /* the directory is other by it; in this batch */
	struct store_kept_event kept;
};

struct hooks {
	struct context *context;
	struct forward *forward;
	struct hooks_events on;
	struct http_server *server; /* NULL: off, or not yet */
	struct hooksig sig;
	struct http_tls *tls; /* until the server has it */
	bool enabled;

	struct arrival batch[HOOKS_BATCH];
	int count;
	int64_t since_us; /* monotonic: when the first of them came */
	struct loop_timer *flush;

	struct store_kept_event *kept; /* HOOKS_KEPT_MAX of them */
	int kept_count;
	struct loop_timer *look; /* at what is kept */
	bool ready;              /* hooks_begin was called */

	struct loop_timer *purge, *ask;

	int64_t received, fates[FATES], refused[REFUSALS], commits;
	int64_t last_us; /* wall clock, of the last event that was taken */
	struct bucket log_bucket;
	int64_t unsaid; /* refusals that were not logged */
};

/* ---- hooks_apply.c */

/* In the open transaction, the i-th of the batch. Returns 0 or a store error. */
int hooks_apply(struct hooks *h, int i);
/* The batch is on disk: memory follows. */
void hooks_landed(struct hooks *h);

/* ---- hooks_kept.c */

/* In the open transaction, with settlements written: what a record is for. *ret_fate: IGNORED, SETTLED
 * (done), KEPT (*ret_seq: for that punch; nothing is written yet). Returns 0 or a store error. */
int hooks_match(
	struct hooks *h, const struct event_record *r, enum fate *ret_fate, int64_t *ret_seq);

/* Remember one that is on disk. */
void hooks_keep(struct hooks *h, const struct store_kept_event *kept);
/* Read those of earlier runs. Returns 0 or a store error. */
int hooks_kept_load(struct hooks *h);
/* Look at all that are kept. */
void hooks_look(struct hooks *h);

#endif
