#include "sandbox/keys.h"

#include <errno.h>

#define TIMES_FIRST 64

void keys_init(struct keys *k, enum keys_counting counting, int64_t per_window, int64_t window_ms,
	uint64_t seed)
{
	*k = (struct keys){.counting = counting, .per_window = per_window, .window_ms = window_ms};
	strmap_init(&k->map, seed);
}

/* ---- rights */

static const char *const rights_names[] = {
	[KEYS_ALL] = "all", [KEYS_READ] = "read", [KEYS_ATTENDANCE] = "attendance"};

const char *keys_rights_name(enum keys_rights rights)
{
	return rights_names[rights];
}

int keys_rights_parse(const char *name, enum keys_rights *ret)
{
	for (size_t i = 0; i < sizeof rights_names / sizeof rights_names[0]; i++) {
		if (strcmp(rights_names[i], name) == 0) {
			*ret = (enum keys_rights)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool keys_may(enum keys_rights rights, const char *method, const char *path)
{
	switch (rights) {
	case KEYS_ALL: return true;
	case KEYS_READ: return strcmp(method, "GET") == 0;
	case KEYS_ATTENDANCE:
		return strcmp(method, "POST") == 0 && strcmp(path, "/attendance") == 0;
	}
	return false;
}

/* ---- what is known */

void keys_entry_done(struct keys_entry *entry)
{
	free(entry->times);
	*entry = (struct keys_entry){0};
}

static void entry_free(struct keys_entry *entry)
{
	if (entry)
		keys_entry_done(entry);
	free(entry);
}

void keys_done(struct keys *k)
{
	struct keys_entry *entry;
	size_t pos = 0;

	while ((entry = strmap_next(&k->map, &pos, NULL)))
		entry_free(entry);
	strmap_done(&k->map);
}

static int put(struct keys *k, const char *key, enum keys_rights rights)
{
	struct keys_entry *entry = keys_find(k, key);
	int r;

	if (entry) {
		entry->rights = rights;
		return 0;
	}
	entry = calloc(1, sizeof *entry);
	if (!entry)
		return -ENOMEM;
	entry->rights = rights;
	r = strmap_put(&k->map, key, entry, NULL);
	if (r < 0)
		free(entry);
	return r;
}

static int load_keys(struct keys *k, struct db *db)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_KEY_EACH);
	int r;

	if (!stmt)
		return -EIO;
	while ((r = db_step(db, stmt)) == 1) {
		r = put(k, db_text(stmt, 0), (enum keys_rights)sqlite3_column_int(stmt, 1));
		if (r < 0)
			break;
	}
	sqlite3_reset(stmt);
	return r;
}

/* ---- what they have used, in the file */

static int load_times(struct keys_entry *entry, sqlite3_stmt *stmt)
{
	size_t count = (size_t)sqlite3_column_bytes(stmt, 5) / sizeof *entry->times;

	if (count == 0)
		return 0;
	entry->times = calloc(count, sizeof *entry->times);
	if (!entry->times)
		return -ENOMEM;
	memcpy(entry->times, sqlite3_column_blob(stmt, 5), count * sizeof *entry->times);
	entry->times_count = entry->times_room = count;
	return 0;
}

static int load_rate(struct keys *k, sqlite3_stmt *stmt)
{
	struct keys_entry *entry = keys_find(k, db_text(stmt, 0));

	if (!entry)
		return 0;
	entry->window = sqlite3_column_int64(stmt, 1);
	entry->used = sqlite3_column_int64(stmt, 2);
	entry->owed = sqlite3_column_int64(stmt, 3);
	entry->owed_at_ms = sqlite3_column_int64(stmt, 4);
	return load_times(entry, stmt);
}

static int load_rates(struct keys *k, struct db *db)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_RATE_EACH);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int(stmt, 1, (int)k->counting);
	sqlite3_bind_int64(stmt, 2, k->window_ms);
	while ((r = db_step(db, stmt)) == 1) {
		r = load_rate(k, stmt);
		if (r < 0)
			break;
	}
	sqlite3_reset(stmt);
	return r;
}

static void save_rate(
	const struct keys *k, struct db *db, const char *key, const struct keys_entry *entry)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_RATE_SAVE);

	if (!stmt)
		return;
	db_bind_text(stmt, 1, key);
	sqlite3_bind_int(stmt, 2, (int)k->counting);
	sqlite3_bind_int64(stmt, 3, k->window_ms);
	sqlite3_bind_int64(stmt, 4, entry->window);
	sqlite3_bind_int64(stmt, 5, entry->used);
	sqlite3_bind_int64(stmt, 6, entry->owed);
	sqlite3_bind_int64(stmt, 7, entry->owed_at_ms);
	if (entry->times_count > 0 && entry->times_count <= KEYS_TIMES_SAVED)
		sqlite3_bind_blob(stmt, 8, entry->times + entry->times_first,
			(int)(entry->times_count * sizeof *entry->times), SQLITE_STATIC);
	db_run(db, stmt);
}

void keys_save(struct keys *k, struct db *db)
{
	struct keys_entry *entry;
	const char *key;
	size_t pos = 0;

	while (k->per_window > 0 && (entry = strmap_next(&k->map, &pos, &key))) {
		if (entry->is_changed)
			save_rate(k, db, key, entry);
		entry->is_changed = false;
	}
}

int keys_load(struct keys *k, struct db *db)
{
	int r = load_keys(k, db);

	return r < 0 ? r : load_rates(k, db);
}

/* ---- adding and removing */

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

int keys_add(struct keys *k, struct db *db, const char *key, enum keys_rights rights)
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
	sqlite3_bind_int(stmt, 2, (int)rights);
	r = db_run(db, stmt);
	return r < 0 ? r : put(k, key, rights);
}

