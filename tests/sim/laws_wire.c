/* The laws of what goes to the cloud: order, keys and bodies, and how the allowance is used. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "cloud.h"
#include "gateway.h"
#include "laws.h"
#include "laws_private.h"

#define SETTLED_US   (3 * SECOND) /* an answer is on disk after so long */
#define USED_PERCENT 95

int64_t laws_day_start(int64_t time_s)
{
	static const struct {
		const char *zone;
		int64_t offset_s;
	} zones[] = {{"UTC", 0}, {"Asia/Kolkata", 19800}, {"Asia/Kathmandu", 20700},
		{"Asia/Tokyo", 32400}, {"America/Lima", -18000}};
	int64_t offset_s = 0, local_s;

	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		if (strcmp(zones[i].zone, world.plan->time_zone) == 0)
			offset_s = zones[i].offset_s;
	}
	local_s = time_s + offset_s - 4 * 3600;
	return time_s - ((local_s % 86400) + 86400) % 86400;
}

/* Nobody of this user's day is before it, but those that are answered and not written yet. */
static void is_its_turn(int64_t seq, int64_t time_s, const char *user_id)
{
	sqlite3_stmt *s = watcher.earlier;

	sqlite3_bind_int64(s, 1, laws_day_start(time_s));
	sqlite3_bind_int64(s, 2, time_s);
	sqlite3_bind_int64(s, 3, seq);
	sqlite3_bind_text(s, 4, user_id, -1, SQLITE_STATIC);
	while (sqlite3_step(s) == SQLITE_ROW) {
		char key[40];
		const struct sent_key *k;

		snprintf(key, sizeof key, "%s", laws_column(s, 1));
		k = sqlite3_column_int(s, 2) ? cloud_key(key) : NULL;
		LAW(k && (k->done_run == gateway.starts || k->refused_status), "order",
			"row %lld of %s goes while row %lld of the same day waits", (long long)seq,
			user_id, (long long)sqlite3_column_int64(s, 0));
	}
	sqlite3_reset(s);
}

/* One key a punch, for ever, once it may have left. */
static void has_one_key(int64_t seq, const char *key)
{
	char name[32];
	const char *before;
	char *kept;

	snprintf(name, sizeof name, "%lld", (long long)seq);
	before = strmap_get(&watcher.sent, name);
	LAW(!before || strcmp(before, key) == 0, "one key a punch",
		"row %lld was sent as %s and is sent as %s", (long long)seq, before ? before : "",
		key);
	if (before)
		return;
	kept = strdup(key);
	assert(kept && strmap_put(&watcher.sent, name, kept, NULL) == 0);
}

void laws_may_change_key(int64_t seq)
{
	char name[32];
	const char *before;
	const struct sent_key *k;

	snprintf(name, sizeof name, "%lld", (long long)seq);
	before = strmap_get(&watcher.sent, name);
	k = before ? cloud_key(before) : NULL;
	if (k && k->refused_status && k->doubts == 0)
		free(strmap_del(&watcher.sent, name));
}

void laws_may_send_again(int64_t seq)
{
	char name[32];
	const char *key;
	struct sent_key *k;

	snprintf(name, sizeof name, "%lld", (long long)seq);
	key = strmap_get(&watcher.sent, name);
	k = key ? cloud_key(key) : NULL;
	if (k)
		k->releases++;
}

static void was_not_settled(struct sent_key *k, const char *key)
{
	if (!k->done_run)
		return;
	if (k->done_run != gateway.starts &&
		(watcher.runs[k->done_run] - k->done_us < SETTLED_US ||
			watcher.disk_trouble_us > k->done_us - MINUTE)) {
		/* The answer died with the run: as good as none. */
		k->done_run = 0;
		k->doubts++;
		return;
	}
	LAW(false, "what is settled is not sent again", "key %s was done %s, and is sent again",
		key, when(k->done_us));
}

static const char *text_of(const json_t *root, const char *name)
{
	const char *text = json_string_value(json_object_get(root, name));

	return text ? text : "";
}

/* One body a key, for ever. */
static struct sent_key *stands_for(const char *key, const json_t *body)
{
	struct sent_key *k = cloud_key_made(key, text_of(body, "user_id"),
		text_of(body, "device_id"), text_of(body, "type"), text_of(body, "timestamp"));
	LAW(strcmp(k->user_id, text_of(body, "user_id")) == 0 &&
			strcmp(k->device_id, text_of(body, "device_id")) == 0 &&
			strcmp(k->type, text_of(body, "type")) == 0 &&
			strcmp(k->timestamp, text_of(body, "timestamp")) == 0,
		"one body a wire key", "key %s stood for %s %s %s and is sent with %s %s %s", key,
		k->user_id, k->type, k->timestamp, text_of(body, "user_id"), text_of(body, "type"),
		text_of(body, "timestamp"));
	return k;
}

/* The row that is frozen under this key, 0: none. */
static int64_t frozen_row(const char *key, const char *user_id, int64_t time_s, bool *ret_released)
{
	sqlite3_stmt *s = watcher.by_key;
	uint8_t bytes[16];
	int64_t seq = 0;

	if (hex_decode(key, bytes, sizeof bytes) != sizeof bytes)
		return 0;
	sqlite3_bind_int64(s, 1, time_s);
	sqlite3_bind_blob(s, 2, bytes, sizeof bytes, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW && strcmp(laws_column(s, 1), user_id) == 0)
		seq = sqlite3_column_int64(s, 0);
	*ret_released = seq && sqlite3_column_int(s, 2);
	sqlite3_reset(s);
	return seq;
}

