#include "store/store_link.h"

#include <errno.h>

#include "store/store_private.h"

#define US_PER_MS 1000

int store_link_add(struct store *s, const struct user_link *c)
{
	const char *const texts[] = {c->value, c->device, c->user_id, c->note};
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_LINK_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, c->at_us / US_PER_MS);
	sqlite3_bind_int64(stmt, 2, c->uid);
	sqlite3_bind_text(stmt, 3, c->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 4, (int)c->kind);
	for (int i = 0; i < 4; i++)
		sqlite3_bind_text(stmt, 5 + i, texts[i], -1, SQLITE_STATIC);
	return store_step_done(stmt);
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

static int on_row(sqlite3_stmt *stmt, store_on_link *on, void *arg)
{
	int kind = sqlite3_column_int(stmt, 3);
	const struct user_link change = {
		.kind = (enum user_kind)kind,
		.value = text_of(stmt, 4),
		.device = text_of(stmt, 5),
		.user_id = text_of(stmt, 6),
		.at_us = sqlite3_column_int64(stmt, 0) * US_PER_MS,
		.uid = (uint32_t)sqlite3_column_int64(stmt, 1),
		.name = text_of(stmt, 2),
		.note = text_of(stmt, 7),
	};

	/* The schema's CHECKs let none of these through, but disks forget. */
	if (kind < 0 || kind > USER_PHONE || strlen(change.value) > USER_MAX ||
		strlen(change.device) > TERMINAL_MAX || strlen(change.user_id) > CLOUD_ID_MAX)
		return -EUCLEAN;
	return on(arg, &change);
}

static int walk(sqlite3_stmt *stmt, store_on_link *on, void *arg)
{
	int r = 0;

	while (r >= 0 && (r = store_step_row(stmt)) > 0)
		r = on_row(stmt, on, arg);
	sqlite3_reset(stmt);
	return r;
}

int store_link_walk(struct store *s, store_on_link *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_LINK_ALL, &stmt);

	return r < 0 ? r : walk(stmt, on, arg);
}

int store_link_history(struct store *s, enum user_kind kind, const char *value, const char *device,
	store_on_link *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_LINK_OF, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int(stmt, 1, (int)kind);
	sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 3, device, -1, SQLITE_STATIC);
	return walk(stmt, on, arg);
}

static int play(void *arg, const struct user_link *change)
{
	return links_apply(arg, change);
}

int store_link_load(struct store *s, struct links *links)
{
	links_done(links);
	return store_link_walk(s, play, links);
}
