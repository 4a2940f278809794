#include "base/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strhash.h"

#define SIZE_MIN 16

void chain_init(struct chain *c, uint64_t seed, chain_key *key)
{
	*c = (struct chain){.seed = seed, .key = key};
}

void chain_done(struct chain *c)
{
	free(c->heads);
	chain_init(c, c->seed, c->key);
}

static size_t place_of(const struct chain *c, const char *key)
{
	return strhash(c->seed, key) & (c->size - 1);
}

static void link_in(struct chain *c, struct chain_node *node)
{
	struct chain_node **head = &c->heads[place_of(c, c->key(node))];

	node->next = *head;
	node->back = head;
	if (*head)
		(*head)->back = &node->next;
	*head = node;
}

int chain_reserve(struct chain *c)
{
	struct chain_node **old = c->heads, **heads;
	size_t old_size = c->size;

	if (c->used < c->size)
		return 0;
	heads = calloc(old_size ? old_size * 2 : SIZE_MIN, sizeof(struct chain_node *));
	if (!heads)
		return -ENOMEM;
	c->heads = heads;
	c->size = old_size ? old_size * 2 : SIZE_MIN;
	for (size_t i = 0; i < old_size; i++) {
		for (struct chain_node *node = old[i], *next; node; node = next) {
			next = node->next;
			link_in(c, node);
		}
	}
	free(old);
	return 0;
}

void chain_add(struct chain *c, struct chain_node *node)
{
	link_in(c, node);
	c->used++;
}

void chain_del(struct chain *c, struct chain_node *node)
{
	if (!node->back)
		return;
	*node->back = node->next;
	if (node->next)
		node->next->back = node->back;
	*node = (struct chain_node){.next = NULL};
	c->used--;
}

static struct chain_node *find_from(const struct chain *c, struct chain_node *node, const char *key)
{
	while (node && strcmp(c->key(node), key) != 0)
		node = node->next;
	return node;
}

struct chain_node *chain_find(const struct chain *c, const char *key)
{
	return c->size ? find_from(c, c->heads[place_of(c, key)], key) : NULL;
}

struct chain_node *chain_again(const struct chain *c, const struct chain_node *node)
{
	return find_from(c, node->next, c->key(node));
}

struct chain_node *chain_next(const struct chain *c, const struct chain_node *node)
{
	size_t place = 0;

	if (node && node->next)
		return node->next;
	if (node)
		place = place_of(c, c->key(node)) + 1;
	while (place < c->size && !c->heads[place])
		place++;
	return place < c->size ? c->heads[place] : NULL;
}
