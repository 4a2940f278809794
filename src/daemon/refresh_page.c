#include "daemon/refresh_page.h"

#include "base/jget.h"
#include "daemon/rejudge.h"
#include "store/store_directory.h"

#define FIELD_MAX 256 /* bytes of a name and the like that are kept */

/* One entry as read; the texts are in here or in the answer. */
struct reading {
	struct dir_user user;
	struct dir_device device;
	char texts[5][FIELD_MAX + 1];
};

/* A text of an entry: as it is, cut where it is long, "" where it is none. */
static const char *field(const json_t *entry, const char *key, char ret[static FIELD_MAX + 1])
{
	punch_text_cut(ret, FIELD_MAX + 1, jget_str_or_empty(entry, key));
	return ret;
}

/* The key, or NULL: no entry that can be used. */
static const char *read_user(const json_t *entry, struct reading *r)
{
	if (jget_str(entry, "id", 1, CLOUD_ID_MAX, &r->user.id) <= 0)
		return NULL;
	r->user.name = field(entry, "name", r->texts[0]);
	r->user.email = field(entry, "email", r->texts[1]);
	r->user.phone = field(entry, "phone", r->texts[2]);
	r->user.department = field(entry, "department", r->texts[3]);
	r->user.updated_at = field(entry, "updated_at", r->texts[4]);
	return r->user.id;
}

static const char *read_device(const json_t *entry, struct reading *r)
{
	if (jget_str(entry, "id", 1, CLOUD_ID_MAX, &r->device.id) <= 0 ||
		jget_str(entry, "serial_number", 1, FIELD_MAX, &r->device.serial) <= 0)
		return NULL;
	r->device.name = field(entry, "name", r->texts[0]);
	r->device.type = field(entry, "type", r->texts[1]);
	r->device.status = field(entry, "status", r->texts[2]);
	r->device.location = field(entry, "location", r->texts[3]);
	r->device.updated_at = field(entry, "updated_at", r->texts[4]);
	return r->device.serial;
}

static const char *read_entry(enum dir_what what, const json_t *entry, struct reading *r)
{
	return what == DIR_USERS ? read_user(entry, r) : read_device(entry, r);
}

/* Returns an enum dir_change or an error. */
static int store_entry(
	struct context *c, enum dir_what what, const char *key, const struct reading *e)
{
	bool users = what == DIR_USERS;
	enum dir_change change = users ? directory_compare_user(&c->directory, &e->user)
				       : directory_compare_device(&c->directory, &e->device);
	int r = 0;

	if (change == DIR_NEW || change == DIR_CHANGED)
		r = users ? store_user_put(c->store, &e->user)
			  : store_device_put(c->store, &e->device);
	if (r == 0 && directory_missed(&c->directory, what, key) > 0)
		r = store_missing_put(c->store, what, key, 0);
	return r < 0 ? r : (int)change;
}

/* Whether punches may become another person's by what is now said of a user. */
static bool moves_people(const struct context *c, const struct dir_user *u)
{
	const struct dir_user *old = directory_user(&c->directory, u->id);

	return !old || strcmp(old->email, u->email) != 0 || strcmp(old->phone, u->phone) != 0;
}

static int store_place(struct store *s, const struct refresh_place *place)
{
	int r = store_meta_set(s, REFRESH_OFFSET, place->offset);

	return r < 0 ? r : store_meta_set(s, REFRESH_TOTAL, place->total);
}

static int store_entries(
	struct context *c, enum dir_what what, const json_t *data, struct refresh_page *page)
{
	const json_t *entry;
	struct reading reading;
	size_t i;

	json_array_foreach(data, i, entry)
	{
		const char *key = read_entry(what, entry, &reading);
		int r = key ? store_entry(c, what, key, &reading) : DIR_SAME;

		if (r < 0)
			return r;
		page->changed += r != DIR_SAME;
		page->people += r != DIR_SAME && what == DIR_USERS &&
			moves_people(c, &reading.user);
		page->strange += !key;
		punch_text_cut(page->last, sizeof page->last, key ? key : "");
		if (i == 0)
			punch_text_cut(page->first, sizeof page->first, page->last);
	}
	return 0;
}

static int remember_page(struct context *c, enum dir_what what, const json_t *data)
{
	const json_t *entry;
	struct reading reading;
	int r = 0;
	size_t i;

	json_array_foreach(data, i, entry)
	{
		if (r >= 0 && read_entry(what, entry, &reading))
			r = what == DIR_USERS
				? directory_put_user(&c->directory, &reading.user)
				: directory_put_device(&c->directory, &reading.device);
	}
	return r < 0 ? r : 0;
}

int refresh_page_take(struct context *c, enum dir_what what, const json_t *data,
	const struct refresh_place *place, struct refresh_page *ret)
{
	int r;

	*ret = (struct refresh_page){.changed = 0};
	r = store_entries(c, what, data, ret);
	if (r == 0 && place && ret->changed > 0)
		r = store_place(c->store, place);
	if (r == 0 && ret->people > 0)
		r = rejudge_mark(c->store);
	if (r == 0)
		r = store_commit(c->store);
	if (r < 0) {
		store_rollback(c->store);
		return r;
	}
	return remember_page(c, what, data);
}
