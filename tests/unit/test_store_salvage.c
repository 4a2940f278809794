/* store_salvage: every page of a store turned to garbage in turn, headers, logs, files cut short. */
#include "store_fixture.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/identity.h"
#include "store/schema.h"
#include "store/store_directory.h"
#include "store/store_guard.h"
#include "store/store_link.h"
#include "store/store_newuser.h"
#include "store/store_leaf.h"
#include "store/store_private.h"
#include "store/store_salvage.h"

#define NOW_S 1780000000LL
#define ROWS  150

/* ---- a store with something of everything */

static void settle_as(struct store *s, int64_t seq, enum punch_state state, int reason)
{
	struct punch p;

	assert_int_equal(store_punch_get(s, seq, &p), 0);
	p.state = state;
	p.reason = reason;
	p.settled_us = punch_settled(state) ? (NOON_S + 500) * 1000000 : 0;
	assert_int_equal(store_punch_update(s, &p), 0);
}

static void freeze(struct store *s, int64_t seq)
{
	struct punch p;

	assert_int_equal(store_punch_get(s, seq, &p), 0);
	p.frozen_us = (NOON_S + 400) * 1000000;
	assert_int_equal(identity_wire_key(&p), 0);
	assert_int_equal(store_punch_update(s, &p), 0);
}

static void add_malformed(struct store *s, int i)
{
	struct punch p = fixture_punch(10000 + i);
	uint8_t bytes[3000], sha[32];
	struct store_raw raw = {.topic = "att/v1/terminal-0/punch",
		.bytes = bytes,
		.length = sizeof bytes,
		.full_length = 9000,
		.sha256 = sha};

	memset(bytes, 'a' + i, sizeof bytes);
	memset(sha, i, sizeof sha);
	assert_int_equal(identity_of_malformed(raw.topic, sha, 0, p.identity), 0);
	p.state = PUNCH_PARKED;
	p.reason = REASON_MALFORMED;
	p.has_time = false;
	p.user[0] = p.record_id[0] = p.time_sent[0] = '\0';
	assert_int_equal(store_punch_add(s, &p, &raw), 1);
}

static void add_timeless(struct store *s, int i)
{
	struct punch p = fixture_punch(20000 + i);
	uint8_t key[IDENTITY_SIZE];

	p.time_sent[0] = '\0';
	p.identity[15] = (uint8_t)i;
	p.state = PUNCH_HELD;
	p.reason = REASON_NO_TIME;
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(identity_timeless(&p, key), 0);
	assert_int_equal(store_timeless_set(s, key, p.seq), 0);
}

/* Rows 1 to ROWS, every state, three terminals; behind them malformed ones and some without a time;
 * a directory, a guarded message; twelve have been purged. Rows have overflow pages too. */
static void fill(struct store *s)
{
	int64_t seq = 0;
	bool done;

	assert_true(store_boot(s, "8f4c0c3a-0000-4000-8000-000000000001") == 1);
	fixture_add_all(s, 0, ROWS);
	for (int i = 1; i <= 12; i++)
		fixture_settle(s, i, 1000);
	for (int i = 13; i <= 100; i++) {
		if (i % 4 == 0)
			fixture_settle(s, i, (NOON_S + 500) * 1000000);
		else if (i % 11 == 0)
			settle_as(s, i, PUNCH_SUPPRESSED, REASON_DOUBLE_TAP);
		else if (i % 13 == 0)
			settle_as(s, i, PUNCH_PARKED, REASON_API + 400);
		else if (i % 17 == 0)
			settle_as(s, i, PUNCH_HELD, REASON_UNKNOWN_USER);
		else if (i % 19 == 0)
			settle_as(s, i, PUNCH_DISCARDED, REASON_NONE);
		else if (i % 5 == 0)
			freeze(s, i);
	}
	for (int i = 0; i < 4; i++) {
		add_malformed(s, i);
		add_timeless(s, i);
	}
	for (int i = 0; i < 60; i++) {
		char id[16];

		snprintf(id, sizeof id, "usr_%d", i);
		assert_int_equal(store_user_put(s,
					 &(struct dir_user){id, "A Name", "a@b.c", "+1", "Hall",
						 "2026-01-01T00:00:00Z"}),
			0);
	}
	assert_int_equal(store_device_put(s,
				 &(struct dir_device){"dev_1", "terminal-1", "Door", "fingerprint",
					 "active", "Hall", ""}),
		0);
	for (int i = 0; i < 30; i++) {
		char value[16];

		snprintf(value, sizeof value, "%d", 1000 + i);
		assert_int_equal(store_link_add(s,
					 &(struct user_link){USER_PIN, value, "", "usr_1",
						 1770000000000000 + i, 0, "root", "a note"}),
			0);
	}
	for (int i = 0; i < 20; i++) {
		struct newuser u = {.name = "A Name", .email = "a@b.c", .phone = "+1234567"};

		memset(u.key, i, sizeof u.key);
		u.asked_us = 1770000000000000 + i;
		assert_int_equal(store_newuser_add(s, &u), 0);
	}
	assert_true(store_guard_add(s, "att/v1/x/punch", "{\"a\":1}", 7, false, true) > 0);
	assert_int_equal(store_meta_set(s, "cursor", 4711), 0);
	assert_int_equal(store_purge(s, 2000, INT64_MAX, 0, 1000, &seq, &done), 12);
	store_tally(s)->duplicate = 77;
	assert_int_equal(store_commit(s), 0);
}

