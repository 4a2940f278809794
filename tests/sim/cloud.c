#include "cloud.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/time.h"
#include "cloud_private.h"
#include "gateway.h"
#include "herald.h"
#include "laws.h"
#include "terminal.h"

#define PAGE_MAX 100

struct cloud cloud;
struct ailments ailments;
static struct strmap keys; /* wire key → struct sent_key */
static struct chance chance;
static int64_t foreign_window;

void cloud_begin(void)
{
	const struct plan *p = world.plan;

	cloud = (struct cloud){.limit = p->limit,
		.skew_us = p->cloud_skew_s * SECOND,
		.honours = p->keys_honoured,
		.window = -1};
	ailments = (struct ailments){.status = 0};
	snprintf(cloud.key, sizeof cloud.key, "%s", CLOUD_FIRST_KEY);
	strmap_init(&keys, p->seed);
	chance_init(&chance, p->seed, "cloud", 0);
	herald_begin();
	foreign_window = -1;
}

void cloud_end(void)
{
	size_t pos = 0;
	void *k;

	while ((k = strmap_next(&keys, &pos, NULL)))
		free(k);
	strmap_done(&keys);
	herald_end();
	free(cloud.records);
	cloud.records = NULL;
}

bool cloud_line_is_cut(void)
{
	return ailments.line_cut;
}

struct sent_key *cloud_key(const char *key)
{
	return strmap_get(&keys, key);
}

/* ---- its clock and its windows */

static int64_t clock_us(void)
{
	return world.now_us + cloud.skew_us;
}

static int64_t window_us(void)
{
	return world.plan->window_s * SECOND;
}

/* What changes the rules under the gateway's feet excuses a 429 until the next window but one. */
static void excuse(void)
{
	cloud.excuse_us = world.now_us + 2 * window_us() + MINUTE;
}

void cloud_change_key(const char *key)
{
	snprintf(cloud.key, sizeof cloud.key, "%s", key);
	tell("the cloud takes %s now", cloud.key);
	excuse();
}

void cloud_change_limit(int64_t limit)
{
	cloud.limit = limit;
	tell("the cloud's limit is %lld now", (long long)limit);
	excuse();
}

void cloud_jump(int64_t skew_us)
{
	tell("the cloud's clock jumps: off by %+lld s", (long long)(skew_us / SECOND));
	cloud.skew_us = skew_us;
	excuse();
}

static void turn_window(void)
{
	int64_t window = clock_us() / window_us();
	bool at_once = window == cloud.window + 1;

	if (window == cloud.window)
		return;
	laws_window_ended(cloud.used);
	cloud.window = window;
	cloud.used = 0;
	laws_window_began(at_once);
}

/* Another program's requests, spread over the window as it goes on. */
static void foreign_requests(void)
{
	int64_t share = (clock_us() % window_us()) * ailments.foreign_a_window / window_us();

	if (ailments.foreign_a_window == 0)
		return;
	if (foreign_window != cloud.window)
		foreign_window = cloud.window;
	if (cloud.used < share)
		cloud.used = share;
	excuse();
}

static void put_rate(struct response *r)
{
	int64_t reset_s = (cloud.window + 1) * world.plan->window_s;

	if (ailments.no_headers) {
		excuse();
		return;
	}
	r->limit = cloud.limit;
	r->remaining = cloud.limit > cloud.used ? cloud.limit - cloud.used : 0;
	r->reset_s = reset_s;
}

/* ---- answers */

static void put_body(struct response *r, int status, json_t *root)
{
	free(r->body);
	r->status = status;
	r->body = json_dumps(root, JSON_COMPACT);
	assert(r->body);
	json_decref(root);
}

static void put_error(struct response *r, int status, const char *code, const char *param)
{
	put_body(r, status,
		json_pack("{s:{s:s, s:s, s:s, s:s}}", "error", "code", code, "message", code,
			"param", param, "type", "validation_error"));
}

