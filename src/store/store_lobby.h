/* The lobby: what is held, gathered by reason, person and terminal, so that a person who mends one
 * thing sees how much waits for it. */
#ifndef PUNCHD_STORE_STORE_LOBBY_H
#define PUNCHD_STORE_STORE_LOBBY_H

#include "store/store.h"

/* Held punches that wait for the same; texts are valid during the callback. */
struct store_group {
	int reason;      /* enum punch_reason */
	bool about_user; /* kind and user say whom it is about: reasons that a person is the cause of */
	enum user_kind kind;
	const char *user; /* normalised; "" where it is not about one */
	const char *terminal;
	int64_t count;
	int64_t since_us; /* receipt of the first, wall clock */
	int64_t newest_us;
};

#define STORE_LOBBY_ROWS 20000 /* that one call looks at: some 30 ms on a computer */

/* < 0 ends the walk and is returned. */
typedef int store_on_group(void *arg, const struct store_group *g);

/*
 * Gather a bounded number of held punches behind after_seq (0: from the first on), so that a full
 * lobby does not stop the daemon; *ret_next is the after_seq to go on with, 0 at the end. The same
 * group may come again with the next ones. Returns 0 or an error.
 */
int store_lobby_read(
	struct store *s, int64_t after_seq, store_on_group *on, void *arg, int64_t *ret_next);

#endif
