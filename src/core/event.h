/*
 * An event of the cloud, as a webhook brings it (CLOUD-API.md, Webhooks): reading its body, and whether
 * it is about a punch of ours. Pure.
 */
#ifndef PUNCHD_CORE_EVENT_H
#define PUNCHD_CORE_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/punch.h"

#define EVENT_BODY_MAX 262144
#define EVENT_DEPTH    32
#define EVENT_FUTURE_S 300 /* further ahead of the cloud's clock than this nothing is believed */

enum event_type {
	EVENT_OTHER, /* one that we do not know: no fault, and nothing is done */
	EVENT_USER_CREATED,
	EVENT_USER_UPDATED,
	EVENT_DEVICE_STATUS,
	EVENT_ATTENDANCE,
};

/* The record that an attendance.created tells of. */
struct event_record {
	char att_id[CLOUD_ID_MAX + 1];
	char user_id[CLOUD_ID_MAX + 1];
	char device_id[CLOUD_ID_MAX + 1];
	enum punch_type type;
	int64_t time_s;
	int64_t created_s; /* the event's created_at */
};

struct event {
	char id[CLOUD_ID_MAX + 1];
	enum event_type type;
	int64_t created_s;
	int64_t updated_s; /* of a user or device: its updated_at, else the event's created_at */
	json_t *data;      /* of a user or device; owned */
	struct event_record record;
};

/* Read a body. Returns NULL, or what is wrong with it: a constant, and nothing is owned. */
const char *event_read(const char *body, size_t length, struct event *ret);
void event_done(struct event *e);

/* What it is called, for logs. */
const char *event_type_name(enum event_type type);

/* Whether it claims to be from a future that no clock explains; now_s: the cloud's clock. */
bool event_is_ahead(const struct event *e, int64_t now_s);

/* An attendance with the very body that was frozen: equal user, device, type and second. */
bool event_is_of(const struct event_record *r, const struct punch *p);

/*
 * Whether it proves that what was frozen has arrived. The event carries no key, so no less will do: the
 * same body, and a freezing that is known on the cloud's clock and is not later than the event, in
 * whole seconds. What was there before cannot come of our sending.
 */
bool event_proves(const struct event_record *r, const struct punch *p);

#endif
