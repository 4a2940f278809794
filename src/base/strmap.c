#include "base/strmap.h"

#include <errno.h>

#include "base/strhash.h"

struct strmap_slot {
	char *key; /* owned; NULL: never used, DEAD: deleted */
	void *value;
	uint64_t hash;
};

static char dead_mark;
#define DEAD (&dead_mark)

static int slot_live(const struct strmap_slot *s)
{
	return s->key && s->key != DEAD;
}

void strmap_init(struct strmap *m, uint64_t seed)
{
	*m = (struct strmap){.seed = seed};
}

void strmap_done(struct strmap *m)
{
	for (size_t i = 0; i < m->size; i++) {
		if (slot_live(&m->slots[i]))
			free(m->slots[i].key);
	}
	free(m->slots);
	strmap_init(m, m->seed);
}

/* The slot that holds key, or NULL. */
static struct strmap_slot *find(const struct strmap *m, const char *key, uint64_t hash)
{
	if (m->size == 0)
		return NULL;
	for (size_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct strmap_slot *s = &m->slots[i];

		if (!s->key)
			return NULL;
		if (s->key != DEAD && s->hash == hash && strcmp(s->key, key) == 0)
			return s;
	}
}

static void insert(struct strmap_slot *slots, size_t size, const struct strmap_slot *entry)
{
	size_t i = entry->hash & (size - 1);

	while (slots[i].key)
		i = (i + 1) & (size - 1);
	slots[i] = *entry;
}

/* A quarter of the slots stays unused, so that a search always ends. */
static int grow(struct strmap *m)
{
	size_t size = 16;
	struct strmap_slot *slots;

	if ((m->used + m->dead + 1) * 4 <= m->size * 3)
		return 0;
	while ((m->used + 1) * 2 > size)
		size *= 2;
	slots = calloc(size, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++) {
		if (slot_live(&m->slots[i]))
			insert(slots, size, &m->slots[i]);
	}
	free(m->slots);
	m->slots = slots;
	m->size = size;
	m->dead = 0;
	return 0;
}

void *strmap_get(const struct strmap *m, const char *key)
{
	const struct strmap_slot *s = find(m, key, strhash(m->seed, key));

	return s ? s->value : NULL;
}

int strmap_put(struct strmap *m, const char *key, void *value, void **ret_old)
{
	uint64_t hash = strhash(m->seed, key);
	struct strmap_slot *s = find(m, key, hash);
	struct strmap_slot entry = {.value = value, .hash = hash};

	if (ret_old)
		*ret_old = s ? s->value : NULL;
	if (s) {
		s->value = value;
		return 0;
	}
	if (grow(m) < 0)
		return -ENOMEM;
	entry.key = strdup(key);
	if (!entry.key)
		return -ENOMEM;
	insert(m->slots, m->size, &entry);
	m->used++;
	return 0;
}

void *strmap_del(struct strmap *m, const char *key)
{
	struct strmap_slot *s = find(m, key, strhash(m->seed, key));

	if (!s)
		return NULL;
	free(s->key);
	s->key = DEAD;
	m->used--;
	m->dead++;
	return s->value;
}

size_t strmap_count(const struct strmap *m)
{
	return m->used;
}

void *strmap_next(const struct strmap *m, size_t *pos, const char **ret_key)
{
	while (*pos < m->size) {
		const struct strmap_slot *s = &m->slots[(*pos)++];

		if (!slot_live(s))
			continue;
		if (ret_key)
			*ret_key = s->key;
		return s->value;
	}
	return NULL;
}
