#include "sandbox/directory.h"

#include <errno.h>

#include "base/time.h"
#include "sandbox/seed.h"

#define SERIAL_MAX 64

json_t *directory_time(int64_t unix_s)
{
	char text[TIME_TEXT_SIZE];

	return json_string(time_format_utc(unix_s, -1, text));
}

static json_t *text_or_null(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		? json_null()
		: json_string(db_text(stmt, column));
}

static json_t *time_or_null(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		? json_null()
		: directory_time(sqlite3_column_int64(stmt, column));
}

/* Columns as db.c's USER_COLUMNS. */
json_t *directory_user_json(sqlite3_stmt *stmt)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", db_text(stmt, 0), "name",
		db_text(stmt, 1), "email", db_text(stmt, 2), "phone", db_text(stmt, 3),
		"department", text_or_null(stmt, 4), "created_at", time_or_null(stmt, 5),
		"updated_at", time_or_null(stmt, 6));
}

/* Columns as db.c's DEVICE_COLUMNS. */
static json_t *device_json(sqlite3_stmt *stmt)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", db_text(stmt, 0),
		"name", db_text(stmt, 1), "serial_number", db_text(stmt, 2), "type",
		db_text(stmt, 3), "status", db_text(stmt, 4), "location", text_or_null(stmt, 5),
		"last_sync", time_or_null(stmt, 6), "created_at", time_or_null(stmt, 7),
		"updated_at", time_or_null(stmt, 8));
}

/* ---- writing */

static int put_user(
	struct db *db, enum db_sql which, const struct directory_user *user, int64_t now_s)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, which);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, user->id);
	db_bind_text(stmt, 2, user->name);
	db_bind_text(stmt, 3, user->email);
	db_bind_text(stmt, 4, user->phone);
	db_bind_text(stmt, 5, user->department);
	if (which != SQL_USER_CHANGE)
		sqlite3_bind_int64(stmt, 6, now_s);
	sqlite3_bind_int64(stmt, 7, now_s);
	return db_run(db, stmt);
}

int directory_user_add(struct db *db, const struct directory_user *user, int64_t now_s)
{
	return put_user(db, SQL_USER_ADD, user, now_s);
}

int directory_user_change(struct db *db, const struct directory_user *user, int64_t now_s)
{
	return put_user(db, SQL_USER_CHANGE, user, now_s);
}

static int put_device(
	struct db *db, enum db_sql which, const struct directory_device *device, int64_t now_s)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, which);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, device->id);
	db_bind_text(stmt, 2, device->name);
	db_bind_text(stmt, 3, device->serial);
	db_bind_text(stmt, 4, device->type);
	db_bind_text(stmt, 5, device->status);
	db_bind_text(stmt, 6, device->location);
	if (which != SQL_DEVICE_CHANGE)
		sqlite3_bind_int64(stmt, 7, now_s);
	sqlite3_bind_int64(stmt, 8, now_s);
	return db_run(db, stmt);
}

int directory_device_add(struct db *db, const struct directory_device *device, int64_t now_s)
{
	return put_device(db, SQL_DEVICE_ADD, device, now_s);
}

int directory_device_change(struct db *db, const struct directory_device *device, int64_t now_s)
{
	return put_device(db, SQL_DEVICE_CHANGE, device, now_s);
}

static int remove_one(struct db *db, enum db_sql which, const char *id)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, which);
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, id);
	r = db_run(db, stmt);
	return r < 0 ? r : sqlite3_changes(db->sqlite) > 0;
}

int directory_user_remove(struct db *db, const char *id)
{
	return remove_one(db, SQL_USER_REMOVE, id);
}

int directory_device_remove(struct db *db, const char *id)
{
	return remove_one(db, SQL_DEVICE_REMOVE, id);
}

int directory_device_seen(struct db *db, const char *id, int64_t now_s)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_DEVICE_SEEN);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, now_s);
	return db_run(db, stmt);
}

/* ---- reading */

static int get_one(struct db *db, enum db_sql which, const char *id, int gone_column,
	json_t *(*to_json)(sqlite3_stmt *), json_t **ret, bool *ret_gone)
{
	sqlite3_stmt *stmt = db_statement(db, which);
	bool gone;
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, id);
	r = db_step(db, stmt);
	if (r <= 0)
		return r;
	gone = sqlite3_column_int(stmt, gone_column) != 0;
	if (ret_gone)
		*ret_gone = gone;
	else if (gone)
		r = 0;
	if (r == 1 && ret)
		*ret = to_json(stmt);
	sqlite3_reset(stmt);
	return r;
}

int directory_user_get(struct db *db, const char *id, json_t **ret_user, bool *ret_gone)
{
	return get_one(db, SQL_USER_GET, id, 7, directory_user_json, ret_user, ret_gone);
}

int directory_device_get(struct db *db, const char *id, json_t **ret_device, bool *ret_gone)
{
	return get_one(db, SQL_DEVICE_GET, id, 9, device_json, ret_device, ret_gone);
}

