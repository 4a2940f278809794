/* /_sandbox/events: what the webhook was told, and telling it again. */
#include <errno.h>

#include "base/clock.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/events.h"
#include "sandbox/sandbox.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX     10000

static json_t *event_json(sqlite3_stmt *stmt)
{
	int state = sqlite3_column_int(stmt, 3);

	return json_pack("{s:I, s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:o}", "seq",
		(json_int_t)sqlite3_column_int64(stmt, 0), "id", db_text(stmt, 1), "type",
		db_text(stmt, 2), "state",
		event_state_name(state < EVENT_STATES ? (enum event_state)state : EVENT_DROPPED),
		"delivered", state == EVENT_DELIVERED, "tries",
		(json_int_t)sqlite3_column_int64(stmt, 4), "taken",
		(json_int_t)sqlite3_column_int64(stmt, 5), "status",
		sqlite3_column_int(stmt, 6) > 0 ? json_integer(sqlite3_column_int(stmt, 6))
						: json_null(),
		"event", json_loads(db_text(stmt, 7), 0, NULL));
}

static int list_events(
	struct exchange *x, int64_t after, int64_t limit, json_t *list, int64_t *ret_last)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_statement(db, SQL_EVENT_PAGE);
	int r;

	if (!stmt)
		return -EIO;
	sqlite3_bind_int64(stmt, 1, after);
	sqlite3_bind_int64(stmt, 2, limit);
	while ((r = db_step(db, stmt)) == 1) {
		*ret_last = sqlite3_column_int64(stmt, 0);
		json_array_append_new(list, event_json(stmt));
	}
	return r;
}

void call_sandbox_events(struct exchange *x)
{
	int64_t after = 0, limit = PAGE_DEFAULT, total, last;
	json_t *list;

	if (!exchange_query_int(x, "after", 0, INT64_MAX, &after) ||
		!exchange_query_int(x, "limit", 1, PAGE_MAX, &limit))
		return;
	last = after;
	list = json_array();
	if (list_events(x, after, limit, list, &last) < 0 ||
		db_number(&x->sandbox->db, SQL_EVENT_COUNT, &total) < 0) {
		json_decref(list);
		answer_broken(x);
		return;
	}
	answer_data(x, 200, list,
		json_pack("{s:I, s:I}", "total", (json_int_t)total, "last", (json_int_t)last));
}

static void resend(struct exchange *x, const char *id, const char *type)
{
	int r = events_resend(&x->sandbox->db, id, type, clock_now().wall_us / 1000);

	hook_recount(x->sandbox->hook);
	if (r < 0)
		answer_broken(x);
	else if (r == 0 && id)
		answer_error(x, 404, "not_found", "id", "there is no event %s", id);
	else
		answer_data(x, 200, json_pack("{s:i}", "resent", r), NULL);
}

void call_sandbox_events_resend(struct exchange *x)
{
	json_t *body = exchange_json(x);
	const char *id = NULL, *type = NULL;

	if (body && exchange_take_text(x, body, "id", 64, false, &id) &&
		exchange_take_text(x, body, "type", 64, false, &type)) {
		if (!!id + !!type + json_is_true(json_object_get(body, "all")) != 1)
			answer_error(x, 400, "invalid_request", "id",
				"one of id, type and \"all\": true");
		else
			resend(x, id, type);
	}
	json_decref(body);
}
