#include "laws.h"

#include <assert.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "cloud.h"
#include "gateway.h"
#include "judge.h"
#include "laws_private.h"
#include "terminal.h"

#define CHECK_EVERY   HOUR
#define CALM          (2 * MINUTE)
#define LOOK_EVERY    (10 * MINUTE)
#define JUDGE_EVERY   12  /* looks */
#define WINDOW_FACTOR 4   /* JUDGING.md §6 */
#define MAX_FUTURE_S  300 /* [punches] max_future */
#define JUDGED_S      120 /* what is due is judged after so long, ticks being late */
/* Far beyond what is needed: each start, refresh and probe has a few. */
#define SYNCS_MAX   100000
#define SYNCS_A_TAP 100

struct watcher watcher;

/* ---- the store, by a connection of our own */

static void prepare(const char *sql, sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v3(watcher.db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) !=
		SQLITE_OK) {
		fprintf(stderr, "sim: %s: %s\n", sqlite3_errmsg(watcher.db), sql);
		abort();
	}
}

static void open_store(void)
{
	if (sqlite3_open_v2(gateway.store, &watcher.db, SQLITE_OPEN_READONLY, "unix") != SQLITE_OK)
		abort();
	prepare("SELECT seq, (SELECT name FROM terminal WHERE id = terminal), record_id, time_sent,"
		" user, type_sent, state FROM punch WHERE seq > ? ORDER BY seq",
		&watcher.rows);
	prepare("SELECT seq, (SELECT name FROM terminal WHERE id = terminal), record_id, time_sent,"
		" user, type_sent, state, reason, flags, received, time, lower(hex(wire_key)) FROM "
		"punch WHERE seq > ?"
		" ORDER BY seq",
		&watcher.all);
	prepare("SELECT seq, user_id, flags & 512 FROM punch"
		" WHERE state = 0 AND time = ?1 AND wire_key = ?2 AND frozen IS NOT NULL",
		&watcher.by_key);
	prepare("SELECT seq, lower(hex(wire_key)), frozen IS NOT NULL FROM punch WHERE state = 0"
		" AND time >= ?1 AND (time < ?2 OR (time = ?2 AND identity <"
		" (SELECT identity FROM punch WHERE seq = ?3))) AND user_id = ?4"
		" AND (flags & 512) = 0",
		&watcher.earlier);
	prepare("SELECT count(*), count(DISTINCT user_id) FROM punch WHERE state = 0",
		&watcher.queued);
	prepare("SELECT seq, lower(hex(wire_key)), frozen IS NOT NULL FROM punch WHERE state = 0",
		&watcher.frozen);
	prepare("SELECT seq, reason, time, received / 1000,"
		" user_kind = 0 AND EXISTS (SELECT 1 FROM user WHERE id = punch.user),"
		" EXISTS (SELECT 1 FROM device WHERE serial ="
		" (SELECT name FROM terminal WHERE id = punch.terminal)),"
		" CASE WHEN user_kind = 1 THEN user END"
		" FROM punch WHERE state <> 0 AND state <> 2 AND state = 1",
		&watcher.held);
	prepare("SELECT (SELECT count(*) FROM punch) + coalesce((SELECT sum(n) FROM purged), 0)"
		" + coalesce((SELECT value FROM meta WHERE key = 'holes'), 0)",
		&watcher.stored);
	prepare("SELECT key FROM missing WHERE what = 1 AND passes = 2", &watcher.gone);
	prepare("SELECT lower(hex(wire_key)) FROM punch WHERE state <> 0 AND state <> 2"
		" AND state = 1 AND reason = 10",
		&watcher.doubted);
	/* An id is its own user_id; a slot is somebody else at another terminal. */
	prepare("SELECT seq, time, terminal, identity, CASE"
		" WHEN user_id IS NOT NULL THEN 'id ' || user_id"
		" WHEN user_kind = 0 THEN 'id ' || user"
		" WHEN user_kind = 3 THEN terminal || ' ' || user"
		" ELSE user_kind || ' ' || user END AS who,"
		" state, reason, flags, type_sent, type, frozen IS NOT NULL, type_from = 4 FROM "
		"punch"
		" WHERE time IS NOT NULL AND state <> 5 ORDER BY who, time, identity",
		&watcher.timed);
}

