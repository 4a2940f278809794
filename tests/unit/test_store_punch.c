/* store_punch: adding, updating, finding, the outbox, lists, raw messages, guard and directory. */
#include "store_fixture.h"

#include <errno.h>

#include "base/hex.h"
#include "core/identity.h"
#include "store/store_directory.h"
#include "store/store_guard.h"
#include "store/store_private.h"

/* ---- adding and updating */

static struct punch full_punch(void)
{
	struct punch p = fixture_punch(1);

	p.state = PUNCH_PARKED;
	p.reason = REASON_API + 422;
	p.flags = FLAG_AMENDED | FLAG_IN_DOUBT | FLAG_TIME_SKIPPED;
	p.user_kind = USER_EMAIL;
	memset(p.user, 'u', USER_MAX);
	memset(p.record_id, 'r', RECORD_ID_MAX);
	memset(p.time_sent, '1', TIME_SENT_MAX);
	memset(p.terminal, 't', TERMINAL_MAX);
	p.type = TYPE_CHECK_OUT;
	p.type_from = FROM_PERSON;
	p.frozen_us = 1770000001002000;
	p.generation = 3;
	p.settled_us = 1770000001003000;
	p.tries = 65535;
	memset(p.user_id, 'i', CLOUD_ID_MAX);
	memset(p.device_id, 'd', CLOUD_ID_MAX);
	memset(p.att_id, 'a', CLOUD_ID_MAX);
	memset(p.error_code, 'c', CLOUD_ID_MAX);
	memset(p.error_message, 'm', REFUSAL_TEXT_MAX);
	memset(p.error_param, 'p', CLOUD_ID_MAX);
	for (int i = 0; i < IDENTITY_SIZE; i++) {
		p.identity[i] = (uint8_t)(255 - i);
		p.wire_key[i] = (uint8_t)i;
	}
	return p;
}

static void test_every_field_comes_back(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct punch p = full_punch(), q;

	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_punch_get(s, p.seq, &q), 0);
	assert_memory_equal(&p, &q, sizeof p);
	/* And one with as little as can be. */
	p = (struct punch){.state = PUNCH_PARKED, .boot = 1};
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(store_punch_get(s, p.seq, &q), 0);
	assert_memory_equal(&p, &q, sizeof p);
}

/* What may change does, what came with the punch does not. */
static void test_update_keeps_what_came(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch p = full_punch(), was = fixture_punch(1), q;

	assert_int_equal(store_punch_add(s, &was, NULL), 1);
	p.seq = was.seq;
	p.mono_us = p.boot = 77000;
	p.received_us += 1000;
	assert_int_equal(store_punch_update(s, &p), 0);
	assert_int_equal(store_punch_get(s, was.seq, &q), 0);
	assert_memory_equal(q.identity, was.identity, IDENTITY_SIZE);
	assert_string_equal(q.terminal, was.terminal);
	assert_string_equal(q.user, was.user);
	assert_string_equal(q.record_id, was.record_id);
	assert_string_equal(q.time_sent, was.time_sent);
	assert_true(q.user_kind == was.user_kind && q.type_sent == was.type_sent);
	assert_true(q.mono_us == was.mono_us && q.boot == was.boot);
	assert_true(q.received_us == p.received_us);
	memcpy(p.identity, was.identity, IDENTITY_SIZE);
	memcpy(p.terminal, was.terminal, sizeof p.terminal);
	memcpy(p.user, was.user, sizeof p.user);
	memcpy(p.record_id, was.record_id, sizeof p.record_id);
	memcpy(p.time_sent, was.time_sent, sizeof p.time_sent);
	p.user_kind = was.user_kind;
	p.type_sent = was.type_sent;
	p.mono_us = was.mono_us;
	p.boot = was.boot;
	assert_memory_equal(&p, &q, sizeof p);
	p.seq = 99;
	assert_int_equal(store_punch_update(s, &p), -ENOENT);
	assert_int_equal(store_punch_get(s, 99, &q), -ENOENT);
}