void laws_submitted(const char *key, const char *body)
{
	struct sent_key *k;
	int64_t time_s = 0, seq;
	bool released;
	json_t *root;

	if (!key[0])
		return;
	root = json_loads(body, 0, NULL);
	k = stands_for(key, root);
	time_parse_rfc3339(k->timestamp, &time_s);
	seq = frozen_row(key, k->user_id, time_s, &released);
	LAW(seq, "a body freezes before it can leave", "%s is not frozen in the store", key);
	if (seq) {
		if (!laws_was_touched(seq) && !released)
			is_its_turn(seq, time_s, k->user_id);
		LAW(!laws_was_discarded(seq), "what is discarded is not sent", "row %lld is sent",
			(long long)seq);
		has_one_key(seq, key);
		was_not_settled(k, key);
	}
	json_decref(root);
}

/* It has not left: it may be judged again, and go under another key, or with another direction. */
static void forget_key(struct sent_key *k, const char *key)
{
	const char *name, *sent;
	size_t pos = 0;

	k->user_id[0] = '\0';
	while ((sent = strmap_next(&watcher.sent, &pos, &name))) {
		if (strcmp(sent, key) == 0) {
			free(strmap_del(&watcher.sent, name));
			return;
		}
	}
}

/* Whether a record may have been made by what was answered so: CLOUD-API.md, Errors. 0: no answer, and a
 * 2xx is one that says nothing. All else was not looked at, and has its key all the same. */
static bool leaves_a_doubt(int status)
{
	return status < 300 || status == 409 || status == 500 || status == 502 || status == 504;
}

void laws_answered(const char *key, int status, bool never_left, const char *body)
{
	struct sent_key *k = key[0] ? cloud_key(key) : NULL;

	if (!k)
		return;
	if (never_left && k->doubts == 0)
		forget_key(k, key);
	else if (status >= 200 && status < 300 && body[0] == '{') {
		k->done_run = gateway.starts;
		k->done_us = world.now_us;
	} else if ((status == 403 || status == 404) && body[0] == '{') {
		k->refused_status = status;
	} else if (!never_left && leaves_a_doubt(status)) {
		k->doubts++;
	}
}

void laws_abandoned(const char *key)
{
	struct sent_key *k = key[0] ? cloud_key(key) : NULL;

	if (k)
		k->doubts++;
}

void laws_recorded(const char *key)
{
	const struct sent_key *k = cloud_key(key);

	LAW(k->records <= 1 + k->doubts, "once more for a doubt at the most",
		"key %s makes record number %d after %d doubts", key, k->records, k->doubts);
	LAW(!world.plan->holds || k->records <= 1 + k->releases,
		"what is in doubt is not doubled before somebody says so",
		"key %s makes record number %d after %d releases", key, k->records, k->releases);
}

/* ---- the rate */

/* Nothing has changed the rules, so the gateway can know them. */
void laws_limited(void)
{
	watcher.limited++;
	LAW(world.now_us < cloud.excuse_us || watcher.limited <= 1, "no more requests than allowed",
		"429 number %d of this run", watcher.limited);
}

static bool any_ailment(void)
{
	const struct ailments *a = &ailments;

	return a->line_cut || a->no_headers || a->lose_request || a->lose_answer || a->slow ||
		a->status_chance || a->doubt_chance || a->garbage || a->foreign_a_window;
}

void laws_window_began(bool at_once)
{
	int64_t in_parallel = 0, room;

	watcher.spoilt = !at_once || any_ailment() || world.now_us < cloud.excuse_us ||
		disk_is_full() ||
		world.now_us - gateway.started_us < 2 * world.plan->window_s * SECOND;
	watcher.backlog = 0;
	if (!watcher.db || !gateway_lives())
		return;
	if (sqlite3_step(watcher.queued) == SQLITE_ROW) {
		watcher.backlog = sqlite3_column_int64(watcher.queued, 0);
		in_parallel = sqlite3_column_int64(watcher.queued, 1);
	}
	sqlite3_reset(watcher.queued);
	if (in_parallel > world.plan->max_in_flight)
		in_parallel = world.plan->max_in_flight;
	room = in_parallel * world.plan->window_s * SECOND / (world.plan->latency_us + 20 * MS);
	if (room < cloud.limit * 2 || watcher.backlog < cloud.limit * 2)
		watcher.spoilt = true;
}

void laws_window_ended(int64_t used)
{
	if (watcher.spoilt || any_ailment() || world.now_us < cloud.excuse_us ||
		laws_disk_excuse() || !gateway_lives() || watcher.backlog == 0 ||
		world.now_us - gateway.started_us < 2 * world.plan->window_s * SECOND)
		return;
	LAW(used * 100 >= cloud.limit * USED_PERCENT, "the allowance is used",
		"%lld of %lld requests with %lld punches waiting", (long long)used,
		(long long)cloud.limit, (long long)watcher.backlog);
	watcher.full_windows++;
}
