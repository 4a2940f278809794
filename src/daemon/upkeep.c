#include "daemon/upkeep.h"

#include <errno.h>

#include "base/log.h"
#include "daemon/clockmarks.h"
#include "daemon/newpeople.h"
#include "store/store_newuser.h"
#include "store/store_punch.h"

#define TICK_MS        1000
#define SLICE_ROWS     500
#define SLICE_MS       5
#define TIGHT_FACTOR   4
#define DISK_WAIT_US   (3 * CLOCK_US_PER_S) /* room for so long: it is tried again */
#define DISK_CALM_US   (6 * CLOCK_US_PER_S) /* and that went well for so long: the alarm is over */
#define PURGE_EVERY_US (24 * 3600 * CLOCK_US_PER_S)
#define UNTRUSTED_US   (300 * CLOCK_US_PER_S) /* without any trust for so long: say it */
#define MS_US          1000

/* Something done row by row over the store. */
struct walk {
	bool runs;
	int64_t seq;
	int64_t done_rows;
};

struct upkeep {
	struct context *context;
	struct upkeep_events on;
	struct loop_timer *tick, *slice;
	struct walk receipts, purge;
	int64_t started_us;   /* monotonic */
	int64_t purged_at_us; /* monotonic; 0: not yet */
	bool was_trusted;
	int64_t low_us; /* monotonic: when the disk was last too full; 0: not, or long over */
	bool was_full;  /* a commit found that, not the look at free space */
	bool refused;   /* strangers were, while it was tight */
};

/* ---- the disk */

/* What the alarm says; spare: free bytes. */
static void tell_disk(struct upkeep *u, int64_t spare)
{
	struct context *c = u->context;
	long long free_kib = spare / 1024, least_kib = c->config.store.min_free / 1024;

	if (u->low_us != 0 && spare < c->config.store.min_free)
		alarms_set(&c->alarms, ALARM_DISK_LOW, true,
			"only %lld KiB of disk are free, at least %lld KiB must be: nothing is "
			"acknowledged until there is room; terminals keep their punches",
			free_kib, least_kib);
	else if (u->low_us != 0 && u->was_full)
		alarms_set(&c->alarms, ALARM_DISK_LOW, true,
			"a write found the disk full, though %lld KiB are said to be free (a "
			"quota?): nothing is acknowledged while that lasts; make room",
			free_kib);
	else if (u->low_us != 0)
		alarms_set(&c->alarms, ALARM_DISK_LOW, true,
			"there is room again, %lld KiB: punches are taken again", free_kib);
	else
		alarms_set(&c->alarms, ALARM_DISK_LOW, u->refused,
			"only %lld KiB of disk are free: messages that cannot be read and punches "
			"of unknown devices are refused until %lld KiB are; make room",
			free_kib, least_kib * TIGHT_FACTOR);
}

/*
 * Below min_free nothing is taken. A commit may also find the disk full where it is said to have
 * room: then it is tried again after a while, and the alarm stands until that goes well.
 */
static void look_at_disk(struct upkeep *u)
{
	struct context *c = u->context;
	int64_t bytes, spare, now_us = loop_now(c->loop).mono_us;
	int r = store_disk(c->store, &bytes, &spare);

	if (r < 0) {
		context_store_failed(c, r, "asking for free space");
		return;
	}
	if (spare < c->config.store.min_free || c->disk_full) {
		u->low_us = now_us;
		u->was_full = c->disk_full;
	} else if (u->low_us != 0 && now_us - u->low_us >= DISK_CALM_US) {
		u->low_us = 0;
	}
	c->disk_low = u->low_us != 0 && now_us - u->low_us < DISK_WAIT_US;
	c->disk_tight = spare < c->config.store.min_free * TIGHT_FACTOR;
	u->refused = c->disk_tight && (u->refused || c->disk_refused);
	c->disk_full = c->disk_refused = false;
	tell_disk(u, spare);
	u->on.disk(u->on.arg, c->disk_low);
}

/* Somebody held the store: whether it can be written again is tried without writing. */
static void look_at_store(struct upkeep *u)
{
	struct context *c = u->context;

	if (!alarms_stands(&c->alarms, ALARM_STORE_FAILED) || store_in_transaction(c->store) ||
		store_begin(c->store) < 0)
		return;
	store_rollback(c->store);
	alarms_set(&c->alarms, ALARM_STORE_FAILED, false, " ");
}

/* ---- the clock */

static void look_at_clock(struct upkeep *u)
{
	struct context *c = u->context;
	struct moment now = loop_now(c->loop);
	bool stepped = clocktrust_look(&c->clock, now, clock_synchronized());
	bool became = c->clock.trusted && !u->was_trusted;

	u->was_trusted = c->clock.trusted;
	if (stepped)
		log_warn("clock_step", "the wall clock was stepped");
	if (became) {
		log_info("clock_trusted",
			"the wall clock is right: receipt times of this boot are "
			"corrected by it");
		u->receipts = (struct walk){.runs = true};
	}
	if (u->receipts.runs)
		loop_timer_set(u->slice, 0);
	else if (stepped)
		u->on.clock_changed(u->on.arg);
	alarms_set(&c->alarms, ALARM_CLOCK_UNSYNCED,
		c->clock.disagrees ||
			(!c->clock.trusted && now.mono_us - u->started_us > UNTRUSTED_US),
		c->clock.disagrees
			? "the API's clock differs from this machine's by more than 5 s: check its "
			  "time synchronisation"
			: "nothing says that this machine's clock is right: punches without a time "
			  "of "
			  "their own are held; check its time synchronisation");
}

