/* store_upkeep: what is purged and what never is, receipts corrected in slices. */
#include "store_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "core/identity.h"
#include "store/store_private.h"

#define DAY_US  86400000000LL
#define SETTLED (NOON_S * 1000000) /* the limit of settlements in these tests */
#define TIME_S  (NOON_S + 1000)    /* and of times */

static int64_t purge_all(struct store *s, int slice)
{
	int64_t seq = 0, gone = 0, last = -1;
	bool done = false;

	while (!done) {
		int n = store_purge(s, SETTLED, TIME_S, 0, slice, &seq, &done);

		assert_true(n >= 0 && n <= slice);
		assert_true(done || seq > last);
		last = seq;
		gone += n;
		assert_int_equal(store_commit(s), 0);
	}
	return gone;
}

/* A punch in a state, settled and received then, for that time. */
static int64_t add(
	struct store *s, int i, enum punch_state state, int64_t settled_us, int64_t time_s)
{
	struct punch p = fixture_punch(i);

	p.state = state;
	p.settled_us = settled_us;
	p.time_s = time_s;
	p.received_us = SETTLED - 10 * DAY_US;
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	return p.seq;
}

static void test_rules(void **state)
{
	static const struct {
		enum punch_state state;
		int64_t settled_us;
		int64_t time_s;
		bool goes;
	} rows[] = {
		{PUNCH_DELIVERED, SETTLED - 1000, TIME_S - 1, true},
		{PUNCH_SUPPRESSED, SETTLED - 1000, TIME_S - 1, true},
		{PUNCH_DISCARDED, SETTLED - 1000, TIME_S - 1, true},
		{PUNCH_DELIVERED, SETTLED, TIME_S - 1, false},
		{PUNCH_DELIVERED, SETTLED - 1000, TIME_S, false},
		{PUNCH_DELIVERED, 0, TIME_S - 1, false},
		{PUNCH_QUEUED, SETTLED - 1000, TIME_S - 1, false},
		{PUNCH_HELD, SETTLED - 1000, TIME_S - 1, false},
		{PUNCH_PARKED, SETTLED - 1000, TIME_S - 1, false},
		{PUNCH_DELIVERED, SETTLED - 1000, TIME_S - 1, false}, /* the newest row */
	};
	const int n = sizeof rows / sizeof rows[0];
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct store_counts before, after;
	struct punch p;

	for (int i = 0; i < n; i++)
		add(s, i, rows[i].state, rows[i].settled_us, rows[i].time_s);
	assert_int_equal(store_commit(s), 0);
	store_counts(s, &before);
	assert_int_equal(purge_all(s, 100), 3);
	for (int i = 0; i < n; i++)
		assert_int_equal(store_punch_get(s, i + 1, &p), rows[i].goes ? -ENOENT : 0);
	store_counts(s, &after);
	assert_int_equal(after.stored, before.stored);
	for (int i = 0; i < PUNCH_STATES; i++)
		assert_int_equal(after.by_state[i], before.by_state[i]);
	assert_int_equal(after.open[PUNCH_SUPPRESSED], 0);
	fixture_check(s);
	s = fixture_open(f);
	fixture_check(s);
	store_counts(s, &before);
	assert_memory_equal(&before, &after, sizeof before);
	/* Once it is no longer the newest, it goes, and its number is not given again. */
	assert_int_equal(add(s, 50, PUNCH_QUEUED, 0, TIME_S), n + 1);
	assert_int_equal(purge_all(s, 100), 1);
	fixture_check(fixture_open(f));
}

