/* What the alarms say of the API and of the queue, looked at every second. */
#ifndef PUNCHD_DAEMON_CONDITIONS_H
#define PUNCHD_DAEMON_CONDITIONS_H

#include "daemon/forward.h"

/* api_auth, api_offline, api_garbled, api_refusing. has_key: there is a key to try. */
void conditions_of_api(struct context *c, const struct forward *forward,
	const struct api_client *client, bool has_key);

/* held, parked. */
void conditions_of_queue(struct context *c);

#endif
