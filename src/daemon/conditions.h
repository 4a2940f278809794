/* What the alarms say of the API, the queue and the terminals, looked at every second. */
#ifndef PUNCHD_DAEMON_CONDITIONS_H
#define PUNCHD_DAEMON_CONDITIONS_H

#include "daemon/forward.h"
#include "daemon/terminals.h"

/* api_auth, api_offline, api_garbled, api_refusing, cloud_doubles. has_key: there is a key to try. */
void conditions_of_api(struct context *c, const struct forward *forward,
	const struct api_client *client, bool has_key);

/* held, parked. */
void conditions_of_queue(struct context *c);

/* terminal_silent. While the broker is away nothing is known: it stays as it was. */
void conditions_of_terminals(struct context *c, struct terminals *terminals);

#endif
