/*
 * The punches of people lately looked at, in memory, so that judging one punch after the other does not
 * ask SQLite for the same rows again.
 *
 * Of each person two tracks are kept, as the store reads them: what is no double tap, and double taps.
 * A track is a span of time in which every row is known. It grows where reading goes on from its ends,
 * begins anew where reading goes elsewhere, and every write goes into it (tapcache_put, _drop), so
 * that it is at any time as the rows are in the open transaction. A roll-back drops everything.
 *
 * What it may take is fixed: TAPCACHE_PEOPLE of them, TAPCACHE_ROWS in all, TAPCACHE_TRACK_ROWS a
 * track, at most 1.6 MiB; whoever was looked at longest ago goes first. Where memory is short something
 * is forgotten, and read again when it is asked for.
 */
#ifndef PUNCHD_STORE_TAPCACHE_H
#define PUNCHD_STORE_TAPCACHE_H

#include "base/strmap.h"
#include "store/store_taps.h"

#define TAPCACHE_PEOPLE     1024
#define TAPCACHE_ROWS       16384
#define TAPCACHE_TRACK_ROWS 64

#define TAPCACHE_KEY_SIZE 96 /* who has a longer name is not kept */

struct taptrack {
	int64_t from_s, to_s;   /* all rows of this span are known; from_s > to_s: it is empty */
	struct store_tap *rows; /* in order of time, in none within a second */
	int count, size;
};

struct tapcache_person;

struct tapcache {
	struct strmap people;
	struct tapcache_person *newest, *oldest; /* by when they were looked at */
	int rows;                                /* that there is room for, in all tracks */
};

/* seed: terminals choose the names. */
void tapcache_init(struct tapcache *c, uint64_t seed);
void tapcache_done(struct tapcache *c);

/* Forget everything. */
void tapcache_clear(struct tapcache *c);

/*
 * Who is meant: the person whose punch it is, as in store_taps_read, terminal: its number. Returns
 * false, with no key, where the name is too long.
 */
bool tapcache_key(const struct punch *whose, const char *user_id, int64_t terminal,
	char ret[static TAPCACHE_KEY_SIZE]);

/* The track of somebody's double taps, or of the rest; made where there is none. Valid until the next
 * call of a function with the cache. NULL without memory. */
struct taptrack *tapcache_track(struct tapcache *c, const char *key, bool doubles);

/* A row is there now, new or changed; it was not, or has the same time and track. */
void tapcache_put(struct tapcache *c, const char *key, const struct store_tap *row);
/* A row is not there any more, or is somewhere else. */
void tapcache_drop(struct tapcache *c, const char *key, bool doubles, int64_t time_s, int64_t seq);

/* ---- one track, while it is read */

/* Where its rows from time_s on begin. */
int taptrack_place(const struct taptrack *t, int64_t time_s);

/* Make it empty, with its end just before time_s. */
void taptrack_begin(struct taptrack *t, int64_t time_s);

/* Add a row that was read behind or before all that it has. Its span is the caller's to set. Returns
 * whether there was room, made in the first case from what is oldest. */
bool taptrack_append(struct tapcache *c, struct taptrack *t, const struct store_tap *row);
bool taptrack_prepend(struct tapcache *c, struct taptrack *t, const struct store_tap *row);

/* It reaches to here now; what it has beyond is forgotten. */
void taptrack_end_at(struct taptrack *t, int64_t to_s);
void taptrack_begin_at(struct taptrack *t, int64_t from_s);

#endif