static void close_store(void)
{
	sqlite3_finalize(watcher.rows);
	sqlite3_finalize(watcher.all);
	sqlite3_finalize(watcher.by_key);
	sqlite3_finalize(watcher.earlier);
	sqlite3_finalize(watcher.queued);
	sqlite3_finalize(watcher.frozen);
	sqlite3_finalize(watcher.held);
	sqlite3_finalize(watcher.stored);
	sqlite3_finalize(watcher.timed);
	sqlite3_finalize(watcher.gone);
	sqlite3_finalize(watcher.doubted);
	sqlite3_close(watcher.db);
	watcher.db = NULL;
}

const char *laws_column(sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	return text ? text : "";
}

/* ---- which tap a row is */

static void name_tap(char *to, size_t size, const char *serial, const char *id, const char *time,
	const char *user, int way)
{
	snprintf(to, size, "%s|%s|%s|%s|%d", serial, id, time, user, way);
}

static void index_taps(void)
{
	char name[256];
	void *before;

	for (; watcher.indexed < tap_count; watcher.indexed++) {
		struct tap *t = &taps[watcher.indexed];

		name_tap(name, sizeof name, t->terminal->serial, t->id, t->time, t->user,
			(int)t->way);
		assert(strmap_put(&watcher.taps, name, (void *)(intptr_t)(t->number + 1),
			       &before) == 0);
		if (before) {
			t->twin = true;
			taps[(intptr_t)before - 1].twin = true;
		}
	}
}

struct tap *laws_tap_of(sqlite3_stmt *row)
{
	char name[256];
	intptr_t number;

	index_taps();
	name_tap(name, sizeof name, laws_column(row, 1), laws_column(row, 2), laws_column(row, 3),
		laws_column(row, 4), sqlite3_column_int(row, 5));
	number = (intptr_t)strmap_get(&watcher.taps, name);
	return number ? &taps[number - 1] : NULL;
}

static void see_row(sqlite3_stmt *s)
{
	struct tap *t = laws_tap_of(s);
	int64_t seq = sqlite3_column_int64(s, 0);

	watcher.last_seq = seq;
	if (!t) {
		/* Noise is parked, or its time was none. */
		LAW(sqlite3_column_int(s, 6) == STATE_PARKED, "nothing is invented",
			"row %lld, record %s of %s, was never tapped", (long long)seq,
			laws_column(s, 2), laws_column(s, 1));
		return;
	}
	LAW(t->seq == 0 || t->seq == seq || t->time[0] == '\0', "a punch is stored once",
		"record %s of %s is row %lld and row %lld", t->id, t->terminal->serial,
		(long long)t->seq, (long long)seq);
	t->seq = seq;
}

static void see_new_rows(void)
{
	sqlite3_bind_int64(watcher.rows, 1, watcher.last_seq);
	while (sqlite3_step(watcher.rows) == SQLITE_ROW)
		see_row(watcher.rows);
	sqlite3_reset(watcher.rows);
}

/* Its time is so old that it would be held as stale if it came again. When it was settled may be
 * recorded by a clock that somebody has set. */
bool laws_may_be_purged(const struct tap *t)
{
	int64_t time_us = t->time_s * SECOND;

	/* One without a time has the time of its receipt, which may be any. */
	if (!t->time[0] && gateway.clock_was_set)
		return true;
	if (!t->time[0])
		time_us = t->at_us;
	return world.now_us - time_us > world.plan->max_age_days * DAY;
}

