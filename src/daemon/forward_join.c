/* Punches that come while it runs: one transaction with intake, or with a re-judging. */
#include "daemon/forward_private.h"

#define FRESH_MAX 1024 /* punches of one transaction that are remembered one by one */

/* Whether anything in the window waits for its turn, or to be judged again: then a new punch does not
 * go before it. */
static bool anything_waits(const struct forward *f)
{
	if (f->ready_count > 0 || !f->outbox.complete)
		return true;
	for (size_t i = 0; i < f->settlements.count; i++) {
		if (f->settlements.list[i].step == SETTLE_THAW)
			return true;
	}
	for (size_t i = 0; i < f->outbox.count; i++) {
		if (f->outbox.entries[i].step == OUTBOX_WAITING)
			return true;
	}
	return false;
}

static bool fresh_blocks(const struct forward *f, const struct outbox_entry *e)
{
	for (size_t i = 0; i < f->fresh_count; i++) {
		const struct outbox_entry *other = &f->fresh[i].entry;

		if (f->fresh[i].gone)
			continue;
		if (!other->frozen || (other->user == e->user && other->day == e->day))
			return true;
	}
	return false;
}

void forward_claim(struct forward *f, struct punch *p)
{
	struct outbox_entry e;
	int64_t wait_us;
	int room;

	if (f->stopping || f->refusals.stopped || f->context->rejudging || f->fresh_overflow ||
		anything_waits(f) || api_client_probing(f->client))
		return;
	room = api_client_room(f->client, API_CLASS_PUNCH, &wait_us);
	forward_entry_of(f, p, &e);
	if (room <= (int)f->claims || fresh_blocks(f, &e) || !outbox_is_first(&f->outbox, &e))
		return;
	if (forward_freeze(f, p) < 0)
		p->frozen_us = 0;
}

/* A place in the list, or NULL: then the window is read again. */
static struct fresh *remember(struct forward *f)
{
	if (f->fresh_count == f->fresh_size && f->fresh_size < FRESH_MAX) {
		size_t size = f->fresh_size ? f->fresh_size * 2 : 32;
		struct fresh *fresh = reallocarray(f->fresh, size, sizeof *fresh);

		if (fresh) {
			f->fresh = fresh;
			f->fresh_size = size;
		}
	}
	if (f->fresh_count == f->fresh_size) {
		f->fresh_overflow = true;
		return NULL;
	}
	return &f->fresh[f->fresh_count++];
}

void forward_added(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (!one)
		return;
	*one = (struct fresh){.claimed = p->frozen_us != 0};
	forward_entry_of(f, p, &one->entry);
	forward_body_of(p, &one->body);
	f->claims += one->claimed;
}

void forward_returned(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (!one)
		return;
	*one = (struct fresh){.claimed = false};
	forward_entry_of(f, p, &one->entry);
	one->entry.in_doubt = one->entry.frozen;
}

void forward_moved(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (one)
		*one = (struct fresh){
			.gone = true, .left = p->state != PUNCH_QUEUED, .entry.seq = p->seq};
	if (p->state == PUNCH_QUEUED)
		forward_returned(f, p);
}

int forward_join(struct forward *f)
{
	return settlements_write(&f->settlements, f->judging);
}

static void fresh_land(struct forward *f, struct fresh *one)
{
	struct outbox *o = &f->outbox;
	const struct outbox_entry *e = outbox_find(o, one->entry.seq);
	int r;

	if (one->gone) {
		/* What is frozen does not move. */
		if (e && e->step == OUTBOX_WAITING && (!e->frozen || one->left))
			outbox_remove(o, one->entry.seq);
		return;
	}
	if (one->claimed)
		one->entry.step = OUTBOX_SENDING;
	else if (!outbox_covers(o, &one->entry.place))
		return;
	r = outbox_add(o, &one->entry);
	if (r == 0 && one->claimed)
		r = forward_ready_add(f, &one->body);
	/* No room, or no memory: all is in the store, from which the window is read again. */
	if (r < 0)
		outbox_rewind(o);
}

void forward_ended(struct forward *f, bool committed)
{
	if (!committed) {
		settlements_rolled_back(&f->settlements);
	} else {
		if (f->settlements.written > 0)
			forward_settlements_landed(f);
		if (f->fresh_overflow)
			outbox_rewind(&f->outbox);
		for (size_t i = 0; i < f->fresh_count; i++)
			fresh_land(f, &f->fresh[i]);
		if (f->fresh_count > 0 || f->fresh_overflow)
			forward_wake(f);
	}
	f->fresh_count = 0;
	f->claims = 0;
	f->fresh_overflow = false;
}