static void test_duplicate_identity(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct punch p = fixture_punch(1), again = fixture_punch(1);
	struct store_counts counts;

	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	/* Within the transaction, and after it, and after a restart; whatever else differs. */
	again.state = PUNCH_HELD;
	again.received_us += 5000000;
	assert_int_equal(store_punch_add(s, &again, NULL), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_punch_add(s, &again, NULL), 0);
	s = fixture_open(f);
	assert_int_equal(store_punch_add(s, &again, NULL), 0);
	store_counts(s, &counts);
	assert_int_equal(counts.stored, 1);
	assert_int_equal(counts.open[PUNCH_QUEUED], 1);
	again.identity[15] ^= 1;
	assert_int_equal(store_punch_add(s, &again, NULL), 1);
	assert_int_equal(again.seq, 2);
	fixture_check(s);
}

static void test_find_by_prefix(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch a = fixture_punch(1), b = fixture_punch(2), found;
	char hex[2 * IDENTITY_SIZE + 1];

	memset(a.identity, 0xab, IDENTITY_SIZE);
	memset(b.identity, 0xab, IDENTITY_SIZE);
	b.identity[2] = 0xcd;
	assert_int_equal(store_punch_add(s, &a, NULL), 1);
	assert_int_equal(store_punch_add(s, &b, NULL), 1);
	hex_encode(b.identity, IDENTITY_SIZE, hex);
	for (size_t n = 2; n <= 2 * IDENTITY_SIZE; n++) {
		char prefix[2 * IDENTITY_SIZE + 1];

		snprintf(prefix, sizeof prefix, "%.*s", (int)n, hex);
		assert_int_equal(store_punch_find(s, prefix, &found), n < 5 ? -ENOTUNIQ : 0);
		if (n >= 5)
			assert_int_equal(found.seq, b.seq);
	}
	assert_int_equal(store_punch_find(s, "ABABC", &found), 0);
	assert_int_equal(found.seq, b.seq);
	assert_int_equal(store_punch_find(s, "ff", &found), -ENOENT);
	assert_int_equal(store_punch_find(s, "a", &found), -EINVAL);
	assert_int_equal(store_punch_find(s, "", &found), -EINVAL);
	assert_int_equal(store_punch_find(s, "xy", &found), -EINVAL);
	assert_int_equal(
		store_punch_find(s, "abababababababababababababababababab", &found), -EINVAL);
	assert_int_equal(store_punch_by_identity(s, a.identity, &found), 0);
	assert_int_equal(found.seq, a.seq);
	a.identity[0] = 0;
	assert_int_equal(store_punch_by_identity(s, a.identity, &found), -ENOENT);
}

static int end_here(void *arg, const struct punch *p)
{
	(void)p;
	return ++*(int *)arg == 3 ? -EINTR : 0;
}

static void test_a_walk_can_be_ended(void **state)
{
	struct store *s = fixture_open(*state);
	int n = 0;

	fixture_add_all(s, 0, 10);
	assert_int_equal(store_outbox_read(s, &PUNCH_PLACE_FIRST, 10, end_here, &n), -EINTR);
	assert_int_equal(n, 3);
	n = 0;
	assert_int_equal(store_outbox_read(s, &PUNCH_PLACE_FIRST, 2, end_here, &n), 2);
}

/* ---- which indexes serve */

static void plan_is(struct store *s, enum store_sql which, const char *should)
{
	char sql[4096];
	sqlite3_stmt *stmt;
	bool seen = false;

	snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", store_sql_text(which));
	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(stmt, 3);

		/* Sorting would read everything before it returned anything, but for what is within one
		 * second. */
		if (strstr(line, "TEMP B-TREE FOR ORDER BY") && which != SQL_OUTBOX_SECOND)
			fail_msg("%s: %s", sql, line);
		seen |= strstr(line, should) != NULL;
	}
	sqlite3_finalize(stmt);
	if (!seen)
		fail_msg("%s does not use %s", sql, should);
}