/* Everything that was acknowledged is there, whatever happened. */
static void all_is_there(void)
{
	watcher.last_seq = 0;
	for (int i = 0; i < tap_count; i++)
		taps[i].seq = 0;
	see_new_rows();
	for (int i = 0; i < tap_count; i++) {
		const struct tap *t = &taps[i];

		LAW(t->seq || t->twin || !(t->acked || t->pubacked) || laws_may_be_purged(t),
			"nothing acknowledged is lost", "record %s of %s, tapped %s, is gone",
			t->id, t->terminal->serial, when(t->at_us));
	}
}

/* ---- conservation, by its own status document */

static int64_t number(const json_t *root, const char *a, const char *b)
{
	return json_integer_value(json_object_get(json_object_get(root, a), b));
}

/* It may not know, but what it says is so. */
static void knows_the_cloud(const json_t *root)
{
	const char *says = json_string_value(
		json_object_get(json_object_get(root, "api"), "idempotent"));

	LAW(says && (strcmp(says, "unknown") == 0 || (strcmp(says, "yes") == 0) == cloud.honours),
		"what it says of the cloud's keys is so", "it says %s", says ? says : "nothing");
}

static void counts_add_up(void)
{
	int status;
	char *text = gateway_ask("GET", "/v1/status", &status);
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;
	int64_t stored = number(root, "counts", "stored"), sum, rows = 0;

	if (text && gateway_lives()) {
		sum = number(root, "queue", "queued") + number(root, "queue", "held") +
			number(root, "queue", "parked") + number(root, "counts", "suppressed") +
			number(root, "counts", "delivered") + number(root, "counts", "discarded");
		if (sqlite3_step(watcher.stored) == SQLITE_ROW)
			rows = sqlite3_column_int64(watcher.stored, 0);
		sqlite3_reset(watcher.stored);
		LAW(number(root, "counts", "received") ==
				stored + number(root, "counts", "duplicate"),
			"conservation", "received is not stored and duplicate: %s", text);
		LAW(stored == sum, "conservation", "stored is %lld, the states are %lld: %s",
			(long long)stored, (long long)sum, text);
		LAW(stored == rows, "conservation", "stored is %lld, the rows are %lld",
			(long long)stored, (long long)rows);
		LAW(!strstr(text, "store_replaced"), "no crash damages the store", "%s", text);
		knows_the_cloud(root);
	}
	json_decref(root);
	free(text);
}

/* ---- what waits, waits with right */

/* What may have left stays as it was frozen, until it is known what became of it. */
static void what_was_sent_stays_frozen(void)
{
	sqlite3_stmt *s = watcher.frozen;
	int unsent = 0;

	while (sqlite3_step(s) == SQLITE_ROW) {
		char name[32];
		const char *sent;

		snprintf(name, sizeof name, "%lld", (long long)sqlite3_column_int64(s, 0));
		sent = strmap_get(&watcher.sent, name);
		LAW(!sent || (sqlite3_column_int(s, 2) && strcmp(sent, laws_column(s, 1)) == 0),
			"what may have left stays frozen", "row %s was sent as %s and is %s", name,
			sent, sqlite3_column_int(s, 2) ? laws_column(s, 1) : "not frozen");
		unsent += !sent && sqlite3_column_int(s, 2);
	}
	sqlite3_reset(s);
	/* Those of this run, and what an earlier run left. */
	LAW(unsent <= 2 * WINDOW_FACTOR * world.plan->max_in_flight, "a send window is small",
		"%d punches are frozen and were never sent", unsent);
}

/* Since long enough. */
static bool is_linked(const char *pin)
{
	for (int i = 0; i < world.plan->people; i++) {
		if (pin[0] && strcmp(people[i].pin, pin) == 0)
			return people[i].linked == LINKED_YES &&
				world.now_us - people[i].linked_us > CALM;
	}
	return false;
}

