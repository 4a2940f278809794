/*
 * What every part of the daemon stands on: the loop, the store, the settings in force, and facts
 * about this boot. Made and owned by punchd.c; the parts only use it.
 */
#ifndef PUNCHD_DAEMON_CONTEXT_H
#define PUNCHD_DAEMON_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"
#include "core/cloudclock.h"
#include "core/clocktrust.h"
#include "core/config.h"
#include "core/directory.h"
#include "core/profile_set.h"
#include "core/links.h"
#include "core/punch.h"
#include "core/rules.h"
#include "core/taps.h"
#include "core/verdict.h"
#include "daemon/alarms.h"
#include "daemon/cloudmarks.h"
#include "daemon/families.h"
#include "edge/loop.h"
#include "store/store.h"

struct context {
	struct loop *loop;
	struct store *store;
	struct directory directory;
	struct config config;        /* replaced on SIGHUP: never keep a pointer into it */
	struct profile_set profiles; /* the same */
	struct links links;
	struct verdict_settings verdict;
	int64_t max_shift_s;
	int64_t window_max_s; /* the longest window of a double tap at any terminal */
	struct zone *zone;
	struct strmap zones; /* of single terminals, by name */
	struct families families;
	struct clocktrust clock;
	struct cloudmarks cloud;
	struct cloudclock cloudclock;
	struct alarms alarms;
	const char *site;
	char boot_id[37];
	int64_t boot;            /* the store's number of it */
	int64_t devices_pass_ms; /* when all devices were last seen, wall clock; 0: never */
	int64_t users_pass_ms;
	bool disk_low; /* below min_free, or a commit found the disk full: nothing is acknowledged */
	bool disk_full;    /* a commit found it full since upkeep looked last */
	bool disk_tight;   /* below four times min_free: strangers are refused */
	bool disk_refused; /* and some were, since upkeep looked last */
	/* What stands in the store may not be as is known now, until a pass is over (rejudge.h): so
	 * long nothing is frozen. */
	bool rejudging;
	bool stopping; /* after a fatal error nothing is acknowledged any more */
};

/* What holds at a terminal, by its own name. Valid until the settings change. */
struct terminal_rules context_rules(struct context *c, const char *terminal);

/* What holds for all taps; and how far from one another they decide, seconds. */
struct taps_site context_taps_site(const struct context *c);
int64_t context_reach_s(const struct context *c);

/* The settings are others now: what follows from them. Returns 0 or -ENOMEM. */
int context_take_settings(struct context *c);

/* Free what these calls have made. */
void context_done(struct context *c);

/* What the terminals are called whose serial_number in the cloud this is, after the settings: one
 * after the other, *pos begins at 0; NULL at the end. The serial itself comes first. */
const char *context_terminal_of(const struct context *c, const char *serial, size_t *pos);

/* Judge a punch that is not frozen, by everything that is known now. */
void context_judge(struct context *c, struct punch *p);

/* The working day of a punch with a time. */
int32_t context_workday(const struct context *c, const struct punch *p);

/*
 * A write failed. Logs it, raises the alarm that fits, and ends the loop where the daemon must not
 * go on (an I/O error: what is on disk is unknown). Returns error.
 */
int context_store_failed(struct context *c, int error, const char *what);

#endif
