/*
 * The store on a disk that fails: a script of commits, and each of its writes, syncs, openings and
 * truncations made to fail in turn, with every error, for once and for ever; and the power cut at
 * each of them. What was acknowledged is there after reopening; what failed never claims success;
 * each punch is in exactly one state.
 */
#include "store_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "faultvfs.h"
#include "store/store_private.h"
#include "store/store_salvage.h"

#define SCRIPT_PUNCHES 60

static struct faultvfs fault;

/* What the script was told is on disk. */
struct told {
	bool acked[SCRIPT_PUNCHES];
	bool tried[SCRIPT_PUNCHES]; /* handed to the store; may be on disk after an unknown error */
	bool settled[SCRIPT_PUNCHES];
	bool settling[SCRIPT_PUNCHES];
	int error;
};

static int setup(void **state)
{
	faultvfs_install(&fault);
	return fixture_setup(state);
}

static int teardown(void **state)
{
	int r = fixture_teardown(state);

	faultvfs_uninstall();
	return r;
}

/* ---- the script */

static int finish(struct store *s, int r)
{
	if (r >= 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	return r;
}

static int add_burst(struct store *s, int from, int to, struct told *told)
{
	int r = 0;

	for (int i = from; i < to && r >= 0; i++) {
		struct punch p = fixture_punch(i);

		told->tried[i] = true;
		r = store_punch_add(s, &p, NULL);
	}
	r = finish(s, r);
	if (r < 0)
		return r;
	for (int i = from; i < to; i++)
		told->acked[i] = true;
	return 0;
}

static int settle_burst(struct store *s, int from, int to, struct told *told)
{
	int r = 0;

	for (int i = from; i < to && r >= 0; i++) {
		struct punch was = fixture_punch(i), p;

		if (!told->acked[i])
			continue;
		r = store_punch_by_identity(s, was.identity, &p);
		p.state = PUNCH_DELIVERED;
		p.settled_us = NOON_S * 1000000;
		told->settling[i] = true;
		if (r == 0)
			r = store_punch_update(s, &p);
	}
	r = finish(s, r);
	if (r < 0)
		return r;
	for (int i = from; i < to; i++)
		told->settled[i] |= told->acked[i];
	return 0;
}

static int move_log(struct store *s)
{
	s->wal_frames = 1 << 20; /* long enough */
	return store_checkpoint(s);
}

static int step(struct store *s, int i, struct told *told)
{
	int at = i * 4;

	switch (i % 5) {
	case 3: return settle_burst(s, at - 12, at - 4, told);
	case 4: return move_log(s);
	default: return add_burst(s, at, at + 1 + i % 4, told);
	}
}

/* Goes on after a full disk, as the daemon does; ends at anything that is fatal. */
static void play(struct fixture *f, struct told *told)
{
	struct store *s;
	int r;

	memset(told, 0, sizeof *told);
	r = store_open(f->path, &s, f->words);
	if (r < 0) {
		assert_null(s);
		assert_true(strlen(f->words) > 0);
		told->error = r;
		return;
	}
	for (int i = 0; i < SCRIPT_PUNCHES / 4; i++) {
		r = step(s, i, told);
		if (r < 0)
			told->error = r;
		if (r < 0 && store_is_fatal(r))
			break;
		assert_false(store_in_transaction(s));
	}
	store_close(s);
}

/* ---- afterwards */

static void check(struct fixture *f, const struct told *told, int at)
{
	int there = 0;
	struct store_counts counts;
	struct punch p;

	fixture_open(f);
	fixture_check(f->store);
	for (int i = 0; i < SCRIPT_PUNCHES; i++) {
		struct punch was = fixture_punch(i);
		int r = store_punch_by_identity(f->store, was.identity, &p);

		if (told->acked[i] && r != 0)
			fail_msg("call %d: punch %d was acknowledged and is lost", at, i);
		if (r == 0 && !told->tried[i])
			fail_msg("call %d: punch %d was invented", at, i);
		if (r != 0)
			continue;
		there++;
		if (told->settled[i] && p.state != PUNCH_DELIVERED)
			fail_msg("call %d: punch %d is no longer delivered", at, i);
		if (p.state == PUNCH_DELIVERED && !told->settling[i])
			fail_msg("call %d: punch %d was never sent", at, i);
		assert_string_equal(p.user, was.user);
	}
	store_counts(f->store, &counts);
	assert_int_equal(counts.stored, there);
	/* And it takes the rest. */
	for (int i = 0; i < SCRIPT_PUNCHES; i++) {
		p = fixture_punch(i);
		there += store_punch_add(f->store, &p, NULL);
	}
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(there, SCRIPT_PUNCHES);
	fixture_check(f->store);
	fixture_close(f);
}

static void clear(struct fixture *f)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};

	fixture_close(f);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
		unlink(fixture_name(f, suffixes[i]));
}