/* Without a time of its own it goes by its receipt. */
static void test_without_time(void **state)
{
	struct store *s = fixture_open(*state);

	for (int i = 0; i < 3; i++) {
		struct punch p = fixture_punch(i);

		p.state = PUNCH_DISCARDED;
		p.has_time = false;
		p.settled_us = SETTLED - 1000;
		p.received_us = i == 1 ? TIME_S * 1000000 : (TIME_S - 1) * 1000000;
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	fixture_add_all(s, 10, 11);
	assert_int_equal(purge_all(s, 100), 2);
}

static void test_slices(void **state)
{
	struct fixture *f = *state;

	for (int slice = 1; slice < 40; slice += 6) {
		struct store *s;

		unlink(f->path);
		s = fixture_open(f);
		for (int i = 0; i < 40; i++)
			add(s, i, i % 3 ? PUNCH_DELIVERED : PUNCH_HELD, SETTLED - 1000, TIME_S - 1);
		assert_int_equal(store_commit(s), 0);
		/* The newest of the 40 is held. */
		assert_int_equal(purge_all(s, slice), 26);
		fixture_check(s);
		fixture_close(f);
		unlink(f->path);
	}
}

/* Rows that came after the limit need not be looked at: nothing old is behind them. */
static void test_ends_at_recent_rows(void **state)
{
	struct store *s = fixture_open(*state);
	int64_t seq = 0;
	bool done = false;

	for (int i = 0; i < 30; i++) {
		struct punch p = fixture_punch(i);

		p.received_us = i < 10 ? SETTLED - DAY_US : SETTLED + DAY_US;
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	assert_int_equal(store_purge(s, SETTLED, TIME_S, 0, 5, &seq, &done), 0);
	assert_false(done);
	assert_int_equal(store_purge(s, SETTLED, TIME_S, 0, 8, &seq, &done), 0);
	assert_false(done);
	assert_int_equal(seq, 13);
	assert_int_equal(store_purge(s, SETTLED, TIME_S, 0, 8, &seq, &done), 0);
	assert_true(done);
	assert_int_equal(seq, 21);
}

/* What is purged takes its raw bytes, its fingerprint and its history along, and no other's. */
static void test_takes_its_own_along(void **state)
{
	static const uint8_t sha[32] = {9};
	const struct store_raw raw = {.topic = "t", .bytes = "b", .length = 1, .sha256 = sha};
	struct store *s = fixture_open(*state);
	uint8_t key[2][IDENTITY_SIZE];
	char to[8], topic[8];

	for (int i = 0; i < 2; i++) {
		struct punch p = fixture_punch(i);

		p.time_sent[0] = '\0';
		p.state = PUNCH_DISCARDED;
		p.settled_us = i == 0 ? SETTLED - 1000 : SETTLED;
		p.time_s = TIME_S - 1;
		p.received_us = SETTLED - DAY_US;
		assert_int_equal(store_punch_add(s, &p, &raw), 1);
		assert_int_equal(identity_timeless(&p, key[i]), 0);
		assert_int_equal(store_timeless_set(s, key[i], p.seq), 0);
	}
	assert_int_equal(
		sqlite3_exec(s->db,
			"INSERT INTO hand VALUES (NULL, 1, 0, 0, '', '', '', ''),"
			" (NULL, 2, 0, 0, '', '', '', ''), (NULL, 1, 0, 0, '', '', '', '')",
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(store_commit(s), 0);
	fixture_add_all(s, 5, 6);
	assert_int_equal(purge_all(s, 100), 1);
	assert_int_equal(store_raw_get(s, 1, to, sizeof to, topic, sizeof topic), -ENOENT);
	assert_int_equal(store_raw_get(s, 2, to, sizeof to, topic, sizeof topic), 1);
	assert_int_equal(store_timeless_get(s, key[0]), 0);
	assert_int_equal(store_timeless_get(s, key[1]), 2);
	assert_int_equal(
		sqlite3_exec(s->db, "DELETE FROM hand WHERE seq = 2", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(s->db), 1);
	assert_int_equal(sqlite3_exec(s->db, "DELETE FROM hand", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(s->db), 0);
}

/* A newer punch has the same fingerprint: the purged older one leaves it alone. */
static void test_fingerprint_of_a_newer_one_stays(void **state)
{
	struct store *s = fixture_open(*state);
	uint8_t key[IDENTITY_SIZE];
	struct punch p;

	for (int i = 0; i < 2; i++) {
		p = fixture_punch(0);
		p.time_sent[0] = '\0';
		p.identity[0] = (uint8_t)i;
		p.state = PUNCH_DISCARDED;
		p.settled_us = i == 0 ? SETTLED - 1000 : SETTLED;
		p.time_s = TIME_S - 1;
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
		assert_int_equal(identity_timeless(&p, key), 0);
		assert_int_equal(store_timeless_set(s, key, p.seq), 0);
	}
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(purge_all(s, 100), 1);
	assert_int_equal(store_timeless_get(s, key), 2);
}

static void test_duplicates_until_purged(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch p = fixture_punch(0);

	add(s, 0, PUNCH_DELIVERED, SETTLED - 1000, TIME_S - 1);
	fixture_add_all(s, 1, 2);
	assert_int_equal(store_punch_add(s, &p, NULL), 0);
	assert_int_equal(purge_all(s, 10), 1);
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	fixture_check(s);
}

/* What fails leaves the place where it began, so that nothing is passed over. */
static void test_error_keeps_the_place(void **state)
{
	struct store *s = fixture_open(*state);
	int64_t seq = 0;
	bool done = false;

	for (int i = 0; i < 10; i++)
		add(s, i, PUNCH_DELIVERED, SETTLED - 1000, TIME_S - 1);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(sqlite3_exec(s->db,
				 "CREATE TEMP TRIGGER stop BEFORE DELETE ON punch WHEN old.seq = 5"
				 " BEGIN SELECT raise(ABORT, 'no'); END;"
				 "CREATE TEMP TRIGGER halt BEFORE UPDATE ON punch WHEN old.seq = 5"
				 " BEGIN SELECT raise(ABORT, 'no'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_true(store_purge(s, SETTLED, TIME_S, 0, 100, &seq, &done) < 0);
	assert_int_equal(seq, 0);
	store_rollback(s);
	fixture_check(s);
	seq = 2;
	assert_true(store_receipts_correct(s, 1, 0, 100, &seq, &done) < 0);
	assert_int_equal(seq, 2);
	store_rollback(s);
}

/* ---- receipts */

static void test_receipts(void **state)
{
	struct fixture *f = *state;

	for (int slice = 1; slice <= 64; slice *= 4) {
		struct store *s;
		int64_t seq = 0, first, second = 0;
		bool done = false;
		int corrected = 0;

		unlink(f->path);
		s = fixture_open(f);
		first = store_boot(s, "8f4c0c3a-0000-4000-8000-000000000001");
		for (int i = 0; i < 40; i++) {
			struct punch p = fixture_punch(i);

			if (i == 20)
				second = store_boot(s, "8f4c0c3a-0000-4000-8000-000000000002");
			p.boot = i < 20 ? first : second;
			if (i == 25)
				p.flags |= FLAG_TRUSTED;
			if (i == 26)
				p.state = PUNCH_DELIVERED;
			assert_int_equal(store_punch_add(s, &p, NULL), 1);
		}
		while (!done) {
			int n = store_receipts_correct(
				s, second, 500 * DAY_US + 1000, slice, &seq, &done);

			assert_true(n >= 0);
			corrected += n;
		}
		assert_int_equal(corrected, 19);
		for (int i = 0; i < 40; i++) {
			struct punch was = fixture_punch(i), p;

			assert_int_equal(store_punch_get(s, i + 1, &p), 0);
			if (i < 20 || i == 25)
				assert_true(p.received_us == was.received_us);
			else
				assert_true(p.received_us == was.mono_us + 500 * DAY_US + 1000);
			assert_int_equal(!!(p.flags & FLAG_TRUSTED), i >= 20);
			assert_true(p.mono_us == was.mono_us);
		}
		/* Once is enough. */
		seq = 0;
		done = false;
		assert_int_equal(store_receipts_correct(s, second, 0, 1000, &seq, &done), 0);
		assert_true(done);
		assert_int_equal(store_commit(s), 0);
		fixture_close(f);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules),
		TEST(test_without_time),
		TEST(test_slices),
		TEST(test_ends_at_recent_rows),
		TEST(test_takes_its_own_along),
		TEST(test_fingerprint_of_a_newer_one_stays),
		TEST(test_duplicates_until_purged),
		TEST(test_error_keeps_the_place),
		TEST(test_receipts),
	};

	return cmocka_run_group_tests_name("store_upkeep", tests, NULL, NULL);
}
