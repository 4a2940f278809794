#include "sandbox/keys.h"

#include <errno.h>

void keys_init(struct keys *k, int64_t per_window, int64_t window_ms, uint64_t seed)
{
	*k = (struct keys){.per_window = per_window, .window_ms = window_ms};
	strmap_init(&k->map, seed);
}

void keys_done(struct keys *k)
{
	struct keys_entry *entry;
	size_t pos = 0;

	while ((entry = strmap_next(&k->map, &pos, NULL)))
		free(entry);
	strmap_done(&k->map);
}

static int put(struct keys *k, const char *key, bool read_only)
{
	struct keys_entry *entry = keys_find(k, key);
	int r;

	if (entry) {
		entry->read_only = read_only;
		return 0;
	}
	entry = calloc(1, sizeof *entry);
	if (!entry)
		return -ENOMEM;
	entry->read_only = read_only;
	r = strmap_put(&k->map, key, entry, NULL);
	if (r < 0)
		free(entry);
	return r;
}

int keys_load(struct keys *k, struct db *db)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_KEY_EACH);
	int r;

	if (!stmt)
		return -EIO;
	while ((r = db_step(db, stmt)) == 1) {
		r = put(k, db_text(stmt, 0), sqlite3_column_int(stmt, 1) != 0);
		if (r < 0)
			break;
	}
	sqlite3_reset(stmt);
	return r;
}

/* RFC 6750's b64token, a little wider: anything visible. */
static bool key_good(const char *key)
{
	size_t n = strlen(key);

	if (n == 0 || n > KEYS_TEXT_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	}
	return true;
}

int keys_add(struct keys *k, struct db *db, const char *key, bool read_only)
{
	sqlite3_stmt *stmt;
	int r;

	if (!key_good(key))
		return -EINVAL;
	r = db_write(db);
	stmt = r < 0 ? NULL : db_statement(db, SQL_KEY_ADD);
	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, key);
	sqlite3_bind_int(stmt, 2, read_only);
	r = db_run(db, stmt);
	return r < 0 ? r : put(k, key, read_only);
}

int keys_remove(struct keys *k, struct db *db, const char *key)
{
	sqlite3_stmt *stmt;
	int r = db_write(db);

	stmt = r < 0 ? NULL : db_statement(db, SQL_KEY_REMOVE);
	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, key);
	r = db_run(db, stmt);
	if (r < 0 || !keys_find(k, key))
		return r;
	free(strmap_del(&k->map, key));
	return 1;
}

struct keys_entry *keys_find(const struct keys *k, const char *key)
{
	return strmap_get(&k->map, key);
}

void keys_view_untouched(const struct keys *k, int64_t now_ms, struct keys_view *ret_view)
{
	int64_t end_ms = (now_ms / k->window_ms + 1) * k->window_ms;

	ret_view->limit = k->per_window ? k->per_window : KEYS_UNLIMITED;
	ret_view->remaining = ret_view->limit;
	ret_view->reset_s = (end_ms + 999) / 1000;
}

bool keys_take(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view)
{
	int64_t window = now_ms / k->window_ms;
	bool within;

	keys_view_untouched(k, now_ms, ret_view);
	if (k->per_window == 0)
		return true;
	if (entry->window != window) {
		entry->window = window;
		entry->used = 0;
	}
	within = entry->used < k->per_window;
	if (within)
		entry->used++;
	ret_view->remaining = k->per_window - entry->used;
	return within;
}
