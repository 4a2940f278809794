#include "store/store_directory.h"

#include <errno.h>

#include "store/store_private.h"

/* A row's text columns as an array of pointers, which both entry types are. */
static void read_texts(sqlite3_stmt *stmt, const char **texts, int n)
{
	for (int i = 0; i < n; i++) {
		const char *text = (const char *)sqlite3_column_text(stmt, i);

		texts[i] = text ? text : "";
	}
}

static int put(struct store *s, enum store_sql which, const char *const *texts, int n)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, which, &stmt);

	if (r < 0)
		return r;
	for (int i = 0; i < n; i++)
		sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_STATIC);
	return store_step_done(stmt);
}

int store_user_put(struct store *s, const struct dir_user *u)
{
	const char *const texts[] = {
		u->id, u->name, u->email, u->phone, u->department, u->updated_at};

	return put(s, SQL_USER_PUT, texts, 6);
}

int store_device_put(struct store *s, const struct dir_device *d)
{
	const char *const texts[] = {
		d->id, d->serial, d->name, d->type, d->status, d->location, d->updated_at};

	return put(s, SQL_DEVICE_PUT, texts, 7);
}

int store_missing_put(struct store *s, enum dir_what what, const char *key, int passes)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, passes > 0 ? SQL_MISSING_PUT : SQL_MISSING_DEL, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int(stmt, 1, (int)what);
	sqlite3_bind_text(stmt, 2, key, -1, SQLITE_STATIC);
	if (passes > 0)
		sqlite3_bind_int(stmt, 3, passes);
	return store_step_done(stmt);
}

static int load_users(struct store *s, struct directory *d)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_USER_ALL, &stmt);

	if (r < 0)
		return r;
	while (r >= 0 && (r = store_step_row(stmt)) > 0) {
		const char *t[6];

		read_texts(stmt, t, 6);
		r = directory_put_user(d, &(struct dir_user){t[0], t[1], t[2], t[3], t[4], t[5]});
	}
	sqlite3_reset(stmt);
	return r;
}

static int load_devices(struct store *s, struct directory *d)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_DEVICE_ALL, &stmt);

	if (r < 0)
		return r;
	while (r >= 0 && (r = store_step_row(stmt)) > 0) {
		const char *t[7];

		read_texts(stmt, t, 7);
		r = directory_put_device(
			d, &(struct dir_device){t[0], t[1], t[2], t[3], t[4], t[5], t[6]});
	}
	sqlite3_reset(stmt);
	return r;
}

static int load_missing(struct store *s, struct directory *d)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_MISSING_ALL, &stmt);

	if (r < 0)
		return r;
	while ((r = store_step_row(stmt)) > 0) {
		const char *key = (const char *)sqlite3_column_text(stmt, 1);
		enum dir_what what = sqlite3_column_int(stmt, 0) ? DIR_USERS : DIR_DEVICES;

		directory_set_missed(d, what, key ? key : "", sqlite3_column_int(stmt, 2));
	}
	return r;
}

int store_directory_load(struct store *s, struct directory *d)
{
	int r = load_users(s, d);

	if (r >= 0)
		r = load_devices(s, d);
	return r < 0 ? r : load_missing(s, d);
}
