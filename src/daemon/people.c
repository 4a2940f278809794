#include "daemon/people.h"

/* What is on disk may be damaged, JSON is UTF-8. */
static json_t *text_or_null(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : json_null();
}

static bool contains(const char *text, const char *query)
{
	return strcasestr(text, query) != NULL;
}

static bool matches(const struct dir_user *u, const char *query)
{
	return !query || contains(u->id, query) || contains(u->name, query) ||
		contains(u->email, query) || contains(u->phone, query) ||
		contains(u->department, query);
}

static int by_id(const void *a, const void *b)
{
	const struct dir_user *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

static int by_serial(const void *a, const void *b)
{
	const struct dir_device *const *left = a, *const *right = b;

	return strcmp((*left)->serial, (*right)->serial);
}

static json_t *user_json(const struct dir_user *u)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id", text_or_null(u->id), "name",
		text_or_null(u->name), "email", text_or_null(u->email), "phone",
		text_or_null(u->phone), "department", text_or_null(u->department), "updated_at",
		text_or_null(u->updated_at), "gone", directory_user_gone(u));
}

static json_t *device_json(
	const struct context *c, const struct dir_device *v, const struct terminals *t)
{
	json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "serial",
		text_or_null(v->serial), "device_id", text_or_null(v->id), "name",
		text_or_null(v->name), "type", text_or_null(v->type), "status",
		text_or_null(v->status), "location", text_or_null(v->location), "updated_at",
		text_or_null(v->updated_at), "gone", directory_device_gone(v));

	terminals_seen(t, c, v->serial, json);
	return json;
}

json_t *people_users(const struct directory *d, const char *query, const char *after, size_t limit,
	const char **ret_next)
{
	const struct dir_user **found = malloc(
		(d->lists[DIR_USERS].chain.used + 1) * sizeof(struct dir_user *));
	json_t *list = json_array();
	size_t n = 0;

	*ret_next = NULL;
	if (!found || !list) {
		free(found);
		json_decref(list);
		return NULL;
	}
	for (const struct dir_user *u = directory_next_user(d, NULL); u;
		u = directory_next_user(d, u)) {
		if (strcmp(u->id, after) > 0 && matches(u, query))
			found[n++] = u;
	}
	qsort(found, n, sizeof(struct dir_user *), by_id);
	for (size_t i = 0; i < n && i < limit; i++)
		json_array_append_new(list, user_json(found[i]));
	if (n > limit)
		*ret_next = found[limit - 1]->id;
	free(found);
	return list;
}

json_t *people_devices(const struct context *c, const struct terminals *t)
{
	const struct directory *d = &c->directory;
	const struct dir_device **all = malloc(
		(d->lists[DIR_DEVICES].chain.used + 1) * sizeof(struct dir_device *));
	json_t *list = json_array();
	size_t n = 0;

	if (!all || !list) {
		free(all);
		json_decref(list);
		return NULL;
	}
	for (const struct dir_device *v = directory_next_device(d, NULL); v;
		v = directory_next_device(d, v))
		all[n++] = v;
	qsort(all, n, sizeof(struct dir_device *), by_serial);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, device_json(c, all[i], t));
	free(all);
	return list;
}
