#include "daemon/forward.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "base/backoff.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/time.h"
#include "core/identity.h"
#include "core/outbox.h"
#include "core/settle.h"
#include "daemon/settlement.h"
#include "store/store_punch.h"

#define WINDOW_FACTOR  4    /* a send window is at most so many times max_in_flight */
#define FILL_ROWS      512  /* rows of one reading of the outbox */
#define FRESH_MAX      1024 /* punches of one transaction that are remembered one by one */
#define SETTLE_MS      1000 /* an answer waits at most so long for its commit */
#define SETTLE_COUNT   50
#define STORE_RETRY_MS 1000
#define REFUSED_ALIKE  20 /* the same refusal so often in a row, of so many people: it is not them */
#define REFUSED_PEOPLE 5
#define ECHO_SHOWN_US  (60 * 60 * CLOCK_US_PER_S)
#define REFUSAL_WORDS  320

/* A frozen body that waits for its turn on the wire. */
struct body {
	int64_t seq;
	char user_id[CLOUD_ID_MAX + 1];
	char device_id[CLOUD_ID_MAX + 1];
	enum punch_type type;
	int64_t time_s;
	uint8_t wire_key[WIRE_KEY_SIZE];
};

/* A punch that came in the open transaction. */
struct fresh {
	struct outbox_entry entry;
	struct body body; /* of a claimed one */
};

struct refusals {
	char code[CLOUD_ID_MAX + 1];
	char param[CLOUD_ID_MAX + 1];
	int count;
	uint64_t people[REFUSED_PEOPLE];
	int people_count;
	bool stopped;
	char words[REFUSAL_WORDS];
};

struct forward {
	struct context *context;
	struct api_client *client;
	struct forward_events on;
	struct outbox outbox;
	struct settlements settlements;
	struct attempts attempts;

	struct body *ready; /* frozen and committed, not handed over yet; in order */
	size_t ready_count, ready_size;

	struct fresh *fresh;
	size_t fresh_count, fresh_size;
	size_t claims; /* of the fresh */
	bool fresh_overflow;

	uint64_t failed_user;      /* whose punch failed last: a probe takes another's */
	struct settlement suspect; /* a 403 that may be the punch's fault; seq 0: none */
	uint64_t suspect_user;
	struct refusals refusals;
	int64_t echo_us; /* monotonic: when an echo differed; 0: never */

	struct loop_timer *wake, *settle;
	int in_flight;
	bool stopping;
};

/* What a call carries to its answer. */
struct call {
	struct forward *f;
	int64_t seq;
};

static int64_t now_mono(const struct forward *f)
{
	return loop_now(f->context->loop).mono_us;
}

static void wake_in(struct forward *f, int64_t wait_us)
{
	if (wait_us >= 0 && wait_us < INT64_MAX / 2)
		loop_timer_set(f->wake, (wait_us + 999) / 1000);
}

void forward_wake(struct forward *f)
{
	if (!f->stopping)
		loop_timer_set(f->wake, 0);
}

/* ---- bodies */

static void body_of(const struct punch *p, struct body *ret)
{
	*ret = (struct body){.seq = p->seq, .type = p->type, .time_s = p->time_s};
	memcpy(ret->user_id, p->user_id, sizeof ret->user_id);
	memcpy(ret->device_id, p->device_id, sizeof ret->device_id);
	memcpy(ret->wire_key, p->wire_key, WIRE_KEY_SIZE);
}

static int ready_add(struct forward *f, const struct body *body)
{
	if (f->ready_count == f->ready_size) {
		struct body *ready = reallocarray(f->ready, f->ready_size + 32, sizeof *ready);

		if (!ready)
			return -ENOMEM;
		f->ready = ready;
		f->ready_size += 32;
	}
	f->ready[f->ready_count++] = *body;
	return 0;
}

static int freeze(struct forward *f, struct punch *p)
{
	p->frozen_us = loop_now(f->context->loop).wall_us;
	return identity_wire_key(p);
}

