/*
 * How punches and the rest share what may be sent: punches come first, and yet the rest (refreshes,
 * and what a person asked for) gets about every 20th request (counted when it is handed over: what
 * is in flight together may come in between) while both want more than there is. Pure.
 *
 * The caller asks for room before it sends. So punches that take all that they were offered are
 * pressing; where they leave some of it, the rest may have what it likes. A request of the rest
 * whose turn it is and that finds no room has one place kept for it, for a second in which it should
 * ask again. Of two that wait for one place the one whose kind went last gives way.
 *
 * While refreshes come first (the lists were never had, and no punch can be right without them)
 * punches wait.
 */
#ifndef PUNCHD_API_SHARE_H
#define PUNCHD_API_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"

enum share_class {
	SHARE_PUNCH,
	SHARE_REFRESH,
	SHARE_PERSON, /* a person asked for it: a user to create, a report */
};
#define SHARE_CLASSES 3

#define SHARE_OTHERS_EVERY 20
#define SHARE_KEEP_US      CLOCK_US_PER_S
#define SHARE_ASK_US       (CLOCK_US_PER_S / 5) /* when the rest should ask again */

/* All zero at first. */
struct share {
	int since_others;      /* punches since the last other; stops at SHARE_OTHERS_EVERY */
	int64_t offered;       /* what punches were offered last and have not taken */
	int64_t punches;       /* of them in flight */
	enum share_class last; /* of the others, which went last */
	int64_t kept_until_us[SHARE_CLASSES]; /* one place is kept for it */
	bool refresh_first;
};

/*
 * How much of room (what limit, circuit and connections allow together) is for this class.
 * *ret_wait_us comes in as the wait where room is 0, and is the one to hand on.
 */
int64_t share_room(struct share *s, enum share_class class, int64_t room, int64_t now_us,
	int64_t *ret_wait_us);

void share_sent(struct share *s, enum share_class class);
void share_ended(struct share *s, enum share_class class);

#endif
