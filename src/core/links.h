/*
 * Links: which person a terminal means by a name of its own, `kind:value` → usr_… (JUDGING.md §3).
 * Operators make them, at one terminal or anywhere; held whole in memory, asked for every punch.
 *
 * Pure: the store keeps each change (store/store_link.h), and playing them in order gives this.
 */
#ifndef PUNCHD_CORE_LINKS_H
#define PUNCHD_CORE_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"
#include "core/punch.h"

#define LINKS_MAX     250000 /* at once: 250 bytes each */
#define LINK_NOTE_MAX 512    /* bytes of a note */

/* A change of a link, or the last one of it. All texts are owned by whoever holds it, never NULL. */
struct user_link {
	enum user_kind kind;
	const char *value;   /* normalised: core/user.h */
	const char *device;  /* a terminal's serial; "" anywhere */
	const char *user_id; /* usr_…; "" of a change that takes it away */
	/* who, when and why */
	int64_t at_us; /* wall clock */
	uint32_t uid;
	const char *name;
	const char *note;
};

struct links {
	struct strmap map; /* by kind, device and value */
};

void links_init(struct links *l, uint64_t seed);
void links_done(struct links *l); /* empty again, and may be used on */

/* What a change is to what there is: nothing to do, or one of the others. */
enum link_change { LINK_SAME, LINK_NEW, LINK_CHANGED, LINK_GONE };
enum link_change links_compare(const struct links *l, const struct user_link *change);

/* Make a change; it is copied. Returns 0, -EDQUOT (LINKS_MAX) or -ENOMEM with nothing changed. */
int links_apply(struct links *l, const struct user_link *change);

/* The one with exactly this device, "" being anywhere; NULL where there is none. Valid until it is
 * changed. */
const struct user_link *links_get(
	const struct links *l, enum user_kind kind, const char *value, const char *device);

/* The one that counts at a terminal: its own, else the one that holds anywhere, else NULL. */
const struct user_link *links_find(
	const struct links *l, enum user_kind kind, const char *value, const char *serial);

size_t links_count(const struct links *l);
/* One after the other, in no order; *pos begins at 0. NULL at the end. */
const struct user_link *links_next(const struct links *l, size_t *pos);

/*
 * Whether a change may be made: a value that is normalised into ret_value, a device where the kind
 * needs one, a user id that could be one. Returns NULL, or a constant with what is wrong.
 * user_id "": a link that is taken away.
 */
const char *links_fault(const struct user_link *change, char ret_value[static USER_MAX + 1]);

#endif