static void entry_of(const struct forward *f, const struct punch *p, struct outbox_entry *ret)
{
	*ret = (struct outbox_entry){
		.time_s = p->time_s,
		.seq = p->seq,
		.user = outbox_user_hash(p->user_id),
		.day = context_workday(f->context, p),
		.step = OUTBOX_WAITING,
		.frozen = p->frozen_us != 0,
	};
}

/* ---- settlements */

/* What is on disk now leaves the outbox, or waits in it as a punch that may be judged again. */
static void settlements_landed(struct forward *f)
{
	for (size_t i = 0; i < f->settlements.count; i++) {
		const struct settlement *one = &f->settlements.list[i];
		struct outbox_entry *e = outbox_find(&f->outbox, one->seq);

		/* A thawed one was judged again, and will be once more when its turn comes. */
		if (e && (one->step == SETTLE_DELIVERED || one->step == SETTLE_PARKED))
			outbox_remove(&f->outbox, one->seq);
		if (e && one->step == SETTLE_THAW)
			e->step = OUTBOX_WAITING;
	}
	f->settlements.count = 0;
	f->settlements.written = 0;
	loop_timer_stop(f->settle);
}

static void store_failed(struct forward *f, int error, const char *what)
{
	store_rollback(f->context->store);
	settlements_rolled_back(&f->settlements);
	context_store_failed(f->context, error, what);
	loop_timer_set(f->settle, STORE_RETRY_MS);
}

static int flush(struct forward *f)
{
	int r = settlements_write(&f->settlements, f->context);

	if (r == 0)
		r = store_commit(f->context->store);
	if (r < 0)
		store_failed(f, r, "writing what the API answered");
	else
		settlements_landed(f);
	return r;
}

static void on_settle(void *arg)
{
	struct forward *f = arg;

	if (f->settlements.count > 0 && flush(f) == 0)
		forward_wake(f);
}

static void settle_later(struct forward *f, const struct settlement *one)
{
	if (settlements_add(&f->settlements, one) < 0) {
		/* The punch stays frozen and queued: it goes again under its key after a restart. */
		log_error("no_memory", "ending: a restart loses nothing");
		loop_stop(f->context->loop, 1);
		return;
	}
	if (f->settlements.count >= SETTLE_COUNT)
		loop_timer_set(f->settle, 0);
	else if (!loop_timer_armed(f->settle))
		loop_timer_set(f->settle, SETTLE_MS);
}

static void thaw(struct forward *f, int64_t seq)
{
	const struct settlement one = {.seq = seq, .step = SETTLE_THAW, .outcome = API_NEVER_LEFT};
	struct outbox_entry *e = outbox_find(&f->outbox, seq);

	if (!e)
		return;
	if (e->in_doubt) {
		e->step = OUTBOX_WAITING; /* its body stands for ever */
		return;
	}
	e->frozen = false; /* and stays SENDING until that is on disk */
	settle_later(f, &one);
}

/* ---- filling the window */

struct filling {
	struct forward *f;
	int64_t time_s, seq;
	int error;
};

static int fill_one(void *arg, const struct punch *p)
{
	struct filling *filling = arg;
	struct outbox_entry e;

	entry_of(filling->f, p, &e);
	/* Frozen, and not by this run, which keeps its own in the window: it may have been sent. */
	e.in_doubt = e.frozen;
	filling->error = outbox_add(&filling->f->outbox, &e);
	if (filling->error < 0)
		return filling->error;
	filling->time_s = p->time_s;
	filling->seq = p->seq;
	return 0;
}

/* Read on behind the window's end. Returns 0 or an error. */
static int fill(struct forward *f)
{
	struct outbox *o = &f->outbox;
	struct filling filling = {.f = f, .time_s = o->end_time_s, .seq = o->end_seq};
	int n = store_outbox_read(
		f->context->store, o->end_time_s, o->end_seq, FILL_ROWS, fill_one, &filling);

	outbox_set_end(o, filling.time_s, filling.seq, n >= 0 && n < FILL_ROWS);
	if (filling.error == -ENOSPC)
		return 0;
	return n < 0 ? n : 0;
}

