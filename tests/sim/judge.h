/*
 * Which of a person's punches count and which way they go (JUDGING.md §4, §5), reckoned from the
 * rows of the whole store, naively and without a look at src/core.
 *
 * It knows the settings that the simulation gives: a window of a minute, no direction of a
 * terminal's or of the site's own, days that turn at four, shifts of twelve hours.
 */
#ifndef PUNCHD_SIM_JUDGE_H
#define PUNCHD_SIM_JUDGE_H

#include "laws_private.h"

/* A punch with a time, as it stands in the store and as it should. */
struct judged {
	int64_t seq, time_s;
	int64_t terminal;
	uint8_t identity[16];
	char who[96]; /* the person, or what a terminal calls somebody */
	int state, reason, flags;
	int sent, type; /* 0 none, 1 check_in, 2 check_out */
	bool frozen;
	bool amended; /* a person has said which way */

	bool doubled; /* a double tap */
	int way;      /* as type */
	bool clashes; /* it would go as the next one does, which is frozen */
};

/* Read the store, and judge. What is given holds until the next call. */
void judge_all(void);
void judge_done(void);

/* What became of a row in the last judge_all; NULL: it has no time, or is discarded. */
const struct judged *judge_of(int64_t seq);

/* Whether every row that may still change is as it should be. */
void judge_rows_stand(void);

#endif
