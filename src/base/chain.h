/*
 * A hash table whose links are part of what is found: nothing is allocated for an entry, and one
 * entry can be in several tables. Where a map of pointers (base/strmap.h) copies its keys, this one
 * asks the entry for its key. Any number of entries may have the same key.
 *
 * Entries belong to the caller: a key must not change while its entry is in. Order is unspecified.
 */
#ifndef PUNCHD_BASE_CHAIN_H
#define PUNCHD_BASE_CHAIN_H

#include <stddef.h>
#include <stdint.h>

struct chain_node {
	struct chain_node *next;
	struct chain_node **back; /* what points here; NULL: in no table */
};

typedef const char *chain_key(const struct chain_node *node);

struct chain {
	struct chain_node **heads;
	size_t size; /* a power of two, or 0 */
	size_t used;
	uint64_t seed;
	chain_key *key;
};

void chain_init(struct chain *c, uint64_t seed, chain_key *key);
/* Frees the table, not its entries. */
void chain_done(struct chain *c);

/* Make sure that the next chain_add succeeds. Returns 0 or -ENOMEM. */
int chain_reserve(struct chain *c);
/* Needs chain_reserve before it. */
void chain_add(struct chain *c, struct chain_node *node);
/* A node that is in no table is left alone. */
void chain_del(struct chain *c, struct chain_node *node);

/* The first node of a key, and the next one of the same; NULL where there is none. */
struct chain_node *chain_find(const struct chain *c, const char *key);
struct chain_node *chain_again(const struct chain *c, const struct chain_node *node);

/* Walk over all: from NULL to NULL. The node that was returned last may be freed once the next one
 * is known; nothing is added meanwhile. */
struct chain_node *chain_next(const struct chain *c, const struct chain_node *node);

#endif
