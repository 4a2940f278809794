/* What the laws' files share: laws.c (the store and what is acknowledged), laws_wire.c (the cloud),
 * oracle.c (the end). */
#ifndef PUNCHD_SIM_LAWS_PRIVATE_H
#define PUNCHD_SIM_LAWS_PRIVATE_H

#include <sqlite3.h>

#include "base/strmap.h"
#include "terminal.h"
#include "world.h"

/* Numbers of the store's file (schema.c): they never change. */
enum { STATE_QUEUED, STATE_HELD, STATE_DELIVERED, STATE_SUPPRESSED, STATE_PARKED, STATE_DISCARDED };
enum {
	REASON_NO_TIME_ = 2,
	REASON_STALE_ = 4,
	REASON_FUTURE_ = 5,
	REASON_DEVICE_ = 6,
	REASON_USER_ = 8,
	REASON_WAY_ = 9,
	REASON_DOUBT_ = 10,
	REASON_API_ = 1000
};

struct watcher {
	sqlite3 *db;
	sqlite3_stmt *rows, *all, *by_key, *earlier, *queued, *frozen, *held, *stored, *timed,
		*gone, *doubted;
	int64_t last_seq;
	int indexed;        /* taps in the map */
	struct strmap taps; /* their names → number + 1 */
	struct strmap sent; /* a row's number → the key it was sent under, owned */
	int64_t *runs;      /* when each run ended */
	int64_t disk_trouble_us;
	int64_t syncs;
	int64_t looks;
	int limited;     /* 429s of this run */
	bool spoilt;     /* the present window says nothing of how well it is used */
	int64_t backlog; /* as it began */
	int64_t full_windows;
	struct event *check, *look;
};
extern struct watcher watcher;

/* A text of a row, "" where there is none. */
const char *laws_column(sqlite3_stmt *s, int i);

/* Its row may be gone, where it is settled. */
bool laws_may_be_purged(const struct tap *t);

/* What a person did to the punch of a row. */
bool laws_was_touched(int64_t seq);
bool laws_was_discarded(int64_t seq);

/* When the working day began in which a moment lies. */
int64_t laws_day_start(int64_t time_s);

/* The tap that a row is of: its columns 1 to 5 are terminal, record id, time, user and type as sent.
 * NULL: none. */
struct tap *laws_tap_of(sqlite3_stmt *row);

#endif
