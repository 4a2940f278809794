/* The end of a story: what must be in the store and in the cloud, from what people and cloud did. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud.h"
#include "gateway.h"
#include "judge.h"
#include "laws.h"
#include "laws_private.h"

#define FLAG_TRUSTED_  64
#define FLAG_WAITED_   128
#define FLAG_RELEASED_ 512
#define MAX_FUTURE_S   300
#define DAY_S          86400

/* A row, as it ended. */
struct row {
	int64_t seq, time_s, received_s;
	int state, reason, flags;
	char key[40];
};

static void read_row(sqlite3_stmt *s, struct row *r)
{
	*r = (struct row){.seq = sqlite3_column_int64(s, 0),
		.state = sqlite3_column_int(s, 6),
		.reason = sqlite3_column_int(s, 7),
		.flags = sqlite3_column_int(s, 8),
		.received_s = sqlite3_column_int64(s, 9) / 1000,
		.time_s = sqlite3_column_int64(s, 10)};
	snprintf(r->key, sizeof r->key, "%s",
		sqlite3_column_text(s, 11) ? (const char *)sqlite3_column_text(s, 11) : "");
}

/* JUDGING.md §7 and §2: the first reason that holds it, 0 where it must go. */
static int reason_for(const struct tap *t, const struct row *r)
{
	int64_t time_s = t->time[0] ? t->time_s : r->received_s;
	int64_t ahead_s = time_s - r->received_s;
	const struct judged *j;
	bool released = false;

	if (!t->time[0] && (!(r->flags & FLAG_TRUSTED_) || (r->flags & FLAG_WAITED_)))
		return REASON_NO_TIME_;
	if (r->flags & FLAG_RELEASED_)
		released = true;
	if (!released && -ahead_s > (int64_t)world.plan->max_age_days * DAY_S)
		return REASON_STALE_;
	if (!released && ahead_s > MAX_FUTURE_S &&
		(ahead_s > DAY_S || time_s > gateway_wall_us() / SECOND + MAX_FUTURE_S))
		return REASON_FUTURE_;
	if (t->terminal->known_us > world.now_us)
		return REASON_DEVICE_;
	/* Whom a link names goes, known or not: the cloud decides. */
	if (t->person->pin[0] ? t->person->linked == LINKED_NO : t->person->known_us > world.now_us)
		return REASON_USER_;
	j = judge_of(r->seq);
	return j && j->clashes ? REASON_WAY_ : 0;
}

/* What the terminal said, else one of both: which one was right when it froze nobody asks here. */
static bool is_right_way(const struct tap *t, const char *type)
{
	if (t->unsure)
		return true;
	if (t->amended != WAY_NONE)
		return strcmp(type, t->amended == WAY_IN ? "check_in" : "check_out") == 0;
	if (t->way == WAY_NONE)
		return strcmp(type, "check_in") == 0 || strcmp(type, "check_out") == 0;
	return strcmp(type, t->way == WAY_IN ? "check_in" : "check_out") == 0;
}

/* The person it named when it froze, which may have been another one before. */
static bool is_right_person(const struct tap *t, const char *user_id)
{
	for (int i = 0; i < world.plan->people; i++) {
		if (strcmp(people[i].id, user_id) == 0)
			return person_was(&people[i], t);
	}
	return false;
}

static bool is_right_device(const struct tap *t, const char *device_id)
{
	char id[24];

	for (int n = 1; n <= t->terminal->registered; n++) {
		if (strcmp(terminal_device_id(t->terminal, n, id), device_id) == 0)
			return true;
	}
	return false;
}

static void is_in_the_cloud(const struct tap *t, const struct row *r)
{
	const struct sent_key *k = cloud_key(r->key);
	char time[TIME_TEXT_SIZE];

	LAW(k && k->first >= 0, "delivered means delivered", "row %lld is not in the cloud",
		(long long)r->seq);
	if (!k)
		return;
	time_format_utc(t->time[0] ? t->time_s : r->time_s, -1, time);
	LAW(is_right_person(t, k->user_id) && is_right_device(t, k->device_id) &&
			is_right_way(t, k->type) && strcmp(k->timestamp, time) == 0,
		"the right record", "way %d of %s at %s is %s %s %s %s in the cloud", (int)t->way,
		t->user, time, k->user_id, k->device_id, k->type, k->timestamp);
	LAW(k->records == 1 || !cloud.honours, "each punch once", "key %s has %d records", r->key,
		k->records);
}