static void test_plans(void **state)
{
	struct store *s = fixture_open(*state);

	plan_is(s, SQL_OUTBOX, "USING INDEX punch_queued (time>?)");
	plan_is(s, SQL_OUTBOX_SECOND, "USING INDEX punch_queued (time=?)");
	/* covering, SQLite 3.46 calls it: it knows the one state that is in there */
	plan_is(s, SQL_COUNT_QUEUED, "INDEX punch_queued");
	plan_is(s, SQL_STATE_READ, "USING INDEX punch_waiting (state=? AND seq>?)");
	plan_is(s, SQL_COUNT_STATE, "USING COVERING INDEX punch_waiting (state=?)");
	plan_is(s, SQL_LIST_STATE, "USING INDEX punch_waiting (state=? AND seq>? AND seq<?)");
	plan_is(s, SQL_LIST_STATE_END, "USING COVERING INDEX punch_waiting (state=? AND seq<?)");
	plan_is(s, SQL_LIST, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
	plan_is(s, SQL_MALFORMED_COUNT, "USING INDEX punch_waiting (state=?)");
	plan_is(s, SQL_CRASHED_ALL, "USING INDEX punch_waiting (state=?)");
	plan_is(s, SQL_PUNCH_IDENTITY, "USING INDEX sqlite_autoindex_punch_1 (identity=?)");
	plan_is(s, SQL_PUNCH_RANGE,
		"USING INDEX sqlite_autoindex_punch_1 (identity>? AND identity<?)");
	plan_is(s, SQL_PURGE_SCAN, "USING INTEGER PRIMARY KEY (rowid>?)");
	plan_is(s, SQL_RECEIPTS_SCAN, "USING INTEGER PRIMARY KEY (rowid>?)");
	plan_is(s, SQL_PURGE_HAND, "USING INDEX hand_seq (seq=?)");
	plan_is(s, SQL_PURGE_TIMELESS, "USING PRIMARY KEY (key=?)");
	plan_is(s, SQL_MAX_SEQ, "SEARCH punch");
}

/* A partial index's condition that SQLite answers from a table which it makes anew each time. */
static void test_no_write_makes_a_table_of_its_own(void **state)
{
	static const enum store_sql writes[] = {SQL_PUNCH_ADD, SQL_PUNCH_UPDATE,
		SQL_PUNCH_UPDATE_IN_PLACE, SQL_PUNCH_UPDATE_STILL, SQL_PURGE_PUNCH};
	struct store *s = fixture_open(*state);
	sqlite3_stmt *stmt;
	char sql[4096];

	for (size_t i = 0; i < COUNT(writes); i++) {
		snprintf(sql, sizeof sql, "EXPLAIN %s", store_sql_text(writes[i]));
		assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW)
			assert_string_not_equal(
				(const char *)sqlite3_column_text(stmt, 1), "OpenEphemeral");
		sqlite3_finalize(stmt);
	}
}

/* Where a body freezes no index is touched: each would be a page more. */
static void test_what_stays_in_its_place_writes_no_index(void **state)
{
	struct store *s = fixture_open(*state);
	sqlite3_stmt *stmt;
	char sql[4096];

	snprintf(sql, sizeof sql, "EXPLAIN %s", store_sql_text(SQL_PUNCH_UPDATE_STILL));
	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		assert_string_not_equal((const char *)sqlite3_column_text(stmt, 1), "IdxInsert");
	sqlite3_finalize(stmt);
}

/* Each statement compiles, and refuses nothing that it is bound to. */
static void test_all_statements_compile(void **state)
{
	struct store *s = fixture_open(*state);

	for (int i = 0; i < SQL_COUNT_; i++) {
		assert_non_null(store_sql_text((enum store_sql)i));
		assert_non_null(store_statement(s, (enum store_sql)i));
	}
}

/* ---- the outbox */

struct seqs {
	int n;
	int64_t seq[64];
	struct punch_place last;
};

static int collect(void *arg, const struct punch *p)
{
	struct seqs *l = arg;

	assert_true(l->n < 64);
	l->seq[l->n++] = p->seq;
	l->last = punch_place(p);
	return 0;
}

static void seqs_are(const struct seqs *l, const int64_t *should, int n)
{
	assert_int_equal(l->n, n);
	for (int i = 0; i < n; i++)
		assert_int_equal(l->seq[i], should[i]);
}

static int collect_two(void *arg, const struct punch *p)
{
	collect(arg, p);
	return ((struct seqs *)arg)->n == 2;
}

