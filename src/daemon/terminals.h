/*
 * What the gateway saw of each terminal since it started: in memory, for status, for the alarm of
 * those that have fallen silent, and to set their clocks.
 */
#ifndef PUNCHD_DAEMON_TERMINALS_H
#define PUNCHD_DAEMON_TERMINALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/strmap.h"
#include "daemon/context.h"

#define TERMINALS_SHOWN_MAX 10000
/* Anybody can make names up: of those that are no device of the cloud's list and have no settings, so
 * many are listed. */
#define TERMINALS_STRANGERS_MAX 1000

struct terminals {
	struct context *context;
	struct strmap by_name; /* what they call themselves */
	size_t strangers;
	int64_t counted_us; /* monotonic, when the strangers were counted last */

	/* Only while the broker is there is silence theirs. */
	int64_t listened_us; /* before it came last */
	int64_t up_us;       /* monotonic, since when it is there; 0: it is not */
};

void terminals_init(struct terminals *t, struct context *context, uint64_t seed);
void terminals_done(struct terminals *t);

/* Whether the broker is there; called every second. */
void terminals_link(struct terminals *t, bool up, int64_t now_us);

/* A message of a terminal came; punch: it brought at least one punch. retained: the broker kept it,
 * so it says nothing about now. */
void terminals_saw(
	struct terminals *t, const char *name, struct moment at, bool punch, bool retained);

/* Its status topic said something (INTERFACES: att/v1/{serial}/status). */
void terminals_status(struct terminals *t, const char *name, const void *payload, size_t length,
	struct moment at, bool retained);

/* The same, as a profile has read it. */
void terminals_presence(
	struct terminals *t, const char *name, bool online, struct moment at, bool retained);

/* It speaks by the profile of this name. */
void terminals_family(struct terminals *t, const char *name, const char *family);

/* A live punch with a time of its own was received just then, by a clock that is trusted. */
void terminals_punched(struct terminals *t, const char *name, int64_t time_s, int64_t received_us);

/* Our own clock was set: what was learnt by the old one is over. */
void terminals_clock_set(struct terminals *t);

/*
 * Call due for each terminal of a family that is not known to be offline and was not due in the last
 * every_us. now_us is monotonic.
 */
typedef void terminals_due(void *arg, const char *name);
void terminals_clocks(struct terminals *t, const char *family, int64_t now_us, int64_t every_us,
	terminals_due *due, void *arg);

/* The same for those that speak natively and whose clock is known to be off, by five seconds or
 * more; what was learnt of it is forgotten. */
void terminals_native_clocks(struct terminals *t, int64_t now_us, terminals_due *due, void *arg);

/* What they call themselves, one after the other, in no order; *pos begins at 0. NULL at the end. */
const char *terminals_next(const struct terminals *t, size_t *pos);

/* Whether a terminal of this device was ever heard of: since the start, or by a punch that is or was in
 * the store. */
bool terminals_in_use(const struct terminals *t, const char *serial);

/* As in the status document, sorted by what they call themselves; a new reference. */
json_t *terminals_json(const struct terminals *t, struct context *c);

/* What was seen of a device since the start, as members of an object: online, last_seen, last_punch,
 * pending, fw, skew_s; null where nothing was. Where several terminals are one device, of the one
 * that was seen last. */
void terminals_seen(
	const struct terminals *t, const struct context *c, const char *serial, json_t *into);

/*
 * The devices that should be heard of and are not: active ones of the cloud's list whose terminal
 * said goodbye (its last will), or was silent for longer than its profile's timeout_s, natively a
 * day; those that were not heard since the start too, if they ever brought a punch. Silence counts
 * while the broker is there, and after it was away there is a minute for coming back. since_us: when
 * it was heard last, wall clock; 0: not since the start.
 */
typedef void terminals_is_silent(void *arg, const char *serial, int64_t since_us);
void terminals_each_silent(struct terminals *t, terminals_is_silent *on, void *arg);

/* The first few of their serials are written to ret_names. Returns how many they are. */
#define TERMINALS_NAMES_MAX 200
size_t terminals_silent(struct terminals *t, char ret_names[static TERMINALS_NAMES_MAX]);

#endif