/* What is known of a store before it is damaged: every punch by its number. */
#define SEQ_MAX 400
#define TABLES  8
struct known {
	int64_t rows[TABLES]; /* of the other tables */
	bool there[SEQ_MAX];
	struct punch punch[SEQ_MAX];
	struct store_counts counts;
};

static int know_one(void *arg, const struct punch *p)
{
	struct known *k = arg;

	assert_true(p->seq < SEQ_MAX);
	k->there[p->seq] = true;
	k->punch[p->seq] = *p;
	return 0;
}

static int64_t rows_of(struct store *s, int table)
{
	static const char *const sql[TABLES] = {"SELECT count(*) FROM raw",
		"SELECT count(*) FROM timeless", "SELECT count(*) FROM guarded",
		"SELECT count(*) FROM user", "SELECT count(*) FROM device",
		"SELECT count(*) FROM link", "SELECT count(*) FROM newuser",
		"SELECT count(*) FROM meta WHERE key IN ('cursor', 'duplicate')"};
	sqlite3_stmt *stmt;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql[table], -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static void know(struct store *s, struct known *k)
{
	const struct store_filter all = {
		.state = -1, .from_s = INT64_MIN, .to_s = INT64_MAX, .limit = SEQ_MAX};
	int64_t next;

	memset(k, 0, sizeof *k);
	assert_true(store_punch_list(s, &all, know_one, k, &next) >= 0);
	store_counts(s, &k->counts);
	for (int i = 0; i < TABLES; i++)
		k->rows[i] = rows_of(s, i);
}

/* ---- opening, as the daemon does: salvage where it must be */

/* 1: it was damaged and has been salvaged, 0: it was not. The store is open afterwards. */
static int open_or_salvage(struct fixture *f, struct store_salvage_report *report)
{
	int r;

	fixture_close(f);
	r = store_open(f->path, &f->store, f->words);
	if (r == 0)
		r = store_check_structure(f->store);
	if (r == 0 && store_check_counts(f->store, f->words) == 0)
		return 0;
	if (r != 0 && r != -EUCLEAN)
		fail_msg("%s: %s", strerror(-r), f->words);
	fixture_close(f);
	r = store_salvage(f->path, NOW_S, report, f->words);
	if (r < 0)
		fail_msg("salvage: %s: %s", strerror(-r), f->words);
	fixture_open(f);
	fixture_check(f->store);
	return 1;
}

/* A salvaged punch is the one that was there: what came, what is frozen, in the state that follows. */
static void same_punch(const struct punch *was, const struct punch *is)
{
	bool unsettled = was->state == PUNCH_QUEUED || was->state == PUNCH_HELD;

	assert_memory_equal(was->identity, is->identity, IDENTITY_SIZE);
	assert_string_equal(was->user, is->user);
	assert_string_equal(was->record_id, is->record_id);
	assert_string_equal(was->time_sent, is->time_sent);
	assert_string_equal(was->user_id, is->user_id);
	assert_string_equal(was->device_id, is->device_id);
	assert_string_equal(was->att_id, is->att_id);
	assert_memory_equal(was->wire_key, is->wire_key, WIRE_KEY_SIZE);
	assert_true(was->received_us == is->received_us && was->mono_us == is->mono_us);
	assert_true(was->has_time == is->has_time && was->time_s == is->time_s);
	assert_true(was->frozen_us == is->frozen_us && was->settled_us == is->settled_us);
	if (is->terminal[0] != 'l')
		assert_string_equal(was->terminal, is->terminal);
	/* Its terminal is lost with the name: that is no more what came. */
	if (unsettled && is->state == PUNCH_PARKED) {
		assert_string_equal(is->error_code, "damaged");
		return;
	}
	assert_int_equal(is->state, unsettled ? PUNCH_HELD : was->state);
	assert_int_equal(is->reason, unsettled ? REASON_RESTORED : was->reason);
	assert_int_equal(!!(is->flags & FLAG_RESTORED), !punch_settled(was->state));
	if (was->state == PUNCH_QUEUED && was->frozen_us != 0)
		assert_true(is->flags & FLAG_IN_DOUBT);
	else
		assert_int_equal(is->flags & FLAG_IN_DOUBT, was->flags & FLAG_IN_DOUBT);
}

/* That they never left is not known of a row that may be an old version. */
static int is_in_doubt(void *arg, const struct newuser *u)
{
	const bool *salvaged = arg;

	assert_int_equal(u->sent_us != 0, *salvaged);
	return 0;
}

/* Returns how many of the known ones are missing. Nothing may be there that was not, and without a
 * salvage nothing may differ. */
static int compare_all(struct store *s, const struct known *before, bool salvaged, int *ret_tables)
{
	static struct known now;
	int missing = 0, tables = 0;

	know(s, &now);
	assert_int_equal(store_newuser_open(s, is_in_doubt, &salvaged), 0);
	for (int i = 0; i < TABLES; i++) {
		assert_true(now.rows[i] <= before->rows[i]);
		tables += now.rows[i] < before->rows[i];
	}
	for (int i = 0; i < SEQ_MAX; i++) {
		if (now.there[i] && !before->there[i])
			fail_msg("punch %d was invented", i);
		missing += before->there[i] && !now.there[i];
		if (now.there[i] && salvaged)
			same_punch(&before->punch[i], &now.punch[i]);
		else if (now.there[i])
			assert_memory_equal(&before->punch[i], &now.punch[i], sizeof now.punch[i]);
	}
	*ret_tables = tables;
	return missing;
}

static int compare(struct store *s, const struct known *before, bool salvaged)
{
	int tables;

	return compare_all(s, before, salvaged, &tables);
}

static struct known known;

/* A store that is filled and closed, its whole content in the file; and what is known of it. */
static void prepare(struct fixture *f)
{
	struct store *s = fixture_open(f);

	fill(s);
	fixture_check(s);
	know(s, &known);
	fixture_close(f);
	assert_false(file_there(fixture_name(f, "-wal")));
}

/* ---- pages */

static int64_t page_count(const struct fixture *f)
{
	return file_size(f->path) / SCHEMA_PAGE_SIZE;
}

/* The rows whose record stands on a page, and the number of the last of them. */
static int look_at(const struct fixture *f, uint32_t number, int64_t *ret_last)
{
	uint8_t bytes[SCHEMA_PAGE_SIZE];
	struct leaf_record record = {0};
	struct leaf_page page;
	struct pages p;
	int n = 0;

	assert_int_equal(pages_open(f->path, &p), 0);
	assert_int_equal(pages_read(&p, number, bytes), 0);
	if (leaf_look(&p, number, bytes, &page) == LEAF_TABLE) {
		for (int i = 0; i < page.cells; i++)
			n += leaf_record(&p, &page, i, &record) == 0 && record.stated == 29;
		*ret_last = record.rowid;
	}
	leaf_record_done(&record);
	pages_done(&p);
	return n;
}

static int rows_on(const struct fixture *f, uint32_t number)
{
	int64_t last;

	return look_at(f, number, &last);
}

static int64_t last_row_on(const struct fixture *f, uint32_t number)
{
	int64_t last = 0;

	look_at(f, number, &last);
	return last;
}

static void every_page(struct fixture *f, void (*spoil)(uint8_t *, uint32_t), int *ret_salvaged)
{
	char sound[PATH_MAX + 16];
	struct store_salvage_report report;
	int total_missing = 0, total_rows = 0;

	prepare(f);
	snprintf(sound, sizeof sound, "%s.sound", f->path);
	file_copy(f->path, sound);
	for (uint32_t n = 1; n <= page_count(f); n++) {
		int rows, missing, salvaged, tables;
		uint8_t bytes[SCHEMA_PAGE_SIZE];

		fixture_close(f);
		unlink(f->path);
		file_copy(sound, f->path);
		rows = rows_on(f, n);
		spoil(bytes, n);
		file_patch(f->path, (int64_t)(n - 1) * SCHEMA_PAGE_SIZE, bytes, sizeof bytes);
		salvaged = open_or_salvage(f, &report);
		*ret_salvaged += salvaged;
		missing = compare_all(f->store, &known, salvaged, &tables);
		/* One page is of one table; but a raw message and a fingerprint go with their punch. */
		if (missing == 0 && tables > 1)
			fail_msg("page %u: %d other tables lost rows", n, tables);
		if (missing > rows)
			fail_msg("page %u held %d rows, %d are missing: %s", n, rows, missing,
				f->words);
		total_missing += missing;
		total_rows += rows;
		if (!salvaged)
			continue;
		if (report.lost != missing)
			fail_msg("page %u: %d are missing, reported %lld: %s", n, missing,
				(long long)report.lost, f->words);
		assert_int_equal(report.saved + missing + 12, known.counts.stored);
		assert_int_equal(files_named(f, "damaged-"), 1);
		unlink(report.set_aside);
		assert_int_equal(file_there(fixture_name(f, ".salvaged")), 0);
		assert_int_equal(file_there(fixture_name(f, ".salvage-part")), 0);
		*f->words = '\0';
	}
	/* The rows of the damaged pages, each once, and no other. */
	assert_true(total_missing > 0);
	assert_int_equal(total_missing, total_rows);
}

static void spoil_random(uint8_t *bytes, uint32_t n)
{
	uint64_t seed = n * 7919;

	for (int i = 0; i < SCHEMA_PAGE_SIZE; i++)
		bytes[i] = (uint8_t)dice(&seed);
}

static void spoil_zero(uint8_t *bytes, uint32_t n)
{
	(void)n;
	memset(bytes, 0, SCHEMA_PAGE_SIZE);
}

static void test_every_page_random(void **state)
{
	int salvaged = 0;

	every_page(*state, spoil_random, &salvaged);
	assert_true(salvaged > 40);
}

static void test_every_page_zeroed(void **state)
{
	int salvaged = 0;

	every_page(*state, spoil_zero, &salvaged);
	assert_true(salvaged > 40);
}

/* Every row that stood wholly before the cut is there. */
static void cut_at(struct fixture *f, const char *sound, int64_t size)
{
	struct store_salvage_report report;
	int rows = 0, missing;

	fixture_close(f);
	unlink(f->path);
	file_copy(sound, f->path);
	for (int64_t n = size / SCHEMA_PAGE_SIZE + 1; n <= page_count(f); n++)
		rows += rows_on(f, (uint32_t)n);
	assert_int_equal(truncate(f->path, size), 0);
	assert_int_equal(open_or_salvage(f, &report), 1);
	missing = compare(f->store, &known, true);
	/* A row may reach over onto a page behind the cut: malformed messages do. */
	if (missing > rows + 4)
		fail_msg("cut at %lld: %d rows were behind it, %d are missing", (long long)size,
			rows, missing);
	assert_true(report.lost == -1 || report.lost <= missing);
	unlink(report.set_aside);
}

static void test_cut_short(void **state)
{
	static const int64_t inside[] = {1, 50, 99, 100, 511, 512, 1023};
	struct fixture *f = *state;
	char sound[PATH_MAX + 16];

	prepare(f);
	snprintf(sound, sizeof sound, "%s.sound", f->path);
	file_copy(f->path, sound);
	for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
		cut_at(f, sound, inside[i]);
	for (int64_t n = 1; n < file_size(sound) / SCHEMA_PAGE_SIZE; n++)
		cut_at(f, sound, n * SCHEMA_PAGE_SIZE + (n % 3 == 0 ? 517 : 0));
}

static void test_emptied(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct store_counts counts;
	int64_t lost;

	prepare(f);
	assert_int_equal(truncate(f->path, 0), 0);
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(report.saved, 0);
	assert_int_equal(report.lost, -1);
	store_counts(f->store, &counts);
	assert_int_equal(counts.stored, 0);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_LOST, 0, &lost), 0);
	assert_int_equal(lost, -1);
	/* And it works. */
	fixture_add_all(f->store, 0, 10);
	fixture_check(fixture_open(f));
}

