/*
 * What the gateway saw of each terminal since it started: in memory, for status.
 */
#ifndef PUNCHD_DAEMON_TERMINALS_H
#define PUNCHD_DAEMON_TERMINALS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/strmap.h"
#include "daemon/context.h"

/* Strangers choose these names: beyond so many, new ones are not listed. */
#define TERMINALS_SHOWN_MAX 10000

struct terminals {
	struct strmap by_serial;
};

void terminals_init(struct terminals *t, uint64_t seed);
void terminals_done(struct terminals *t);

/* A message of a terminal came; punch: it brought at least one punch. retained: the broker kept it,
 * so it says nothing about now. */
void terminals_saw(
	struct terminals *t, const char *serial, int64_t wall_us, bool punch, bool retained);

/* Its status topic said something (INTERFACES: att/v1/{serial}/status). */
void terminals_status(struct terminals *t, const char *serial, const void *payload, size_t length,
	int64_t wall_us, bool retained);

/* The same, as a profile has read it. */
void terminals_presence(
	struct terminals *t, const char *serial, bool online, int64_t wall_us, bool retained);

/* It speaks by the profile of this name. */
void terminals_family(struct terminals *t, const char *serial, const char *family);

/*
 * Call due for each terminal of a family that is not known to be offline and was not due in the last
 * every_us. now_us is monotonic.
 */
typedef void terminals_due(void *arg, const char *serial);
void terminals_clocks(struct terminals *t, const char *family, int64_t now_us, int64_t every_us,
	terminals_due *due, void *arg);

/* As in the status document, sorted by what they call themselves; a new reference. */
json_t *terminals_json(const struct terminals *t, struct context *c);

/* What was seen of a device since the start, as members of an object: online, last_seen, last_punch;
 * null where nothing was. Where several terminals are one device, of the one that was seen last. */
void terminals_seen(
	const struct terminals *t, const struct context *c, const char *serial, json_t *into);

#endif
