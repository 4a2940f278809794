/* What the cloud and the way there share. */
#ifndef PUNCHD_SIM_CLOUD_PRIVATE_H
#define PUNCHD_SIM_CLOUD_PRIVATE_H

#include "api/transport.h"
#include "cloud.h"
#include "world.h"

struct request {
	struct request *next;
	char *url, *authorization, *key, *body; /* owned; "" where there was none */
	api_answered *answered; /* NULL: the gateway does not wait for it any more */
	void *arg;
	int64_t submitted_us;
};

/* What the cloud says; -1 where a header is missing. */
struct response {
	int status;
	char *body; /* owned */
	int64_t date_us, limit, remaining, reset_s;
};

void cloud_handle(const struct request *q, struct response *r);

#endif