static int pick(struct forward *f, size_t most, int64_t *ret_seqs, size_t *ret_count)
{
	uint64_t not_user = api_client_probing(f->client) ? f->failed_user : 0;
	int64_t wait_until_us, now_us = now_mono(f);
	size_t n;
	int r = 0;

	for (;;) {
		n = outbox_pick(&f->outbox, now_us, not_user, most, ret_seqs, &wait_until_us);
		if (!outbox_wants_more(&f->outbox, n, most))
			break;
		r = fill(f);
		if (r < 0)
			return r;
	}
	if (n == 0 && wait_until_us != INT64_MAX)
		wake_in(f, wait_until_us - now_us);
	*ret_count = n;
	return 0;
}

/* ---- freezing the send window */

/* Make one picked punch ready. Returns 1, 0 (judged again, it is held now), or an error. */
static int make_ready(struct forward *f, int64_t seq)
{
	struct body body;
	struct punch p;
	int r = store_punch_get(f->context->store, seq, &p);

	if (r < 0)
		return r;
	if (p.frozen_us == 0) {
		context_judge(f->context, &p);
		if (p.state == PUNCH_QUEUED)
			r = freeze(f, &p);
		if (r == 0)
			r = store_punch_update(f->context->store, &p);
		if (r < 0)
			return r;
	}
	if (p.state != PUNCH_QUEUED)
		return 0;
	body_of(&p, &body);
	r = ready_add(f, &body);
	return r < 0 ? r : 1;
}

/* How many bodies may be frozen now: what the budget allows, and little enough. */
static size_t window_size(struct forward *f)
{
	int64_t most = WINDOW_FACTOR * f->context->config.api.max_in_flight;
	int64_t budget = api_client_budget(f->client);

	return (size_t)(budget < most ? budget : most);
}

/* Fill the ready list: one commit for all of it. Returns how many are ready, or an error. */
static int freeze_window(struct forward *f)
{
	static int64_t seqs[WINDOW_FACTOR * 256];
	static bool held[WINDOW_FACTOR * 256];
	size_t most = window_size(f), n;
	int r = pick(f, most, seqs, &n);

	for (size_t i = 0; i < n && r >= 0; i++) {
		r = make_ready(f, seqs[i]);
		held[i] = r == 0;
	}
	if (r >= 0 && n > 0)
		r = forward_join(f);
	if (r >= 0)
		r = store_commit(f->context->store);
	if (r < 0) {
		f->ready_count = 0;
		store_failed(f, r, "freezing what is to be sent");
		return r;
	}
	if (n > 0 && f->settlements.written > 0)
		settlements_landed(f);
	for (size_t i = 0; i < n; i++) {
		struct outbox_entry *e = outbox_find(&f->outbox, seqs[i]);

		if (held[i]) {
			outbox_remove(&f->outbox, seqs[i]);
		} else if (e) {
			e->step = OUTBOX_SENDING;
			e->frozen = true;
		}
	}
	if (n > 0 && f->ready_count == 0)
		forward_wake(f); /* all of them are held now: the next ones */
	return (int)f->ready_count;
}

/* ---- answers */

static void note_refusal(struct forward *f, const struct api_reply *reply, uint64_t user)
{
	struct refusals *row = &f->refusals;

	if (row->count == 0 || strcmp(row->code, reply->code) != 0 ||
		strcmp(row->param, reply->param) != 0) {
		*row = (struct refusals){.count = 0};
		punch_text_cut(row->code, sizeof row->code, reply->code);
		punch_text_cut(row->param, sizeof row->param, reply->param);
	}
	row->count++;
	for (int i = 0; i < row->people_count; i++) {
		if (row->people[i] == user)
			user = 0;
	}
	if (user != 0 && row->people_count < REFUSED_PEOPLE)
		row->people[row->people_count++] = user;
	if (row->stopped || row->count < REFUSED_ALIKE || row->people_count < REFUSED_PEOPLE)
		return;
	row->stopped = true;
	snprintf(row->words, sizeof row->words,
		"the API refused the last %d punches alike (%s%s%s): forwarding pauses; mend what "
		"they "
		"share, then SIGHUP or a new key goes on",
		row->count, row->code, row->param[0] ? ", " : "", row->param);
}