static void put_text(struct response *r, int status, const char *text)
{
	free(r->body);
	r->status = status;
	r->body = strdup(text);
	assert(r->body);
}

bool cloud_knows_user(const char *user_id)
{
	for (int i = 0; i < world.plan->people; i++) {
		if (strcmp(people[i].id, user_id) == 0)
			return people[i].known_us <= world.now_us &&
				world.now_us < people[i].gone_us;
	}
	return false;
}

bool cloud_knows_device(const char *device_id)
{
	char id[24];

	for (int i = 0; i < world.plan->terminals; i++) {
		const struct terminal *t = &terminals[i];

		for (int n = 1; n <= t->registered; n++) {
			if (strcmp(terminal_device_id(t, n, id), device_id) == 0)
				return t->known_us <= world.now_us;
		}
	}
	return false;
}

static json_t *record_json(const struct record *record, int64_t number)
{
	char at[TIME_TEXT_SIZE], id[32];

	snprintf(id, sizeof id, "att_%06lld", (long long)number);
	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s}}", "data", "id", id, "user_id",
		record->user_id, "device_id", record->device_id, "type", record->type, "timestamp",
		record->timestamp, "created_at", time_format_utc(record->at_us / SECOND, -1, at));
}

static void add_record(struct record *record)
{
	if (cloud.record_count == cloud.record_size) {
		cloud.record_size = cloud.record_size ? cloud.record_size * 2 : 1024;
		cloud.records = realloc(cloud.records, cloud.record_size * sizeof *cloud.records);
		assert(cloud.records);
	}
	record->at_us = clock_us();
	cloud.records[cloud.record_count++] = *record;
}

struct sent_key *cloud_key_made(const char *key, const char *user_id, const char *device_id,
	const char *type, const char *timestamp)
{
	struct sent_key *k = cloud_key(key);

	if (k && k->user_id[0])
		return k;
	if (!k) {
		k = calloc(1, sizeof *k);
		assert(k && strmap_put(&keys, key, k, NULL) == 0);
		k->first = -1;
	}
	snprintf(k->user_id, sizeof k->user_id, "%s", user_id);
	snprintf(k->device_id, sizeof k->device_id, "%s", device_id);
	snprintf(k->type, sizeof k->type, "%s", type);
	snprintf(k->timestamp, sizeof k->timestamp, "%s", timestamp);
	return k;
}

static void get_text(const json_t *root, const char *name, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(root, name));

	snprintf(to, size, "%s", text ? text : "");
}

static void post_attendance(const struct request *q, struct response *r)
{
	json_t *root = json_loads(q->body, JSON_REJECT_DUPLICATES, NULL);
	struct record record = {.at_us = 0};
	struct sent_key *k;
	int64_t number;
	bool make;

	get_text(root, "user_id", record.user_id, sizeof record.user_id);
	get_text(root, "device_id", record.device_id, sizeof record.device_id);
	get_text(root, "type", record.type, sizeof record.type);
	get_text(root, "timestamp", record.timestamp, sizeof record.timestamp);
	json_decref(root);
	snprintf(record.key, sizeof record.key, "%s", q->key);
	k = cloud_key(record.key);
	assert(k);
	make = !(cloud.honours && k->first >= 0);
	if (make && !cloud_knows_user(record.user_id)) {
		put_error(r, 404, "not_found", "user_id");
		return;
	}
	if (make && !cloud_knows_device(record.device_id)) {
		put_error(r, 404, "not_found", "device_id");
		return;
	}
	number = make ? (int64_t)cloud.record_count : k->first;
	if (make) {
		if (k->first < 0)
			k->first = number;
		k->records++;
		add_record(&record);
		laws_recorded(record.key);
		herald_recorded(&record, number, clock_us());
	}
	put_body(r, 201, record_json(&cloud.records[number], number));
}

static json_t *user_json(const struct person *p)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", p->id, "name", p->name, "email",
		p->emails[0], "phone", p->phone, "created_at", "2026-01-01T00:00:00Z", "updated_at",
		"2026-01-01T00:00:00Z");
}

