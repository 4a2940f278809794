/* store_report: which punches and people a report reads, as of one moment, while others are written. */
#include "store_fixture.h"

#include <errno.h>

#include "core/directory.h"
#include "store/store_directory.h"
#include "store/store_report.h"

struct found {
	int64_t taps, users, queued, held, parked, doubts;
	char ids[256];
	struct store_report *stop; /* is stopped at the first row */
};

static int on_user(void *arg, const char *id, const char *name, const char *department)
{
	struct found *f = arg;
	size_t n = strlen(f->ids);

	assert_true(name[0] && department);
	f->users++;
	snprintf(f->ids + n, sizeof f->ids - n, "%s ", id);
	return 0;
}

static int on_tap(void *arg, const char *user_id, int type, int64_t time_s)
{
	struct found *f = arg;

	assert_true(user_id[0] && time_s >= NOON_S && type != TYPE_NONE);
	f->taps++;
	if (f->stop)
		store_report_stop(f->stop);
	return 0;
}

static int on_waiting(void *arg, const char *user_id, int state, bool in_doubt, int64_t time_s)
{
	struct found *f = arg;

	(void)user_id;
	assert_true(time_s >= NOON_S);
	f->queued += state == PUNCH_QUEUED;
	f->held += state == PUNCH_HELD;
	f->parked += state == PUNCH_PARKED;
	f->doubts += in_doubt;
	return 0;
}

static struct store_report *begin(struct store *s)
{
	struct store_report *r;
	char words[STORE_WORDS_MAX];

	assert_int_equal(store_report_new(s, &r, words), 0);
	return r;
}

static void add(struct store *s, int i, enum punch_state state, int reason, unsigned flags)
{
	struct punch p = fixture_punch(i);

	p.state = state;
	p.reason = reason;
	p.flags |= flags;
	p.type = TYPE_CHECK_IN;
	if (!p.user_id[0])
		snprintf(p.user_id, sizeof p.user_id, "usr_%06d", i % 50);
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
}

static void test_which_punches(void **state)
{
	struct store *s = fixture_open(*state);
	struct found f = {0};
	struct store_report *r;

	add(s, 0, PUNCH_QUEUED, REASON_NONE, 0);
	add(s, 1, PUNCH_DELIVERED, REASON_NONE, FLAG_IN_DOUBT);
	add(s, 2, PUNCH_HELD, REASON_IN_DOUBT, FLAG_IN_DOUBT);
	add(s, 3, PUNCH_PARKED, REASON_API + 404, 0);
	add(s, 4, PUNCH_SUPPRESSED, REASON_DOUBLE_TAP, 0);
	add(s, 5, PUNCH_DISCARDED, REASON_NONE, 0);
	add(s, 6, PUNCH_QUEUED, REASON_NONE, FLAG_IN_DOUBT);
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	assert_int_equal(store_report_taps(r, NOON_S, NOON_S + 100, NULL, on_tap, &f), 0);
	assert_int_equal(f.taps, 3);
	assert_int_equal(store_report_waiting(r, NOON_S, NOON_S + 100, on_waiting, &f), 0);
	assert_int_equal(f.queued, 2);
	assert_int_equal(f.held, 1);
	assert_int_equal(f.parked, 1);
	assert_int_equal(f.doubts, 2);
	/* from on, and before to; of one person */
	f = (struct found){0};
	assert_int_equal(store_report_taps(r, NOON_S + 1, NOON_S + 6, NULL, on_tap, &f), 0);
	assert_int_equal(f.taps, 1);
	assert_int_equal(store_report_taps(r, NOON_S, NOON_S + 6, "usr_nobody", on_tap, &f), 0);
	assert_int_equal(f.taps, 1);
	store_report_free(r);
}

/* All times of months, over the edges of the index's buckets. */
static void test_every_second_once(void **state)
{
	struct store *s = fixture_open(*state);
	struct found f = {0};
	struct store_report *r;
	int64_t step = 40000, from_s = NOON_S;

	for (int i = 0; i < 200; i++) {
		struct punch p = fixture_punch(i);

		p.time_s = NOON_S + i * step;
		p.type = TYPE_CHECK_OUT;
		snprintf(p.user_id, sizeof p.user_id, "usr_%06d", i % 7);
		assert_int_equal(store_punch_add(s, &p, NULL), 1);
	}
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	for (; from_s < NOON_S + 200 * step; from_s += 7777)
		assert_int_equal(store_report_taps(r, from_s, from_s + 7777, NULL, on_tap, &f), 0);
	assert_int_equal(f.taps, 200);
	store_report_free(r);
}

