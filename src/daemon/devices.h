/*
 * Devices as a document of the control socket: what the cloud says of each, what was seen of its
 * terminals, and what is held for it; and terminals that are no device of the cloud's list, by the
 * serial number under which the cloud should have them.
 */
#ifndef PUNCHD_DAEMON_DEVICES_H
#define PUNCHD_DAEMON_DEVICES_H

#include <jansson.h>

#include "daemon/terminals.h"

/*
 * All of them by serial number. What is held is counted among the oldest STORE_LOBBY_ROWS held punches,
 * so that a full lobby does not stop the daemon; *ret_more says that there are more. A new array, or NULL
 * with an error.
 */
json_t *devices_json(struct context *c, struct terminals *t, bool *ret_more, int *ret_error);

#endif
