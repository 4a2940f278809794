/* Punches that come while it runs: one transaction with intake, or with a re-judging. */
#include "daemon/forward_private.h"

#define FRESH_MAX 1024 /* punches of one transaction that are remembered one by one */

/* Whether a punch waits to be judged again: then a new one does not go before it. */
static bool anything_thaws(const struct forward *f)
{
	for (size_t i = 0; i < f->settlements.count; i++) {
		if (f->settlements.list[i].step == SETTLE_THAW)
			return true;
	}
	return false;
}

static bool fresh_blocks(const struct forward *f, const struct outbox_punch *p)
{
	for (size_t i = 0; i < f->fresh_count; i++) {
		const struct outbox_punch *other = &f->fresh[i].punch;

		if (f->fresh[i].gone)
			continue;
		if (!other->frozen ||
			(other->day == p->day && strcmp(f->fresh[i].body.user_id, p->user_id) == 0))
			return true;
	}
	return false;
}

void forward_claim(struct forward *f, struct punch *p)
{
	struct outbox_punch o;
	int64_t wait_us;
	int room;

	if (f->stopping || forward_halts(f) || f->context->rejudging || f->fresh_overflow ||
		f->ready_count > 0 || anything_thaws(f) || api_client_probing(f->client))
		return;
	room = api_client_room(f->client, API_CALL_ATTENDANCE, &wait_us);
	forward_outbox_punch(f, p, &o);
	if (room <= (int)f->claims || fresh_blocks(f, &o) || !outbox_may_go_at_once(&f->outbox, &o))
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

/* All of it, with texts of its own. */
static void fresh_set(const struct forward *f, struct fresh *one, const struct punch *p)
{
	*one = (struct fresh){.claimed = false};
	forward_outbox_punch(f, p, &one->punch);
	forward_body_of(p, &one->body);
	snprintf(one->terminal, sizeof one->terminal, "%s", p->terminal);
}

void forward_added(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (!one)
		return;
	fresh_set(f, one, p);
	one->claimed = p->frozen_us != 0;
	one->punch.in_doubt = false;
	f->claims += one->claimed;
}

void forward_returned(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (one)
		fresh_set(f, one, p);
}

void forward_moved(struct forward *f, const struct punch *p)
{
	struct fresh *one = remember(f);

	if (one)
		*one = (struct fresh){
			.gone = true, .left = p->state != PUNCH_QUEUED, .punch.seq = p->seq};
	if (p->state == PUNCH_QUEUED)
		forward_returned(f, p);
}

int forward_join(struct forward *f)
{
	return settlements_write(&f->settlements, f->judging);
}

static void fresh_gone(struct outbox *o, const struct fresh *one)
{
	const struct outbox_entry *e = outbox_find(o, one->punch.seq);

	/* What is frozen does not move. */
	if (e && e->step == OUTBOX_WAITING && (!e->frozen || one->left))
		outbox_remove(o, one->punch.seq);
}

static void fresh_land(struct forward *f, struct fresh *one)
{
	struct outbox *o = &f->outbox;
	int r;

	if (one->gone) {
		fresh_gone(o, one);
		return;
	}
	/* Remembered before the list grew: its texts may have moved with it. */
	one->punch.user_id = one->body.user_id;
	one->punch.terminal = one->terminal;
	r = one->claimed ? outbox_came_frozen(o, &one->punch) : outbox_came(o, &one->punch);
	if (r == 0 && one->claimed)
		r = forward_ready_add(f, &one->body);
	/* No room, or no memory: all is in the store, from which it is read again. */
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