static int count_calls(struct fixture *f)
{
	struct told told;

	clear(f);
	faultvfs_arm(FAULT_NONE, 0, false);
	play(f, &told);
	assert_int_equal(told.error, 0);
	assert_true(fault.by_call[CALL_WRITE] > 100);
	assert_true(fault.by_call[CALL_SYNC] > 20);
	assert_true(fault.by_call[CALL_OPEN] >= 2);
	assert_true(fault.by_call[CALL_SHM] >= 1);
	return fault.calls;
}

static void every_call(struct fixture *f, enum fault_kind kind, bool for_ever)
{
	int calls = count_calls(f), errors = 0, played = 0;
	struct told told;

	/* What fails for ever looks much the same from one call to the next. */
	for (int at = 1; at <= calls; at += for_ever ? 3 : 1) {
		clear(f);
		faultvfs_arm(kind, at, for_ever);
		play(f, &told);
		played++;
		assert_true(fault.failed);
		errors += told.error != 0;
		/* A full disk must be waited for, whatever call it shows in. */
		if (kind == FAULT_ENOSPC && !for_ever && told.error != 0 &&
			fault.hit != CALL_DELETE && fault.hit != CALL_SYNC)
			assert_int_equal(told.error, -ENOSPC);
		faultvfs_arm(FAULT_NONE, 0, false);
		check(f, &told, at);
	}
	/* The last ones fall into closing, which has nothing to say. */
	assert_true(errors > played * 3 / 4);
}

static void test_io_error_once(void **state)
{
	every_call(*state, FAULT_EIO, false);
}

static void test_io_error_for_ever(void **state)
{
	every_call(*state, FAULT_EIO, true);
}

static void test_full_once(void **state)
{
	every_call(*state, FAULT_ENOSPC, false);
}

static void test_full_for_ever(void **state)
{
	every_call(*state, FAULT_ENOSPC, true);
}

static void test_no_memory_once(void **state)
{
	every_call(*state, FAULT_ENOMEM, false);
}

static void test_power_cut(void **state)
{
	struct fixture *f = *state;
	int calls = count_calls(f);
	struct told told;

	for (int at = 1; at <= calls; at++) {
		for (uint64_t seed = 0; seed < 3; seed++) {
			clear(f);
			faultvfs_arm(FAULT_POWER, at, true);
			play(f, &told);
			faultvfs_cut(seed * 1000003 + (uint64_t)at);
			unlink(fixture_name(f, "-shm"));
			check(f, &told, at);
		}
	}
}

static int count_rows(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	int n;

	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* The model itself: a write that was not synced can be lost, one that was cannot. */
static void test_model_loses_what_is_not_synced(void **state)
{
	struct fixture *f = *state;
	int lost = 0, kept = 0;

	for (uint64_t seed = 0; seed < 20; seed++) {
		sqlite3 *db;

		clear(f);
		faultvfs_arm(FAULT_NONE, 0, false);
		assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db,
					 "PRAGMA journal_mode = WAL; CREATE TABLE t (a);"
					 "PRAGMA wal_checkpoint(TRUNCATE);"
					 "PRAGMA synchronous = NORMAL; INSERT INTO t VALUES (1)",
					 NULL, NULL, NULL),
			SQLITE_OK);
		fault.kind = FAULT_POWER;
		fault.at = 1;
		sqlite3_close(db);
		faultvfs_cut(seed);
		unlink(fixture_name(f, "-shm"));
		assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
		if (count_rows(db) == 1)
			kept++;
		else
			lost++;
		sqlite3_close(db);
	}
	assert_true(lost > 3);
	assert_true(kept > 3);
}

/* A salvage on a disk that is full or failing leaves the damaged file as it was. */
static void test_salvage_on_a_failing_disk(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	uint8_t *before, *after, zero[16] = {0};
	size_t n, m;
	int r = -1, refused = 0, at;

	faultvfs_arm(FAULT_NONE, 0, false);
	fixture_add_all(fixture_open(f), 0, 100);
	fixture_close(f);
	file_patch(f->path, 0, zero, sizeof zero);
	before = file_bytes(f->path, &n);
	for (at = 1; r < 0 && at < 1000; at++) {
		faultvfs_arm(at % 2 ? FAULT_ENOSPC : FAULT_EIO, at, true);
		r = store_salvage(f->path, NOON_S, &report, f->words);
		if (r == 0)
			break;
		refused++;
		assert_true(r == -ENOSPC || r == -EIO);
		assert_true(strlen(f->words) > 0);
		after = file_bytes(f->path, &m);
		assert_int_equal(n, m);
		assert_memory_equal(before, after, n);
		free(after);
		assert_int_equal(files_named(f, "damaged"), 0);
	}
	free(before);
	assert_int_equal(r, 0);
	assert_true(refused > 10);
	faultvfs_arm(FAULT_NONE, 0, false);
	fixture_check(fixture_open(f));
	assert_int_equal(report.saved, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_model_loses_what_is_not_synced),
		TEST(test_io_error_once),
		TEST(test_io_error_for_ever),
		TEST(test_full_once),
		TEST(test_full_for_ever),
		TEST(test_no_memory_once),
		TEST(test_power_cut),
		TEST(test_salvage_on_a_failing_disk),
	};

	return cmocka_run_group_tests_name("store_fault", tests, NULL, NULL);
}
