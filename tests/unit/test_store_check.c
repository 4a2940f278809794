/* The law of conservation, checked in steps while punches come and go. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "store/schema.h"
#include "store/store_check.h"
#include "store/store_private.h"
#include "store_fixture.h"

/* Run one to its end, so many rows at a time. Returns how it came out, *ret_steps how often it was
 * asked. */
static enum store_verdict finish(struct store_check *c, int rows, int *ret_steps, char *words)
{
	enum store_verdict verdict = STORE_COUNTING;

	*ret_steps = 0;
	while (verdict == STORE_COUNTING) {
		assert_int_equal(store_check_step(c, rows, &verdict, words), 0);
		++*ret_steps;
	}
	return verdict;
}

static struct store_check *begin(struct store *s)
{
	char words[STORE_WORDS_MAX];
	struct store_check *c;

	assert_int_equal(store_check_new(s, &c, words), 0);
	return c;
}

static enum store_verdict check(struct store *s, char words[static STORE_WORDS_MAX])
{
	struct store_check *c = begin(s);
	int steps;
	enum store_verdict verdict = finish(c, 100, &steps, words);

	store_check_free(c);
	return verdict;
}

static void set_state(struct store *s, int64_t seq, enum punch_state state, int reason)
{
	struct punch p;

	assert_int_equal(store_punch_get(s, seq, &p), 0);
	p.state = state;
	p.reason = reason;
	assert_int_equal(store_punch_update(s, &p), 0);
}

/* 100 punches in every state that there is, ten of them purged. */
static void fill(struct store *s)
{
	int64_t at = 0;
	bool done;

	fixture_add_all(s, 0, 100);
	for (int64_t seq = 1; seq <= 30; seq++)
		fixture_settle(s, seq, seq <= 10 ? NOON_S : NOON_S * 2000000);
	set_state(s, 31, PUNCH_HELD, REASON_UNKNOWN_USER);
	set_state(s, 32, PUNCH_PARKED, REASON_MALFORMED);
	set_state(s, 33, PUNCH_SUPPRESSED, REASON_DOUBLE_TAP);
	set_state(s, 34, PUNCH_DISCARDED, REASON_NONE);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_purge(s, NOON_S * 1000000, INT64_MAX, 0, 1000, &at, &done), 10);
	assert_int_equal(store_commit(s), 0);
}

static void test_holds_in_steps_of_any_size(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	/* 90 rows and as many entries of the index; the end is seen by the step behind them. */
	static const struct {
		int rows, steps;
	} cases[] = {{1, 181}, {7, 26}, {90, 3}, {179, 2}, {180, 2}, {181, 1}};
	char words[STORE_WORDS_MAX];

	fill(s);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct store_check *c = begin(s);
		int64_t rows, of;
		int steps;

		assert_int_equal(finish(c, cases[i].rows, &steps, words), STORE_HOLDS);
		assert_int_equal(steps, cases[i].steps);
		store_check_progress(c, &rows, &of);
		assert_int_equal(rows, 180);
		assert_int_equal(of, 180);
		store_check_free(c);
	}
}

static void test_of_an_empty_store(void **state)
{
	char words[STORE_WORDS_MAX];

	assert_int_equal(check(fixture_open(*state), words), STORE_HOLDS);
	store_check_free(NULL);
}

/* What happens after it began is not its business, in front of where it counts and behind. */
static void test_punches_come_and_go_meanwhile(void **state)
{
	struct store *s = fixture_open(*state);
	struct store_check *c;
	enum store_verdict verdict;
	char words[STORE_WORDS_MAX];
	int64_t at = 0;
	bool done;
	int steps;

	fill(s);
	c = begin(s);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(store_check_step(c, 20, &verdict, words), 0);
		assert_int_equal(verdict, STORE_COUNTING);
		fixture_add_all(s, 100 + i * 50, 150 + i * 50);
		for (int64_t seq = 40 + i; seq <= 90; seq += 10)
			fixture_settle(s, seq, NOON_S);
		assert_true(store_purge(s, NOON_S * 1000000, INT64_MAX, 0, 1000, &at, &done) >= 0);
		at = 0;
		assert_int_equal(store_commit(s), 0);
		assert_int_equal(store_checkpoint(s), 0);
	}
	assert_int_equal(finish(c, 20, &steps, words), STORE_HOLDS);
	store_check_free(c);
	assert_int_equal(check(s, words), STORE_HOLDS);
	fixture_check(s);
}

static void test_waits_for_the_end_of_a_transaction(void **state)
{
	struct store *s = fixture_open(*state);
	struct store_check *c;
	char words[STORE_WORDS_MAX];

	fill(s);
	fixture_add(s, 200);
	assert_int_equal(store_check_new(s, &c, words), -EAGAIN);
	store_rollback(s);
	assert_int_equal(check(s, words), STORE_HOLDS);
}

