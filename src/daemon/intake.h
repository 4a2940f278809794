/*
 * From a message to stored punches, and to their acknowledgements (the line's first half).
 *
 * Everything that comes between two intake_flush calls is one transaction. Nothing is acknowledged
 * before its commit; a burst that could not be stored whole is rolled back whole and comes again.
 */
#ifndef PUNCHD_DAEMON_INTAKE_H
#define PUNCHD_DAEMON_INTAKE_H

#include "daemon/context.h"
#include "daemon/guard.h"
#include "daemon/judging.h"
#include "daemon/terminals.h"
#include "edge/mqtt.h"

struct intake;

struct intake_events {
	void *arg;
	/* Publish an acknowledgement, after the commit. */
	void (*publish)(void *arg, const char *topic, const char *payload, size_t length);
	/* A queued punch is about to be inserted: freeze it where it can go at once. */
	void (*claim)(void *arg, struct punch *p);
	/* A punch in whatever state was new, and is in the open transaction now. */
	void (*added)(void *arg, const struct punch *p);
	/* Settlements may join the transaction that is about to be committed. 0 or a store error. */
	int (*join)(void *arg);
	/* The transaction is on disk (true), or gone. */
	void (*ended)(void *arg, bool committed);
};

/* Returns 0, -ENOMEM or a store error. */
int intake_new(struct context *context, struct judging *judging, struct guard *guard,
	struct terminals *terminals, const struct intake_events *events,
	struct intake **ret_intake);
void intake_free(struct intake *in);

/* The filters to subscribe, ends with NULL; owned by intake, until the next intake_reload. */
const char *const *intake_topics(const struct intake *in);

/* The profiles in the context are others now. Returns 0 or -ENOMEM. */
int intake_reload(struct intake *in);

/* The broker took us in; it was last heard at heard_us (monotonic), 0: unknown. */
void intake_connected(struct intake *in, int64_t heard_us);

void intake_message(struct intake *in, const struct mqtt_message *m);

/* Commit what came, then acknowledge. Returns 0, or an error: nothing may be acknowledged. */
int intake_flush(struct intake *in);

/* Once a second while the broker has us: tell terminals the time whose profile says how. */
void intake_set_clocks(struct intake *in);

/* Deal with messages that an earlier run had taken but not parsed. Returns 0 or a store error. */
int intake_recover(struct intake *in);

#endif
