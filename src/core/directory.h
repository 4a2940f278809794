/*
 * The cloud's people and devices as last seen: held whole in memory, asked for every punch.
 *
 * Entries are added and changed, never removed: what is missing from a later list may only have
 * shifted between two pages, and a punch of somebody who is gone is the API's to judge.
 */
#ifndef PUNCHD_CORE_DIRECTORY_H
#define PUNCHD_CORE_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"
#include "core/punch.h"

/* All texts are owned by the entry and never NULL. */
struct dir_user {
	const char *id; /* usr_… */
	const char *name;
	const char *email;
	const char *phone;
	const char *department;
	const char *updated_at;
};

struct dir_device {
	const char *id; /* dev_… */
	const char *serial;
	const char *name;
	const char *type;
	const char *status;
	const char *location;
	const char *updated_at;
};

struct directory {
	struct strmap users;   /* by id */
	struct strmap devices; /* by serial */
};

void directory_init(struct directory *d, uint64_t seed);
void directory_done(struct directory *d);

/* What a put did. */
enum dir_change { DIR_SAME, DIR_NEW, DIR_CHANGED };

/* Add or update; the entry is copied. Returns an enum dir_change, or -ENOMEM with nothing changed. */
int directory_put_user(struct directory *d, const struct dir_user *user);
int directory_put_device(struct directory *d, const struct dir_device *device);

/* NULL where there is none. Valid until the next put of the same id. */
const struct dir_user *directory_user(const struct directory *d, const char *id);
/*
 * The one user with this e-mail address or phone number, normalised as core/user.h does; NULL where
 * there is none, or where several share it: then it names nobody. A pass over all users.
 */
const struct dir_user *directory_user_by_contact(
	const struct directory *d, enum user_kind kind, const char *value);

const struct dir_device *directory_device(const struct directory *d, const char *serial);

#endif
