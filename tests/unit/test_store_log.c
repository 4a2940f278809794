/* store_log: what a damaged log still proves, and what a salvage gets out of it. */
#include "store_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store_log.h"
#include "store/store_private.h"
#include "store/store_salvage.h"

#define NOW_S     1780000000LL
#define FRAME     (24 + SCHEMA_PAGE_SIZE)
#define IN_FILE   60 /* rows that were moved into the file */
#define COMMITS   12 /* in the log, of 1 to 6 rows */
#define LAST_ROWS 5  /* of the last commit */

/* A store as kill -9 leaves it: 60 rows in the file, 12 commits in the log. Copied to PATH.0 and
 * PATH.0-wal. Returns how many rows there are. */
static int prepare(struct fixture *f)
{
	struct store *s = fixture_open(f);
	int rows = IN_FILE;

	fixture_add_all(s, 0, IN_FILE);
	assert_int_equal(
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		SQLITE_OK);
	for (int i = 0; i < COMMITS; i++) {
		int n = i == COMMITS - 1 ? LAST_ROWS : 1 + i % 6;

		fixture_add_all(s, rows, rows + n);
		rows += n;
	}
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	fixture_close(f);
	return rows;
}

static void restore(struct fixture *f)
{
	fixture_close(f);
	unlink(fixture_name(f, "-shm"));
	file_copy(fixture_name(f, ".0"), f->path);
	file_copy(fixture_name(f, ".0-wal"), fixture_name(f, "-wal"));
}

static int64_t stored(struct fixture *f)
{
	struct store_counts counts;

	fixture_check(f->store);
	store_counts(f->store, &counts);
	return counts.stored;
}

static void salvage(struct fixture *f, struct store_salvage_report *report)
{
	fixture_close(f);
	if (store_salvage(f->path, NOW_S, report, f->words) < 0)
		fail_msg("%s", f->words);
	assert_true(file_there(report->set_aside));
	unlink(report->set_aside);
	fixture_open(f);
}

static struct log_view read_log(struct fixture *f)
{
	struct log_view v;

	assert_int_equal(log_read(fixture_name(f, ".0-wal"), 0, &v), 0);
	return v;
}

/* The first frame of the last commit, from 1. */
static uint32_t last_commit(const struct log_view *v)
{
	uint32_t first = v->last;

	while (first > 1) {
		uint8_t head[24];

		assert_int_equal(
			pread(v->fd, head, sizeof head, 32 + (int64_t)(first - 2) * FRAME), 24);
		if (head[4] | head[5] | head[6] | head[7])
			break;
		first--;
	}
	return first;
}

/* Whether a later frame has the same page. */
static bool superseded(const struct log_view *v, uint32_t frame)
{
	for (uint32_t i = frame + 1; i <= v->last; i++) {
		if (v->number[i] == v->number[frame])
			return true;
	}
	return false;
}

static void test_sound_log(void **state)
{
	struct fixture *f = *state;
	int rows = prepare(f);
	struct log_view v = read_log(f);

	assert_true(v.frames > 30);
	assert_int_equal(v.frames, v.good);
	assert_int_equal(v.frames, v.last);
	assert_int_equal(v.bad, 0);
	assert_false(v.damaged);
	log_done(&v);
	restore(f);
	fixture_open(f);
	assert_int_equal(stored(f), rows);
}

/* Any frame before the last commit: SQLite would go back to before it, without a word. */
static void spoil_each_frame(struct fixture *f, int64_t from, int64_t n, uint8_t with, int bad)
{
	int rows = prepare(f);
	struct log_view v = read_log(f);
	uint32_t last = last_commit(&v);
	uint8_t bytes[FRAME];
	int whole = 0;

	assert_true(last > 20 && last < v.last);
	memset(bytes, with, sizeof bytes);
	for (uint32_t i = 1; i < last; i++) {
		struct store_salvage_report report;
		int64_t left;

		restore(f);
		file_patch(fixture_name(f, "-wal"), 32 + (int64_t)(i - 1) * FRAME + from, bytes,
			(size_t)n);
		assert_int_equal(fixture_open_fails(f), -EUCLEAN);
		assert_non_null(strstr(f->words, "its log is damaged behind frame"));
		salvage(f, &report);
		left = stored(f);
		assert_true(left <= rows);
		/* What was written again later is not lost at all; else one page's rows are. */
		if (superseded(&v, i) && left != rows)
			fail_msg("frame %u: %lld of %d rows are left", i, (long long)left, rows);
		assert_true(rows - left <= 8);
		assert_int_equal(report.lost, rows - left);
		assert_int_equal(report.log_bad, bad);
		assert_true(bad || left == rows);
		whole += left == rows;
	}
	assert_true(whole > (int)last / 2);
	log_done(&v);
}

static void test_each_frames_page(void **state)
{
	spoil_each_frame(*state, 24 + 100, 300, 0xa5, 1);
}

