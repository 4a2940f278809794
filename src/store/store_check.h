/*
 * The law of conservation, by counting every row: each punch ever stored is in exactly one state,
 * and is known by its identity.
 *
 * A count of a million rows takes a second or two of processor time, so it goes in steps, and
 * punches come and go in between. It reads through a connection of its own, which sees the store as
 * it was at the beginning; as long as it is open the log cannot be used anew from its start, and
 * grows.
 */
#ifndef PUNCHD_STORE_STORE_CHECK_H
#define PUNCHD_STORE_STORE_CHECK_H

#include "store/store.h"

struct store_check;

enum store_verdict {
	STORE_COUNTING, /* there is more to count */
	STORE_HOLDS,
	STORE_BROKEN, /* the words say how */
};

/*
 * Begin. Returns 0, -EAGAIN (a transaction is open: its changes are counted already, but not to be
 * seen yet), or another error, with words; none of them says anything about the store itself.
 */
int store_check_new(
	struct store *s, struct store_check **ret_check, char ret_words[static STORE_WORDS_MAX]);
void store_check_free(struct store_check *c);

/* Count so many rows on. Returns 0, or an error with words: the file could not be read. */
int store_check_step(struct store_check *c, int rows, enum store_verdict *ret_verdict,
	char ret_words[static STORE_WORDS_MAX]);

/* How many rows were counted, and how many there are in all; an index's entries are rows too. */
void store_check_progress(const struct store_check *c, int64_t *ret_rows, int64_t *ret_of);

#endif