/* Every byte of the header, one at a time: nothing is lost by any. */
static void test_every_header_byte(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	char sound[PATH_MAX + 16];
	int salvaged = 0;

	prepare(f);
	snprintf(sound, sizeof sound, "%s.sound", f->path);
	file_copy(f->path, sound);
	for (int i = 0; i < 100; i++) {
		uint8_t *bytes, byte;
		size_t n;
		int s;

		fixture_close(f);
		unlink(f->path);
		file_copy(sound, f->path);
		bytes = file_bytes(f->path, &n);
		byte = (uint8_t)~bytes[i];
		free(bytes);
		file_patch(f->path, i, &byte, 1);
		s = open_or_salvage(f, &report);
		if (compare(f->store, &known, s) != 0)
			fail_msg("header byte %d: rows are missing", i);
		assert_true(!s || report.lost == 0);
		salvaged += s;
		if (s)
			unlink(report.set_aside);
	}
	assert_true(salvaged > 30);
}

static void test_header_zeroed_and_mark_gone(void **state)
{
	static const uint8_t zero[100];
	struct fixture *f = *state;
	struct store_salvage_report report;

	prepare(f);
	file_patch(f->path, 0, zero, sizeof zero);
	/* Without the mark beside it its rows tell whose it is. */
	unlink(fixture_name(f, ".lock"));
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	assert_string_equal(f->words, "its header is damaged");
	unlink(fixture_name(f, ".lock"));
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(compare(f->store, &known, true), 0);
	assert_int_equal(report.lost, 0);
}

