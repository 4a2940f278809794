/* The store's view of one person's punches in the order of their times, for core/taps.h. */
#ifndef PUNCHD_STORE_STORE_TAPS_H
#define PUNCHD_STORE_STORE_TAPS_H

#include "store/store.h"

/* What the walk needs of a row, without its texts. */
struct store_tap {
	int64_t seq;
	uint8_t identity[IDENTITY_SIZE];
	enum punch_state state;
	int reason;
	unsigned flags;
	int64_t terminal; /* its number: store_tap_terminal tells its name */
	enum punch_type type_sent;
	int64_t time_s;
	enum punch_type type;
	enum type_from type_from;
	bool frozen;
};

/* > 0 ends the walk early, < 0 ends it and is returned. Reads and writes nothing in the store. */
typedef int store_on_tap(void *arg, const struct store_tap *t);

/* Which of them, and in which order of time; in no order within a second. */
enum store_taps {
	STORE_TAPS,        /* all that are no double taps, discarded ones left out */
	STORE_TAPS_BACK,   /* the same, the latest first */
	STORE_TAPS_DOUBLE, /* the double taps */
};

/*
 * The punches of the person whose punch `whose` is: of its user_id, or while it has none of what
 * the terminal calls the person (a slot is somebody else at another terminal). With a time from
 * from_s to to_s, both inclusive. What was read lately is in memory (store/tapcache.h).
 * Returns 0, 1 where `on` has ended it, or an error.
 */
int store_taps_read(struct store *s, enum store_taps which, const struct punch *whose,
	int64_t from_s, int64_t to_s, store_on_tap *on, void *arg);

/* The name of a tap's terminal, valid until a roll-back; and a terminal's number, 0 where nothing of
 * it is stored. */
const char *store_tap_terminal(const struct store *s, const struct store_tap *t);
int64_t store_tap_number(const struct store *s, const char *terminal);

#endif
