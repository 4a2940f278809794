/* store_newuser: who was asked for is there again after a restart, whole, until they are settled and
 * a while has gone by. */
#include "store/store_newuser.h"

#include "store_fixture.h"

#define NOW_US (1770000000LL * 1000000)

/* Number n, with every text as long as it may be. */
static struct newuser make(int n)
{
	struct newuser u = {.wants_link = n % 2 == 0,
		.link_kind = USER_CARD,
		.asked_us = NOW_US + n * 1000,
		.uid = 4294967294,
		.error_status = 503};
	char *const texts[] = {u.name, u.email, u.department, u.link_value, u.link_device, u.who,
		u.user_id, u.note, u.error_code, u.error_message, u.error_param};
	const size_t sizes[] = {sizeof u.name, sizeof u.email, sizeof u.department,
		sizeof u.link_value, sizeof u.link_device, sizeof u.who, sizeof u.user_id,
		sizeof u.note, sizeof u.error_code, sizeof u.error_message, sizeof u.error_param};

	memset(u.key, n, sizeof u.key);
	for (size_t i = 0; i < COUNT(texts); i++)
		memset(texts[i], (int)('a' + i), sizes[i] - 1);
	snprintf(u.phone, sizeof u.phone, "+%015d", n);
	return u;
}

struct list {
	struct newuser users[8];
	int count;
};

static int take(void *arg, const struct newuser *u)
{
	struct list *l = arg;

	assert_true(l->count < (int)COUNT(l->users));
	l->users[l->count++] = *u;
	return 0;
}

static struct list open_ones(struct store *s)
{
	struct list l = {.count = 0};

	assert_int_equal(store_newuser_open(s, take, &l), 0);
	return l;
}

static struct list settled_ones(struct store *s, int limit)
{
	struct list l = {.count = 0};

	assert_int_equal(store_newuser_settled(s, limit, take, &l), 0);
	return l;
}

static void same(const struct newuser *a, const struct newuser *b)
{
	assert_memory_equal(a, b, sizeof *a);
}

static void test_all_of_it_comes_back(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct newuser one = make(1), two = make(2);
	struct list l;

	assert_int_equal(store_newuser_add(s, &one), 0);
	assert_int_equal(store_newuser_add(s, &two), 0);
	assert_int_equal(store_commit(s), 0);
	assert_true(one.id > 0 && two.id > one.id);
	l = open_ones(fixture_open(f));
	assert_int_equal(l.count, 2);
	/* A link that is not wanted has no kind. */
	one.link_kind = USER_ID;
	same(&l.users[0], &one);
	same(&l.users[1], &two);
}

static void test_what_became_of_it(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct newuser u[5];
	struct list l;

	for (int i = 0; i < 5; i++) {
		u[i] = make(2 * i);
		assert_int_equal(store_newuser_add(s, &u[i]), 0);
		u[i].state = (enum newuser_state)i;
		u[i].sent_us = i ? NOW_US + i * 1000000 : 0;
		u[i].settled_us = i ? NOW_US + i * 2000000 : 0;
		memset(u[i].user_id, 'z', sizeof u[i].user_id - 1);
		assert_int_equal(store_newuser_update(s, &u[i]), 0);
	}
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	l = open_ones(s);
	/* Refused, and nobody was told: it stays. */
	assert_int_equal(l.count, 2);
	same(&l.users[0], &u[NEWUSER_WAITING]);
	same(&l.users[1], &u[NEWUSER_REFUSED]);
	l = settled_ones(s, 10);
	assert_int_equal(l.count, 3);
	same(&l.users[0], &u[NEWUSER_CANCELLED]);
	same(&l.users[2], &u[NEWUSER_CREATED]);
	assert_int_equal(settled_ones(s, 1).count, 1);
	u[NEWUSER_REFUSED].told = true;
	assert_int_equal(store_newuser_update(s, &u[NEWUSER_REFUSED]), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(open_ones(s).count, 1);
}

static void test_only_what_is_over_is_purged(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);

	for (int i = 0; i < NEWUSER_STATES; i++) {
		struct newuser u = make(i);

		u.state = (enum newuser_state)i;
		u.settled_us = NOW_US + i * 1000000;
		assert_int_equal(store_newuser_add(s, &u), 0);
	}
	assert_int_equal(store_newuser_purge(s, NOW_US + 2 * 1000000), 1);
	assert_int_equal(store_newuser_purge(s, INT64_MAX), 2);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(open_ones(s).count, 2);
	assert_int_equal(settled_ones(s, 10).count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_of_it_comes_back),
		TEST(test_what_became_of_it),
		TEST(test_only_what_is_over_is_purged),
	};

	return cmocka_run_group_tests_name("store_newuser", tests, NULL, NULL);
}
