/*
 * What the k-th punch of a terminal is: a function of its numbers, so that a test knows who punched
 * where, in which order, without asking.
 *
 * Terminal t of N and punch k (both from 0) belong to user (t + k) mod U. So, as long as there are
 * no fewer users than terminals, nobody is at two terminals with the same k, and each user walks
 * from terminal to terminal. With `alternate`, a user's punches, taken in the order of k over all
 * terminals, are check_in, check_out, check_in, …
 */
#ifndef PUNCHD_TERMINAL_MAKE_H
#define PUNCHD_TERMINAL_MAKE_H

#include <stdint.h>

#include "terminal/options.h"
#include "terminal/people.h"

#define MAKE_ID_SIZE 24

struct make {
	const struct options *options;
	const struct people *people;
	int64_t terminals;
};

/* How many punches user u (0 …) has made anywhere before the round k. */
int64_t make_rank(const struct make *m, int64_t u, int64_t k);

/* The record's id, `000001` for k 0. Returns ret_id. */
const char *make_id(int64_t k, char ret_id[static MAKE_ID_SIZE]);

/*
 * The punch's JSON, freed by the caller. clock_ms: what the terminal's clock says, milliseconds
 * since 1970; --start goes before it. NULL: no memory.
 */
char *make_punch(const struct make *m, int64_t t, int64_t k, int64_t clock_ms);

#endif