/* Its bytes, and the frame behind, say what the sum was: nothing is lost. */
static void test_each_frames_sum(void **state)
{
	spoil_each_frame(*state, 16, 8, 0x5a, 0);
}

/* The whole frame is gone, its header too. */
static void test_each_frame_zeroed(void **state)
{
	spoil_each_frame(*state, 0, FRAME, 0, 1);
}

/* The last commit torn by a power cut was never acknowledged: that is no damage. */
static void test_torn_last_commit(void **state)
{
	struct fixture *f = *state;
	int rows = prepare(f);
	struct log_view v = read_log(f);
	uint32_t last = last_commit(&v);
	uint8_t zero[FRAME] = {0};

	for (uint32_t i = last; i <= v.last; i++) {
		restore(f);
		file_patch(
			fixture_name(f, "-wal"), 32 + (int64_t)(i - 1) * FRAME, zero, sizeof zero);
		fixture_open(f);
		assert_int_equal(stored(f), rows - LAST_ROWS);
		assert_int_equal(files_named(f, "damaged"), 0);
		fixture_close(f);
	}
	for (int64_t cut = 32 + (int64_t)(last - 1) * FRAME;
		cut < file_size(fixture_name(f, ".0-wal")); cut += 499) {
		restore(f);
		assert_int_equal(truncate(fixture_name(f, "-wal"), cut), 0);
		fixture_open(f);
		assert_int_equal(stored(f), rows - LAST_ROWS);
		fixture_close(f);
	}
	log_done(&v);
}

/* A salvage for another reason does not take what the torn commit left. */
static void test_torn_last_commit_and_a_bad_page(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	int rows = prepare(f);
	struct log_view v = read_log(f);
	uint32_t last = last_commit(&v);
	uint8_t zero[FRAME] = {0};

	restore(f);
	file_patch(fixture_name(f, "-wal"), 32 + (int64_t)(last - 1) * FRAME, zero, sizeof zero);
	file_patch(f->path, 18, zero, 4);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	salvage(f, &report);
	assert_int_equal(stored(f), rows - LAST_ROWS);
	assert_int_equal(report.lost, 0);
	assert_int_equal(report.log_frames, last - 1);
	log_done(&v);
}

/* Several frames in a row, over the end of some commits. */
static void test_a_hole_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	int rows = prepare(f);
	uint8_t bytes[FRAME * 8];

	restore(f);
	memset(bytes, 0x33, sizeof bytes);
	file_patch(fixture_name(f, "-wal"), 32 + 10 * FRAME + 17, bytes, sizeof bytes);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	salvage(f, &report);
	assert_int_equal(report.log_bad, 9);
	assert_int_equal(stored(f), rows - report.lost);
	/* All that stands in the file, and most of what came later. */
	assert_true(report.saved > IN_FILE + 20);
}

/* Any byte of the log's header: SQLite would throw the whole log away. Nothing is lost. */
static void test_each_byte_of_the_header(void **state)
{
	struct fixture *f = *state;
	int rows = prepare(f);
	uint8_t *bytes;
	size_t n;

	bytes = file_bytes(fixture_name(f, ".0-wal"), &n);
	for (int i = 0; i < 32; i++) {
		struct store_salvage_report report;
		uint8_t byte = (uint8_t)(bytes[i] ^ 0x11);

		restore(f);
		file_patch(fixture_name(f, "-wal"), i, &byte, 1);
		assert_int_equal(fixture_open_fails(f), -EUCLEAN);
		salvage(f, &report);
		if (stored(f) != rows)
			fail_msg("header byte %d: %lld of %d rows are left", i,
				(long long)stored(f), rows);
		assert_int_equal(report.lost, 0);
	}
	free(bytes);
}

static void test_header_zeroed(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	int rows = prepare(f);
	uint8_t zero[32] = {0};

	restore(f);
	file_patch(fixture_name(f, "-wal"), 0, zero, sizeof zero);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	salvage(f, &report);
	assert_int_equal(stored(f), rows);
}

/* A transaction larger than the cache goes to the log before its end, and some pages of it twice. */
static void test_large_transaction(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct log_view v;

	fixture_add_all(s, 0, 10);
	for (int i = 10; i < 9000; i++)
		fixture_add(s, i);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	v = read_log(f);
	assert_true(v.frames > v.good + 100);
	assert_int_equal(v.last, v.good);
	log_done(&v);
	assert_int_equal(store_commit(s), 0);
	fixture_add_all(s, 9000, 9010);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	restore(f);
	fixture_open(f);
	assert_int_equal(stored(f), 9010);
}