/* One person's, over the borders of the index's buckets, and whoever else's name ends alike. */
static void test_outbox_of_a_person(void **state)
{
	static const int64_t times[] = {200000, 100, 262144, 131071, 131072, 300000, 131072, 90};
	struct punch_place from = {.time_s = 100};
	struct store *s = fixture_open(*state);
	struct seqs l = {.n = 0};
	struct punch p;

	for (int i = 0; i < 8; i++) {
		p = fixture_punch(i);
		p.time_s = times[i];
		snprintf(p.user_id, sizeof p.user_id, "%s", "usr_0000000001");
		memset(p.identity, 10 - i, sizeof p.identity);
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	p = fixture_punch(9);
	p.time_s = 131072;
	snprintf(p.user_id, sizeof p.user_id, "%s", "usr_1000000001");
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(store_punch_get(s, 1, &p), 0);
	p.state = PUNCH_HELD;
	assert_int_equal(store_punch_update(s, &p), 0);
	assert_int_equal(
		store_outbox_read_person(s, "usr_0000000001", &from, 299999, collect, &l), 5);
	seqs_are(&l, (int64_t[]){2, 4, 7, 5, 3}, 5);
	/* Behind a place within a second; and enough is enough. */
	l.n = 0;
	assert_int_equal(store_punch_get(s, 7, &p), 0);
	from = punch_place(&p);
	assert_int_equal(
		store_outbox_read_person(s, "usr_0000000001", &from, 300000, collect_two, &l), 2);
	seqs_are(&l, (int64_t[]){5, 3}, 2);
	assert_int_equal(
		store_outbox_read_person(s, "usr_0000000001", &from, 300000, end_here, &l.n),
		-EINTR);
}

static void test_outbox_order(void **state)
{
	static const int times[] = {50, 20, 20, 90, 10, 20, 70};
	struct store *s = fixture_open(*state);
	struct seqs l = {.n = 0};
	struct punch p;

	for (int i = 0; i < 7; i++) {
		p = fixture_punch(i);
		p.time_s = times[i];
		memset(p.identity, 10 - i, sizeof p.identity);
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	assert_int_equal(store_punch_get(s, 4, &p), 0);
	p.state = PUNCH_HELD;
	assert_int_equal(store_punch_update(s, &p), 0);
	assert_int_equal(store_outbox_read(s, &PUNCH_PLACE_FIRST, 3, collect, &l), 3);
	seqs_are(&l, (int64_t[]){5, 6, 3}, 3);
	/* Going on behind the last one, within one second too, which goes by identity. */
	assert_int_equal(store_outbox_read(s, &l.last, 3, collect, &l), 3);
	seqs_are(&l, (int64_t[]){5, 6, 3, 2, 1, 7}, 6);
	assert_int_equal(store_outbox_read(s, &l.last, 3, collect, &l), 0);
	l.n = 0;
	assert_int_equal(store_state_read(s, PUNCH_HELD, 0, 9, collect, &l), 1);
	seqs_are(&l, (int64_t[]){4}, 1);
}

/* ---- lists */

static struct store_filter any(int limit)
{
	return (struct store_filter){
		.state = -1, .from_s = INT64_MIN, .to_s = INT64_MAX, .limit = limit};
}

static int list_count(struct store *s, const struct store_filter *f)
{
	struct seqs l = {.n = 0};
	int64_t next;
	int n = store_punch_list(s, f, collect, &l, &next);

	assert_int_equal(n, l.n);
	for (int i = 1; i < l.n; i++)
		assert_true(l.seq[i] < l.seq[i - 1]);
	return n;
}

/* 30 punches: three terminals, users 1000.., every state. */
static void fill_list(struct store *s)
{
	for (int i = 0; i < 30; i++) {
		struct punch p = fixture_punch(i);

		p.state = (enum punch_state)(i % PUNCH_STATES);
		p.reason = p.state == PUNCH_HELD ? REASON_UNKNOWN_USER : REASON_NONE;
		if (i == 7)
			p.reason = REASON_STALE;
		if (i % 10 == 0) {
			p.user_kind = USER_CARD;
			snprintf(p.user, sizeof p.user, "A:B");
		}
		p.has_time = p.state == PUNCH_QUEUED || i < 15;
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	assert_int_equal(store_commit(s), 0);
}

static void test_list_filters(void **state)
{
	struct store *s = fixture_open(*state);
	struct store_filter f = any(50);

	fill_list(s);
	assert_int_equal(list_count(s, &f), 30);
	for (f.state = 0; f.state < PUNCH_STATES; f.state++)
		assert_int_equal(list_count(s, &f), 5);
	f = any(50);
	f.reason = REASON_UNKNOWN_USER;
	assert_int_equal(list_count(s, &f), 4);
	f.state = PUNCH_HELD;
	assert_int_equal(list_count(s, &f), 4);
	f.reason = REASON_STALE;
	assert_int_equal(list_count(s, &f), 1);
	f = any(50);
	f.user = "1001";
	assert_int_equal(list_count(s, &f), 1);
	f.user = "pin:1001";
	assert_int_equal(list_count(s, &f), 1);
	f.user = "card:1001";
	assert_int_equal(list_count(s, &f), 0);
	f.user = "usr_1";
	assert_int_equal(list_count(s, &f), 1);
	/* A value with a colon is a value where no kind stands before it. */
	f.user = "A:B";
	assert_int_equal(list_count(s, &f), 3);
	f.user = "card:A:B";
	assert_int_equal(list_count(s, &f), 3);
	f = any(50);
	f.device = "terminal-1";
	assert_int_equal(list_count(s, &f), 10);
	f.device = "dev_2";
	assert_int_equal(list_count(s, &f), 10);
	f.device = "dev_9";
	assert_int_equal(list_count(s, &f), 0);
	f = any(50);
	f.from_s = NOON_S + 5;
	f.to_s = NOON_S + 10;
	assert_int_equal(list_count(s, &f), 5);
	/* One without a time is in no span. */
	f.from_s = NOON_S + 15;
	f.to_s = INT64_MAX;
	assert_int_equal(list_count(s, &f), 2);
}

static void test_list_pages(void **state)
{
	static const int states[] = {-1, PUNCH_HELD, PUNCH_QUEUED};
	struct store *s = fixture_open(*state);

	fill_list(s);
	for (int i = 0; i < 3; i++) {
		struct store_filter f = any(2);
		struct seqs l = {.n = 0};
		int64_t next = 0;
		int rounds = 0;

		f.state = states[i];
		do {
			f.before_seq = next;
			assert_true(store_punch_list(s, &f, collect, &l, &next) >= 0);
			assert_true(rounds++ < 30);
		} while (next);
		assert_int_equal(l.n, states[i] < 0 ? 30 : 5);
		for (int j = 1; j < l.n; j++)
			assert_true(l.seq[j] < l.seq[j - 1]);
	}
}

/* However rare what is asked for, a page looks at 20,000 rows and says where to go on. */
static void test_list_is_bounded(void **state)
{
	struct store *s = fixture_open(*state);
	int held_rounds = 0;

	for (int i = 0; i < 45000; i++) {
		struct punch p = fixture_punch(i);

		p.state = i % 50 == 49 ? PUNCH_QUEUED : PUNCH_HELD;
		p.reason = p.state == PUNCH_HELD ? REASON_NO_TIME : REASON_NONE;
		if (i == 0)
			snprintf(p.user, sizeof p.user, "rare");
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	assert_int_equal(store_commit(s), 0);
	for (int state_asked = -1; state_asked <= PUNCH_HELD; state_asked += 2) {
		struct store_filter f = any(10);
		struct seqs l = {.n = 0};
		int64_t next = 0;
		int rounds = 0;

		f.state = state_asked;
		f.user = "rare";
		do {
			f.before_seq = next;
			assert_true(store_punch_list(s, &f, collect, &l, &next) >= 0);
			rounds++;
		} while (next);
		assert_int_equal(l.n, 1);
		assert_int_equal(l.seq[0], 1);
		assert_int_equal(rounds, 3);
		held_rounds += state_asked == PUNCH_HELD;
	}
	assert_int_equal(held_rounds, 1);
}

static void test_list_of_nothing(void **state)
{
	struct store *s = fixture_open(*state);
	struct store_filter f = any(10);
	int64_t next = 5;

	assert_int_equal(store_punch_list(s, &f, collect, NULL, &next), 0);
	assert_int_equal(next, 0);
	f.state = PUNCH_PARKED;
	f.before_seq = 100;
	assert_int_equal(store_punch_list(s, &f, collect, NULL, &next), 0);
	assert_int_equal(next, 0);
}

/* ---- what could not be read */

static int add_raw(struct store *s, int i, const char *terminal, int reason, size_t length)
{
	static const uint8_t sha[32] = {1, 2, 3};
	char bytes[5000];
	struct store_raw raw = {
		.topic = "att/v1/x/punch", .bytes = bytes, .length = length, .full_length = 9999};
	struct punch p = fixture_punch(i);

	memset(bytes, 'b', sizeof bytes);
	raw.sha256 = sha;
	p.state = PUNCH_PARKED;
	p.reason = reason;
	p.has_time = false;
	snprintf(p.terminal, sizeof p.terminal, "%s", terminal);
	assert_int_equal(store_punch_add(s, &p, &raw), 1);
	return (int)p.seq;
}

static void test_raw(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	int seq = add_raw(s, 1, "a", REASON_MALFORMED, 4096);
	int empty = add_raw(s, 2, "a", REASON_MALFORMED, 0);
	char to[4096], topic[64], few[8];

	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_raw_get(s, seq, to, sizeof to, topic, sizeof topic), 4096);
	assert_string_equal(topic, "att/v1/x/punch");
	assert_true(to[0] == 'b' && to[4095] == 'b');
	assert_int_equal(store_raw_get(s, seq, few, sizeof few, topic, 7), sizeof few);
	assert_string_equal(topic, "att/v1");
	assert_int_equal(store_raw_get(s, empty, to, sizeof to, topic, sizeof topic), 0);
	assert_int_equal(store_raw_get(s, 99, to, sizeof to, topic, sizeof topic), -ENOENT);
}

static void test_malformed_count(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch p;

	assert_int_equal(store_malformed_count(s, "a"), 0);
	add_raw(s, 1, "a", REASON_MALFORMED, 1);
	add_raw(s, 2, "a", REASON_TOO_LARGE, 1);
	add_raw(s, 3, "a", REASON_CRASHED, 1);
	add_raw(s, 4, "a", REASON_BAD_TIME, 1);
	add_raw(s, 5, "b", REASON_MALFORMED, 1);
	assert_int_equal(store_malformed_count(s, "a"), 3);
	assert_int_equal(store_malformed_count(s, "b"), 1);
	assert_int_equal(store_malformed_count(s, "c"), 0);
	assert_int_equal(store_punch_get(s, 1, &p), 0);
	p.state = PUNCH_DISCARDED;
	p.settled_us = 1000;
	assert_int_equal(store_punch_update(s, &p), 0);
	assert_int_equal(store_malformed_count(s, "a"), 2);
}

static void test_timeless(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	uint8_t key[IDENTITY_SIZE] = {1, 2, 3};

	assert_int_equal(store_timeless_get(s, key), 0);
	assert_int_equal(store_timeless_set(s, key, 5), 0);
	assert_int_equal(store_timeless_set(s, key, 6), 0);
	assert_int_equal(store_timeless_get(s, key), 6);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_timeless_get(s, key), 6);
	key[15] = 1;
	assert_int_equal(store_timeless_get(s, key), 0);
}

/* ---- messages before they are parsed */

static int count_identity(void *arg, const uint8_t identity[static IDENTITY_SIZE])
{
	(void)identity;
	return ++*(int *)arg == 2 ? -EINTR : 0;
}

static void test_guard(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct store_guarded g;
	int64_t first, second;

	assert_int_equal(store_guard_first(s, &g), 0);
	first = store_guard_add(s, "a/b", "\0payload", 8, true, false);
	second = store_guard_add(s, "c", "", 0, false, true);
	assert_true(first > 0 && second > first);
	assert_int_equal(store_guard_raise(s, first), 0);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_guard_first(s, &g), 1);
	assert_int_equal(g.id, first);
	assert_string_equal(g.topic, "a/b");
	assert_int_equal(g.length, 8);
	assert_memory_equal(g.payload, "\0payload", 8);
	assert_true(g.retained && !g.dup);
	assert_int_equal(g.parses, 2);
	store_guarded_done(&g);
	assert_int_equal(store_guard_del(s, first), 0);
	assert_int_equal(store_guard_first(s, &g), 1);
	assert_int_equal(g.id, second);
	assert_int_equal(g.length, 0);
	assert_true(!g.retained && g.dup);
	store_guarded_done(&g);
	assert_int_equal(store_guard_del(s, second), 0);
	assert_int_equal(store_guard_first(s, &g), 0);
}

static void test_crashed(void **state)
{
	struct store *s = fixture_open(*state);
	int n = 0;

	assert_int_equal(store_crashed_each(s, count_identity, &n), 0);
	assert_int_equal(n, 0);
	add_raw(s, 1, "a", REASON_CRASHED, 1);
	add_raw(s, 2, "a", REASON_MALFORMED, 1);
	assert_int_equal(store_crashed_each(s, count_identity, &n), 0);
	assert_int_equal(n, 1);
	add_raw(s, 3, "a", REASON_CRASHED, 1);
	n = 0;
	assert_int_equal(store_crashed_each(s, count_identity, &n), -EINTR);
	assert_int_equal(n, 2);
}

/* ---- the directory */

static void test_directory(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct directory d;
	const struct dir_user *u;
	const struct dir_device *v;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_user_put(s,
					 &(struct dir_user){"usr_1", i ? "New" : "Old", "a@b.c",
						 "+49", "Hall", "2026"}),
			0);
		assert_int_equal(store_missing_put(s, DIR_DEVICES, "SER", i + 1), 0);
		assert_int_equal(store_missing_put(s, DIR_USERS, "usr_1", 1 - i), 0);
		assert_int_equal(store_device_put(s,
					 &(struct dir_device){"dev_1", "SER", i ? "New" : "Old",
						 "face", "active", "Door", "2027"}),
			0);
	}
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	directory_init(&d, 1);
	assert_int_equal(store_directory_load(s, &d), 0);
	u = directory_user(&d, "usr_1");
	assert_non_null(u);
	assert_string_equal(u->name, "New");
	assert_string_equal(u->email, "a@b.c");
	assert_string_equal(u->phone, "+49");
	assert_string_equal(u->department, "Hall");
	assert_string_equal(u->updated_at, "2026");
	v = directory_device(&d, "SER");
	assert_non_null(v);
	assert_string_equal(v->id, "dev_1");
	assert_string_equal(v->name, "New");
	assert_string_equal(v->type, "face");
	assert_string_equal(v->status, "active");
	assert_string_equal(v->location, "Door");
	assert_string_equal(v->updated_at, "2027");
	assert_int_equal(directory_missed(&d, DIR_DEVICES, "SER"), 2);
	assert_int_equal(directory_missed(&d, DIR_USERS, "usr_1"), 0);
	directory_done(&d);
}

