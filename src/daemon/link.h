/*
 * The broker link in the daemon's words: what is subscribed and announced, when to try again, and
 * what an operator is told when something is wrong with it.
 */
#ifndef PUNCHD_DAEMON_LINK_H
#define PUNCHD_DAEMON_LINK_H

#include "daemon/context.h"
#include "daemon/guard.h"
#include "daemon/intake.h"

struct link;

/* Start connecting. Returns 0 or a negative errno, logged. */
int link_new(struct context *context, struct guard *guard, struct intake *intake,
	struct link **ret_link);

/* Say goodbye: announce that we are gone, and disconnect. Then nothing comes any more. */
void link_close(struct link *l);
void link_free(struct link *l);

/* Publish at QoS 0, not retained; lost where there is no link. */
void link_publish(struct link *l, const char *topic, const char *payload, size_t length);

/* Stay away (the disk is full), or come back. */
void link_set_away(struct link *l, bool away);
/* Subscribe to what intake wants to hear now. Returns 0 or a negative errno. */
int link_set_topics(struct link *l);
void link_set_careful(struct link *l, bool careful);

/* Once a second: whether its alarms stand. */
void link_look(struct link *l);

/* *ret_since_us: wall clock of the last change; as it was where there was none yet. */
bool link_is_up(const struct link *l, int64_t *ret_since_us);

#endif
