/*
 * How punches and refreshes share what may be sent: punches come first, and yet a refresh gets
 * about every 20th request (counted when it is handed over: what is in flight together may come in
 * between) while both want more than there is. Pure.
 *
 * The caller asks for room before it sends. So punches that take all that they were offered are
 * pressing; where they leave some of it, a refresh may have what it likes. A refresh whose turn it
 * is and that finds no room has one place kept for it, for a second in which it should ask again.
 *
 * While refreshes come first (the lists were never had, and no punch can be right without them)
 * punches wait.
 */
#ifndef PUNCHD_API_SHARE_H
#define PUNCHD_API_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"

#define SHARE_REFRESH_EVERY 20
#define SHARE_KEEP_US       CLOCK_US_PER_S
#define SHARE_ASK_US        (CLOCK_US_PER_S / 5) /* when a refresh should ask again */

/* All zero at first. */
struct share {
	int since_refresh;     /* punches since the last refresh; stops at SHARE_REFRESH_EVERY */
	int64_t offered;       /* what punches were offered last and have not taken */
	int64_t punches;       /* of them in flight */
	int64_t kept_until_us; /* one place is kept for a refresh */
	bool refresh_first;
};

/*
 * How much of room (what limit, circuit and connections allow together) is for this class.
 * *ret_wait_us comes in as the wait where room is 0, and is the one to hand on.
 */
int64_t share_room(
	struct share *s, enum api_class class, int64_t room, int64_t now_us, int64_t *ret_wait_us);

void share_sent(struct share *s, enum api_class class);
void share_ended(struct share *s, enum api_class class);

#endif
