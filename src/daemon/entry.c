#include "daemon/entry.h"

#include "base/jget.h"
#include "base/time.h"
#include "store/store_directory.h"

/* A text of an entry: as it is, cut where it is long, "" where it is none. */
static const char *field(const json_t *json, const char *key, char ret[static ENTRY_FIELD_MAX + 1])
{
	punch_text_cut(ret, ENTRY_FIELD_MAX + 1, jget_str_or_empty(json, key));
	return ret;
}

static bool read_user(const json_t *json, struct entry *e)
{
	if (jget_str(json, "id", 1, CLOUD_ID_MAX, &e->user.id) <= 0)
		return false;
	e->user.name = field(json, "name", e->texts[0]);
	e->user.email = field(json, "email", e->texts[1]);
	e->user.phone = field(json, "phone", e->texts[2]);
	e->user.department = field(json, "department", e->texts[3]);
	e->user.updated_at = field(json, "updated_at", e->texts[4]);
	e->key = e->user.id;
	return true;
}

static bool read_device(const json_t *json, struct entry *e)
{
	if (jget_str(json, "id", 1, CLOUD_ID_MAX, &e->device.id) <= 0 ||
		jget_str(json, "serial_number", 1, ENTRY_FIELD_MAX, &e->device.serial) <= 0)
		return false;
	e->device.name = field(json, "name", e->texts[0]);
	e->device.type = field(json, "type", e->texts[1]);
	e->device.status = field(json, "status", e->texts[2]);
	e->device.location = field(json, "location", e->texts[3]);
	e->device.updated_at = field(json, "updated_at", e->texts[4]);
	e->key = e->device.serial;
	return true;
}

bool entry_read(enum dir_what what, const json_t *json, struct entry *ret)
{
	ret->what = what;
	return what == DIR_USERS ? read_user(json, ret) : read_device(json, ret);
}

/* ---- which is newer */

static int64_t seconds_of(const char *text)
{
	int64_t s;

	return time_parse_rfc3339(text, &s) == 0 ? s : INT64_MIN;
}

int64_t entry_updated_s(const struct entry *e)
{
	return seconds_of(e->what == DIR_USERS ? e->user.updated_at : e->device.updated_at);
}

int64_t entry_known_updated_s(const struct context *c, const struct entry *e)
{
	const struct dir_user *user;
	const struct dir_device *device;

	if (e->what == DIR_USERS) {
		user = directory_user(&c->directory, e->key);
		return user ? seconds_of(user->updated_at) : INT64_MIN;
	}
	device = directory_device(&c->directory, e->key);
	return device ? seconds_of(device->updated_at) : INT64_MIN;
}

bool entry_is_behind(const struct context *c, const struct entry *e, int64_t asked_us)
{
	int64_t told_us = directory_told_us(&c->directory, e->what, e->key);

	return told_us != 0 && asked_us < told_us + ENTRY_LAG_US &&
		entry_updated_s(e) < entry_known_updated_s(c, e);
}

/* ---- taking it over */

enum dir_change entry_compare(const struct context *c, const struct entry *e)
{
	return e->what == DIR_USERS ? directory_compare_user(&c->directory, &e->user)
				    : directory_compare_device(&c->directory, &e->device);
}

bool entry_moves_people(const struct context *c, const struct entry *e)
{
	const struct dir_user *old;

	if (e->what != DIR_USERS)
		return false;
	old = directory_user(&c->directory, e->key);
	return !old || strcmp(old->email, e->user.email) != 0 ||
		strcmp(old->phone, e->user.phone) != 0;
}

int entry_store_seen(struct context *c, const struct entry *e)
{
	if (directory_missed(&c->directory, e->what, e->key) == 0)
		return 0;
	return store_missing_put(c->store, e->what, e->key, 0);
}

int entry_store(struct context *c, const struct entry *e, enum dir_change change)
{
	int r = 0;

	if (change == DIR_NEW || change == DIR_CHANGED)
		r = e->what == DIR_USERS ? store_user_put(c->store, &e->user)
					 : store_device_put(c->store, &e->device);
	return r < 0 ? r : entry_store_seen(c, e);
}
