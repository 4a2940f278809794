/* base/heap: always the smallest first, whatever is added, removed and changed. */
#include "unit.h"

#include <errno.h>

#include "base/heap.h"

#define MANY 200

struct thing {
	int number;
	struct heap_node node;
};

static bool is_smaller(const struct heap_node *a, const struct heap_node *b)
{
	const struct thing *x = (const void *)((const char *)a - offsetof(struct thing, node));
	const struct thing *y = (const void *)((const char *)b - offsetof(struct thing, node));

	return x->number < y->number;
}

static struct thing things[MANY];
static struct heap heap;

static void test_empty(void **state)
{
	(void)state;
	heap_init(&heap, is_smaller);
	assert_null(heap_first(&heap));
	heap_del(&heap, &things[0].node);
	heap_done(&heap);
}

static const struct thing *smallest(void)
{
	const struct thing *best = NULL;

	for (int i = 0; i < MANY; i++) {
		if (things[i].node.at && (!best || things[i].number < best->number))
			best = &things[i];
	}
	return best;
}

static void test_at_random(void **state)
{
	uint32_t chance = 1;

	(void)state;
	heap_init(&heap, is_smaller);
	assert_int_equal(heap_reserve(&heap, MANY), 0);
	assert_int_equal(heap_reserve(&heap, 1), 0);
	for (int step = 0; step < 20000; step++) {
		struct thing *t = &things[(chance = chance * 1664525 + 1013904223) >> 8 & 127];

		heap_del(&heap, &t->node);
		assert_int_equal(t->node.at, 0);
		if (chance >> 31) {
			t->number = (int)(chance >> 4 & 1023);
			heap_add(&heap, &t->node);
		}
		if (smallest()) {
			assert_true(!is_smaller(&smallest()->node, heap_first(&heap)));
			assert_true(!is_smaller(heap_first(&heap), &smallest()->node));
		} else {
			assert_null(heap_first(&heap));
		}
	}
	heap_done(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_at_random),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
