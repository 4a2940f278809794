/*
 * Taps: which of one person's punches count, and which way each goes (JUDGING.md §4, §5).
 *
 * A pure walk over a list of one person's punches in the order of (time, identity). What a tap is
 * depends on those before it and, where something is frozen, on the next one behind it, so the walk
 * may begin anywhere if what stands before is right and reaches back far enough: taps_reach.
 */
#ifndef PUNCHD_CORE_TAPS_H
#define PUNCHD_CORE_TAPS_H

#include "core/punch.h"
#include "core/rules.h"

/* What the walk may do to a tap. */
enum tap_standing {
	TAP_OPEN,   /* suppressed or not, as the walk says */
	TAP_COUNTS, /* it counts, whatever is near; the walk says its direction: released, parked */
	TAP_FROZEN, /* it counts, and its direction stands */
};

/* Where another tap lies. */
enum tap_side { TAP_BEFORE = 1 << 0, TAP_BEHIND = 1 << 1 };

struct tap {
	/* what is known */
	int64_t seq; /* the caller's, as is `judged` below */
	int64_t time_s;
	uint8_t identity[IDENTITY_SIZE];
	int64_t terminal; /* equal for the same terminal */
	enum tap_standing standing;
	unsigned beside;      /* enum tap_side: where the one lies that it was released beside */
	enum punch_type sent; /* what the terminal stated */
	enum direction_rule rule; /* where nobody has said which way it goes */
	int64_t window_s;         /* of a double tap at its terminal */

	/* in: as they stand before the walk, said by a person where from is FROM_PERSON; out: as the
	 * walk says */
	bool suppressed;
	unsigned double_of; /* out only, enum tap_side: where what suppresses it lies */
	enum punch_type type;
	enum type_from type_from;
	bool clashes; /* it would go the way of the next one, which is frozen: held as no_direction */
};

struct taps_site {
	const struct zone *zone;
	int32_t day_start_s; /* after midnight: where a working day turns over */
	int64_t max_shift_s;
};

/* Whether a comes before b. */
bool taps_before(const struct tap *a, const struct tap *b);

/*
 * Decide taps[from] and all behind it. Those before are taken as they stand; those behind the last
 * one of the list are taken not to be there.
 */
void taps_walk(const struct taps_site *site, struct tap *taps, size_t count, size_t from);

/* Whether a tap is a double of one before it, as those before it stand: then nothing behind it can
 * change that, and it changes nothing. */
bool taps_double(const struct tap *taps, size_t i);

/* No tap further away in time than this, seconds, decides anything about another: a working day of
 * 25 hours, a shift, a window. */
int64_t taps_reach_s(const struct taps_site *site, int64_t window_max_s);

/* Which way a punch goes by what was said of it alone: TYPE_NONE where only others decide. */
enum punch_type taps_said(enum punch_type sent, enum direction_rule rule, enum type_from *ret_from);

/* Put into a punch that was judged alone (core/verdict.h) what the walk says of its tap. now_us:
 * wall clock, when it is settled. */
void taps_apply(const struct tap *tap, int64_t now_us, struct punch *p);

#endif