int directory_device_by_serial(
	struct db *db, const char *serial, json_t **ret_device, bool *ret_gone)
{
	return get_one(db, SQL_DEVICE_BY_SERIAL, serial, 9, device_json, ret_device, ret_gone);
}

int directory_user_has(struct db *db, enum db_sql which, const char *text)
{
	sqlite3_stmt *stmt = db_statement(db, which);
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, text);
	r = db_step(db, stmt);
	sqlite3_reset(stmt);
	return r;
}

int directory_device_set_status(
	struct db *db, const char *serial, const char *status, int64_t now_s, json_t **ret_device)
{
	json_t *old = NULL;
	struct directory_device device = {.serial = serial, .status = status};
	int r = directory_device_by_serial(db, serial, &old, NULL);

	if (r == 1 && strcmp(status, json_string_value(json_object_get(old, "status"))) == 0)
		r = 0;
	if (r == 1) {
		device.id = json_string_value(json_object_get(old, "id"));
		device.name = json_string_value(json_object_get(old, "name"));
		device.type = json_string_value(json_object_get(old, "type"));
		device.location = json_string_value(json_object_get(old, "location"));
		r = directory_device_change(db, &device, now_s);
		if (r == 0)
			r = directory_device_get(db, device.id, ret_device, NULL);
	}
	json_decref(old);
	return r;
}

static int list_rows(
	struct db *db, sqlite3_stmt *stmt, json_t *(*to_json)(sqlite3_stmt *), json_t **ret_list)
{
	json_t *list = json_array();
	int r;

	while ((r = db_step(db, stmt)) == 1)
		json_array_append_new(list, to_json(stmt));
	if (r < 0) {
		json_decref(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

int directory_users(struct db *db, int64_t limit, int64_t offset, bool shuffled, json_t **ret_list,
	int64_t *ret_total)
{
	sqlite3_stmt *stmt;
	int r = db_number(db, SQL_USER_COUNT, ret_total);

	stmt = r < 0 ? NULL : db_statement(db, shuffled ? SQL_USER_PAGE_SHUFFLED : SQL_USER_PAGE);
	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, limit);
	sqlite3_bind_int64(stmt, 2, offset);
	return list_rows(db, stmt, directory_user_json, ret_list);
}

int directory_devices(struct db *db, json_t **ret_list)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_DEVICE_EACH);

	return stmt ? list_rows(db, stmt, device_json, ret_list) : -EIO;
}

/* ---- ids and seeds */

/* Count up from the number of rows: ids that a person chose may be in the way. */
static int next_id(struct db *db, enum db_sql which, const char *prefix,
	int (*get)(struct db *, const char *, json_t **, bool *), char ret_id[static 32])
{
	int64_t n;
	bool gone;
	int r = db_number(db, which, &n);

	if (r < 0)
		return r;
	do {
		snprintf(ret_id, 32, "%s%06lld", prefix, (long long)n++);
	} while ((r = get(db, ret_id, NULL, &gone)) == 1);
	return r;
}

int directory_next_user_id(struct db *db, char ret_id[static 32])
{
	return next_id(db, SQL_USER_NEXT, "usr_", directory_user_get, ret_id);
}

int directory_next_device_id(struct db *db, char ret_id[static 32])
{
	return next_id(db, SQL_DEVICE_NEXT, "dev_", directory_device_get, ret_id);
}

int directory_seed_users(struct db *db, int64_t count)
{
	int r = 0;

	for (int64_t n = 1; n <= count && r == 0; n++) {
		struct seed_user seed;
		struct directory_user user = {
			seed.id, seed.name, seed.email, seed.phone, seed.department};

		seed_user(n, &seed);
		r = put_user(db, SQL_USER_SEED, &user, SEED_CREATED_S);
	}
	return r < 0 ? r : db_commit(db);
}

static int seed_device(struct db *db, const char *serial)
{
	char id[32], name[SERIAL_MAX + 16];
	struct directory_device device = {.id = id,
		.serial = serial,
		.name = name,
		.type = "fingerprint",
		.status = "active",
		.location = "Main entrance"};
	bool gone;
	int r;

	if (serial[0] == '\0' || strlen(serial) > SERIAL_MAX)
		return -EINVAL;
	r = directory_device_by_serial(db, serial, NULL, &gone);
	if (r != 0)
		return r < 0 ? r : 0;
	snprintf(name, sizeof name, "Terminal %s", serial);
	r = directory_next_device_id(db, id);
	return r < 0 ? r : directory_device_add(db, &device, SEED_CREATED_S);
}

int directory_seed_devices(struct db *db, const char *serials)
{
	char *copy = strdup(serials), *rest = copy, *serial;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && serials[0] != '\0' && (serial = strsep(&rest, ",")))
		r = seed_device(db, serial);
	free(copy);
	return r < 0 ? r : db_commit(db);
}
