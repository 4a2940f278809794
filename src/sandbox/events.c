#include "sandbox/events.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/hex.h"
#include "sandbox/directory.h"

static const char *const state_names[EVENT_STATES] = {[EVENT_WAITING] = "waiting",
	[EVENT_DELIVERED] = "delivered",
	[EVENT_GIVEN_UP] = "given_up",
	[EVENT_DROPPED] = "dropped"};

const char *event_state_name(enum event_state state)
{
	return state_names[state];
}

static int make_id(char ret_id[static 40])
{
	unsigned char random[12];
	char hex[2 * sizeof random + 1];

	if (RAND_bytes(random, sizeof random) != 1)
		return -EIO;
	snprintf(ret_id, 40, "evt_%s", hex_encode(random, sizeof random, hex));
	return 0;
}

static int insert(struct db *db, const char *id, const char *type, const char *body,
	const struct fault_hook *plan, int64_t now_ms)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_EVENT_ADD);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, id);
	db_bind_text(stmt, 2, type);
	db_bind_text(stmt, 3, body);
	sqlite3_bind_int(stmt, 4, plan->drop ? EVENT_DROPPED : EVENT_WAITING);
	sqlite3_bind_int64(stmt, 5, now_ms + plan->delay_ms);
	sqlite3_bind_int64(stmt, 6, plan->again_ms);
	sqlite3_bind_int(stmt, 7, plan->bad_signature);
	return db_run(db, stmt);
}

int events_add(struct db *db, const char *type, json_t *data, const struct fault_hook *plan,
	int64_t said_ms, int64_t now_ms)
{
	char id[40], *body = NULL;
	json_t *event;
	int r = make_id(id);

	event = json_pack("{s:s, s:s, s:o, s:o}", "id", id, "type", type, "created_at",
		directory_time(said_ms / 1000), "data", data);
	if (event)
		body = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	if (r == 0)
		r = body ? insert(db, id, type, body, plan, now_ms) : -ENOMEM;
	free(body);
	return r;
}

int events_due(struct db *db, int64_t now_ms, int64_t limit,
	bool (*pick)(void *arg, const struct event_row *row), void *arg)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_EVENT_DUE);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, now_ms);
	sqlite3_bind_int64(stmt, 2, limit);
	while ((r = db_step(db, stmt)) == 1) {
		struct event_row row = {
			.n = sqlite3_column_int64(stmt, 0),
			.body = db_text(stmt, 1),
			.failed = sqlite3_column_int64(stmt, 2),
			.again_ms = sqlite3_column_int64(stmt, 3),
			.bad_signature = sqlite3_column_int(stmt, 4) != 0,
			.due_ms = sqlite3_column_int64(stmt, 5),
		};

		if (!pick(arg, &row))
			break;
	}
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

int events_next_due(struct db *db, int64_t now_ms, int64_t *ret_ms)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_EVENT_NEXT_DUE);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, now_ms);
	r = db_step(db, stmt);
	*ret_ms = r == 1 ? sqlite3_column_int64(stmt, 0) : INT64_MAX;
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

int events_settle(struct db *db, const struct event_outcome *outcome)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_EVENT_SETTLE);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, outcome->n);
	sqlite3_bind_int(stmt, 2, (int)outcome->state);
	sqlite3_bind_int(stmt, 3, outcome->taken);
	sqlite3_bind_int(stmt, 4, outcome->status);
	sqlite3_bind_int64(stmt, 5, outcome->due_ms);
	sqlite3_bind_int64(stmt, 6, outcome->again_ms);
	sqlite3_bind_int64(stmt, 7, outcome->picked_due_ms);
	return db_run(db, stmt);
}

int events_resend(struct db *db, const char *id, const char *type, int64_t now_ms)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_EVENT_RESEND);
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, id);
	db_bind_text(stmt, 2, type);
	sqlite3_bind_int64(stmt, 3, now_ms);
	r = db_run(db, stmt);
	return r < 0 ? r : sqlite3_changes(db->sqlite);
}

int events_purge(struct db *db)
{
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_EVENT_PURGE);

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, EVENTS_KEPT);
	return db_run(db, stmt);
}
