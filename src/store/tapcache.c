#include "store/tapcache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tapcache_person {
	char key[TAPCACHE_KEY_SIZE];
	struct taptrack tracks[2]; /* [1]: double taps */
	struct tapcache_person *newer, *older;
};

bool tapcache_key(const struct punch *whose, const char *user_id, int64_t terminal,
	char ret[static TAPCACHE_KEY_SIZE])
{
	enum user_kind kind = user_id[0] ? USER_ID : whose->user_kind;
	const char *name = user_id[0] ? user_id : whose->user;
	size_t n = strlen(name), at = 0;

	/* This is done for every reading, and printf would be most of that. */
	ret[at++] = (char)('0' + kind);
	for (uint64_t place = (uint64_t)(kind == USER_SLOT ? terminal : 0); place > 0; place /= 64)
		ret[at++] = (char)('0' + place % 64);
	ret[at++] = ' ';
	if (n >= TAPCACHE_KEY_SIZE - at)
		return false;
	memcpy(ret + at, name, n + 1);
	return true;
}

/* ---- people, the last one looked at first */

static void unlist(struct tapcache *c, struct tapcache_person *p)
{
	*(p->newer ? &p->newer->older : &c->newest) = p->older;
	*(p->older ? &p->older->newer : &c->oldest) = p->newer;
}

static void list_newest(struct tapcache *c, struct tapcache_person *p)
{
	p->newer = NULL;
	p->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = p;
	c->newest = p;
}

static void person_free(struct tapcache_person *p)
{
	free(p->tracks[0].rows);
	free(p->tracks[1].rows);
	free(p);
}

static void forget(struct tapcache *c, struct tapcache_person *p)
{
	c->rows -= p->tracks[0].size + p->tracks[1].size;
	strmap_del(&c->people, p->key);
	unlist(c, p);
	person_free(p);
}

/* The one that is looked at just now stays, whatever it has. */
static void make_room(struct tapcache *c)
{
	while (c->oldest != c->newest &&
		(strmap_count(&c->people) > TAPCACHE_PEOPLE || c->rows > TAPCACHE_ROWS))
		forget(c, c->oldest);
}

static struct tapcache_person *person_new(struct tapcache *c, const char *key)
{
	struct tapcache_person *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	snprintf(p->key, sizeof p->key, "%s", key);
	taptrack_begin(&p->tracks[0], 0);
	taptrack_begin(&p->tracks[1], 0);
	if (strmap_put(&c->people, key, p, NULL) < 0) {
		free(p);
		return NULL;
	}
	list_newest(c, p);
	return p;
}

struct taptrack *tapcache_track(struct tapcache *c, const char *key, bool doubles)
{
	struct tapcache_person *p = c->newest;

	/* Mostly the one as before: a walk reads several times. */
	if (!p || strcmp(p->key, key) != 0) {
		p = strmap_get(&c->people, key);
		if (p) {
			unlist(c, p);
			list_newest(c, p);
		} else {
			p = person_new(c, key);
		}
	}
	if (p)
		make_room(c);
	return p ? &p->tracks[doubles] : NULL;
}

void tapcache_init(struct tapcache *c, uint64_t seed)
{
	*c = (struct tapcache){.rows = 0};
	strmap_init(&c->people, seed);
}

void tapcache_clear(struct tapcache *c)
{
	while (c->newest)
		forget(c, c->newest);
}

void tapcache_done(struct tapcache *c)
{
	tapcache_clear(c);
	strmap_done(&c->people);
}

/* ---- a track */

void taptrack_begin(struct taptrack *t, int64_t time_s)
{
	t->from_s = time_s;
	t->to_s = time_s - 1;
	t->count = 0;
}

