/* GET /_sandbox/stats: what was asked and answered. */
#include <errno.h>

#include "sandbox/answer.h"
#include "sandbox/sandbox.h"

#define AGAIN_MAX 10000 /* keys that are named; all are counted */

static json_t *routes_json(const struct stats *stats)
{
	json_t *routes = json_object();

	for (size_t i = 0; i < sandbox_route_count; i++) {
		const struct exchange_route *route = &sandbox_routes[i];
		char name[80];

		if (strncmp(route->path, SANDBOX_API, strlen(SANDBOX_API)) != 0)
			continue;
		snprintf(name, sizeof name, "%s %s", route->method,
			route->path + strlen(SANDBOX_API));
		json_object_set_new(routes, name, json_integer((json_int_t)stats->by_route[i]));
	}
	json_object_set_new(routes, "other", json_integer((json_int_t)stats->unrouted));
	return routes;
}

static json_t *answers_json(const struct stats *stats)
{
	json_t *answers = json_object();

	for (int i = 0; i < 600; i++) {
		char name[16];

		if (stats->by_status[i] == 0)
			continue;
		snprintf(name, sizeof name, "%d", i);
		json_object_set_new(answers, name, json_integer((json_int_t)stats->by_status[i]));
	}
	return answers;
}

/* Keys that came in more than one POST, with how many; NULL after an error. */
static json_t *again_json(struct db *db, int64_t *ret_count, int64_t *ret_extra)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_IDEM_AGAIN);
	json_t *again = json_object();
	int r = -EIO;

	*ret_count = *ret_extra = 0;
	while (stmt && (r = db_step(db, stmt)) == 1) {
		*ret_extra += sqlite3_column_int64(stmt, 1) - 1;
		if ((*ret_count)++ < AGAIN_MAX)
			json_object_set_new(again, db_text(stmt, 0),
				json_integer((json_int_t)sqlite3_column_int64(stmt, 1)));
	}
	if (r == 0)
		return again;
	json_decref(again);
	return NULL;
}

static json_t *hook_json(struct sandbox *sandbox)
{
	struct hook_counts counts = hook_counts(sandbox->hook);

	return json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)counts.waiting, "delivered",
		(json_int_t)counts.delivered, "given_up", (json_int_t)counts.given_up);
}

/* The last windows in which anything was asked, in the order in which that was. */
static json_t *windows_json(const struct sandbox *sandbox)
{
	const struct stats *s = &sandbox->stats;
	json_t *windows = json_array();

	for (size_t i = s->window_count > SANDBOX_WINDOWS ? s->window_count - SANDBOX_WINDOWS : 0;
		i < s->window_count; i++) {
		const struct window_count *w = &s->windows[i % SANDBOX_WINDOWS];

		json_array_append_new(windows,
			json_pack("{s:I, s:I, s:I, s:I, s:I}", "window", (json_int_t)w->window,
				"accepted", (json_int_t)w->accepted, "refused",
				(json_int_t)w->refused, "first_ms", (json_int_t)w->first_ms,
				"last_ms", (json_int_t)w->last_ms));
	}
	return windows;
}

void call_sandbox_stats(struct exchange *x)
{
	struct sandbox *sandbox = x->sandbox;
	const struct stats *s = &sandbox->stats;
	int64_t records, keys, again_count, again_extra;
	json_t *again;

	if (db_number(&sandbox->db, SQL_RECORD_COUNT, &records) < 0 ||
		db_number(&sandbox->db, SQL_IDEM_COUNT, &keys) < 0 ||
		!(again = again_json(&sandbox->db, &again_count, &again_extra))) {
		answer_broken(x);
		return;
	}
	answer_data(x, 200,
		json_pack("{s:I, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			  "s:I, s:o, s:I, s:o, s:o}",
			"requests", (json_int_t)s->requests, "by_path", routes_json(s), "answers",
			answers_json(s), "refused_429", (json_int_t)s->by_status[429],
			"refused_401", (json_int_t)s->by_status[401], "dropped",
			(json_int_t)s->dropped, "connections", (json_int_t)s->connections,
			"running", (json_int_t)s->running, "max_concurrent",
			(json_int_t)s->max_running, "records", (json_int_t)records, "keys",
			(json_int_t)keys, "keys_again", (json_int_t)again_count, "posts_again",
			(json_int_t)again_extra, "replayed", (json_int_t)s->replayed, "key_running",
			(json_int_t)s->key_running, "posts_by_key", again, "key_reused",
			(json_int_t)s->key_reused, "webhook", hook_json(sandbox), "windows",
			windows_json(sandbox)),
		NULL);
}
