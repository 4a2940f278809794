#include "store/store_lobby.h"

#include <errno.h>

#include "store/store_private.h"

#define US_PER_MS 1000

/* The last punch of the slice, 0 where fewer are left than a slice holds. */
static int slice_end(struct store *s, int64_t after_seq, int64_t *ret_seq)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_LOBBY_END, &stmt);

	*ret_seq = 0;
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, after_seq);
	sqlite3_bind_int64(stmt, 2, STORE_LOBBY_ROWS - 1);
	r = store_step_row(stmt);
	if (r > 0)
		*ret_seq = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

static int on_row(struct store *s, sqlite3_stmt *stmt, store_on_group *on, void *arg)
{
	int kind = sqlite3_column_int(stmt, 1);
	const char *user = (const char *)sqlite3_column_text(stmt, 2);
	const struct store_group group = {
		.reason = sqlite3_column_int(stmt, 0),
		.about_user = kind >= 0,
		.kind = kind >= 0 ? (enum user_kind)kind : USER_ID,
		.user = user ? user : "",
		.terminal = store_terminal_name(s, sqlite3_column_int64(stmt, 3)),
		.count = sqlite3_column_int64(stmt, 4),
		.since_us = sqlite3_column_int64(stmt, 5) * US_PER_MS,
		.newest_us = sqlite3_column_int64(stmt, 6) * US_PER_MS,
	};

	/* The schema's CHECKs let no other one through, but disks forget. */
	return kind > USER_PHONE ? -EUCLEAN : on(arg, &group);
}

int store_lobby_read(
	struct store *s, int64_t after_seq, store_on_group *on, void *arg, int64_t *ret_next)
{
	sqlite3_stmt *stmt;
	int r = slice_end(s, after_seq, ret_next);

	if (r == 0)
		r = store_prepared(s, SQL_LOBBY, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, after_seq);
	sqlite3_bind_int64(stmt, 2, *ret_next ? *ret_next : INT64_MAX);
	while (r >= 0 && (r = store_step_row(stmt)) > 0)
		r = on_row(s, stmt, on, arg);
	sqlite3_reset(stmt);
	return r;
}