/* Long enough after whatever could change it, a reason is true or gone. */
static void held_with_right(void)
{
	int64_t now_s = gateway_wall_us() / SECOND;
	sqlite3_stmt *s = watcher.held;

	while (sqlite3_step(s) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(s, 0), time_s = sqlite3_column_int64(s, 2);
		int reason = sqlite3_column_int(s, 1);

		LAW(reason != REASON_FUTURE_ || time_s > now_s + MAX_FUTURE_S - JUDGED_S ||
				time_s - sqlite3_column_int64(s, 3) > 86400,
			"held for a reason that is true", "row %lld was due %lld s ago",
			(long long)seq, (long long)(now_s + MAX_FUTURE_S - time_s));
		LAW(reason != REASON_USER_ || !sqlite3_column_int(s, 4),
			"held for a reason that is true", "row %lld is of somebody who is known",
			(long long)seq);
		LAW(reason != REASON_USER_ || !is_linked(laws_column(s, 6)),
			"held for a reason that is true", "row %lld is of a pin that is linked",
			(long long)seq);
		LAW(reason != REASON_DOUBT_ || world.plan->holds, "held for a reason that is true",
			"row %lld is in doubt, which goes again", (long long)seq);
		LAW(reason != REASON_DEVICE_ || !sqlite3_column_int(s, 5),
			"held for a reason that is true", "row %lld is of a device that is known",
			(long long)seq);
	}
	sqlite3_reset(s);
}

/* Whoever is in the cloud's list is not taken for gone, however it moves while it is read. */
static void nobody_is_gone_who_is_there(void)
{
	while (sqlite3_step(watcher.gone) == SQLITE_ROW)
		LAW(!cloud_knows_user(laws_column(watcher.gone, 0)), "nobody is gone who is there",
			"%s is in the cloud's list", laws_column(watcher.gone, 0));
	sqlite3_reset(watcher.gone);
}

static void on_look(void *arg)
{
	(void)arg;
	watcher.look = NULL;
	if (!gateway.runs || !gateway_lives())
		return;
	LAW(world.now_us - gateway.fed_us < WATCHDOG_US, "nothing stands still",
		"the watchdog was last fed %lld s ago",
		(long long)((world.now_us - gateway.fed_us) / SECOND));
	what_was_sent_stays_frozen();
	nobody_is_gone_who_is_there();
	/* The disk may refuse what a new judgement would write. */
	if (!disk_is_full() && !disk_failed() && world.now_us - gateway.started_us > CALM &&
		world.now_us - gateway.clock_set_us > CALM)
		held_with_right();
	if (!disk_is_full() && !disk_failed() && world.now_us - gateway.started_us > CALM &&
		world.now_us - gateway.clock_set_us > CALM && ++watcher.looks % JUDGE_EVERY == 0) {
		judge_all();
		judge_rows_stand();
	}
	watcher.look = world_in(LOOK_EVERY, on_look, NULL);
}

static void on_check(void *arg)
{
	(void)arg;
	watcher.check = NULL;
	if (!gateway.runs || !gateway_lives())
		return;
	counts_add_up();
	watcher.check = world_in(CHECK_EVERY, on_check, NULL);
}

/* ---- runs */

void laws_begin(void)
{
	watcher = (struct watcher){.last_seq = 0};
	strmap_init(&watcher.taps, 1);
	strmap_init(&watcher.sent, 1);
}

void laws_end(void)
{
	size_t pos = 0;
	void *text;

	while ((text = strmap_next(&watcher.sent, &pos, NULL)))
		free(text);
	strmap_done(&watcher.taps);
	strmap_done(&watcher.sent);
	free(watcher.runs);
	judge_done();
}

void laws_started(void)
{
	open_store();
	all_is_there();
	counts_add_up();
	what_was_sent_stays_frozen();
	watcher.limited = 0;
	watcher.spoilt = true;
	watcher.check = world_in(CHECK_EVERY, on_check, NULL);
	watcher.look = world_in(LOOK_EVERY, on_look, NULL);
}