/* A disk that forgets what a CHECK let through: no number is used that names nothing. */
static void test_absurd_numbers_are_damage(void **state)
{
	static const char *const absurd[] = {"state = 6", "state = -1", "user_kind = 6",
		"type_sent = 3", "type = -1", "type_from = 5"};
	struct store *s = fixture_open(*state);
	struct punch p;
	char sql[128];

	fixture_add_all(s, 0, 2);
	assert_int_equal(
		sqlite3_exec(s->db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL),
		SQLITE_OK);
	for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
		assert_int_equal(store_begin(s), 0);
		snprintf(sql, sizeof sql, "UPDATE punch SET %s WHERE seq = 1", absurd[i]);
		assert_int_equal(sqlite3_exec(s->db, sql, NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(store_punch_get(s, 1, &p), -EUCLEAN);
		assert_int_equal(store_punch_get(s, 2, &p), 0);
		store_rollback(s);
	}
	assert_int_equal(
		sqlite3_exec(s->db, "UPDATE punch SET state = 9", NULL, NULL, NULL), SQLITE_OK);
	p = fixture_punch(0);
	p.seq = 1;
	assert_int_equal(store_punch_update(s, &p), -EUCLEAN);
	store_rollback(s);
	/* And the next start sees it. */
	assert_int_equal(
		sqlite3_exec(s->db, "PRAGMA ignore_check_constraints = OFF", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(store_check_structure(s), -EUCLEAN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_field_comes_back),
		TEST(test_update_keeps_what_came),
		TEST(test_duplicate_identity),
		TEST(test_find_by_prefix),
		TEST(test_a_walk_can_be_ended),
		TEST(test_plans),
		TEST(test_no_write_makes_a_table_of_its_own),
		TEST(test_what_stays_in_its_place_writes_no_index),
		TEST(test_all_statements_compile),
		TEST(test_outbox_order),
		TEST(test_outbox_of_a_person),
		TEST(test_list_filters),
		TEST(test_list_pages),
		TEST(test_list_is_bounded),
		TEST(test_list_of_nothing),
		TEST(test_raw),
		TEST(test_malformed_count),
		TEST(test_timeless),
		TEST(test_guard),
		TEST(test_crashed),
		TEST(test_directory),
		TEST(test_absurd_numbers_are_damage),
	};

	return cmocka_run_group_tests_name("store_punch", tests, NULL, NULL);
}