/* The people that it knows, in its order: another one each time while the list shifts. */
static int list_people(const struct person **list)
{
	int n = 0, turn = ailments.shuffle ? (int)chance_below(&chance, 100) : 0;

	for (int i = 0; i < world.plan->people; i++) {
		const struct person *p = &people[(i + turn) % world.plan->people];

		if (cloud_knows_user(p->id))
			list[n++] = p;
	}
	return n;
}

static int64_t query_number(const char *url, const char *name, int64_t fallback)
{
	const char *at = strstr(url, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : fallback;
}

static void get_users(const struct request *q, struct response *r)
{
	const struct person *list[PLAN_PEOPLE_MAX];
	int64_t limit = query_number(q->url, "limit=", 20);
	int64_t offset = query_number(q->url, "offset=", 0);
	json_t *data = json_array();
	int n = list_people(list);

	/* Small pages, so that a small company has several. */
	limit = limit > world.plan->people / 3 + 1 ? world.plan->people / 3 + 1 : limit;
	for (int64_t i = offset; i < n && i < offset + limit; i++)
		json_array_append_new(data, user_json(list[i]));
	put_body(r, 200,
		json_pack("{s:o, s:{s:i, s:I, s:I}}", "data", data, "meta", "total", n, "limit",
			(json_int_t)limit, "offset", (json_int_t)offset));
}

static void get_devices(struct response *r)
{
	json_t *data = json_array();
	char id[24];

	for (int i = 0; i < world.plan->terminals; i++) {
		const struct terminal *t = &terminals[i];

		if (t->known_us > world.now_us)
			continue;
		json_array_append_new(data,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "id",
				terminal_device_id(t, t->registered, id), "name", t->serial,
				"serial_number", t->serial, "type", "fingerprint", "status",
				"active"));
	}
	put_body(r, 200, json_pack("{s:o}", "data", data));
}

static void serve(const struct request *q, struct response *r)
{
	if (strstr(q->url, "/attendance"))
		post_attendance(q, r);
	else if (strstr(q->url, "/users"))
		get_users(q, r);
	else
		get_devices(r);
}

/* Another answer than the API's: before anything is done, or after. */
static bool answered_by_trouble(const struct request *q, struct response *r)
{
	static const int doubts[] = {500, 502, 504};
	static const int statuses[] = {401, 403, 408, 503, 302, 407, 413};

	if (ailments.status_chance && chance_of(&chance, ailments.status_chance)) {
		int status = statuses[ailments.status % 7];

		if (status == 401 || status == 403)
			put_error(r, status, "not_allowed", "");
		else
			put_text(r, status, "<html>no</html>");
		return true;
	}
	if (ailments.doubt_chance && chance_of(&chance, ailments.doubt_chance)) {
		if (chance_of(&chance, 500))
			serve(q, r);
		put_text(r, doubts[chance_below(&chance, 3)], "<html>oops</html>");
		return true;
	}
	if (ailments.garbage && chance_of(&chance, ailments.garbage)) {
		if (chance_of(&chance, 500))
			serve(q, r);
		put_text(r, 200, "<html>please log in</html>");
		return true;
	}
	return false;
}

void cloud_handle(const struct request *q, struct response *r)
{
	char bearer[64];

	cloud.requests++;
	turn_window();
	foreign_requests();
	r->date_us = clock_us();
	snprintf(bearer, sizeof bearer, "Bearer %s", cloud.key);
	if (strcmp(bearer, q->authorization) != 0) {
		put_error(r, 401, "invalid_key", "");
		return;
	}
	if (cloud.used >= cloud.limit) {
		cloud.limited++;
		laws_limited();
		put_error(r, 429, "rate_limited", "");
		put_rate(r);
		return;
	}
	cloud.used++;
	if (!answered_by_trouble(q, r))
		serve(q, r);
	put_rate(r);
}
