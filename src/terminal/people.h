/*
 * Who punches: a list of users, each a kind and a value as terminals name them.
 */
#ifndef PUNCHD_TERMINAL_PEOPLE_H
#define PUNCHD_TERMINAL_PEOPLE_H

#include <stddef.h>
#include <stdint.h>

struct person {
	const char *kind; /* NULL: the terminal does not say; a constant */
	char *value;
};

struct people {
	struct person *all;
	size_t count;
};

/*
 * Add `KIND:VALUE`, or a bare VALUE without a colon, whose kind is then left out of its punches.
 * Returns 0, -EINVAL (no such kind), -E2BIG (not 1 to 128 bytes), -EILSEQ (not UTF-8), -ENOMEM.
 */
int people_add(struct people *p, const char *text);

/*
 * Add every line of a file; blank lines and lines that begin with `#` are skipped.
 * Returns 0 or a negative errno; *ret_line is then the line at fault, 0 where the file itself is.
 */
int people_add_file(struct people *p, const char *path, int *ret_line);

/* Add ids 1 to count by a pattern. Returns as people_add does. */
int people_add_numbered(struct people *p, const char *pattern, int64_t count);

void people_done(struct people *p);

#endif