static void judge_row(const struct tap *t, const struct row *r)
{
	int reason = reason_for(t, r);
	const struct sent_key *k = r->key[0] ? cloud_key(r->key) : NULL;

	if (t->deed_seq && t->deed_seq != r->seq)
		return; /* it came twice without a time: this one is held, or was there before */
	LAW(!t->discarded || r->state == STATE_DISCARDED, "what is discarded stays so",
		"row %lld is in state %d", (long long)r->seq, r->state);
	LAW(r->state != STATE_DISCARDED || t->discarded || t->unsure || t->twin,
		"nothing is discarded by itself", "row %lld is", (long long)r->seq);
	LAW(!t->released || r->flags & FLAG_RELEASED_, "what is released stays so", "row %lld",
		(long long)r->seq);
	if (r->state == STATE_DISCARDED || t->unsure)
		return;
	if (t->twin)
		return; /* which of them it is nobody knows */
	if (r->state == STATE_DELIVERED) {
		is_in_the_cloud(t, r);
		return;
	}
	if (r->state == STATE_PARKED && r->reason > REASON_API_) {
		LAW((t->amended != WAY_NONE && !k) ||
				(k && k->refused_status == r->reason - REASON_API_),
			"parked for a refusal", "row %lld is parked with %d", (long long)r->seq,
			r->reason);
		return;
	}
	if (r->state == STATE_SUPPRESSED)
		return; /* judge_rows_stand has looked at it */
	LAW(r->state == STATE_HELD && reason != 0 && r->reason == reason,
		"held for a reason that is true",
		"row %lld, record %s of %s by %s at %s, is in state %d for reason %d, not for %d",
		(long long)r->seq, t->id, t->terminal->serial, t->person->id, t->time, r->state,
		r->reason, reason);
}

/* A corrected receipt is the time at which it came. */
static void receipt_is_true(const struct tap *t, const struct row *r)
{
	/* Which tap a row without a time is of is not always known. */
	if (!(r->flags & FLAG_TRUSTED_) || gateway.clock_was_set || !t->time[0])
		return;
	LAW(r->received_s >= t->at_us / SECOND - 5 && r->received_s <= world.now_us / SECOND + 5,
		"receipt times are true", "row %lld was received %lld s before it was tapped",
		(long long)r->seq, (long long)(t->at_us / SECOND - r->received_s));
}

static void every_tap_arrived(void)
{
	for (int i = 0; i < tap_count; i++) {
		const struct tap *t = &taps[i];

		LAW(!t->kept, "terminals get rid of everything", "record %s of %s is still there",
			t->id, t->terminal->serial);
		LAW(t->seq || t->twin || t->terminal->trusting || laws_may_be_purged(t),
			"nothing is lost", "record %s of %s, tapped %s, never came", t->id,
			t->terminal->serial, when(t->at_us));
	}
}

/* No record is there for which there is no punch; those of purged ones are old. */
static void cloud_has_nothing_else(void)
{
	for (size_t i = 0; i < cloud.record_count; i++) {
		const struct record *record = &cloud.records[i];
		int64_t time_s = 0;

		time_parse_rfc3339(record->timestamp, &time_s);
		LAW(cloud_key(record->key)->has_row || gateway.clock_was_set ||
				world.now_us / SECOND - time_s > world.plan->max_age_days * DAY_S,
			"nothing is invented", "no punch is there for the record of %s at %s",
			record->user_id, record->timestamp);
	}
}

static void note_key(const struct row *r)
{
	struct sent_key *k = r->key[0] ? cloud_key(r->key) : NULL;

	if (k)
		k->has_row = true;
}

void laws_judge_end(void)
{
	struct row r;

	every_tap_arrived();
	judge_all();
	judge_rows_stand();
	sqlite3_bind_int64(watcher.all, 1, 0);
	while (sqlite3_step(watcher.all) == SQLITE_ROW && !world.broken[0]) {
		const struct tap *t;

		read_row(watcher.all, &r);
		t = laws_tap_of(watcher.all);
		note_key(&r);
		if (!t)
			continue;
		judge_row(t, &r);
		receipt_is_true(t, &r);
	}
	sqlite3_reset(watcher.all);
	if (!world.broken[0])
		cloud_has_nothing_else();
}