/* Its own backoff, for a punch that the destination fails on while others may pass. */
static void back_off(struct forward *f, struct outbox_entry *e)
{
	struct backoff b;

	backoff_init(&b, f->context->config.api.retry_min_ms, f->context->config.api.retry_max_ms);
	b.ceiling_ms = e->backoff_ms;
	e->not_before_us = now_mono(f) + backoff_next_ms(&b, loop_random(f->context->loop)) * 1000;
	e->backoff_ms = b.ceiling_ms;
}

static void suspect_settle(struct forward *f)
{
	struct outbox_entry *e = outbox_find(&f->outbox, f->suspect.seq);

	if (e && e->step == OUTBOX_WAITING) {
		e->step = OUTBOX_DONE;
		settle_later(f, &f->suspect);
	}
	f->suspect.seq = 0;
}

/* A 403 is the key's fault until another user's punch passes; then it was this punch's. */
static void take_forbidden(
	struct forward *f, const struct settlement *one, const struct outbox_entry *e)
{
	if (f->suspect.seq != 0 && f->suspect_user != e->user) {
		f->suspect.seq = 0; /* both: it is the key */
		return;
	}
	f->suspect = *one;
	f->suspect.step = SETTLE_PARKED;
	f->suspect_user = e->user;
}

static void take_delivered(struct forward *f, struct outbox_entry *e)
{
	f->refusals.count = 0;
	if (f->failed_user == e->user)
		f->failed_user = 0;
	if (f->suspect.seq == 0)
		return;
	if (f->suspect_user == e->user)
		f->suspect.seq = 0;
	else
		suspect_settle(f);
}

/* Whether a failure may be the punch's, so that it must not stand before others' for ever. */
static bool may_be_its_fault(enum api_outcome outcome)
{
	switch (outcome) {
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_LOST:
	case API_GARBLED:
	case API_ROAD_FAULT: return true;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT:
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_NEVER_LEFT:
	case API_CANCELLED: return false;
	}
	return false;
}

/* It goes again with the same body. */
static void take_again(struct forward *f, struct outbox_entry *e, const struct settlement *one)
{
	bool news = one->step == SETTLE_IN_DOUBT || one->step == SETTLE_LATER;

	e->step = OUTBOX_WAITING;
	f->failed_user = e->user;
	if (may_be_its_fault(one->outcome))
		back_off(f, e);
	if (one->step == SETTLE_LATER) {
		e->conflicts++;
		e->not_before_us = now_mono(f) + CONFLICT_WAIT_US;
	}
	if (news && !e->in_doubt)
		settle_later(f, one);
	e->in_doubt = e->in_doubt || news;
}

static void settlement_of(const struct forward *f, const struct api_reply *reply,
	const struct outbox_entry *e, struct settlement *ret)
{
	*ret = (struct settlement){
		.seq = e->seq,
		.step = settle_step(reply->outcome, e->conflicts),
		.outcome = reply->outcome,
		.status = reply->status,
		.tries = e->tries,
		.now_us = loop_now(f->context->loop).wall_us,
		.in_doubt = e->in_doubt,
	};
	punch_text_set(ret->att_id, sizeof ret->att_id, reply->id);
	punch_text_cut(ret->code, sizeof ret->code, reply->code);
	punch_text_cut(ret->message, sizeof ret->message, reply->message);
	punch_text_cut(ret->param, sizeof ret->param, reply->param);
}

static void log_answer(const struct api_reply *reply, int64_t seq)
{
	enum log_level level = reply->outcome == API_DONE ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

	log_put(level, "sent", "the API answered for a punch",
		LOG_LIST(LOG_I("seq", seq), LOG_S("outcome", api_outcome_name(reply->outcome)),
			LOG_I("status", reply->status), LOG_S("code", reply->code),
			LOG_S("message", reply->message)));
}

