#include "daemon/refresh_page.h"

#include "base/jget.h"
#include "daemon/entry.h"
#include "daemon/rejudge.h"

/* Returns an enum dir_change or an error. */
static int store_one(struct context *c, const struct entry *e, int64_t asked_us)
{
	enum dir_change change = entry_compare(c, e);
	int r;

	if (entry_is_behind(c, e, asked_us)) {
		change = directory_missed(&c->directory, e->what, e->key) > 0 ? DIR_BACK : DIR_SAME;
		r = entry_store_seen(c, e);
	} else {
		r = entry_store(c, e, change);
	}
	return r < 0 ? r : (int)change;
}

static int store_place(struct store *s, const struct refresh_place *place)
{
	int r = store_meta_set(s, REFRESH_OFFSET, place->offset);

	return r < 0 ? r : store_meta_set(s, REFRESH_TOTAL, place->total);
}

static int store_entries(struct context *c, enum dir_what what, const json_t *data,
	int64_t asked_us, struct refresh_page *page)
{
	const json_t *json;
	struct entry entry;
	size_t i;

	json_array_foreach(data, i, json)
	{
		bool sound = entry_read(what, json, &entry);
		int r = sound ? store_one(c, &entry, asked_us) : DIR_SAME;

		if (r < 0)
			return r;
		page->changed += r != DIR_SAME;
		page->people += r != DIR_SAME && entry_moves_people(c, &entry);
		page->strange += !sound;
		punch_text_cut(page->last, sizeof page->last, sound ? entry.key : "");
		if (i == 0)
			punch_text_cut(page->first, sizeof page->first, page->last);
	}
	return 0;
}

static int remember(struct context *c, const struct entry *e, int64_t asked_us)
{
	if (entry_is_behind(c, e, asked_us)) {
		directory_see(&c->directory, e->what, e->key);
		return 0;
	}
	return e->what == DIR_USERS ? directory_put_user(&c->directory, &e->user)
				    : directory_put_device(&c->directory, &e->device);
}

static int remember_page(
	struct context *c, enum dir_what what, const json_t *data, int64_t asked_us)
{
	const json_t *json;
	struct entry entry;
	int r = 0;
	size_t i;

	json_array_foreach(data, i, json)
	{
		if (r < 0 || !entry_read(what, json, &entry))
			continue;
		r = remember(c, &entry, asked_us);
		if (r >= 0 && what == DIR_DEVICES)
			directory_device_synced(
				&c->directory, entry.key, jget_str_or_empty(json, "last_sync"));
	}
	return r < 0 ? r : 0;
}

int refresh_page_take(struct context *c, enum dir_what what, const json_t *data, int64_t asked_us,
	const struct refresh_place *place, struct refresh_page *ret)
{
	int r;

	*ret = (struct refresh_page){.changed = 0};
	r = store_entries(c, what, data, asked_us, ret);
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
	return remember_page(c, what, data, asked_us);
}
