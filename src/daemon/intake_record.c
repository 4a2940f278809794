/* One record of a message: identified, judged, inserted, acknowledged; or parked with its bytes. */
#include <errno.h>

#include "base/log.h"
#include "core/identity.h"
#include "daemon/intake_private.h"
#include "daemon/rejudge.h"
#include "store/store_punch.h"

#define MALFORMED_MAX    1000 /* parked ones a terminal (JUDGING.md §10) */
#define SKEW_NEAR_S      3600
#define SKEW_FROM_US     (10 * CLOCK_US_PER_S) /* after connecting: what waited has come */
#define TIMELESS_SAME_US (24 * 3600 * CLOCK_US_PER_S)

static bool may_log(struct intake *in, const struct arrival *a)
{
	return bucket_take(&in->log_bucket, a->at.mono_us);
}

static void ack(struct intake *in, const struct arrival *a, const struct punch *p, bool duplicate)
{
	const struct dir_user *user = NULL;
	char reason[REASON_TEXT_SIZE];

	/* A profile has its own way to acknowledge. */
	if (a->reading || !a->sound_serial || p->record_id[0] == '\0')
		return;
	if (in->context->config.punches.greet && p->user_id[0])
		user = directory_user(&in->context->directory, p->user_id);
	acks_add(&in->acks, a->serial, p->record_id,
		duplicate ? "duplicate" : punch_state_name(p->state),
		duplicate ? "" : punch_reason_name(p->reason, reason), user ? user->name : "");
}

static void refuse(struct intake *in, struct arrival *a, const char *why)
{
	a->outcome = OUTCOME_REFUSED;
	store_tally(in->context->store)->refused++;
	if (may_log(in, a))
		log_warn("refused", why, LOG_S("terminal", a->serial));
}

/* By which profile a terminal speaks, once it has brought a punch: strangers' names are bounded so.
 * Where that changes, what is not sent yet was judged by another window. */
static int note_family(struct intake *in, const struct arrival *a, const char *terminal)
{
	struct context *c = in->context;
	int r;

	if (store_tap_number(c->store, terminal) == 0)
		return 0;
	r = families_note(
		&c->families, c->store, terminal, a->reading ? a->reading->profile : NULL);
	return r > 0 ? rejudge_mark(c->store) : r;
}

/* What its clock shows, told by punches that were not stored anywhere on their way. One that does not
 * say whether it is live passes for it when it is not far off. */
static void learn_skew(struct intake *in, const struct arrival *a, const struct punch *p)
{
	int64_t off_s = p->time_s - p->received_us / CLOCK_US_PER_S;
	bool near = off_s > -SKEW_NEAR_S && off_s < SKEW_NEAR_S;

	if (p->has_time && p->time_sent[0] && (p->flags & FLAG_TRUSTED) && !a->m->retained &&
		!a->m->dup && a->at.mono_us - in->connected_us > SKEW_FROM_US &&
		((p->flags & FLAG_LIVE) || (!(p->flags & FLAG_STORED) && near)))
		terminals_punched(in->terminals, p->terminal, p->time_s, p->received_us);
}

/* Insert, with all that hangs on it. ack_it: it has an id, and what is kept of it is whole. */
static int add(struct intake *in, struct arrival *a, struct punch *p, const struct store_raw *raw,
	bool ack_it)
{
	struct store *s = in->context->store;
	int r;

	if (p->state == PUNCH_QUEUED)
		in->on.claim(in->on.arg, p);
	r = store_punch_add(s, p, raw);
	if (r == -EDQUOT) {
		refuse(in, a,
			"there are too many names of terminals already: strangers make them up");
		return 0;
	}
	if (r < 0)
		return r;
	a->outcome = r == 0 ? OUTCOME_DUPLICATE : OUTCOME_STORED;
	if (r == 0)
		store_tally(s)->duplicate++;
	else
		in->on.added(in->on.arg, p);
	if (ack_it)
		ack(in, a, p, r == 0);
	if (r == 0)
		return 0;
	learn_skew(in, a, p);
	r = judging_added(in->judging, p);
	return r < 0 ? r : note_family(in, a, p->terminal);
}

/* A punch with a record id and no time: is it one that came before? Returns 1, 0, or an error. */
static int same_timeless(struct intake *in, const struct arrival *a, struct punch *p,
	uint8_t ret_key[static IDENTITY_SIZE], bool *ret_before)
{
	struct context *c = in->context;
	int r = identity_timeless(p, ret_key);
	struct punch old;
	int64_t seq;

	*ret_before = false;
	if (r < 0)
		return r;
	seq = store_timeless_get(c->store, ret_key);
	if (seq <= 0)
		return (int)seq;
	r = store_punch_get(c->store, seq, &old);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret_before = true;
	if (a->m->dup)
		return 1;
	if (old.boot == p->boot)
		return p->mono_us - old.mono_us <= TIMELESS_SAME_US;
	return (old.flags & FLAG_TRUSTED) && (p->flags & FLAG_TRUSTED) &&
		p->received_us - old.received_us <= TIMELESS_SAME_US;
}