int taptrack_place(const struct taptrack *t, int64_t time_s)
{
	int low = 0, high = t->count;

	while (low < high) {
		int middle = (low + high) / 2;

		if (t->rows[middle].time_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void cut(struct taptrack *t, int from, int to)
{
	memmove(t->rows + from, t->rows + to, (size_t)(t->count - to) * sizeof *t->rows);
	t->count -= to - from;
}

void taptrack_end_at(struct taptrack *t, int64_t to_s)
{
	t->to_s = to_s;
	if (t->count > 0)
		t->count = taptrack_place(t, to_s + 1);
}

void taptrack_begin_at(struct taptrack *t, int64_t from_s)
{
	t->from_s = from_s;
	if (t->count > 0)
		cut(t, 0, taptrack_place(t, from_s));
}

static bool grow(struct tapcache *c, struct taptrack *t)
{
	int size = t->size ? t->size * 2 : 4;
	struct store_tap *rows;

	if (size > TAPCACHE_TRACK_ROWS)
		return false;
	rows = reallocarray(t->rows, (size_t)size, sizeof *rows);
	if (!rows)
		return false;
	c->rows += size - t->size;
	t->rows = rows;
	t->size = size;
	return true;
}

static void insert(struct taptrack *t, int at, const struct store_tap *row)
{
	memmove(t->rows + at + 1, t->rows + at, (size_t)(t->count - at) * sizeof *t->rows);
	t->rows[at] = *row;
	t->count++;
}

/* Whole seconds: whatever is known of one is known of all of it. */
static void forget_oldest(struct taptrack *t)
{
	taptrack_begin_at(t, t->rows[t->count / 4].time_s + 1);
}

static void forget_latest(struct taptrack *t)
{
	taptrack_end_at(t, t->rows[t->count - 1 - t->count / 4].time_s - 1);
}

bool taptrack_append(struct tapcache *c, struct taptrack *t, const struct store_tap *row)
{
	if (t->count == t->size && !grow(c, t)) {
		if (t->count == 0 || t->rows[t->count / 4].time_s >= row->time_s)
			return false;
		forget_oldest(t);
	}
	insert(t, t->count, row);
	return true;
}

bool taptrack_prepend(struct tapcache *c, struct taptrack *t, const struct store_tap *row)
{
	if (t->count == t->size && !grow(c, t))
		return false;
	insert(t, 0, row);
	return true;
}

/* ---- what is written */

static bool knows(const struct taptrack *t, int64_t time_s)
{
	return time_s >= t->from_s && time_s <= t->to_s;
}

static int find(const struct taptrack *t, int64_t time_s, int64_t seq)
{
	for (int i = taptrack_place(t, time_s); i < t->count && t->rows[i].time_s == time_s; i++) {
		if (t->rows[i].seq == seq)
			return i;
	}
	return -1;
}

/* A place for a row of that time, where it is known still. */
static bool make_place(struct tapcache *c, struct taptrack *t, int64_t time_s)
{
	if (t->count < t->size || grow(c, t))
		return true;
	if (t->count == 0)
		return false;
	if (time_s > t->rows[t->count / 2].time_s)
		forget_oldest(t);
	else
		forget_latest(t);
	return t->count < t->size;
}

void tapcache_put(struct tapcache *c, const char *key, const struct store_tap *row)
{
	struct tapcache_person *p = strmap_get(&c->people, key);
	struct taptrack *t = p ? &p->tracks[row->reason == REASON_DOUBLE_TAP] : NULL;
	int at;

	if (!t || !knows(t, row->time_s))
		return;
	at = find(t, row->time_s, row->seq);
	if (at >= 0) {
		t->rows[at] = *row;
		return;
	}
	if (!make_place(c, t, row->time_s)) {
		forget(c, p);
		return;
	}
	if (knows(t, row->time_s))
		insert(t, taptrack_place(t, row->time_s), row);
}

void tapcache_drop(struct tapcache *c, const char *key, bool doubles, int64_t time_s, int64_t seq)
{
	struct tapcache_person *p = strmap_get(&c->people, key);
	int at = p ? find(&p->tracks[doubles], time_s, seq) : -1;

	if (at >= 0)
		cut(&p->tracks[doubles], at, at + 1);
}
