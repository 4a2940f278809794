/*
 * Users and devices: made up, added, changed, removed, and shown as the API shows them.
 *
 * Results are 0 or a negative errno (logged by db) unless said otherwise; writes are part of the
 * turn's transaction. JSON that is returned is the caller's.
 */
#ifndef PUNCHD_SANDBOX_DIRECTORY_H
#define PUNCHD_SANDBOX_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "sandbox/db.h"

struct directory_user {
	const char *id;
	const char *name;
	const char *email;
	const char *phone;
	const char *department; /* NULL: none */
};

struct directory_device {
	const char *id;
	const char *serial;
	const char *name;
	const char *type;
	const char *status;
	const char *location; /* NULL: none */
};

/* Have usr_000001 to usr_N; who was removed stays so. Commits by itself. */
int directory_seed_users(struct db *db, int64_t count);
/* Have a device of each serial number in a list with commas; ids count up as they come. -EINVAL: an
 * empty or overlong serial number. Commits by itself. */
int directory_seed_devices(struct db *db, const char *serials);

/* The next free id of the form usr_000001 or dev_000001. */
int directory_next_user_id(struct db *db, char ret_id[static 32]);
int directory_next_device_id(struct db *db, char ret_id[static 32]);

int directory_user_add(struct db *db, const struct directory_user *user, int64_t now_s);
/* Change one, or bring a removed one back. */
int directory_user_change(struct db *db, const struct directory_user *user, int64_t now_s);
int directory_device_add(struct db *db, const struct directory_device *device, int64_t now_s);
int directory_device_change(struct db *db, const struct directory_device *device, int64_t now_s);

/* 1: its status was another one, and *ret_device (the caller's) shows it now; 0: it was not, or there
 * is no such device. */
int directory_device_set_status(
	struct db *db, const char *serial, const char *status, int64_t now_s, json_t **ret_device);

/* 1: there, *ret_user (may be NULL) is filled; 0: none. ret_gone may be NULL: then a removed one is
 * none; else it is returned, and *ret_gone says so. */
int directory_user_get(struct db *db, const char *id, json_t **ret_user, bool *ret_gone);
int directory_device_get(struct db *db, const char *id, json_t **ret_device, bool *ret_gone);
int directory_device_by_serial(
	struct db *db, const char *serial, json_t **ret_device, bool *ret_gone);

/* Whether a user that is not removed has this; which is SQL_USER_BY_EMAIL or …_PHONE. 1 or 0. */
int directory_user_has(struct db *db, enum db_sql which, const char *text);

/* 1: removed, 0: there was none. A device by id or serial number. */
int directory_user_remove(struct db *db, const char *id);
int directory_device_remove(struct db *db, const char *id);

/* A page of users, and how many there are in all. */
int directory_users(struct db *db, int64_t limit, int64_t offset, bool shuffled, json_t **ret_list,
	int64_t *ret_total);
int directory_devices(struct db *db, json_t **ret_list);

/* A device has sent a record. */
int directory_device_seen(struct db *db, const char *id, int64_t now_s);

/* A row whose columns are those of a user. */
json_t *directory_user_json(sqlite3_stmt *stmt);

/* `2023-01-15T10:30:00Z`, as a JSON string. */
json_t *directory_time(int64_t unix_s);

#endif
