/* base/chain: entries with one key and with many, against an array that does the same slowly. */
#include "unit.h"

#include <stdbool.h>

#include "base/chain.h"

#define ITEMS 500

struct item {
	int before;
	struct chain_node node;
	char key[16];
	bool in;
	bool met;
};

static struct item items[ITEMS];

static struct item *item_of(const struct chain_node *node)
{
	return (struct item *)((uintptr_t)node - offsetof(struct item, node));
}

static const char *key_of(const struct chain_node *node)
{
	return item_of(node)->key;
}

static void test_empty(void **state)
{
	struct chain c;

	(void)state;
	chain_init(&c, 1, key_of);
	assert_null(chain_find(&c, ""));
	assert_null(chain_next(&c, NULL));
	chain_del(&c, &items[0].node); /* in no table */
	assert_int_equal(c.used, 0);
	chain_done(&c);
	chain_done(&c);
}

static void compare(const struct chain *c, int keys)
{
	size_t wanted = 0, walked = 0;

	for (int i = 0; i < ITEMS; i++) {
		items[i].met = false;
		wanted += items[i].in ? 1U : 0U;
	}
	for (struct chain_node *n = chain_next(c, NULL); n; n = chain_next(c, n))
		walked++;
	assert_int_equal(walked, wanted);
	assert_int_equal(c->used, wanted);
	for (int k = 0; k < keys; k++) {
		char key[16];
		struct chain_node *n;

		snprintf(key, sizeof key, "k%d", k);
		for (n = chain_find(c, key); n; n = chain_again(c, n)) {
			assert_false(item_of(n)->met);
			assert_string_equal(item_of(n)->key, key);
			item_of(n)->met = true;
		}
	}
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(items[i].met, items[i].in);
}

static void check(int keys)
{
	struct chain c;
	uint32_t r = 12345;

	chain_init(&c, 0x123456789abcdefULL, key_of);
	for (int i = 0; i < ITEMS; i++) {
		items[i] = (struct item){.in = false};
		snprintf(items[i].key, sizeof items[i].key, "k%d", i % keys);
	}
	for (int step = 0; step < 20000; step++) {
		struct item *item;

		r = r * 1664525 + 1013904223;
		item = &items[(r >> 8) % ITEMS];
		if (item->in) {
			chain_del(&c, &item->node);
		} else {
			assert_int_equal(chain_reserve(&c), 0);
			chain_add(&c, &item->node);
		}
		item->in = !item->in;
		if (step % 1000 == 0)
			compare(&c, keys);
	}
	compare(&c, keys);
	assert_true(c.size <= 2 * ITEMS + 24);
	chain_done(&c);
}

static void test_each_its_key(void **state)
{
	(void)state;
	check(ITEMS);
}

static void test_many_with_one_key(void **state)
{
	(void)state;
	check(7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_each_its_key),
		cmocka_unit_test(test_many_with_one_key),
	};

	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