static void test_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	char words[STORE_WORDS_MAX];

	fill(s);
	assert_int_equal(check(s, words), STORE_HOLDS);
	/* The log is moved into the file at the end as ever: nobody reads it any more. */
	fixture_close(f);
	assert_false(file_there(fixture_name(f, "-wal")));
}

static void run_sql(struct store *s, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(s->db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

static void test_every_break_is_seen(void **state)
{
	static const struct {
		const char *sql, *words;
	} breaks[] = {
		/* a punch that is gone */
		{"DELETE FROM punch WHERE seq = 50", "65 punches are queued, 66 should be"},
		{"DELETE FROM punch WHERE seq = 31", "0 punches are held, 1 should be"},
		/* one that came from nowhere */
		{"INSERT INTO punch SELECT 1000, randomblob(16), state, reason, flags, terminal,"
		 " user_kind, user, record_id, time_sent, type_sent, received, mono, boot, time,"
		 " type, type_from, user_id, device_id, frozen, generation, wire_key, settled,"
		 " att_id, tries, error_code, error_message, error_param, frozen_cloud FROM punch"
		 " WHERE seq = 20",
			"21 punches are delivered, 20 should be"},
		/* one that changed its state behind the counts */
		{"UPDATE punch SET state = 2 WHERE seq = 32", "21 punches are delivered, 20 "},
		{"PRAGMA ignore_check_constraints = ON; UPDATE punch SET state = 6 WHERE seq = 50",
			"1 punches are in no state that there is"},
		/* what was purged is not known any more */
		{"DELETE FROM purged", "20 punches are delivered, 30 should be"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(breaks); i++) {
		struct store *s = fixture_open(f);
		char words[STORE_WORDS_MAX] = "", whole[STORE_WORDS_MAX] = "";

		fill(s);
		run_sql(s, breaks[i].sql);
		assert_int_equal(check(s, words), STORE_BROKEN);
		if (!strstr(words, breaks[i].words))
			fail_msg("%s: %s", breaks[i].sql, words);
		assert_int_equal(store_check_counts(s, whole), -EUCLEAN);
		assert_string_equal(words, whole);
		fixture_teardown(state);
		fixture_setup(state);
		f = *state;
	}
}

/* SQLite's door for tests: a table that is the index. */
static void test_an_identity_that_is_not_indexed_is_seen(void **state)
{
	struct store *s = fixture_open(*state);
	char words[STORE_WORDS_MAX];
	sqlite3_stmt *stmt;

	fill(s);
	assert_int_equal(sqlite3_prepare_v2(s->db,
				 "SELECT rootpage FROM sqlite_schema WHERE name ="
				 " 'sqlite_autoindex_punch_1'",
				 -1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_test_control(SQLITE_TESTCTRL_IMPOSTER, s->db, "main", 1,
				 sqlite3_column_int(stmt, 0)),
		SQLITE_OK);
	sqlite3_finalize(stmt);
	run_sql(s, "CREATE TABLE imposter (i, seq, PRIMARY KEY (i, seq)) WITHOUT ROWID");
	sqlite3_test_control(SQLITE_TESTCTRL_IMPOSTER, s->db, "main", 0, 0);
	run_sql(s, "DELETE FROM imposter WHERE seq = 60");
	assert_int_equal(sqlite3_changes(s->db), 1);
	assert_int_equal(check(s, words), STORE_BROKEN);
	assert_string_equal(words, "89 punches are in the index of identities, 90 should be");
}

/* A page that cannot be read is no verdict. */
static void test_damage_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	uint8_t rubbish[SCHEMA_PAGE_SIZE];
	enum store_verdict verdict = STORE_COUNTING;
	char words[STORE_WORDS_MAX];
	struct store_check *c;
	int r = 0;

	/* Delivered ones are in no other index: opening does not read them. */
	fixture_add_all(s, 0, 3000);
	for (int64_t seq = 1; seq <= 3000; seq++)
		fixture_settle(s, seq, NOON_S);
	assert_int_equal(store_commit(s), 0);
	fixture_close(f);
	memset(rubbish, 0xee, sizeof rubbish);
	file_patch(f->path,
		file_size(f->path) / 2 / (int64_t)sizeof rubbish * (int64_t)sizeof rubbish, rubbish,
		sizeof rubbish);
	s = fixture_open(f);
	c = begin(s);
	while (r == 0 && verdict == STORE_COUNTING)
		r = store_check_step(c, 100, &verdict, words);
	assert_int_equal(r, -EUCLEAN);
	assert_non_null(strstr(words, "malformed"));
	store_check_free(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_holds_in_steps_of_any_size),
		TEST(test_of_an_empty_store),
		TEST(test_punches_come_and_go_meanwhile),
		TEST(test_waits_for_the_end_of_a_transaction),
		TEST(test_leaves_no_trace),
		TEST(test_every_break_is_seen),
		TEST(test_an_identity_that_is_not_indexed_is_seen),
		TEST(test_damage_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
