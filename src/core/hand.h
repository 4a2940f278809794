/*
 * A person's hand: what one may do to a punch, and what that makes of it (JUDGING.md §8, §6).
 *
 * Pure. Each call changes the punch, or says why it may not and leaves it as it was. What has been
 * changed is then judged again, where it is not frozen.
 */
#ifndef PUNCHD_CORE_HAND_H
#define PUNCHD_CORE_HAND_H

#include "core/punch.h"

#define HAND_NOTE_MAX 512 /* bytes */

enum hand_action { HAND_RELEASE, HAND_RETRY, HAND_DISCARD, HAND_AMEND };
#define HAND_ACTIONS 4

const char *hand_action_name(enum hand_action action);

/* What amend sets; what is not given stays. */
struct hand_amendment {
	enum punch_type type; /* TYPE_NONE: not given */
	bool has_time;        /* time_s is given */
	bool received;        /* or the time of the receipt */
	int64_t time_s;
	const char *user_id; /* "": not given */
};

/*
 * Do it. now_us: wall clock. amendment is for HAND_AMEND, else NULL.
 * Returns NULL where it is done, else a constant: what is missing, or to be done instead.
 */
const char *hand_apply(enum hand_action action, const struct hand_amendment *amendment,
	int64_t now_us, struct punch *p);

/* A note that may be kept: UTF-8 without control characters, HAND_NOTE_MAX bytes. */
bool hand_note_is_sound(const char *note);

#endif
