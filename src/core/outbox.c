#include "core/outbox.h"

#include <errno.h>

/* The (user, day) pairs that an earlier entry blocks, in one pass over the window. */
struct blocked {
	uint64_t *keys; /* open addressing; 0: empty */
	size_t size;    /* a power of two, at least twice the entries */
};

void outbox_init(struct outbox *o)
{
	*o = (struct outbox){.end = PUNCH_PLACE_FIRST};
}

void outbox_done(struct outbox *o)
{
	free(o->entries);
	outbox_init(o);
}

/* FNV-1a. A collision only makes one person wait for another. */
uint64_t outbox_user_hash(const char *user_id)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *user_id; user_id++)
		h = (h ^ (unsigned char)*user_id) * 0x100000001b3ULL;
	return h ? h : 1;
}

bool outbox_covers(const struct outbox *o, const struct punch_place *place)
{
	return o->complete || punch_place_compare(place, &o->end) <= 0;
}

/* Index of the first entry that is not before the place. */
static size_t lower_bound(const struct outbox *o, const struct punch_place *place)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (punch_place_compare(&o->entries[middle].place, place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve(struct outbox *o)
{
	size_t size = o->size ? o->size * 2 : 64;
	struct outbox_entry *entries;

	if (o->count < o->size)
		return 0;
	entries = realloc(o->entries, size * sizeof *entries);
	if (!entries)
		return -ENOMEM;
	o->entries = entries;
	o->size = size;
	return 0;
}

/* A full window gives up its last waiting entry, to be read again later, for an earlier one. */
static int make_room(struct outbox *o, const struct outbox_entry *entry, bool *ret_dropped)
{
	const struct outbox_entry *last;

	if (o->count < OUTBOX_MAX)
		return 0;
	last = &o->entries[o->count - 1];
	if (last->step != OUTBOX_WAITING || last->frozen ||
		punch_place_compare(&entry->place, &last->place) > 0)
		return -ENOSPC;
	o->count--;
	*ret_dropped = true;
	return 0;
}

int outbox_add(struct outbox *o, const struct outbox_entry *entry)
{
	bool dropped = false;
	size_t at;
	int r;

	if (outbox_find(o, entry->seq))
		return 0;
	r = make_room(o, entry, &dropped);
	if (r == 0)
		r = reserve(o);
	if (r < 0)
		return r;
	at = lower_bound(o, &entry->place);
	memmove(o->entries + at + 1, o->entries + at, (o->count - at) * sizeof *o->entries);
	o->entries[at] = *entry;
	o->count++;
	if (dropped)
		outbox_set_end(o, &o->entries[o->count - 1].place, false);
	return 0;
}

void outbox_set_end(struct outbox *o, const struct punch_place *end, bool complete)
{
	o->end = *end;
	o->complete = complete;
}

void outbox_rewind(struct outbox *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->count; i++) {
		if (o->entries[i].step != OUTBOX_WAITING || o->entries[i].frozen)
			o->entries[kept++] = o->entries[i];
	}
	o->count = kept;
	outbox_set_end(o, &PUNCH_PLACE_FIRST, false);
}

struct outbox_entry *outbox_find(const struct outbox *o, int64_t seq)
{
	for (size_t i = 0; i < o->count; i++) {
		if (o->entries[i].seq == seq)
			return &o->entries[i];
	}
	return NULL;
}

void outbox_remove(struct outbox *o, int64_t seq)
{
	struct outbox_entry *e = outbox_find(o, seq);
	size_t at;

	if (!e)
		return;
	at = (size_t)(e - o->entries);
	memmove(e, e + 1, (o->count - at - 1) * sizeof *e);
	o->count--;
}

bool outbox_move(struct outbox *o, const struct outbox_entry *entry)
{
	const struct outbox_entry *e = outbox_find(o, entry->seq);
	struct outbox_entry moved;

	if (!e ||
		(e->place.time_s == entry->place.time_s && e->user == entry->user &&
			e->day == entry->day))
		return false;
	moved = *e;
	moved.place = entry->place;
	moved.user = entry->user;
	moved.day = entry->day;
	outbox_remove(o, entry->seq);
	/* There is room: one has just left. */
	if (outbox_covers(o, &moved.place))
		outbox_add(o, &moved);
	return true;
}

/* Mark a user's day as blocked for what follows. Returns whether it was blocked already. */
static bool block(struct blocked *b, uint64_t user, int32_t day)
{
	uint64_t key = user ^ (uint64_t)(uint32_t)day * 0x9e3779b97f4a7c15ULL;

	key += key == 0;
	for (size_t i = key * 0xff51afd7ed558ccdULL >> 32;; i++) {
		uint64_t *slot = &b->keys[i & (b->size - 1)];

		if (*slot == key)
			return true;
		if (*slot == 0) {
			*slot = key;
			return false;
		}
	}
}

/* One pass: the entries that may go, with or without those of not_user. */
static size_t pick_pass(const struct outbox *o, int64_t now_us, uint64_t not_user, size_t max,
	struct blocked *b, int64_t *ret_seqs, int64_t *ret_wait_until_us)
{
	size_t n = 0;

	memset(b->keys, 0, b->size * sizeof *b->keys);
	*ret_wait_until_us = INT64_MAX;
	for (size_t i = 0; i < o->count && n < max; i++) {
		const struct outbox_entry *e = &o->entries[i];

		if (!outbox_covers(o, &e->place))
			break;
		if (e->step == OUTBOX_DONE || block(b, e->user, e->day) ||
			e->step == OUTBOX_SENDING)
			continue;
		if (e->not_before_us > now_us) {
			if (e->not_before_us < *ret_wait_until_us)
				*ret_wait_until_us = e->not_before_us;
			continue;
		}
		if (e->user != not_user)
			ret_seqs[n++] = e->seq;
	}
	return n;
}

size_t outbox_pick(const struct outbox *o, int64_t now_us, uint64_t not_user, size_t max,
	int64_t *ret_seqs, int64_t *ret_wait_until_us)
{
	static uint64_t keys[OUTBOX_MAX * 2];
	struct blocked b = {.keys = keys, .size = 64};
	size_t n;

	while (b.size < o->count * 2)
		b.size *= 2;
	n = pick_pass(o, now_us, not_user, max, &b, ret_seqs, ret_wait_until_us);
	if (n == 0 && not_user)
		n = pick_pass(o, now_us, 0, max, &b, ret_seqs, ret_wait_until_us);
	return n;
}

bool outbox_is_first(const struct outbox *o, const struct outbox_entry *entry)
{
	if (!outbox_covers(o, &entry->place))
		return false;
	for (size_t i = 0; i < o->count; i++) {
		const struct outbox_entry *e = &o->entries[i];

		if (punch_place_compare(&e->place, &entry->place) >= 0)
			break;
		if (e->user == entry->user && e->day == entry->day && e->step != OUTBOX_DONE)
			return false;
	}
	return true;
}

bool outbox_wants_more(const struct outbox *o, size_t could_go, size_t want)
{
	return !o->complete && could_go < want && o->count < OUTBOX_MAX;
}
