/* The cached directory as documents of the control socket: users by page, devices at once. */
#ifndef PUNCHD_DAEMON_PEOPLE_H
#define PUNCHD_DAEMON_PEOPLE_H

#include <jansson.h>

#include "core/directory.h"
#include "daemon/terminals.h"

/*
 * Users by id, those who are gone too: at most `limit` with an id behind `after` ("": from the
 * first) of whom id, name, e-mail, phone or department contains the query (NULL: all), in whatever
 * case. *ret_next is the id behind which the next page begins, NULL at the end; it belongs to the
 * directory. NULL without memory.
 */
json_t *people_users(const struct directory *d, const char *query, const char *after, size_t limit,
	const char **ret_next);

/* All devices by serial, with what was seen of each. NULL without memory. */
json_t *people_devices(const struct context *c, const struct terminals *t);

#endif
