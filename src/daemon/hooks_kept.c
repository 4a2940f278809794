/* Which punch a record is of, and records that came while that was not decided. */
#include "base/hex.h"
#include "base/log.h"
#include "daemon/hooks_private.h"
#include "store/store_punch.h"

#define KEEP_US  (3600 * CLOCK_US_PER_S)
#define LOOK_MS  10000
#define RETRY_MS 1000

/* ---- matching */

struct match {
	struct hooks *h;
	const struct event_record *record;
	bool known; /* a punch has this very record */
	struct punch doubt, doubled;
	bool has_doubt, has_doubled;
	int64_t under_way; /* seq; 0: none */
};

static bool is_claimed(const struct hooks *h, const struct event_record *r, int64_t seq)
{
	for (int i = 0; i < h->kept_count; i++) {
		if (h->kept[i].seq == seq && &h->kept[i].record != r)
			return true;
	}
	return false;
}

/* Whether the cloud may have got it twice, and now shows another record than was settled by. */
static bool is_doubled(const struct punch *p)
{
	return p->state == PUNCH_DELIVERED && p->flags & FLAG_IN_DOUBT && p->att_id[0];
}

static int match_one(void *arg, const struct punch *p)
{
	struct match *m = arg;

	m->known = m->known || strcmp(p->att_id, m->record->att_id) == 0;
	if (!event_proves(m->record, p))
		return 0;
	switch (forward_stand(m->h->forward, p)) {
	case FORWARD_STAND_IN_DOUBT:
		if (!m->has_doubt)
			m->doubt = *p;
		m->has_doubt = true;
		break;
	case FORWARD_STAND_UNDER_WAY:
		if (m->under_way == 0 && !is_claimed(m->h, m->record, p->seq))
			m->under_way = p->seq;
		break;
	case FORWARD_STAND_NONE:
		if (!m->has_doubled && is_doubled(p)) {
			m->doubled = *p;
			m->has_doubled = true;
		}
		break;
	}
	return 0;
}

static int settle(struct hooks *h, struct punch *p, const struct event_record *r)
{
	char id[IDENTITY_SIZE * 2 + 1];

	log_info("webhook_settled",
		"an event of the cloud says that it has a punch whose answer was lost",
		LOG_S("id", hex_encode(p->identity, IDENTITY_SIZE, id)),
		LOG_S("att_id", r->att_id));
	return forward_confirm(h->forward, p, r->att_id);
}

int hooks_match(
	struct hooks *h, const struct event_record *r, enum fate *ret_fate, int64_t *ret_seq)
{
	struct match m = {.h = h, .record = r};
	int n = store_frozen_read(
		h->context->store, r->user_id, r->device_id, r->type, r->time_s, match_one, &m);

	*ret_fate = FATE_IGNORED;
	if (n < 0 || m.known)
		return n < 0 ? n : 0;
	if (m.has_doubt) {
		*ret_fate = FATE_SETTLED;
		return settle(h, &m.doubt, r);
	}
	if (m.under_way != 0) {
		*ret_fate = FATE_KEPT;
		*ret_seq = m.under_way;
	} else if (m.has_doubled) {
		*ret_fate = FATE_TAKEN;
		cloudmarks_doubled(h->context, &m.doubled, m.doubled.att_id, r->att_id);
	}
	return 0;
}

/* ---- what is kept */

static void drop(struct hooks *h, int i)
{
	h->kept_count--;
	memmove(&h->kept[i], &h->kept[i + 1], (size_t)(h->kept_count - i) * sizeof *h->kept);
}

void hooks_keep(struct hooks *h, const struct store_kept_event *kept)
{
	if (h->kept_count == HOOKS_KEPT_MAX)
		drop(h, 0);
	h->kept[h->kept_count++] = *kept;
	/* An answer may have been lost since the record was looked at. */
	if (h->ready)
		loop_timer_set(h->look, 0);
}

static bool is_expired(const struct hooks *h, const struct store_kept_event *kept)
{
	int64_t age_us = loop_now(h->context->loop).wall_us - kept->at_us;

	return age_us > KEEP_US || age_us < -KEEP_US;
}

int hooks_kept_load(struct hooks *h)
{
	struct store_kept_event one = {.number = 0};
	int r;

	while ((r = store_event_kept(h->context->store, one.number, &one)) > 0) {
		if (!is_expired(h, &one))
			hooks_keep(h, &one);
	}
	return r;
}

/* In the open transaction. Sets *ret_over where it is kept no longer. Returns 0 or a store error. */
static int look_at(struct hooks *h, const struct store_kept_event *kept, bool *ret_over)
{
	enum fate fate;
	int64_t seq = 0;
	int r = hooks_match(h, &kept->record, &fate, &seq);

	*ret_over = fate != FATE_KEPT || is_expired(h, kept);
	/* Nothing is written where an answer has said the same: the next run would see it, too. */
	if (r == 0 && fate == FATE_SETTLED)
		r = store_event_used(h->context->store, kept->number);
	return r;
}

static int look_at_all(struct hooks *h, bool *over)
{
	int r = store_begin(h->context->store);

	if (r == 0)
		r = forward_join(h->forward);
	for (int i = 0; i < h->kept_count && r == 0; i++)
		r = look_at(h, &h->kept[i], &over[i]);
	if (r == 0)
		r = store_commit(h->context->store);
	if (r < 0)
		store_rollback(h->context->store);
	forward_ended(h->forward, r == 0);
	return r;
}

void hooks_look(struct hooks *h)
{
	static bool over[HOOKS_KEPT_MAX];
	int r;

	if (h->kept_count == 0 || h->context->stopping)
		return;
	memset(over, 0, sizeof over);
	r = look_at_all(h, over);
	if (r < 0) {
		context_store_failed(h->context, r, "settling by what the cloud told");
		loop_timer_set(h->look, RETRY_MS);
		return;
	}
	for (int i = h->kept_count - 1; i >= 0; i--) {
		if (over[i])
			drop(h, i);
	}
	if (h->kept_count > 0)
		loop_timer_set(h->look, LOOK_MS);
}
