#include "daemon/families.h"

#include <stdio.h>

#include "base/strhash.h"
#include "core/punch.h"

#define NATIVE 1

void families_init(struct families *f, uint64_t seed)
{
	strmap_init(&f->known, seed);
}

void families_done(struct families *f)
{
	strmap_done(&f->known);
}

void families_forget(struct families *f)
{
	strmap_done(&f->known);
}

/* A number that is the same in every run, positive and not NATIVE. */
static int64_t number_of(const struct profile *p)
{
	return p ? (int64_t)(strhash(0, p->name) >> 2) + NATIVE + 1 : NATIVE;
}

static void meta_key(const char *terminal, char ret[static TERMINAL_MAX + 16])
{
	snprintf(ret, TERMINAL_MAX + 16, "family %s", terminal);
}

static void keep(struct families *f, const char *terminal, int64_t number)
{
	/* Without memory it is asked for again. */
	strmap_put(&f->known, terminal, (void *)(intptr_t)number, NULL);
}

/* Returns a number, or a store error. */
static int64_t known(struct families *f, struct store *s, const char *terminal)
{
	int64_t number = (int64_t)(intptr_t)strmap_get(&f->known, terminal);
	char key[TERMINAL_MAX + 16];
	int r;

	if (number != 0)
		return number;
	meta_key(terminal, key);
	r = store_meta_get(s, key, NATIVE, &number);
	if (r < 0)
		return r;
	keep(f, terminal, number);
	return number;
}

int families_note(
	struct families *f, struct store *s, const char *terminal, const struct profile *profile)
{
	int64_t is = number_of(profile), was = known(f, s, terminal);
	char key[TERMINAL_MAX + 16];
	int r;

	if (was < 0 || was == is)
		return was < 0 ? (int)was : 0;
	meta_key(terminal, key);
	r = store_meta_set(s, key, is);
	if (r < 0)
		return r;
	keep(f, terminal, is);
	return 1;
}

const struct profile *families_find(struct families *f, struct store *s, const char *terminal,
	const struct profile_set *profiles)
{
	int64_t number;

	if (profiles->count == 0)
		return NULL;
	number = known(f, s, terminal);
	for (size_t i = 0; i < profiles->count && number > NATIVE; i++) {
		if (number_of(profiles->list[i]) == number)
			return profiles->list[i];
	}
	return NULL;
}
