/*
 * A user or device as the cloud shows it, on a page of its list or in an event: reading it, and taking
 * it over into the store. Memory follows the commit (core/directory.h).
 *
 * What an event has told is not undone by a page that was asked for before it, or so soon after it that
 * the cloud may have made it up from an older copy; from then on the list is right, whatever it says, so
 * that no event with a date in the future stands for ever.
 */
#ifndef PUNCHD_DAEMON_ENTRY_H
#define PUNCHD_DAEMON_ENTRY_H

#include <jansson.h>

#include "daemon/context.h"

#define ENTRY_FIELD_MAX 256                   /* bytes of a name and the like that are kept */
#define ENTRY_LAG_US    (60 * CLOCK_US_PER_S) /* a list may be so much behind an event */

/* The texts are in here or in the JSON that was read: not to be copied. */
struct entry {
	enum dir_what what;
	const char *key; /* id of a user, serial of a device */
	union {
		struct dir_user user;
		struct dir_device device;
	};
	char texts[5][ENTRY_FIELD_MAX + 1];
};

/* False: no entry that can be used. */
bool entry_read(enum dir_what what, const json_t *json, struct entry *ret);

/* When that was, seconds since 1970; INT64_MIN: it does not say. */
int64_t entry_updated_s(const struct entry *e);
/* The same of what is known under its key. */
int64_t entry_known_updated_s(const struct context *c, const struct entry *e);

/* Whether it is of a page, asked for at asked_us (monotonic), that is behind an event. */
bool entry_is_behind(const struct context *c, const struct entry *e, int64_t asked_us);

/* What it changes. */
enum dir_change entry_compare(const struct context *c, const struct entry *e);

/* Whether punches may become another person's by it. */
bool entry_moves_people(const struct context *c, const struct entry *e);

/* Write it, in the open transaction. Returns 0 or a store error. */
int entry_store(struct context *c, const struct entry *e, enum dir_change change);
/* From how many passes it is missing is forgotten, in the open transaction. */
int entry_store_seen(struct context *c, const struct entry *e);

#endif
