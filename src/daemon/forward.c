#include "daemon/forward.h"

#include <errno.h>
#include <inttypes.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/time.h"
#include "core/identity.h"
#include "daemon/forward_private.h"
#include "store/store_punch.h"

#define WINDOW_FACTOR 4 /* a send window is at most so many times max_in_flight */
#define ECHO_SHOWN_US (60 * 60 * CLOCK_US_PER_S)

/* What a call carries to its answer. */
struct call {
	struct forward *f;
	int64_t seq;
	struct send_mark mark;
};

int64_t forward_now_mono(const struct forward *f)
{
	return loop_now(f->context->loop).mono_us;
}

void forward_wake_in(struct forward *f, int64_t wait_us)
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

void forward_body_of(const struct punch *p, struct body *ret)
{
	*ret = (struct body){.seq = p->seq, .type = p->type, .time_s = p->time_s};
	memcpy(ret->user_id, p->user_id, sizeof ret->user_id);
	memcpy(ret->device_id, p->device_id, sizeof ret->device_id);
	memcpy(ret->wire_key, p->wire_key, WIRE_KEY_SIZE);
}

int forward_ready_add(struct forward *f, const struct body *body)
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

int forward_freeze(struct forward *f, struct punch *p)
{
	struct moment now = loop_now(f->context->loop);

	p->frozen_us = now.wall_us;
	/* Only an event asks for it. */
	if (!f->context->config.webhook.listen[0] ||
		!cloudclock_at(&f->context->cloudclock, now, &p->frozen_cloud_us))
		p->frozen_cloud_us = 0;
	return identity_wire_key(p);
}

/* ---- freezing the send window */

/* What came of a picked punch that was to be made ready. */
enum readiness {
	READY,
	HELD,  /* judged again, it waits for something now */
	MOVED, /* judged again, it has another place: it is somebody else's, or of another time */
};

/* Judge a punch for the last time. Returns an enum readiness, or an error. */
static int judge_and_freeze(struct forward *f, struct punch *p)
{
	struct outbox_punch place;
	int r = judging_again(f->judging, p, false);

	if (r < 0)
		return r;
	if (p->state != PUNCH_QUEUED)
		return HELD;
	forward_outbox_punch(f, p, &place);
	if (outbox_move(&f->outbox, &place))
		return MOVED;
	r = forward_freeze(f, p);
	if (r == 0)
		r = judging_frozen(f->judging, p);
	return r < 0 ? r : READY;
}

/* Make one picked punch ready. Returns an enum readiness, or an error. */
static int make_ready(struct forward *f, int64_t seq)
{
	struct body body;
	struct punch p;
	int what = READY, r = store_punch_get(f->context->store, seq, &p);

	/* A tap that came later may have taken it out of the queue. */
	if (r == 0 && p.state != PUNCH_QUEUED)
		return HELD;
	if (r == 0 && p.frozen_us == 0)
		what = judge_and_freeze(f, &p);
	if (r == 0 && what < 0)
		r = what;
	if (r < 0 || what != READY)
		return r < 0 ? r : what;
	forward_body_of(&p, &body);
	r = forward_ready_add(f, &body);
	return r < 0 ? r : READY;
}

/* How many bodies may be frozen now: what the budget allows, and little enough. */
static size_t window_size(struct forward *f)
{
	int64_t most = WINDOW_FACTOR * f->context->config.api.max_in_flight;
	int64_t budget = api_client_budget(f->client);

	return (size_t)(budget < most ? budget : most);
}

/* Nothing came of it: they wait as before. */
static void put_back(struct forward *f, const int64_t *seqs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct outbox_entry *e = outbox_find(&f->outbox, seqs[i]);

		if (e) {
			e->step = OUTBOX_WAITING;
			outbox_changed(&f->outbox, e);
		}
	}
}

/* Fill the ready list: one commit for all of it. Returns how many are ready, or an error. */
static int freeze_window(struct forward *f)
{
	static int64_t seqs[WINDOW_FACTOR * 256];
	static uint8_t what[WINDOW_FACTOR * 256]; /* enum readiness */
	size_t most = window_size(f), n;
	int r = forward_pick(f, most, seqs, &n);

	/* What thaws is judged again first: others may get their direction from it. */
	if (r >= 0 && n > 0)
		r = forward_join(f);
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = make_ready(f, seqs[i]);
		what[i] = (uint8_t)(r >= 0 ? r : HELD);
	}
	if (r >= 0)
		r = store_commit(f->context->store);
	if (r < 0) {
		f->ready_count = 0;
		put_back(f, seqs, n);
		forward_store_failed(f, r, "freezing what is to be sent");
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		struct outbox_entry *e = outbox_find(&f->outbox, seqs[i]);

		if (what[i] == HELD)
			outbox_remove(&f->outbox, seqs[i]);
		else if (e && what[i] == READY)
			e->frozen = true;
	}
	if (n > 0)
		forward_ended(f, true);
	if (n > 0 && f->ready_count == 0)
		forward_wake(f); /* none of them may go now: the next ones */
	return (int)f->ready_count;
}

/* ---- sending */