void laws_stopped(void)
{
	world_cancel(watcher.check);
	world_cancel(watcher.look);
	watcher.check = watcher.look = NULL;
	close_store();
	watcher.runs = realloc(watcher.runs, (size_t)(gateway.starts + 1) * sizeof *watcher.runs);
	assert(watcher.runs);
	watcher.runs[gateway.starts] = world.now_us;
}

void laws_after_step(void)
{
	if (disk_failed() || disk_is_full())
		watcher.disk_trouble_us = world.now_us;
	if (!gateway_lives() || disk_syncs() == watcher.syncs)
		return;
	watcher.syncs = disk_syncs();
	LAW(watcher.syncs < SYNCS_MAX + SYNCS_A_TAP * tap_count, "the disk is spared",
		"%lld syncs for %d taps", (long long)watcher.syncs, tap_count);
	see_new_rows();
}

bool laws_disk_excuse(void)
{
	return watcher.disk_trouble_us && world.now_us - watcher.disk_trouble_us < MINUTE;
}

int64_t laws_queued(void)
{
	int64_t n = -1;

	if (watcher.db && sqlite3_step(watcher.queued) == SQLITE_ROW)
		n = sqlite3_column_int64(watcher.queued, 0);
	if (watcher.db)
		sqlite3_reset(watcher.queued);
	return n;
}

int64_t laws_held_in_doubt(void)
{
	int64_t n = 0;

	if (!watcher.db || !gateway_lives())
		return 0;
	while (sqlite3_step(watcher.doubted) == SQLITE_ROW)
		n++;
	sqlite3_reset(watcher.doubted);
	return n;
}

void laws_nothing(void *arg)
{
	(void)arg;
}

/* ---- by hand */

static const struct tap *tap_of_row(int64_t seq)
{
	for (int i = 0; i < tap_count; i++) {
		if (taps[i].seq == seq && !taps[i].twin)
			return &taps[i];
	}
	return NULL;
}

bool laws_was_touched(int64_t seq)
{
	const struct tap *t = tap_of_row(seq);

	return t && ((t->touched && t->deed_seq == seq) || t->unsure);
}

bool laws_was_discarded(int64_t seq)
{
	const struct tap *t = tap_of_row(seq);

	return t && t->discarded && t->deed_seq == seq;
}

/* ---- acknowledgements */

static void acked(struct tap *t)
{
	index_taps();
	LAW(t->seq || t->twin, "no acknowledgement before it is stored",
		"record %s of %s is acknowledged and not in the store", t->id, t->terminal->serial);
}

void laws_puback(const int *numbers, int count)
{
	see_new_rows();
	for (int i = 0; i < count; i++) {
		struct tap *t = &taps[numbers[i]];

		acked(t);
		t->pubacked = true;
	}
}

static void take_ack(const char *serial, const json_t *entry)
{
	const char *id = json_string_value(json_object_get(entry, "id"));

	for (int i = tap_count - 1; id && i >= 0; i--) {
		struct tap *t = &taps[i];

		/* The one that was sent, where a counter that began again gave the id twice. */
		if (strcmp(t->id, id) != 0 || strcmp(t->terminal->serial, serial) != 0 ||
			!t->sent_us)
			continue;
		if (!t->seq && !t->twin)
			continue;
		t->acked = true;
		return;
	}
	LAW(!id || id[0] == 'n', "no acknowledgement before it is stored",
		"record %s of %s is acknowledged and not in the store", id ? id : "?", serial);
}

void laws_published(const char *topic, const char *payload, size_t length)
{
	char serial[32] = "";
	json_t *root, *entry;
	size_t i;

	if (sscanf(topic, "att/v1/%31[^/]/ack", serial) != 1 || !strstr(topic, "/ack"))
		return;
	see_new_rows();
	root = json_loadb(payload, length, 0, NULL);
	json_array_foreach(json_object_get(root, "acks"), i, entry) take_ack(serial, entry);
	json_decref(root);
}
