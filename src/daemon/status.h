/* The status document (INTERFACES.md): everything about the daemon on one page. */
#ifndef PUNCHD_DAEMON_STATUS_H
#define PUNCHD_DAEMON_STATUS_H

#include <jansson.h>

#include "daemon/control.h"

/* `ok`, `degraded` or `failing`. */
const char *status_state(const struct context *c);

/* A new reference; NULL: no memory. */
json_t *status_json(const struct control *control);

#endif
