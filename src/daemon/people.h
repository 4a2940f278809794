/* The cached users as a document of the control socket, by page. */
#ifndef PUNCHD_DAEMON_PEOPLE_H
#define PUNCHD_DAEMON_PEOPLE_H

#include <jansson.h>

#include "core/directory.h"

/*
 * Users by id, those who are gone too: at most `limit` with an id behind `after` ("": from the
 * first) of whom id, name, e-mail, phone or department contains the query (NULL: all), in whatever
 * case. *ret_next is the id behind which the next page begins, NULL at the end; it belongs to the
 * directory. NULL without memory.
 */
json_t *people_users(const struct directory *d, const char *query, const char *after, size_t limit,
	const char **ret_next);

#endif