static void test_foreign_is_not_salvaged(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	char big[8192];

	memset(big, 'x', sizeof big);
	file_put(f->path, big, sizeof big);
	assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), -EMEDIUMTYPE);
	assert_int_equal(file_size(f->path), sizeof big);
	assert_int_equal(files_named(f, "punchd.db"), 2); /* and the lock */
	unlink(f->path);
	assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), -ENOENT);
}

static void test_in_use_is_not_salvaged(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;

	fixture_add_all(fixture_open(f), 0, 5);
	assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), -EBUSY);
	assert_string_equal(f->words, "another punchd is using it");
}

/* ---- the report, and what comes after */

static void spoil_page(struct fixture *f, uint32_t n)
{
	uint8_t bytes[SCHEMA_PAGE_SIZE];

	spoil_random(bytes, n);
	file_patch(f->path, (int64_t)(n - 1) * SCHEMA_PAGE_SIZE, bytes, sizeof bytes);
}

/* A page of punches that have a time. */
static uint32_t full_page(struct fixture *f)
{
	for (uint32_t n = 2; n <= page_count(f); n++) {
		if (rows_on(f, n) > 2 && last_row_on(f, n) < 100)
			return n;
	}
	fail_msg("no such page");
	return 0;
}

static void test_report(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct store_counts counts;
	int64_t value, all = 0;
	uint32_t page;
	int rows;

	prepare(f);
	page = full_page(f);
	rows = rows_on(f, page);
	spoil_page(f, page);
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_string_equal(report.set_aside, fixture_name(f, ".damaged-20260528T202640Z"));
	assert_true(file_there(report.set_aside));
	assert_int_equal(report.lost, rows);
	assert_int_equal(report.pages_bad, 1);
	/* The lost ones were of this hour; the index of identities knew it. */
	assert_int_equal(report.lost_from_s, NOON_S / 3600 * 3600);
	assert_int_equal(report.lost_to_s, NOON_S / 3600 * 3600);
	store_counts(f->store, &counts);
	for (int i = 0; i < PUNCH_STATES; i++) {
		assert_int_equal(report.by_state[i], counts.open[i]);
		all += report.by_state[i];
	}
	assert_int_equal(all, report.saved);
	assert_int_equal(counts.stored, known.counts.stored - rows);
	assert_int_equal(counts.open[PUNCH_QUEUED], 0);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_AT, 0, &value), 0);
	assert_int_equal(value, NOW_S);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_SAVED, 0, &value), 0);
	assert_int_equal(value, report.saved);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_LOST, 0, &value), 0);
	assert_int_equal(value, rows);
	assert_int_equal(store_tally(f->store)->duplicate, 77);
}

