/*
 * A binary heap of nodes that are part of what they order: the first is found at once, one is added,
 * removed or moved in O(log n). Nodes belong to the caller, who adds one anew after what it is
 * ordered by has changed.
 */
#ifndef PUNCHD_BASE_HEAP_H
#define PUNCHD_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_node {
	size_t at; /* its place, from 1; 0: in no heap */
};

/* Whether a goes before b. */
typedef bool heap_before(const struct heap_node *a, const struct heap_node *b);

struct heap {
	struct heap_node **nodes;
	size_t count, size;
	heap_before *before;
};

void heap_init(struct heap *h, heap_before *before);
/* Frees the heap, not its nodes. */
void heap_done(struct heap *h);

/* Make sure that so many nodes find room. Returns 0 or -ENOMEM. */
int heap_reserve(struct heap *h, size_t count);
/* Needs heap_reserve before it. The node is in no heap. */
void heap_add(struct heap *h, struct heap_node *node);
/* A node that is in no heap is left alone. */
void heap_del(struct heap *h, struct heap_node *node);

/* The first one, or NULL. */
struct heap_node *heap_first(const struct heap *h);

#endif
