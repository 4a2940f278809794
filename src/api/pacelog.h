/*
 * How many of our own requests the last while holds: what a server counts of us, at the most.
 *
 * Kept in a fixed number of entries, each for the requests of about an eighth of a second under the
 * time of their last one: so a request leaves a little late, never early. Where there are too many
 * entries the last one takes what comes. Of the last few requests the times themselves are kept, too.
 * Pure: time is an argument, and never goes back.
 */
#ifndef PUNCHD_API_PACELOG_H
#define PUNCHD_API_PACELOG_H

#include <stdint.h>

#define PACELOG_ENTRIES 512
#define PACELOG_EXACT \
	64 /* a burst is answered so fast that an eighth of a second holds all of it */

/* All zero: empty. */
struct pacelog {
	struct pacelog_entry {
		int64_t last_us;
		int64_t count;
	} entries[PACELOG_ENTRIES]; /* a ring */
	int first, used;
	int64_t begun_us;                /* of the last entry: its first request */
	int64_t exact_us[PACELOG_EXACT]; /* a ring */
	int64_t added;
};

/* One more, now. keep_us: the longest while that will be asked for. */
void pacelog_add(struct pacelog *l, int64_t now_us, int64_t keep_us);

/* How many came within the last while_us. */
int64_t pacelog_count(const struct pacelog *l, int64_t now_us, int64_t while_us);

/* How many came after that moment: exactly, unless they are more than PACELOG_EXACT. */
int64_t pacelog_after(const struct pacelog *l, int64_t now_us, int64_t moment_us);

/* When so many of those that pacelog_count counts will have left; INT64_MAX where it counts fewer. */
int64_t pacelog_leave(const struct pacelog *l, int64_t now_us, int64_t while_us, int64_t count);

#endif
