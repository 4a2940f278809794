#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

void heap_init(struct heap *h, heap_before *before)
{
	*h = (struct heap){.before = before};
}

void heap_done(struct heap *h)
{
	free(h->nodes);
	heap_init(h, h->before);
}

int heap_reserve(struct heap *h, size_t count)
{
	size_t size = h->size ? h->size : 16;
	struct heap_node **nodes;

	if (count <= h->size)
		return 0;
	while (size < count)
		size *= 2;
	nodes = reallocarray(h->nodes, size, sizeof(struct heap_node *));
	if (!nodes)
		return -ENOMEM;
	h->nodes = nodes;
	h->size = size;
	return 0;
}

static void put(struct heap *h, size_t at, struct heap_node *node)
{
	h->nodes[at - 1] = node;
	node->at = at;
}

static void rise(struct heap *h, struct heap_node *node)
{
	size_t at = node->at;

	for (; at > 1 && h->before(node, h->nodes[at / 2 - 1]); at /= 2)
		put(h, at, h->nodes[at / 2 - 1]);
	put(h, at, node);
}

static void sink(struct heap *h, struct heap_node *node)
{
	size_t at = node->at;

	for (;;) {
		size_t child = at * 2;

		if (child < h->count && h->before(h->nodes[child], h->nodes[child - 1]))
			child++;
		if (child > h->count || !h->before(h->nodes[child - 1], node))
			break;
		put(h, at, h->nodes[child - 1]);
		at = child;
	}
	put(h, at, node);
}

void heap_add(struct heap *h, struct heap_node *node)
{
	h->count++;
	put(h, h->count, node);
	rise(h, node);
}

void heap_del(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;

	if (node->at == 0)
		return;
	last = h->nodes[h->count - 1];
	h->count--;
	if (last != node) {
		put(h, node->at, last);
		rise(h, last);
		sink(h, last);
	}
	node->at = 0;
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->count > 0 ? h->nodes[0] : NULL;
}
