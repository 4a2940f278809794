/* Taking one page of the cloud's lists over: into the store, and then into memory. */
#ifndef PUNCHD_DAEMON_REFRESH_PAGE_H
#define PUNCHD_DAEMON_REFRESH_PAGE_H

#include <jansson.h>

#include "daemon/context.h"

struct refresh_page {
	int changed; /* entries that are new or different, or are back */
	int people;  /* of these, users who are found by other names now */
	int strange; /* entries without an id or serial that can be used: passed over */
	/* Ids or serials of the first and last entry; "" where they are strange, or there is none. */
	char first[CLOUD_ID_MAX + 1], last[CLOUD_ID_MAX + 1];
};

/* Where the first pass over the users is, so that a restart goes on from there. */
struct refresh_place {
	int64_t offset; /* behind this page */
	int64_t total;
};
#define REFRESH_OFFSET "users_offset"
#define REFRESH_TOTAL  "users_total"

/*
 * What is on disk already is not written again: a page that brings nothing new writes nothing.
 * Memory follows the commit, so that what could not be written is new again the next time.
 * asked_us: when the page was asked for, monotonic; what an event has told since stays (entry.h).
 * The place is kept with what the page brings; NULL: not kept.
 * Returns 0 or an error, with nothing changed but for a lack of memory.
 */
int refresh_page_take(struct context *c, enum dir_what what, const json_t *data, int64_t asked_us,
	const struct refresh_place *place, struct refresh_page *ret);

#endif
