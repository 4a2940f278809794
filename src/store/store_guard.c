#include "store/store_guard.h"

#include <errno.h>

#include "store/store_private.h"

int64_t store_guard_add(struct store *s, const char *topic, const void *payload, size_t length,
	bool retained, bool dup)
{
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_GUARD_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, topic, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, length ? payload : "", length, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 3, retained);
	sqlite3_bind_int(stmt, 4, dup);
	r = store_step_done(stmt);
	return r < 0 ? r : sqlite3_last_insert_rowid(s->db);
}

int store_guard_raise(struct store *s, int64_t id)
{
	return store_write_row(s, SQL_GUARD_RAISE, id);
}

int store_guard_del(struct store *s, int64_t id)
{
	return store_write_row(s, SQL_GUARD_DEL, id);
}

int store_guard_first(struct store *s, struct store_guarded *ret)
{
	const char *topic;
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_GUARD_FIRST, &stmt);

	*ret = (struct store_guarded){.id = 0};
	if (r < 0)
		return r;
	r = store_step_row(stmt);
	if (r <= 0)
		return r;
	ret->id = sqlite3_column_int64(stmt, 0);
	topic = (const char *)sqlite3_column_text(stmt, 1);
	ret->topic = strdup(topic ? topic : "");
	ret->length = (size_t)sqlite3_column_bytes(stmt, 2);
	ret->payload = malloc(ret->length + 1);
	if (ret->payload && ret->length > 0)
		memcpy(ret->payload, sqlite3_column_blob(stmt, 2), ret->length);
	ret->retained = sqlite3_column_int(stmt, 3);
	ret->dup = sqlite3_column_int(stmt, 4);
	ret->parses = sqlite3_column_int(stmt, 5);
	sqlite3_reset(stmt);
	if (ret->topic && ret->payload)
		return 1;
	store_guarded_done(ret);
	return -ENOMEM;
}

void store_guarded_done(struct store_guarded *g)
{
	free(g->topic);
	free(g->payload);
	*g = (struct store_guarded){.id = 0};
}

int store_crashed_each(struct store *s, store_on_identity *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_CRASHED_ALL, &stmt);

	if (r < 0)
		return r;
	while (r == 0 && (r = store_step_row(stmt)) > 0) {
		r = 0;
		if (sqlite3_column_bytes(stmt, 0) == IDENTITY_SIZE)
			r = on(arg, sqlite3_column_blob(stmt, 0));
	}
	sqlite3_reset(stmt);
	return r;
}