/* Lost ones come in again when the terminal sends them again; saved ones are known. */
static void test_sent_again_after_salvage(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	int again = 0;

	prepare(f);
	spoil_page(f, full_page(f));
	assert_int_equal(open_or_salvage(f, &report), 1);
	for (int i = 12; i < ROWS; i++) {
		struct punch p = fixture_punch(i);

		again += store_punch_add(f->store, &p, NULL);
	}
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(again, report.lost);
	fixture_check(f->store);
	fixture_check(fixture_open(f));
}

/* A second damage before anybody has seen the first: the alarm tells of both. */
static void test_second_salvage(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report first, second;
	int64_t value;

	prepare(f);
	spoil_page(f, full_page(f));
	assert_int_equal(open_or_salvage(f, &first), 1);
	fixture_close(f);
	spoil_page(f, full_page(f));
	assert_int_equal(open_or_salvage(f, &second), 1);
	assert_string_equal(second.set_aside, fixture_name(f, ".damaged-20260528T202640Z.2"));
	assert_int_equal(files_named(f, "damaged-"), 2);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_LOST, 0, &value), 0);
	assert_int_equal(value, first.lost + second.lost);
	/* Once it is acknowledged, a third one begins anew. */
	assert_int_equal(store_begin(f->store), 0);
	assert_int_equal(store_meta_set(f->store, STORE_META_REPLACED_AT, 0), 0);
	assert_int_equal(store_commit(f->store), 0);
	fixture_close(f);
	spoil_page(f, full_page(f));
	assert_int_equal(open_or_salvage(f, &second), 1);
	assert_int_equal(store_meta_get(f->store, STORE_META_REPLACED_LOST, 0, &value), 0);
	assert_int_equal(value, second.lost);
}

