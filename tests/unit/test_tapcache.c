/* store/tapcache: whatever was written, taken back or read before, what it gives is what the rows say. */
#include "store_fixture.h"

#include <stdlib.h>

#include "core/identity.h"
#include "store/store_private.h"
#include "store/store_taps.h"

#define FOUND_MAX 4000
#define HOUR_S    3600

static struct store *store;

static int begin(void **state)
{
	if (fixture_setup(state) < 0)
		return -1;
	store = fixture_open(*state);
	return 0;
}

/* ---- punches */

/* Few people, who are called by various names; one slot at two terminals is two. */
static void name(struct punch *p, int who)
{
	static const struct {
		enum user_kind kind;
		const char *user, *user_id;
	} people[] = {{USER_ID, "usr_1", "usr_1"}, {USER_PIN, "17", "usr_1"}, {USER_PIN, "17", ""},
		{USER_SLOT, "17", ""}, {USER_CARD, "17", ""}, {USER_ID, "usr_2", ""}};
	size_t i = (size_t)who % COUNT(people);

	p->user_kind = people[i].kind;
	snprintf(p->user, sizeof p->user, "%s", people[i].user);
	snprintf(p->user_id, sizeof p->user_id, "%s", people[i].user_id);
}

static struct punch punch_of(int who, int terminal, int64_t time_s)
{
	static unsigned number;
	struct punch p = {.state = PUNCH_QUEUED,
		.boot = 1,
		.received_us = NOON_S * 1000000,
		.has_time = true,
		.time_s = NOON_S + time_s,
		.type = TYPE_CHECK_IN,
		.type_from = FROM_ALTERNATE};

	name(&p, who);
	snprintf(p.terminal, sizeof p.terminal, "T%d", terminal);
	snprintf(p.record_id, sizeof p.record_id, "%u", ++number);
	snprintf(p.time_sent, sizeof p.time_sent, "%lld", (long long)p.time_s);
	assert_int_equal(identity_of_punch(&p, NULL), 0);
	return p;
}

static int64_t add(struct punch p)
{
	assert_int_equal(store_punch_add(store, &p, NULL), 1);
	return p.seq;
}

/* ---- reading, both ways */

struct found {
	struct store_tap taps[FOUND_MAX];
	int count;
	int64_t beyond_s; /* enough, once this is passed */
	bool back;
};

