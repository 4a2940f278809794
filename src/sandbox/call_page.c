/*
 * The page at /, for people who develop against the sandbox, and what it shows. Its files are of
 * src/sandbox/page, made part of the program when that is built.
 */
#include <errno.h>

#include <event2/http.h>
#include <src/sandbox/page_files.inc>

#include "base/time.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/events.h"
#include "sandbox/sandbox.h"

#define USERS_SHOWN   50
#define RECORDS_SHOWN 25
#define EVENTS_SHOWN  10

static void answer_page(
	struct exchange *x, const char *content_type, const unsigned char *bytes, size_t n)
{
	buf_clear(&x->out);
	buf_add(&x->out, bytes, n);
	x->status = 200;
	x->content_type = content_type;
}

void call_page(struct exchange *x)
{
	answer_page(x, "text/html; charset=utf-8", page_index_html, sizeof page_index_html);
}

void call_page_style(struct exchange *x)
{
	answer_page(x, "text/css; charset=utf-8", page_style_css, sizeof page_style_css);
}

void call_page_script(struct exchange *x)
{
	answer_page(x, "text/javascript; charset=utf-8", page_script_js, sizeof page_script_js);
}

/* ---- what it shows */

/* All rows of a statement whose only parameter is how many. NULL: it failed. */
static json_t *newest(struct db *db, enum db_sql which, int limit, json_t *(*show)(sqlite3_stmt *))
{
	sqlite3_stmt *stmt = db_statement(db, which);
	json_t *list = json_array();
	int r = -EIO;

	if (stmt)
		sqlite3_bind_int(stmt, 1, limit);
	while (stmt && (r = db_step(db, stmt)) == 1)
		json_array_append_new(list, show(stmt));
	if (r == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *record_json(sqlite3_stmt *stmt)
{
	char id[32];

	snprintf(id, sizeof id, "att_%010lld", (long long)sqlite3_column_int64(stmt, 0));
	return json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:s, s:o}", "id", id, "user_id",
		db_text(stmt, 1), "user_name", (const char *)sqlite3_column_text(stmt, 2),
		"device_id", db_text(stmt, 3), "serial_number",
		(const char *)sqlite3_column_text(stmt, 4), "type", db_text(stmt, 5), "timestamp",
		directory_time(sqlite3_column_int64(stmt, 6)));
}

static json_t *event_json(sqlite3_stmt *stmt)
{
	int state = sqlite3_column_int(stmt, 2);

	return json_pack("{s:s, s:s, s:s, s:I}", "id", db_text(stmt, 0), "type", db_text(stmt, 1),
		"state",
		event_state_name(state < EVENT_STATES ? (enum event_state)state : EVENT_DROPPED),
		"tries", (json_int_t)sqlite3_column_int64(stmt, 3));
}

/* A third of it, four characters at the most: enough to tell them apart, too little to use it. */
static json_t *key_start(const char *key)
{
	size_t shown = strlen(key) / 3;

	return json_sprintf("%.*s…", (int)(shown < 4 ? shown : 4), key);
}

static json_t *key_json(const struct sandbox *sandbox, const char *key, struct keys_entry *entry)
{
	struct keys_view view;

	keys_peek(&sandbox->keys, entry, sandbox_now_ms(sandbox), &view);
	return json_pack("{s:o, s:s, s:I, s:I, s:o}", "key", key_start(key), "may",
		keys_rights_name(entry->rights), "limit", (json_int_t)view.limit, "remaining",
		(json_int_t)view.remaining, "reset", directory_time(view.reset_s));
}

static json_t *keys_json(const struct sandbox *sandbox)
{
	json_t *list = json_array();
	struct keys_entry *entry;
	const char *key;
	size_t pos = 0;

	while ((entry = strmap_next(&sandbox->keys.map, &pos, &key)))
		json_array_append_new(list, key_json(sandbox, key, entry));
	return list;
}

/* Host and port alone: the path is a secret. */
static json_t *hook_json(const struct sandbox *sandbox)
{
	struct hook_counts counts = hook_counts(sandbox->hook);
	const char *url = sandbox->options->webhook;
	struct evhttp_uri *uri = url ? evhttp_uri_parse(url) : NULL;
	const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
	json_t *to = host ? json_sprintf("%s:%d", host, evhttp_uri_get_port(uri)) : json_null();

	if (host && evhttp_uri_get_port(uri) < 0)
		json_string_set(to, host);
	if (uri)
		evhttp_uri_free(uri);
	return json_pack("{s:o, s:I, s:I, s:I}", "to", to, "waiting", (json_int_t)counts.waiting,
		"delivered", (json_int_t)counts.delivered, "given_up", (json_int_t)counts.given_up);
}

void call_sandbox_overview(struct exchange *x)
{
	struct sandbox *sandbox = x->sandbox;
	struct db *db = &sandbox->db;
	int64_t users = 0, records = 0;
	json_t *devices = NULL, *shown;
	bool good = db_number(db, SQL_USER_COUNT, &users) == 0 &&
		db_number(db, SQL_RECORD_COUNT, &records) == 0 &&
		directory_devices(db, &devices) == 0;

	/* json_pack fails where a list is NULL, and takes the others along. */
	shown = json_pack("{s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "now",
		directory_time(x->now_ms / 1000), "requests", (json_int_t)sandbox->stats.requests,
		"refused_429", (json_int_t)sandbox->stats.by_status[429], "users_total",
		(json_int_t)users, "users",
		newest(db, SQL_USER_NEWEST, USERS_SHOWN, directory_user_json), "records_total",
		(json_int_t)records, "records",
		newest(db, SQL_RECORD_NEWEST, RECORDS_SHOWN, record_json), "devices", devices,
		"keys", keys_json(sandbox), "faults", faults_list(&sandbox->faults), "webhook",
		hook_json(sandbox), "events",
		newest(db, SQL_EVENT_NEWEST, EVENTS_SHOWN, event_json));
	if (good) {
		answer_data(x, 200, shown, NULL);
	} else {
		json_decref(shown);
		answer_broken(x);
	}
}
