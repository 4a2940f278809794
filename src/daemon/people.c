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

static json_t *user_json(const struct dir_user *u)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id", text_or_null(u->id), "name",
		text_or_null(u->name), "email", text_or_null(u->email), "phone",
		text_or_null(u->phone), "department", text_or_null(u->department), "updated_at",
		text_or_null(u->updated_at), "gone", directory_user_gone(u));
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