static int forget(struct db *db, enum db_sql which, const char *key)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, which);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, key);
	return db_run(db, stmt);
}

int keys_remove(struct keys *k, struct db *db, const char *key)
{
	int r = forget(db, SQL_KEY_REMOVE, key);

	if (r == 0)
		r = forget(db, SQL_RATE_REMOVE, key);
	if (r < 0 || !keys_find(k, key))
		return r;
	entry_free(strmap_del(&k->map, key));
	return 1;
}

struct keys_entry *keys_find(const struct keys *k, const char *key)
{
	return strmap_get(&k->map, key);
}

/* ---- counting: each says what is used now and when it is told to be over, and takes one more where
 * that is allowed */

static int64_t fixed_end_ms(const struct keys *k, int64_t now_ms)
{
	return (now_ms / k->window_ms + 1) * k->window_ms;
}

static void age_fixed(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	int64_t window = now_ms / k->window_ms;

	if (entry->window != window) {
		entry->window = window;
		entry->used = 0;
	}
}

static bool take_fixed(const struct keys *k, struct keys_entry *entry)
{
	if (entry->used >= k->per_window)
		return false;
	entry->used++;
	return true;
}

/* Room for one time more, at the end. */
static int times_grow(struct keys_entry *entry)
{
	size_t room = entry->times_room ? entry->times_room * 2 : TIMES_FIRST;
	int64_t *times;

	if (entry->times_first + entry->times_count < entry->times_room)
		return 0;
	if (entry->times_first > entry->times_room / 2) {
		memmove(entry->times, entry->times + entry->times_first,
			entry->times_count * sizeof *entry->times);
		entry->times_first = 0;
		return 0;
	}
	times = reallocarray(entry->times, room, sizeof *times);
	if (!times)
		return -ENOMEM;
	entry->times = times;
	entry->times_room = room;
	return 0;
}

static void age_sliding(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	while (entry->times_count > 0 &&
		entry->times[entry->times_first] + k->window_ms <= now_ms) {
		entry->times_first++;
		entry->times_count--;
	}
	while (entry->times_count > 0 &&
		entry->times[entry->times_first + entry->times_count - 1] > now_ms)
		entry->times_count--;
}

static bool take_sliding(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	if ((int64_t)entry->times_count >= k->per_window || times_grow(entry) < 0)
		return false;
	entry->times[entry->times_first + entry->times_count++] = now_ms;
	return true;
}

/* It fills by per_window of its units a millisecond; a request takes window_ms of them. */
static void age_bucket(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	int64_t passed_ms = now_ms - entry->owed_at_ms;

	if (passed_ms >= k->window_ms)
		entry->owed = 0;
	else if (passed_ms > 0)
		entry->owed -= passed_ms * k->per_window;
	if (entry->owed < 0)
		entry->owed = 0;
	entry->owed_at_ms = now_ms;
}

static bool take_bucket(const struct keys *k, struct keys_entry *entry)
{
	if (entry->owed + k->window_ms > k->per_window * k->window_ms)
		return false;
	entry->owed += k->window_ms;
	return true;
}

/* ---- a request */

/* What was used counts as it does now. */
static void age(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	switch (k->counting) {
	case KEYS_FIXED: age_fixed(k, entry, now_ms); break;
	case KEYS_SLIDING: age_sliding(k, entry, now_ms); break;
	case KEYS_BUCKET: age_bucket(k, entry, now_ms); break;
	}
}

static bool take(const struct keys *k, struct keys_entry *entry, int64_t now_ms)
{
	switch (k->counting) {
	case KEYS_FIXED: return take_fixed(k, entry);
	case KEYS_SLIDING: return take_sliding(k, entry, now_ms);
	case KEYS_BUCKET: return take_bucket(k, entry);
	}
	return false;
}

static void view(const struct keys *k, const struct keys_entry *entry, int64_t now_ms,
	struct keys_view *ret_view)
{
	int64_t used = 0, reset_ms = now_ms;

	switch (k->counting) {
	case KEYS_FIXED:
		used = entry->used;
		reset_ms = fixed_end_ms(k, now_ms);
		break;
	case KEYS_SLIDING:
		used = (int64_t)entry->times_count;
		if (entry->times_count > 0)
			reset_ms = entry->times[entry->times_first] + k->window_ms;
		break;
	case KEYS_BUCKET:
		used = (entry->owed + k->window_ms - 1) / k->window_ms;
		reset_ms = now_ms + (entry->owed + k->per_window - 1) / k->per_window;
		break;
	}
	/* A smaller plan than what is used already leaves nothing. */
	ret_view->remaining = used < k->per_window ? k->per_window - used : 0;
	ret_view->reset_s = (reset_ms + 999) / 1000;
}

void keys_view_untouched(const struct keys *k, int64_t now_ms, struct keys_view *ret_view)
{
	int64_t end_ms = k->counting == KEYS_FIXED ? fixed_end_ms(k, now_ms) : now_ms;

	ret_view->limit = k->per_window ? k->per_window : KEYS_UNLIMITED;
	ret_view->remaining = ret_view->limit;
	ret_view->reset_s = (end_ms + 999) / 1000;
}

bool keys_take(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view)
{
	bool within;

	keys_view_untouched(k, now_ms, ret_view);
	if (k->per_window == 0)
		return true;
	age(k, entry, now_ms);
	within = take(k, entry, now_ms);
	entry->is_changed = true;
	view(k, entry, now_ms, ret_view);
	return within;
}

void keys_peek(
	const struct keys *k, struct keys_entry *entry, int64_t now_ms, struct keys_view *ret_view)
{
	keys_view_untouched(k, now_ms, ret_view);
	if (k->per_window == 0)
		return;
	age(k, entry, now_ms);
	view(k, entry, now_ms, ret_view);
}