static void change(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* A bit that has turned in a row leaves no trace but the hash over it. */
static void test_changed_rows_are_parked(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	struct punch p;

	prepare(f);
	change(f,
		"UPDATE punch SET user = '1999' WHERE seq = 102;"
		"UPDATE punch SET user_id = 'usr_99' WHERE seq = 15;"
		"UPDATE punch SET user = '1999' WHERE seq = 16");
	change(f, "PRAGMA user_version = 99");
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(report.doubtful, 2);
	assert_int_equal(store_punch_get(f->store, 102, &p), 0);
	assert_int_equal(p.state, PUNCH_PARKED);
	assert_string_equal(p.error_code, "damaged");
	assert_int_equal(store_punch_get(f->store, 15, &p), 0);
	assert_int_equal(p.state, PUNCH_PARKED);
	assert_true(p.frozen_us != 0 && p.flags & FLAG_IN_DOUBT);
	/* What is settled stays so. */
	assert_int_equal(store_punch_get(f->store, 16, &p), 0);
	assert_int_equal(p.state, PUNCH_DELIVERED);
}

/* Numbers that no disk's rows should have: nothing loops, nothing overruns, all is counted. */
static void test_absurd_rows(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;

	prepare(f);
	change(f,
		"UPDATE punch SET terminal = 9000000000000 WHERE seq = 102;"
		"UPDATE punch SET terminal = -5 WHERE seq = 103;"
		"UPDATE punch SET terminal = 7 WHERE seq = 104;"
		"UPDATE punch SET boot = 12 WHERE seq = 105;"
		"INSERT INTO terminal VALUES (900000, 'far away');"
		"UPDATE purged SET n = 1000000000;"
		"PRAGMA user_version = 99");
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(report.saved, known.counts.stored - 12);
	assert_int_equal(report.doubtful, 3);
	/* The lost boot's number is not given again. */
	assert_true(store_boot(f->store, "8f4c0c3a-0000-4000-8000-00000000000a") == 13);
	assert_int_equal(store_boot(f->store, "8f4c0c3a-0000-4000-8000-000000000001"), 1);
	store_rollback(f->store);
}

/* ---- two versions of one page */

static int count_state(struct store *s, enum punch_state state)
{
	struct store_counts counts;

	store_counts(s, &counts);
	return (int)counts.open[state];
}

/*
 * The same page twice, as it was before some of its rows were delivered and as it is now: once the
 * older one lies in front, once the newer. Delivered is final, so it counts in both.
 */
static void test_two_versions_of_a_page(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	uint8_t *old_file, *new_file, zero[16] = {0};
	size_t n, m;
	uint32_t page;

	fixture_add_all(fixture_open(f), 0, 40);
	fixture_close(f);
	page = full_page(f);
	old_file = file_bytes(f->path, &n);
	fixture_open(f);
	for (int i = 1; i <= 40; i++)
		fixture_settle(f->store, i, NOON_S * 1000000);
	assert_int_equal(store_commit(f->store), 0);
	fixture_close(f);
	new_file = file_bytes(f->path, &m);
	for (int older_first = 0; older_first < 2; older_first++) {
		const uint8_t *in_place = older_first ? old_file : new_file;
		const uint8_t *behind = older_first ? new_file : old_file;
		size_t at = (size_t)(page - 1) * SCHEMA_PAGE_SIZE;

		unlink(f->path);
		file_put(f->path, new_file, m);
		assert_int_equal(truncate(f->path, (off_t)m + SCHEMA_PAGE_SIZE), 0);
		file_patch(f->path, (int64_t)at, in_place + at, SCHEMA_PAGE_SIZE);
		file_patch(f->path, (int64_t)m, behind + at, SCHEMA_PAGE_SIZE);
		file_patch(f->path, 0, zero, sizeof zero);
		assert_int_equal(open_or_salvage(f, &report), 1);
		assert_int_equal(report.saved, 40);
		assert_int_equal(count_state(f->store, PUNCH_DELIVERED), 40);
		fixture_close(f);
	}
	free(old_file);
	free(new_file);
}

/* Trees whose root is gone: their leaves are known by their records. */
static void test_roots_of_trees_are_gone(void **state)
{
	static const char *const names[] = {
		"punch", "timeless", "sqlite_autoindex_punch_1", "user", "raw"};
	struct fixture *f = *state;
	struct store_salvage_report report;
	int64_t timeless;
	uint32_t roots[5];
	sqlite3 *db;

	prepare(f);
	fixture_open(f);
	for (int i = 10; i < 200; i++)
		add_timeless(f->store, i);
	assert_int_equal(store_commit(f->store), 0);
	know(f->store, &known);
	timeless = rows_of(f->store, 1);
	assert_int_equal(timeless, 194);
	fixture_close(f);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (int i = 0; i < 5; i++) {
		char sql[128];
		sqlite3_stmt *stmt;

		snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'",
			names[i]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		roots[i] = (uint32_t)sqlite3_column_int(stmt, 0);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	for (int i = 0; i < 5; i++)
		spoil_page(f, roots[i]);
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(compare(f->store, &known, true), 0);
	assert_int_equal(report.lost, 0);
	/* Of a WITHOUT ROWID table inner pages hold rows too. */
	assert_in_range(rows_of(f->store, 1), timeless - 20, timeless - 1);
}

/* ---- cut short, without room, unreadable: the system's calls, each made to fail in turn */

static struct {
	int crash_at; /* the process ends before this call of rename or fsync; 0: never */
	int calls;
	uint32_t unreadable; /* this page cannot be read */
	uint64_t free_bytes; /* of the disk; 0: what there is */
} fault;

static void count_call(void)
{
	if (++fault.calls == fault.crash_at)
		_exit(9);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	count_call();
	return __real_rename(from, to);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	count_call();
	return __real_fsync(fd);
}

ssize_t __real_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t n, off_t at)
{
	if (fault.unreadable && at == (off_t)(fault.unreadable - 1) * SCHEMA_PAGE_SIZE) {
		errno = EIO;
		return -1;
	}
	return __real_pread(fd, to, n, at);
}

int __real_statvfs(const char *path, struct statvfs *ret);
int __wrap_statvfs(const char *path, struct statvfs *ret);
int __wrap_statvfs(const char *path, struct statvfs *ret)
{
	int r = __real_statvfs(path, ret);

	if (fault.free_bytes)
		ret->f_bavail = fault.free_bytes / ret->f_frsize;
	return r;
}

/* Salvage in a child that ends at call k. Returns whether it did. */
static bool salvage_until(struct fixture *f, int k)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store_salvage_report report;
		char words[STORE_WORDS_MAX];

		fault.calls = 0;
		fault.crash_at = k;
		_exit(store_salvage(f->path, NOW_S, &report, words) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
	return WEXITSTATUS(status) == 9;
}

static void test_cut_short_anywhere(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	char sound[PATH_MAX + 16];
	int finished = 0, again = 0, k = 1;
	bool ended;

	prepare(f);
	spoil_page(f, full_page(f));
	snprintf(sound, sizeof sound, "%s.spoilt", f->path);
	file_copy(f->path, sound);
	do {
		int r, rows;

		ended = salvage_until(f, k++);
		/* As the daemon does: opening either goes well or asks for a salvage. */
		rows = file_there(f->path) && !file_there(fixture_name(f, ".salvaged"));
		r = open_or_salvage(f, &report);
		again += r;
		finished += !r;
		assert_true(rows || !r);
		assert_true(compare(f->store, &known, true) > 0);
		assert_int_equal(files_named(f, "damaged-20260528T202640Z"), 1);
		assert_int_equal(files_named(f, "salvage"), 0);
		fixture_close(f);
		unlink(fixture_name(f, ".damaged-20260528T202640Z"));
		unlink(f->path);
		file_copy(sound, f->path);
	} while (ended);
	assert_true(again >= 2);
	assert_true(finished >= 4);
}

static void test_no_room(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;
	uint8_t *before, *after;
	size_t n, m;

	prepare(f);
	spoil_page(f, full_page(f));
	before = file_bytes(f->path, &n);
	fault.free_bytes = 65536;
	assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), -ENOSPC);
	fault.free_bytes = 0;
	assert_non_null(strstr(f->words, "KiB must be free beside it, 64 are"));
	after = file_bytes(f->path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
	assert_int_equal(files_named(f, "punchd.db"), 2); /* and the lock */
}

