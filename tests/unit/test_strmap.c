/* base/strmap: against an array that does the same slowly, and through growth and deletion. */
#include "unit.h"

#include "base/strmap.h"

#define KEYS 500

static void test_empty(void **state)
{
	struct strmap m;
	size_t pos = 0;

	(void)state;
	strmap_init(&m, 1);
	assert_null(strmap_get(&m, ""));
	assert_null(strmap_del(&m, "x"));
	assert_null(strmap_next(&m, &pos, NULL));
	assert_int_equal(strmap_count(&m), 0);
	strmap_done(&m);
	strmap_done(&m);
}

static void test_put_replaces(void **state)
{
	int a, b;
	char key[] = "key";
	void *old = &b;
	struct strmap m;

	(void)state;
	strmap_init(&m, 7);
	assert_int_equal(strmap_put(&m, key, &a, &old), 0);
	assert_null(old);
	key[0] = 'K'; /* the map has its own */
	assert_ptr_equal(strmap_get(&m, "key"), &a);
	assert_null(strmap_get(&m, "Key"));
	assert_int_equal(strmap_put(&m, "key", &b, &old), 0);
	assert_ptr_equal(old, &a);
	assert_int_equal(strmap_put(&m, "key", &a, NULL), 0);
	assert_int_equal(strmap_count(&m), 1);
	assert_ptr_equal(strmap_del(&m, "key"), &a);
	assert_null(strmap_get(&m, "key"));
	assert_int_equal(strmap_count(&m), 0);
	strmap_done(&m);
}

static void compare(const struct strmap *m, void *const *model)
{
	size_t pos = 0, seen = 0, wanted = 0;
	const char *key;
	void *value;

	for (int i = 0; i < KEYS; i++) {
		char name[16];

		snprintf(name, sizeof name, "k%d", i);
		assert_ptr_equal(strmap_get(m, name), model[i]);
		wanted += model[i] != NULL;
	}
	while ((value = strmap_next(m, &pos, &key))) {
		assert_ptr_equal(model[strtol(key + 1, NULL, 10)], value);
		seen++;
	}
	assert_int_equal(seen, wanted);
	assert_int_equal(strmap_count(m), wanted);
}

/* Puts and deletes in an order from a fixed generator; deleted slots are many and re-used. */
static void test_against_a_model(void **state)
{
	void *model[KEYS] = {NULL};
	static int values[7];
	struct strmap m;
	uint32_t r = 12345;

	(void)state;
	strmap_init(&m, 0x123456789abcdefULL);
	for (int step = 0; step < 40000; step++) {
		char name[16];
		int i;

		r = r * 1664525 + 1013904223;
		i = (int)(r >> 8) % (step < 20000 ? KEYS : 20);
		snprintf(name, sizeof name, "k%d", i);
		if (r >> 31) {
			model[i] = &values[step % 7];
			assert_int_equal(strmap_put(&m, name, model[i], NULL), 0);
		} else {
			assert_ptr_equal(strmap_del(&m, name), model[i]);
			model[i] = NULL;
		}
		if (step % 1000 == 0)
			compare(&m, model);
	}
	compare(&m, model);
	strmap_done(&m);
}

/* Deleting and putting for ever must not make it grow for ever. */
static void test_dead_slots_are_reclaimed(void **state)
{
	struct strmap m;
	int value;

	(void)state;
	strmap_init(&m, 3);
	for (int i = 0; i < 10000; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(strmap_put(&m, name, &value, NULL), 0);
		assert_ptr_equal(strmap_del(&m, name), &value);
	}
	assert_true(m.size <= 16);
	strmap_done(&m);
}

static void test_seed_changes_the_order(void **state)
{
	struct strmap a, b;
	size_t pos_a = 0, pos_b = 0;
	int value, differ = 0;
	const char *key_a, *key_b;

	(void)state;
	strmap_init(&a, 1);
	strmap_init(&b, 2);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		strmap_put(&a, name, &value, NULL);
		strmap_put(&b, name, &value, NULL);
	}
	while (strmap_next(&a, &pos_a, &key_a) && strmap_next(&b, &pos_b, &key_b))
		differ += strcmp(key_a, key_b) != 0;
	assert_true(differ > 50);
	strmap_done(&a);
	strmap_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_put_replaces),
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_dead_slots_are_reclaimed),
		cmocka_unit_test(test_seed_changes_the_order),
	};

	return cmocka_run_group_tests_name("strmap", tests, NULL, NULL);
}
