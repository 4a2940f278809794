/* /_sandbox/events: what the webhook was told, and telling it again. */
#include "base/clock.h"
#include "sandbox/answer.h"
#include "sandbox/events.h"
#include "sandbox/listing.h"
#include "sandbox/sandbox.h"

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

void call_sandbox_events(struct exchange *x)
{
	listing_answer(x, SQL_EVENT_PAGE, SQL_EVENT_COUNT, event_json);
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