/* A new round of the log overwrites the old one from its beginning: what lies behind is no damage. */
static void test_older_round_behind(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	int rows = prepare(f);
	struct log_view v;

	restore(f);
	s = fixture_open(f);
	assert_int_equal(
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
		SQLITE_OK);
	fixture_add_all(s, rows, rows + 2);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	v = read_log(f);
	assert_true(v.good < 10 && v.frames > 30);
	assert_int_equal(v.last, v.good);
	assert_false(v.damaged);
	log_done(&v);
	restore(f);
	fixture_open(f);
	assert_int_equal(stored(f), rows + 2);
}

/* Its header torn while that round began: all older frames are in the file already. */
static void test_header_torn_between_rounds(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct store *s;
	int rows = prepare(f);
	uint8_t bytes[16];

	restore(f);
	s = fixture_open(f);
	assert_int_equal(
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
		SQLITE_OK);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	memset(bytes, 0x77, sizeof bytes);
	restore(f);
	file_patch(fixture_name(f, "-wal"), 12, bytes, sizeof bytes);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	salvage(f, &report);
	assert_int_equal(stored(f), rows);
}

/* SQLite deletes the log of an empty or missing file. */
static void test_file_gone_but_not_its_log(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct store *s = fixture_open(f);

	for (int i = 0; i < 40; i += 4)
		fixture_add_all(s, i, i + 4);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	for (int gone = 0; gone < 2; gone++) {
		restore(f);
		if (gone)
			unlink(f->path);
		else
			assert_int_equal(truncate(f->path, 0), 0);
		unlink(fixture_name(f, ".lock"));
		assert_int_equal(fixture_open_fails(f), -EUCLEAN);
		assert_true(file_size(fixture_name(f, "-wal")) > 0);
		fixture_close(f);
		assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), 0);
		fixture_open(f);
		assert_int_equal(stored(f), 40);
		assert_int_equal(report.lost, 0);
	}
}

static void test_garbage_beside_a_sound_file(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 4711;
	uint8_t bytes[40000];

	prepare(f);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)dice(&seed);
	for (size_t n = 0; n < sizeof bytes; n = n * 3 + 1) {
		restore(f);
		file_put(fixture_name(f, "-wal"), bytes, n);
		fixture_open(f);
		assert_int_equal(stored(f), IN_FILE);
		fixture_close(f);
	}
}

/* The log's index is made anew at every start. */
static void test_garbage_as_index(void **state)
{
	struct fixture *f = *state;
	int rows = prepare(f);
	uint64_t seed = 815;
	uint8_t bytes[32768];

	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)dice(&seed);
		restore(f);
		file_put(fixture_name(f, "-shm"), bytes, sizeof bytes);
		fixture_open(f);
		assert_int_equal(stored(f), rows);
		fixture_close(f);
	}
}

/* The newest version of a row counts, wherever the others stand. */
static void test_newest_version_counts(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct punch p;
	int rows = prepare(f);
	struct log_view v = read_log(f);
	uint8_t bytes[8] = {0};

	restore(f);
	fixture_open(f);
	for (int i = 1; i <= 20; i++)
		fixture_settle(f->store, i, NOW_S * 1000000);
	assert_int_equal(store_commit(f->store), 0);
	for (int i = 15; i <= 30; i++) {
		assert_int_equal(store_punch_get(f->store, i, &p), 0);
		p.state = PUNCH_PARKED;
		p.reason = REASON_API + 400;
		if (i > 20)
			assert_int_equal(store_punch_update(f->store, &p), 0);
	}
	assert_int_equal(store_commit(f->store), 0);
	fixture_add_all(f->store, rows, rows + 1);
	file_copy(f->path, fixture_name(f, ".0"));
	file_copy(fixture_name(f, "-wal"), fixture_name(f, ".0-wal"));
	restore(f);
	file_patch(fixture_name(f, "-wal"), 32 + 24 + 50, bytes, sizeof bytes);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	salvage(f, &report);
	assert_int_equal(stored(f), rows + 1);
	for (int i = 1; i <= 40; i++) {
		assert_int_equal(store_punch_get(f->store, i, &p), 0);
		assert_int_equal(p.state,
			i <= 20           ? PUNCH_DELIVERED
				: i <= 30 ? PUNCH_PARKED
					  : PUNCH_HELD);
	}
	log_done(&v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sound_log),
		TEST(test_each_frames_page),
		TEST(test_each_frames_sum),
		TEST(test_each_frame_zeroed),
		TEST(test_torn_last_commit),
		TEST(test_torn_last_commit_and_a_bad_page),
		TEST(test_a_hole_in_the_middle),
		TEST(test_each_byte_of_the_header),
		TEST(test_header_zeroed),
		TEST(test_large_transaction),
		TEST(test_older_round_behind),
		TEST(test_header_torn_between_rounds),
		TEST(test_file_gone_but_not_its_log),
		TEST(test_garbage_beside_a_sound_file),
		TEST(test_garbage_as_index),
		TEST(test_newest_version_counts),
	};

	return cmocka_run_group_tests_name("store_log", tests, NULL, NULL);
}