/* What is committed after its first look is not of its moment, and is written all the same. */
static void test_as_of_one_moment(void **state)
{
	struct store *s = fixture_open(*state);
	struct found f = {0};
	struct store_report *r;

	fixture_add_all(s, 0, 10);
	r = begin(s);
	assert_int_equal(store_report_waiting(r, NOON_S, INT64_MAX, on_waiting, &f), 0);
	fixture_add_all(s, 10, 20);
	assert_int_equal(store_report_waiting(r, NOON_S, INT64_MAX, on_waiting, &f), 0);
	assert_int_equal(f.queued, 20);
	store_report_free(r);
	r = begin(s);
	assert_int_equal(store_report_waiting(r, NOON_S, INT64_MAX, on_waiting, &f), 0);
	assert_int_equal(f.queued, 40);
	store_report_free(r);
}

static void put_user(struct store *s, const char *id, const char *department)
{
	const struct dir_user user = {.id = id,
		.name = "Somebody",
		.email = "",
		.phone = "",
		.department = department,
		.updated_at = ""};

	assert_int_equal(store_user_put(s, &user), 0);
}

static void test_which_people(void **state)
{
	static const struct {
		const char *id, *department, *ids;
	} asked[] = {
		{NULL, NULL, "usr_1 usr_2 usr_4 "},
		{"usr_2", NULL, "usr_2 "},
		{"usr_3", NULL, ""}, /* gone */
		{"usr_9", NULL, ""},
		{NULL, "Sales", "usr_1 usr_4 "},
		{"usr_2", "Sales", ""},
	};
	struct store *s = fixture_open(*state);
	struct store_report *r;

	put_user(s, "usr_4", "Sales");
	put_user(s, "usr_1", "Sales");
	put_user(s, "usr_2", "");
	put_user(s, "usr_3", "Sales");
	assert_int_equal(store_missing_put(s, DIR_USERS, "usr_3", DIR_GONE), 0);
	assert_int_equal(store_missing_put(s, DIR_USERS, "usr_4", 1), 0);
	assert_int_equal(store_missing_put(s, DIR_DEVICES, "usr_1", DIR_GONE), 0);
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct found f = {0};

		assert_int_equal(
			store_report_users(r, asked[i].id, asked[i].department, on_user, &f), 0);
		assert_string_equal(f.ids, asked[i].ids);
	}
	store_report_free(r);
}

static void test_how_far_it_reaches_back(void **state)
{
	struct store *s = fixture_open(*state);
	int64_t first, purged, seq = 0;
	struct store_report *r = begin(s);
	bool done;

	assert_int_equal(store_report_reach(r, &first, &purged), 0);
	assert_true(first == INT64_MIN && purged == INT64_MIN);
	store_report_free(r);
	fixture_add_all(s, 0, 30);
	for (int64_t i = 1; i <= 10; i++)
		fixture_settle(s, i, 1000);
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	assert_int_equal(store_report_reach(r, &first, &purged), 0);
	assert_true(first != INT64_MIN && purged == INT64_MIN);
	store_report_free(r);
	assert_int_equal(store_purge(s, 2000, INT64_MAX, 0, 1000, &seq, &done), 10);
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	assert_int_equal(store_report_reach(r, &first, &purged), 0);
	assert_int_equal(purged, NOON_S + 9);
	store_report_free(r);
	/* A later purge of older ones changes nothing. */
	fixture_settle(s, 11, 1000);
	assert_int_equal(store_commit(s), 0);
	seq = 0;
	assert_int_equal(store_purge(s, 2000, NOON_S, 0, 1000, &seq, &done), 0);
	assert_int_equal(store_commit(s), 0);
	r = begin(s);
	assert_int_equal(store_report_reach(r, &first, &purged), 0);
	assert_int_equal(purged, NOON_S + 9);
	store_report_free(r);
}

/* From then on every walk ends so, the one that is under way too. */
static void test_given_up(void **state)
{
	struct store *s = fixture_open(*state);
	struct found f = {0};

	add(s, 0, PUNCH_QUEUED, REASON_NONE, 0);
	add(s, 1, PUNCH_QUEUED, REASON_NONE, 0);
	assert_int_equal(store_commit(s), 0);
	f.stop = begin(s);
	assert_int_equal(
		store_report_taps(f.stop, NOON_S, NOON_S + 9, NULL, on_tap, &f), -ECANCELED);
	assert_int_equal(f.taps, 1);
	assert_int_equal(
		store_report_waiting(f.stop, NOON_S, NOON_S + 9, on_waiting, &f), -ECANCELED);
	store_report_free(f.stop);
}

static void test_a_file_that_is_gone(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct store_report *r = NULL;
	char words[STORE_WORDS_MAX];

	fixture_add_all(s, 0, 3);
	assert_int_equal(rename(f->path, fixture_name(f, ".away")), 0);
	assert_true(store_report_new(s, &r, words) < 0);
	assert_null(r);
	assert_true(words[0]);
	assert_int_equal(rename(fixture_name(f, ".away"), f->path), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_which_punches),
		TEST(test_every_second_once),
		TEST(test_as_of_one_moment),
		TEST(test_which_people),
		TEST(test_how_far_it_reaches_back),
		TEST(test_given_up),
		TEST(test_a_file_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
