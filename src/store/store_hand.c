#include "store/store_hand.h"

#include "store/store_private.h"

#define US_PER_MS 1000

int store_deed_add(struct store *s, const struct store_deed *deed)
{
	const char *const texts[] = {deed->name, deed->action, deed->note, deed->before};
	sqlite3_stmt *stmt;
	int r = store_prepared_write(s, SQL_DEED_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, deed->seq);
	sqlite3_bind_int64(stmt, 2, deed->at_us / US_PER_MS);
	sqlite3_bind_int64(stmt, 3, deed->uid);
	for (int i = 0; i < 4; i++)
		sqlite3_bind_text(stmt, 4 + i, texts[i], -1, SQLITE_STATIC);
	return store_step_done(stmt);
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

int store_deeds(struct store *s, int64_t seq, store_on_deed *on, void *arg)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_DEEDS, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, seq);
	while ((r = store_step_row(stmt)) > 0) {
		const struct store_deed deed = {
			.seq = seq,
			.at_us = sqlite3_column_int64(stmt, 0) * US_PER_MS,
			.uid = (uint32_t)sqlite3_column_int64(stmt, 1),
			.name = text_of(stmt, 2),
			.action = text_of(stmt, 3),
			.note = text_of(stmt, 4),
			.before = text_of(stmt, 5),
		};

		r = on(arg, &deed);
		if (r < 0) {
			sqlite3_reset(stmt);
			return r;
		}
	}
	return r;
}