static int correct_receipts(struct upkeep *u)
{
	struct context *c = u->context;
	struct moment now = loop_now(c->loop);
	bool done;
	int n = store_receipts_correct(
		c->store, c->boot, now.wall_us - now.mono_us, SLICE_ROWS, &u->receipts.seq, &done);
	int r = n < 0 ? n : store_commit(c->store);

	if (r < 0)
		return r;
	u->receipts.done_rows += n;
	if (!done)
		return 0;
	u->receipts.runs = false;
	if (u->receipts.done_rows > 0)
		log_info("receipts_corrected", "receipt times were corrected",
			LOG_I("punches", u->receipts.done_rows));
	u->on.clock_changed(u->on.arg);
	return 0;
}

/* ---- the purge */

static void purge_when_due(struct upkeep *u)
{
	int64_t now_us = loop_now(u->context->loop).mono_us;

	if (u->purge.runs || !clocktrust_may_purge(&u->context->clock) ||
		(u->purged_at_us != 0 && now_us - u->purged_at_us < PURGE_EVERY_US))
		return;
	u->purged_at_us = now_us;
	u->purge = (struct walk){.runs = true};
	loop_timer_set(u->slice, SLICE_MS);
}

/* Who was asked for and settled a week ago. */
static int purge_newusers(struct context *c, int64_t now_us)
{
	int n = store_newuser_purge(
		c->store, now_us - NEWPEOPLE_KEEP_DAYS * 24 * 3600 * CLOCK_US_PER_S);

	return n < 0 ? n : 0;
}

static int purge(struct upkeep *u)
{
	struct context *c = u->context;
	int64_t now_us = loop_now(c->loop).wall_us;
	bool done;
	int n, r;

	if (!clocktrust_may_purge(&c->clock)) {
		u->purge.runs = false;
		return 0;
	}
	n = store_purge(c->store, now_us - c->config.store.retention_ms * MS_US,
		(now_us / MS_US - c->config.punches.max_age_ms) / 1000, context_reach_s(c),
		SLICE_ROWS, &u->purge.seq, &done);
	r = n < 0 ? n : 0;
	if (r == 0 && done)
		r = purge_newusers(c, now_us);
	if (r == 0)
		r = store_commit(c->store);
	if (r < 0)
		return r;
	u->purge.done_rows += n;
	u->purge.runs = !done;
	if (done && u->purge.done_rows > 0)
		log_info("purged", "old settled punches were purged",
			LOG_I("punches", u->purge.done_rows));
	return 0;
}

/* ---- */

static void on_slice(void *arg)
{
	struct upkeep *u = arg;
	int r = 0;

	if (u->context->stopping)
		return;
	if (u->receipts.runs)
		r = correct_receipts(u);
	else if (u->purge.runs)
		r = purge(u);
	if (r < 0) {
		store_rollback(u->context->store);
		context_store_failed(u->context, r, "keeping the store in order");
	}
	if (u->receipts.runs || u->purge.runs)
		loop_timer_set(u->slice, r < 0 ? TICK_MS : SLICE_MS);
}

static void on_tick(void *arg)
{
	struct upkeep *u = arg;
	int r;

	loop_timer_set(u->tick, TICK_MS);
	if (u->context->stopping)
		return;
	look_at_disk(u);
	look_at_store(u);
	look_at_clock(u);
	r = clockmarks_save(u->context);
	if (r < 0)
		context_store_failed(u->context, r, "keeping what is known of the clock");
	else
		purge_when_due(u);
	r = cloudmarks_save(u->context);
	if (r < 0)
		context_store_failed(u->context, r, "keeping what is known of the cloud");
	r = store_checkpoint(u->context->store);
	if (r < 0)
		context_store_failed(u->context, r, "moving the log into the file");
	u->on.second(u->on.arg);
}

int upkeep_new(
	struct context *context, const struct upkeep_events *events, struct upkeep **ret_upkeep)
{
	struct upkeep *u = calloc(1, sizeof *u);

	if (!u)
		return -ENOMEM;
	*u = (struct upkeep){
		.context = context, .on = *events, .started_us = loop_now(context->loop).mono_us};
	u->tick = loop_timer_new(context->loop, on_tick, u);
	u->slice = loop_timer_new(context->loop, on_slice, u);
	if (!u->tick || !u->slice) {
		upkeep_free(u);
		return -ENOMEM;
	}
	loop_timer_set(u->tick, 0);
	*ret_upkeep = u;
	return 0;
}

void upkeep_free(struct upkeep *u)
{
	if (!u)
		return;
	loop_timer_free(u->tick);
	loop_timer_free(u->slice);
	free(u);
}

void upkeep_wake(struct upkeep *u)
{
	u->purged_at_us = 0;
	loop_timer_set(u->tick, 0);
}