static int keep(void *arg, const struct store_tap *tap)
{
	struct found *f = arg;

	if (f->back ? tap->time_s < f->beyond_s : tap->time_s > f->beyond_s)
		return 1;
	assert_true(f->count < FOUND_MAX);
	f->taps[f->count++] = *tap;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct store_tap *x = a, *y = b;

	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool in_order(const struct found *f)
{
	for (int i = 1; i < f->count; i++) {
		int64_t step_s = f->taps[i].time_s - f->taps[i - 1].time_s;

		if (f->back ? step_s > 0 : step_s < 0)
			return false;
	}
	return true;
}

static void assert_same(struct found *is, struct found *should)
{
	assert_true(in_order(is));
	assert_int_equal(is->count, should->count);
	qsort(is->taps, (size_t)is->count, sizeof *is->taps, compare);
	qsort(should->taps, (size_t)should->count, sizeof *should->taps, compare);
	for (int i = 0; i < is->count; i++) {
		const struct store_tap *a = &is->taps[i], *b = &should->taps[i];

		assert_int_equal(a->seq, b->seq);
		assert_memory_equal(a->identity, b->identity, IDENTITY_SIZE);
		assert_int_equal(a->state, b->state);
		assert_int_equal(a->reason, b->reason);
		assert_int_equal(a->flags, b->flags);
		assert_int_equal(a->terminal, b->terminal);
		assert_int_equal(a->type_sent, b->type_sent);
		assert_int_equal(a->time_s, b->time_s);
		assert_int_equal(a->type, b->type);
		assert_int_equal(a->type_from, b->type_from);
		assert_int_equal(a->frozen, b->frozen);
	}
}

/* From from_s to to_s, in seconds as in punch_of; no further than beyond_s. Returns how many. */
static int read_both(enum store_taps which, const struct punch *whose, int64_t from_s, int64_t to_s,
	int64_t beyond_s)
{
	static struct found is, should;

	is = (struct found){.beyond_s = NOON_S + beyond_s, .back = which == STORE_TAPS_BACK};
	should = is;
	assert_in_range(
		store_taps_read(store, which, whose, NOON_S + from_s, NOON_S + to_s, keep, &is), 0,
		1);
	assert_in_range(
		store_taps_look(store, which, whose, NOON_S + from_s, NOON_S + to_s, keep, &should),
		0, 1);
	assert_same(&is, &should);
	assert_true(store->taps.rows <= TAPCACHE_ROWS + 2 * TAPCACHE_TRACK_ROWS);
	assert_true(strmap_count(&store->taps.people) <= TAPCACHE_PEOPLE);
	return is.count;
}

static int all_of(int who, int terminal)
{
	struct punch p = punch_of(who, terminal, 0);

	return read_both(STORE_TAPS, &p, -100 * HOUR_S, 100 * HOUR_S, 100 * HOUR_S);
}

/* ---- tests */

static void test_what_is_rolled_back_was_never_there(void **state)
{
	(void)state;
	assert_int_equal(all_of(0, 0), 0);
	add(punch_of(0, 0, 10));
	assert_int_equal(all_of(0, 0), 1);
	store_rollback(store);
	assert_int_equal(all_of(0, 0), 0);
	add(punch_of(0, 0, 10));
	assert_int_equal(store_commit(store), 0);
	store_rollback(store);
	assert_int_equal(all_of(0, 0), 1);
}

static void test_one_who_becomes_another_takes_his_punch_along(void **state)
{
	struct punch p = punch_of(2, 0, 10);

	(void)state;
	assert_int_equal(store_punch_add(store, &p, NULL), 1);
	assert_int_equal(all_of(2, 0), 1);
	assert_int_equal(all_of(1, 0), 0);
	snprintf(p.user_id, sizeof p.user_id, "usr_1");
	assert_int_equal(store_punch_update(store, &p), 0);
	assert_int_equal(all_of(2, 0), 0);
	assert_int_equal(all_of(0, 0), 1);
}

/* A finger on the reader for hours, read while it goes on. */
static void test_more_than_a_track_holds(void **state)
{
	struct punch p = punch_of(0, 0, 0);

	(void)state;
	for (int i = 0; i < 5 * TAPCACHE_TRACK_ROWS; i++) {
		add(punch_of(0, 0, i / 2));
		if (i % 7 == 0)
			read_both(STORE_TAPS_BACK, &p, -HOUR_S, i / 2, i / 2 - 20);
		if (i % 11 == 0)
			read_both(STORE_TAPS, &p, i / 2 - 30, i / 2 + HOUR_S, HOUR_S);
	}
	assert_int_equal(all_of(0, 0), 5 * TAPCACHE_TRACK_ROWS);
	/* All of it in one second. */
	for (int i = 0; i < 2 * TAPCACHE_TRACK_ROWS; i++) {
		add(punch_of(2, 0, 5));
		if (i % 50 == 0)
			assert_int_equal(all_of(2, 0), i + 1);
	}
	assert_int_equal(all_of(2, 0), 2 * TAPCACHE_TRACK_ROWS);
}

/* More people than are kept, and more rows. */
static void test_what_it_takes_is_bounded(void **state)
{
	struct punch p;

	(void)state;
	for (int i = 0; i < 20 * TAPCACHE_PEOPLE; i++) {
		int people = i < 2 * TAPCACHE_PEOPLE ? 2 * TAPCACHE_PEOPLE : TAPCACHE_PEOPLE - 1;

		p = punch_of(0, 0, i);
		snprintf(p.user_id, sizeof p.user_id, "usr_%d", i % people);
		add(p);
		read_both(STORE_TAPS, &p, -HOUR_S, 2 * HOUR_S, HOUR_S);
		read_both(STORE_TAPS_DOUBLE, &p, -HOUR_S, 2 * HOUR_S, HOUR_S);
	}
	assert_in_range(store->taps.rows, TAPCACHE_ROWS / 2, TAPCACHE_ROWS);
	/* A name that is longer than its keys. */
	memset(p.user, 'x', TAPCACHE_KEY_SIZE);
	p.user_id[0] = p.user[TAPCACHE_KEY_SIZE] = '\0';
	assert_int_equal(read_both(STORE_TAPS, &p, 0, HOUR_S, HOUR_S), 0);
}

static int interrupt(void *arg)
{
	(void)arg;
	return 1;
}

/* What could not be read is not known. */
static void test_a_reading_that_fails(void **state)
{
	struct punch p = punch_of(0, 0, 0);
	struct found f = {.beyond_s = INT64_MAX};

	(void)state;
	for (int i = 0; i < 20; i++)
		add(punch_of(0, 0, i * HOUR_S));
	read_both(STORE_TAPS, &p, 9 * HOUR_S, 10 * HOUR_S, 10 * HOUR_S);
	for (int every = 1; every < 200; every += 7) {
		sqlite3_progress_handler(store->db, every, interrupt, NULL);
		store_taps_read(store, STORE_TAPS_BACK, &p, NOON_S - 50 * HOUR_S,
			NOON_S + 10 * HOUR_S, keep, &f);
		store_taps_read(
			store, STORE_TAPS, &p, NOON_S + 9 * HOUR_S, NOON_S + 50 * HOUR_S, keep, &f);
		sqlite3_progress_handler(store->db, 0, NULL, NULL);
		assert_int_equal(all_of(0, 0), 20);
		tapcache_clear(&store->taps);
		f.count = 0;
	}
}

/* It is the second reading that costs nothing. */
static void test_nothing_is_read_twice(void **state)
{
	struct punch p = punch_of(0, 0, 0);
	struct found f = {.beyond_s = INT64_MAX};

	(void)state;
	for (int i = 0; i < 20; i++)
		add(punch_of(0, 0, i * HOUR_S));
	assert_int_equal(store_taps_read(store, STORE_TAPS_BACK, &p, NOON_S - 50 * HOUR_S,
				 NOON_S + 10 * HOUR_S, keep, &f),
		0);
	assert_int_equal(store_taps_read(store, STORE_TAPS, &p, NOON_S + 10 * HOUR_S + 1,
				 NOON_S + 50 * HOUR_S, keep, &f),
		0);
	assert_int_equal(f.count, 20);
	/* A table that cannot be read any more shows who asks for it. */
	assert_int_equal(sqlite3_exec(store->db, "DELETE FROM punch", NULL, NULL, NULL), SQLITE_OK);
	f.count = 0;
	assert_int_equal(store_taps_read(store, STORE_TAPS_BACK, &p, NOON_S - 50 * HOUR_S,
				 NOON_S + 15 * HOUR_S, keep, &f),
		0);
	assert_int_equal(store_taps_read(store, STORE_TAPS, &p, NOON_S + 15 * HOUR_S + 1,
				 NOON_S + 50 * HOUR_S, keep, &f),
		0);
	assert_int_equal(f.count, 20);
	store_rollback(store);
}

/* ---- anything, in any order */

static int64_t some_time(uint64_t *seed)
{
	return (int64_t)(dice(seed) % 5) * 24 * HOUR_S + (int64_t)(dice(seed) % 3) * HOUR_S +
		(int64_t)(dice(seed) % 4);
}

static void change_one(uint64_t *seed, int64_t seq)
{
	struct punch p;

	if (store_punch_get(store, seq, &p) < 0)
		return;
	switch (dice(seed) % 6) {
	case 0: p.time_s = NOON_S + some_time(seed); break;
	case 1: p.has_time = p.state == PUNCH_QUEUED; break;
	case 2: snprintf(p.user_id, sizeof p.user_id, "usr_%u", dice(seed) % 3); break;
	case 3:
		p.state = dice(seed) % 2 ? PUNCH_SUPPRESSED : PUNCH_DELIVERED;
		p.reason = p.state == PUNCH_SUPPRESSED ? REASON_DOUBLE_TAP : REASON_NONE;
		p.settled_us = 1000;
		break;
	case 4:
		p.frozen_us = NOON_S * 1000000;
		p.flags ^= FLAG_RELEASED;
		break;
	case 5:
		p.state = dice(seed) % 3 ? PUNCH_HELD : PUNCH_DISCARDED;
		p.reason = REASON_NONE;
		p.settled_us = 1000;
		break;
	}
	assert_int_equal(store_punch_update(store, &p), 0);
}

static void purge_some(uint64_t *seed)
{
	int64_t seq = 0;
	bool done;

	assert_true(store_purge(store, NOON_S * 1000000, NOON_S + some_time(seed), 0, 50, &seq,
			    &done) >= 0);
}

static void write_something(uint64_t *seed)
{
	uint32_t what = dice(seed) % 100;
	int64_t seq = 0;
	bool done;

	if (what < 50)
		add(punch_of((int)(dice(seed) % 6), (int)(dice(seed) % 3), some_time(seed)));
	else if (what < 90)
		change_one(seed, 1 + dice(seed) % (store->now.last_seq + 1));
	else if (what < 94)
		assert_int_equal(store_commit(store), 0);
	else if (what < 95)
		store_rollback(store);
	else if (what < 96)
		assert_true(store_receipts_correct(store, 1, 1000000, 5, &seq, &done) >= 0);
	else
		purge_some(seed);
}

static void read_something(uint64_t *seed)
{
	struct punch p = punch_of((int)(dice(seed) % 6), (int)(dice(seed) % 3), 0);
	int64_t a_s = some_time(seed), b_s = dice(seed) % 2 ? a_s + 30 * HOUR_S : some_time(seed);
	int64_t beyond_s = some_time(seed);

	read_both((enum store_taps)(dice(seed) % 3), &p, a_s, b_s,
		dice(seed) % 3 ? beyond_s : dice(seed) % 2 * 1000 * HOUR_S);
}

static void test_anything(void **state)
{
	for (uint64_t n = 1; n <= 20; n++) {
		uint64_t seed = n;

		for (int step = 0; step < 600; step++) {
			write_something(&seed);
			for (uint32_t i = dice(&seed) % 4; i > 0; i--)
				read_something(&seed);
		}
		fixture_teardown(state);
		begin(state);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_is_rolled_back_was_never_there),
		CASE(test_one_who_becomes_another_takes_his_punch_along),
		CASE(test_more_than_a_track_holds),
		CASE(test_what_it_takes_is_bounded),
		CASE(test_a_reading_that_fails),
		CASE(test_nothing_is_read_twice),
		CASE(test_anything),
	};

	return cmocka_run_group_tests_name("tapcache", tests, NULL, NULL);
}
