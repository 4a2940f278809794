/* store_link: what was acknowledged is there again after a restart, with who made it and why. */
#include "store/store_link.h"

#include "store_fixture.h"

#include <errno.h>
#include <sqlite3.h>

static struct links links;

static struct user_link change(const char *value, const char *device, const char *user_id)
{
	return (struct user_link){.kind = USER_PIN,
		.value = value,
		.device = device,
		.user_id = user_id,
		.at_us = 1770000000123000,
		.uid = 4294967294,
		.name = "ann",
		.note = "her own words"};
}

static void add(struct store *s, const char *value, const char *device, const char *user_id)
{
	const struct user_link c = change(value, device, user_id);

	assert_int_equal(store_link_add(s, &c), 0);
}

static const char *who(const char *value, const char *serial)
{
	const struct user_link *l = links_find(&links, USER_PIN, value, serial);

	return l ? l->user_id : "nobody";
}

static void test_changes_are_played_in_order(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	const struct user_link *l;

	add(s, "1", "", "usr_1");
	add(s, "2", "", "usr_2");
	add(s, "1", "S", "usr_3");
	add(s, "2", "", "");
	add(s, "1", "", "usr_4");
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	/* what was there before goes */
	links_init(&links, 1);
	assert_int_equal(
		links_apply(&links, &(struct user_link){USER_PIN, "3", "", "usr_5", 1, 0, "", ""}),
		0);
	assert_int_equal(store_link_load(s, &links), 0);
	assert_int_equal(links_count(&links), 2);
	assert_string_equal(who("1", "X"), "usr_4");
	assert_string_equal(who("1", "S"), "usr_3");
	assert_string_equal(who("2", "X"), "nobody");
	l = links_get(&links, USER_PIN, "1", "");
	assert_true(l->at_us == 1770000000123000 && l->uid == 4294967294);
	assert_string_equal(l->name, "ann");
	assert_string_equal(l->note, "her own words");
	links_done(&links);
}

static int count(void *arg, const struct user_link *c)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

static void test_a_rollback_takes_all_of_a_batch(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	int n = 0;

	add(s, "1", "", "usr_1");
	assert_int_equal(store_commit(s), 0);
	add(s, "1", "", "usr_2");
	add(s, "2", "", "usr_2");
	store_rollback(s);
	links_init(&links, 1);
	assert_int_equal(store_link_load(s, &links), 0);
	assert_string_equal(who("1", ""), "usr_1");
	assert_int_equal(store_link_walk(s, count, &n), 0);
	assert_int_equal(n, 1);
	links_done(&links);
}

/* A kind that is none, as a disk may make it, is damage and no array index. */
static void test_a_damaged_row_is_seen(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	sqlite3 *db;

	add(s, "1", "", "usr_1");
	assert_int_equal(store_commit(s), 0);
	fixture_close(f);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "PRAGMA ignore_check_constraints = 1; UPDATE link SET kind = 6",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	s = fixture_open(f);
	links_init(&links, 1);
	assert_int_equal(store_link_load(s, &links), -EUCLEAN);
	links_done(&links);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_changes_are_played_in_order),
		TEST(test_a_rollback_takes_all_of_a_batch),
		TEST(test_a_damaged_row_is_seen),
	};

	return cmocka_run_group_tests_name("store_link", tests, NULL, NULL);
}
