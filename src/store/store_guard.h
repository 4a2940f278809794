/* Messages that are committed before they are parsed, and those that are known to crash
 * (daemon/guard.h says why). */
#ifndef PUNCHD_STORE_STORE_GUARD_H
#define PUNCHD_STORE_STORE_GUARD_H

#include "store/store.h"

struct store_guarded {
	int64_t id;
	char *topic;   /* owned */
	void *payload; /* owned */
	size_t length;
	bool retained;
	bool dup;
	int parses; /* how often it was about to be parsed */
};

/* Add a message that is about to be parsed, in the open transaction. Returns its id, or an error. */
int64_t store_guard_add(struct store *s, const char *topic, const void *payload, size_t length,
	bool retained, bool dup);

/* It is about to be parsed again. / It is done with. */
int store_guard_raise(struct store *s, int64_t id);
int store_guard_del(struct store *s, int64_t id);

/* The oldest one: 1 (done with store_guarded_done), 0 none, or an error. */
int store_guard_first(struct store *s, struct store_guarded *ret);
void store_guarded_done(struct store_guarded *g);

/* Called with the identity of each message that is parked as crashed. */
typedef int store_on_identity(void *arg, const uint8_t identity[static IDENTITY_SIZE]);
int store_crashed_each(struct store *s, store_on_identity *on, void *arg);

#endif