static void log_answer(const struct api_reply *reply, int64_t seq)
{
	enum log_level level = reply->outcome == API_DONE ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

	log_put(level, "sent", "the API answered for a punch",
		LOG_LIST(LOG_I("seq", seq), LOG_S("outcome", api_outcome_name(reply->outcome)),
			LOG_I("status", reply->status), LOG_S("code", reply->code),
			LOG_S("message", reply->message)));
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
			f->on.server_date(f->on.arg, reply->date_s, api_moment_is(reply->sent),
				api_moment_is(reply->received));
		if (reply->echo_differs)
			f->echo_us = reply->received.mono_us;
		if (e) {
			forward_learn(f, e, &call->mark, reply);
			forward_take_answer(f, e, reply);
		}
		forward_wake(f);
	}
	free(call);
}

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
	*call = (struct call){.f = f, .seq = body->seq, .mark = forward_mark(f)};
	r = api_attendance_create(f->client, &a, on_reply, call);
	if (r < 0)
		free(call);
	else
		f->in_flight++;
	return r;
}

/* An earlier punch of that user's day may have come since the body froze: it goes first. */
static bool is_overtaken(const struct forward *f, const struct body *body)
{
	const struct outbox_entry *e = outbox_find(&f->outbox, body->seq);

	return e && outbox_is_overtaken(&f->outbox, e);
}

/*
 * It lets the earlier one go first, and is judged again with it. Once: where freezing itself brings an
 * earlier one back (JUDGING.md §4), its body stands and waits.
 */
static void give_way(struct forward *f, int64_t seq)
{
	struct outbox_entry *e = outbox_find(&f->outbox, seq);

	if (e->gave_way) {
		e->step = OUTBOX_WAITING;
		outbox_changed(&f->outbox, e);
		return;
	}
	e->gave_way = true;
	forward_thaw(f, seq);
}

/* Hand over what is ready, as far as there is room. */
static void send_ready(struct forward *f, int room)
{
	size_t done = 0;
	int sent = 0;

	for (; done < f->ready_count && sent < room; done++) {
		if (is_overtaken(f, &f->ready[done]))
			give_way(f, f->ready[done].seq);
		else if (send_one(f, &f->ready[done]) == 0)
			sent++;
		else
			break;
	}
	f->ready_count -= done;
	memmove(f->ready, f->ready + done, f->ready_count * sizeof *f->ready);
}

/* Nothing but a probe's punch stays frozen. */
void forward_thaw_ready(struct forward *f)
{
	for (size_t i = 0; i < f->ready_count; i++)
		forward_thaw(f, f->ready[i].seq);
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

bool forward_halts(const struct forward *f)
{
	return f->pause.at_us != 0 || f->refusals.stopped || f->doubt.pass == DOUBT_PASS_HOLD;
}

static void pump(struct forward *f)
{
	int64_t wait_us;
	int room;

	if (f->ready_count > 0 && (is_away(f) || forward_halts(f)))
		forward_thaw_ready(f);
	while (!forward_halts(f) && !f->context->rejudging) {
		room = api_client_room(f->client, API_CALL_ATTENDANCE, &wait_us);
		if (room <= 0) {
			forward_wake_in(f, wait_us);
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

/* ---- life */

int forward_new(struct context *context, struct judging *judging, struct api_client *client,
	const struct forward_events *events, struct forward **ret_forward)
{
	struct forward *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	*f = (struct forward){
		.context = context, .judging = judging, .client = client, .on = *events};
	f->made_us = forward_now_mono(f);
	outbox_init(&f->outbox, loop_random(context->loop));
	f->outbox.lines_max = forward_bounds.lines;
	f->wake = loop_timer_new(context->loop, on_wake, f);
	f->settle = loop_timer_new(context->loop, forward_on_settle, f);
	f->doubt.timer = loop_timer_new(context->loop, forward_on_doubt, f);
	if (!f->wake || !f->settle || !f->doubt.timer) {
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
	loop_timer_free(f->doubt.timer);
	outbox_done(&f->outbox);
	settlements_done(&f->settlements);
	attempts_done(&f->attempts);
	free(f->ready);
	free(f->fresh);
	free(f);
}

void forward_resume(struct forward *f)
{
	refusals_clear(&f->refusals);
	outbox_end_backoffs(&f->outbox);
	api_client_resume(f->client);
	forward_wake(f);
}

void forward_stop(struct forward *f)
{
	f->stopping = true;
	loop_timer_stop(f->wake);
	forward_thaw_ready(f);
	forward_flush(f);
}

int forward_in_flight(const struct forward *f)
{
	return f->in_flight;
}

bool forward_stuck(const struct forward *f)
{
	struct api_status api;
	bool waits = outbox_lines(&f->outbox) > 0 || f->ready_count > 0 || f->settlements.count > 0;

	if (!waits || f->stopping || forward_halts(f) || f->context->rejudging || is_away(f) ||
		loop_timer_armed(f->wake) || loop_timer_armed(f->settle))
		return false;
	api_client_status(f->client, &api);
	return api.in_flight == 0;
}

int64_t forward_time_for(const struct forward *f, int64_t queued)
{
	if (forward_halts(f) || f->stopping)
		return -1;
	return api_client_time_for(f->client, queued, (int64_t)outbox_lines(&f->outbox));
}

const char *forward_refusing(const struct forward *f)
{
	return f->refusals.stopped ? f->refusals.words : NULL;
}

bool forward_echo_differed(const struct forward *f)
{
	return f->echo_us != 0 && forward_now_mono(f) - f->echo_us < ECHO_SHOWN_US;
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