/* A punch without a time of its own (JUDGING.md §1, §2). */
static int take_timeless(struct intake *in, struct arrival *a, struct payload_record *record)
{
	struct context *c = in->context;
	struct punch *p = &record->punch;
	struct identity_arrival arrival = {
		.received_us = p->received_us, .boot_id = c->boot_id, .index = record->index};
	uint8_t key[IDENTITY_SIZE];
	bool before;
	int r;

	if (a->m->retained) {
		store_tally(c->store)->ignored++;
		return 0;
	}
	r = same_timeless(in, a, p, key, &before);
	if (r < 0)
		return r;
	if (r == 1) {
		store_tally(c->store)->duplicate++;
		a->outcome = OUTCOME_DUPLICATE;
		ack(in, a, p, true);
		return 0;
	}
	if (!a->counted)
		in->counter++;
	a->counted = true;
	in->counter_rose = true;
	arrival.counter = in->counter;
	/* The same id again after a day may be the old punch, or a counter that began anew. */
	if (a->waited || before)
		p->flags |= FLAG_WAITED;
	r = identity_of_punch(p, &arrival);
	if (r < 0)
		return r;
	r = judging_arrive(in->judging, p);
	if (r == 0)
		r = add(in, a, p, NULL, true);
	return r < 0 || p->seq == 0 ? r : store_timeless_set(c->store, key, p->seq);
}

static bool is_stranger(struct context *c, const struct punch *p)
{
	return c->devices_pass_ms != 0 &&
		!directory_device(&c->directory, context_rules(c, p->terminal).serial);
}

/* Whether its terminal waits for our acknowledgement, and keeps the punch without one. */
static bool awaits_ack(const struct arrival *a)
{
	return !a->reading || a->reading->profile->ack.letter.topic;
}

static int take_punch(struct intake *in, struct arrival *a, struct payload_record *record)
{
	struct context *c = in->context;
	struct punch *p = &record->punch;
	int r;

	if (c->disk_tight && is_stranger(c, p) && awaits_ack(a)) {
		c->disk_refused = true;
		refuse(in, a,
			"the disk is nearly full, and this terminal is no known device: not "
			"stored, "
			"it keeps its punches");
		return 0;
	}
	if (p->time_sent[0] == '\0')
		return take_timeless(in, a, record);
	r = identity_of_punch(p, NULL);
	if (r < 0)
		return r;
	r = note_family(in, a, p->terminal);
	if (r < 0)
		return r;
	if (record->kind == PAYLOAD_BAD_TIME)
		verdict_park(p, REASON_BAD_TIME, record->fault);
	else
		r = judging_arrive(in->judging, p);
	return r < 0 ? r : add(in, a, p, NULL, true);
}

/* Whether one more of what cannot be read may be kept. Returns 1, 0 (refused), or an error. */
static int may_keep_malformed(struct intake *in, struct arrival *a)
{
	int64_t n;

	if (in->context->disk_tight) {
		in->context->disk_refused = true;
		refuse(in, a,
			"the disk is nearly full: a message that cannot be read was not kept");
		return 0;
	}
	n = store_malformed_count(in->context->store, a->serial);
	if (n < 0)
		return (int)n;
	if (n < MALFORMED_MAX)
		return 1;
	refuse(in, a,
		"1000 messages of this terminal that cannot be read wait for a person already: "
		"not kept");
	return 0;
}

/* Returns the length of what is kept, or -ENOMEM. */
static int keep(struct arrival *a, const struct payload *payload,
	const struct payload_record *record, char ret[static PAYLOAD_RAW_MAX], bool *ret_full)
{
	if (a->reading)
		return profile_reading_raw(a->reading, record, ret, ret_full);
	return (int)payload_raw(payload, record, a->m->payload, a->m->length, ret, ret_full);
}

/* Park what cannot be read, with topic and bytes. */
int intake_park(struct intake *in, struct arrival *a, const struct payload *payload,
	const struct payload_record *record, int reason)
{
	struct punch p = record->punch;
	char kept[PAYLOAD_RAW_MAX];
	struct store_raw raw = {.topic = a->m->topic,
		.bytes = kept,
		.full_length = (int64_t)a->m->length,
		.sha256 = a->sha256};
	bool whole_kept;
	int r = may_keep_malformed(in, a);

	if (r <= 0)
		return r;
	if (may_log(in, a))
		log_warn("malformed", "a message that is no punch is parked with its bytes",
			LOG_S("terminal", a->serial), LOG_S("fault", record->fault),
			LOG_S("topic", a->m->topic), LOG_I("bytes", (int64_t)a->m->length));
	r = identity_of_malformed(
		a->m->topic, a->sha256, record->whole ? 0 : record->index, p.identity);
	if (r < 0)
		return r;
	r = keep(a, payload, record, kept, &whole_kept);
	if (r < 0)
		return r;
	raw.length = (size_t)r;
	verdict_park(&p, reason, record->fault);
	return add(in, a, &p, &raw, whole_kept);
}

int intake_record(struct intake *in, struct arrival *a, const struct payload *payload,
	struct payload_record *record)
{
	struct punch *p = &record->punch;

	punch_text_set(p->terminal, sizeof p->terminal, a->serial);
	p->received_us = a->at.wall_us;
	p->mono_us = a->at.mono_us;
	p->boot = in->context->boot;
	if (in->context->clock.trusted)
		p->flags |= FLAG_TRUSTED;
	switch (record->kind) {
	case PAYLOAD_PUNCH:
	case PAYLOAD_BAD_TIME: return take_punch(in, a, record);
	case PAYLOAD_MALFORMED: return intake_park(in, a, payload, record, REASON_MALFORMED);
	case PAYLOAD_TOO_LARGE: return intake_park(in, a, payload, record, REASON_TOO_LARGE);
	case PAYLOAD_IGNORED: store_tally(in->context->store)->ignored++; return 0;
	}
	return 0;
}