static void take_answer(struct forward *f, struct outbox_entry *e, const struct api_reply *reply)
{
	const struct attempt attempt = {.seq = e->seq,
		.at_us = reply->sent.wall_us,
		.outcome = reply->outcome,
		.status = reply->status};
	struct settlement one;

	if (e->tries < UINT16_MAX)
		e->tries++;
	attempts_add(&f->attempts, &attempt);
	settlement_of(f, reply, e, &one);
	switch (one.step) {
	case SETTLE_DELIVERED:
		e->step = OUTBOX_DONE;
		take_delivered(f, e);
		settle_later(f, &one);
		break;
	case SETTLE_PARKED:
		e->step = OUTBOX_DONE;
		if (reply->outcome == API_REFUSED)
			note_refusal(f, reply, e->user);
		settle_later(f, &one);
		break;
	case SETTLE_THAW:
		f->failed_user = e->user;
		thaw(f, e->seq);
		break;
	case SETTLE_SUSPECT:
		take_forbidden(f, &one, e);
		take_again(f, e, &one);
		break;
	case SETTLE_AGAIN:
	case SETTLE_IN_DOUBT:
	case SETTLE_LATER: take_again(f, e, &one); break;
	}
}

static void on_reply(void *arg, const struct api_reply *reply)
{
	struct call *call = arg;
	struct forward *f = call->f;
	struct outbox_entry *e = outbox_find(&f->outbox, call->seq);

	f->in_flight--;
	/* Closing: it stays frozen and queued, which says all there is to say. */
	if (reply->outcome != API_CANCELLED) {
		log_answer(reply, call->seq);
		if (reply->date_s > 0)
			f->on.server_date(f->on.arg, reply->date_s, reply->sent, reply->received);
		if (reply->echo_differs)
			f->echo_us = reply->received.mono_us;
		if (e)
			take_answer(f, e, reply);
		forward_wake(f);
	}
	free(call);
}

/* ---- sending */

static int send_one(struct forward *f, const struct body *body)
{
	char timestamp[TIME_TEXT_SIZE], key[WIRE_KEY_SIZE * 2 + 1];
	const struct api_attendance a = {
		.user_id = body->user_id,
		.device_id = body->device_id,
		.type = punch_type_name(body->type),
		.timestamp = time_format_utc(body->time_s, -1, timestamp),
		.key = hex_encode(body->wire_key, WIRE_KEY_SIZE, key),
	};
	struct call *call = malloc(sizeof *call);
	int r;

	if (!call)
		return -ENOMEM;
	*call = (struct call){.f = f, .seq = body->seq};
	r = api_attendance_create(f->client, &a, on_reply, call);
	if (r < 0)
		free(call);
	else
		f->in_flight++;
	return r;
}

/* Hand over what is ready, as far as there is room. */
static void send_ready(struct forward *f, int room)
{
	size_t sent = 0;

	while (sent < f->ready_count && (int)sent < room && send_one(f, &f->ready[sent]) == 0)
		sent++;
	f->ready_count -= sent;
	memmove(f->ready, f->ready + sent, f->ready_count * sizeof *f->ready);
}

/* While the destination is away nothing but a probe's punch stays frozen, so that what was judged
 * wrongly can still be mended. */
static void thaw_ready(struct forward *f)
{
	for (size_t i = 0; i < f->ready_count; i++)
		thaw(f, f->ready[i].seq);
	f->ready_count = 0;
}

static bool is_away(const struct forward *f)
{
	struct api_status status;

	api_client_status(f->client, &status);
	switch (status.state) {
	case API_STATE_OK:
	case API_STATE_RATE_LIMITED: return false;
	case API_STATE_BACKOFF:
	case API_STATE_AUTH_FAILED:
	case API_STATE_OFFLINE: return true;
	}
	return true;
}

static void pump(struct forward *f)
{
	int64_t wait_us;
	int room;

	if (f->ready_count > 0 && (is_away(f) || f->refusals.stopped))
		thaw_ready(f);
	while (!f->refusals.stopped) {
		room = api_client_room(f->client, API_CLASS_PUNCH, &wait_us);
		if (room <= 0) {
			wake_in(f, wait_us);
			return;
		}
		if (f->ready_count == 0 && freeze_window(f) <= 0)
			return;
		send_ready(f, room);
		if (f->ready_count > 0)
			return; /* an answer makes room */
	}
}