/* A sector that the disk cannot read costs no more than a page of garbage. */
static void test_unreadable_page(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;

	prepare(f);
	fault.unreadable = full_page(f);
	assert_int_equal(store_salvage(f->path, NOW_S, &report, f->words), 0);
	fault.unreadable = 0;
	assert_int_equal(report.pages_bad, 1);
	fixture_check(fixture_open(f));
	assert_int_equal(compare(f->store, &known, true), report.lost);
	assert_true(report.lost > 0);
}

/* A half-made file of a salvage before is not believed. */
static void test_half_made_part_is_made_anew(void **state)
{
	struct fixture *f = *state;
	struct store_salvage_report report;

	prepare(f);
	spoil_page(f, full_page(f));
	file_put(fixture_name(f, ".salvage-part"), "half", 4);
	file_put(fixture_name(f, ".salvage-part-journal"), "half", 4);
	assert_int_equal(open_or_salvage(f, &report), 1);
	assert_int_equal(files_named(f, "salvage"), 0);
	assert_int_equal(compare(f->store, &known, true), report.lost);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_page_random),
		TEST(test_every_page_zeroed),
		TEST(test_cut_short),
		TEST(test_emptied),
		TEST(test_every_header_byte),
		TEST(test_header_zeroed_and_mark_gone),
		TEST(test_foreign_is_not_salvaged),
		TEST(test_in_use_is_not_salvaged),
		TEST(test_report),
		TEST(test_sent_again_after_salvage),
		TEST(test_second_salvage),
		TEST(test_changed_rows_are_parked),
		TEST(test_absurd_rows),
		TEST(test_two_versions_of_a_page),
		TEST(test_roots_of_trees_are_gone),
		TEST(test_cut_short_anywhere),
		TEST(test_no_room),
		TEST(test_unreadable_page),
		TEST(test_half_made_part_is_made_anew),
	};

	return cmocka_run_group_tests_name("store_salvage", tests, NULL, NULL);
}