static void on_wake(void *arg)
{
	struct forward *f = arg;

	if (!f->stopping && !f->context->stopping)
		pump(f);
}

/* ---- sharing a transaction */

/* Whether anything in the window waits for its turn: then a new punch does not go before it. */
static bool anything_waits(const struct forward *f)
{
	if (f->ready_count > 0 || !f->outbox.complete)
		return true;
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

	if (f->stopping || f->refusals.stopped || f->fresh_overflow || anything_waits(f) ||
		api_client_probing(f->client))
		return;
	room = api_client_room(f->client, API_CLASS_PUNCH, &wait_us);
	entry_of(f, p, &e);
	if (room <= (int)f->claims || fresh_blocks(f, &e) ||
		!outbox_unblocked(&f->outbox, e.user, e.day, e.time_s))
		return;
	if (freeze(f, p) < 0)
		p->frozen_us = 0;
}

void forward_added(struct forward *f, const struct punch *p)
{
	struct fresh *one;

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
		return;
	}
	one = &f->fresh[f->fresh_count++];
	entry_of(f, p, &one->entry);
	body_of(p, &one->body);
	if (p->frozen_us != 0)
		f->claims++;
}

int forward_join(struct forward *f)
{
	return settlements_write(&f->settlements, f->context);
}

static void fresh_land(struct forward *f, struct fresh *one)
{
	struct outbox *o = &f->outbox;
	int r;

	if (one->entry.frozen)
		one->entry.step = OUTBOX_SENDING;
	else if (!outbox_covers(o, one->entry.time_s, one->entry.seq))
		return;
	r = outbox_add(o, &one->entry);
	if (r == 0 && one->entry.frozen)
		r = ready_add(f, &one->body);
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
			settlements_landed(f);
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

/* ---- life */

int forward_new(struct context *context, struct api_client *client,
	const struct forward_events *events, struct forward **ret_forward)
{
	struct forward *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	*f = (struct forward){.context = context, .client = client, .on = *events};
	outbox_init(&f->outbox);
	f->wake = loop_timer_new(context->loop, on_wake, f);
	f->settle = loop_timer_new(context->loop, on_settle, f);
	if (!f->wake || !f->settle) {
		forward_free(f);
		return -ENOMEM;
	}
	*ret_forward = f;
	return 0;
}

void forward_free(struct forward *f)
{
	if (!f)
		return;
	loop_timer_free(f->wake);
	loop_timer_free(f->settle);
	outbox_done(&f->outbox);
	settlements_done(&f->settlements);
	attempts_done(&f->attempts);
	free(f->ready);
	free(f->fresh);
	free(f);
}

void forward_resume(struct forward *f)
{
	f->refusals = (struct refusals){.count = 0};
	api_client_resume(f->client);
	forward_wake(f);
}

void forward_stop(struct forward *f)
{
	f->stopping = true;
	loop_timer_stop(f->wake);
	thaw_ready(f);
	flush(f);
}

int forward_in_flight(const struct forward *f)
{
	return f->in_flight;
}

const char *forward_refusing(const struct forward *f)
{
	return f->refusals.stopped ? f->refusals.words : NULL;
}

bool forward_echo_differed(const struct forward *f)
{
	return f->echo_us != 0 && now_mono(f) - f->echo_us < ECHO_SHOWN_US;
}

const struct attempts *forward_attempts(const struct forward *f)
{
	return &f->attempts;
}

int forward_tries(const struct forward *f, int64_t seq)
{
	const struct outbox_entry *e = outbox_find(&f->outbox, seq);

	return e ? e->tries : 0;
}

bool forward_in_doubt(const struct forward *f, const struct punch *p)
{
	const struct outbox_entry *e;

	if (p->state != PUNCH_QUEUED || p->frozen_us == 0)
		return (p->flags & FLAG_IN_DOUBT) && !punch_settled(p->state);
	e = outbox_find(&f->outbox, p->seq);
	return e ? e->in_doubt : true;
}
