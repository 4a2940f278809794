#include "core/hand.h"

#include "base/clock.h"
#include "base/utf8.h"

const char *hand_action_name(enum hand_action action)
{
	switch (action) {
	case HAND_RELEASE: return "release";
	case HAND_RETRY: return "retry";
	case HAND_DISCARD: return "discard";
	case HAND_AMEND: return "amend";
	}
	return "";
}

/* The API said in so many words that it has not taken it, and no send before that is in doubt. */
static bool is_refused(const struct punch *p)
{
	int status = p->reason - REASON_API;

	return p->state == PUNCH_PARKED && p->frozen_us != 0 && !(p->flags & FLAG_IN_DOUBT) &&
		(status == 400 || status == 403 || status == 404 || status == 422);
}

static bool may_have_arrived(const struct punch *p)
{
	return p->frozen_us != 0 && p->state != PUNCH_DELIVERED && !is_refused(p);
}

static bool is_unreadable(const struct punch *p)
{
	return p->reason == REASON_MALFORMED || p->reason == REASON_TOO_LARGE ||
		p->reason == REASON_CRASHED;
}

static const char unreadable[] =
	"its message could not be read, so there is nothing to send: discard it";

/* Another body may follow: nobody has a record under the old key. */
static void thaw(struct punch *p)
{
	p->frozen_us = 0;
	p->generation++;
	memset(p->wire_key, 0, sizeof p->wire_key);
}

static void forget_refusal(struct punch *p)
{
	p->error_code[0] = p->error_message[0] = p->error_param[0] = '\0';
	p->tries = 0;
}

/* It goes on under its key, with its body. */
static void send_again(struct punch *p)
{
	p->state = PUNCH_QUEUED;
	p->reason = REASON_NONE;
}

/* As it came, to be judged. */
static void judge_anew(struct punch *p)
{
	p->state = PUNCH_HELD;
	p->reason = REASON_NONE;
}

/* ---- release */

static const char *release_held(struct punch *p)
{
	switch ((enum punch_reason)p->reason) {
	case REASON_STALE:
	case REASON_BEFORE_START:
	case REASON_FUTURE_TIME:
	case REASON_INACTIVE_DEVICE:
	case REASON_RESTORED:
	case REASON_IN_DOUBT:
		p->flags |= FLAG_RELEASED;
		p->flags &= ~(unsigned)FLAG_RESTORED;
		if (p->frozen_us != 0)
			send_again(p);
		return NULL;
	case REASON_UNKNOWN_USER: return "nobody knows whose it is: link the person first";
	case REASON_UNKNOWN_DEVICE: return "its device is not in the cloud's list: add it there";
	case REASON_NO_DIRECTION: return "nobody knows which way it goes: amend its type";
	case REASON_NO_TIME: return "nobody knows when it was: amend its time";
	case REASON_NONE:
	case REASON_DOUBLE_TAP:
	case REASON_MALFORMED:
	case REASON_BAD_TIME:
	case REASON_TOO_LARGE:
	case REASON_CRASHED:
	case REASON_EXPORTED:
	case REASON_API: break;
	}
	return "it is held for nothing that a release lifts";
}

static const char *release(struct punch *p)
{
	switch (p->state) {
	case PUNCH_HELD: return release_held(p);
	case PUNCH_SUPPRESSED: p->flags |= FLAG_RELEASED; return NULL;
	case PUNCH_QUEUED: return "it is queued already";
	case PUNCH_PARKED: return "it is parked: retry it";
	case PUNCH_DELIVERED: return "it is delivered";
	case PUNCH_DISCARDED: break;
	}
	return "it is discarded";
}

/* ---- retry */

static const char *retry(struct punch *p)
{
	if (p->state != PUNCH_PARKED)
		return "it is not parked";
	if (is_unreadable(p))
		return unreadable;
	if (p->reason == REASON_BAD_TIME)
		return "it has no time that can be read: amend its time";
	forget_refusal(p);
	if (is_refused(p))
		thaw(p);
	if (p->frozen_us != 0)
		send_again(p);
	else
		judge_anew(p);
	return NULL;
}

/* ---- discard */

static const char *discard(struct punch *p, int64_t now_us)
{
	switch (p->state) {
	case PUNCH_DELIVERED: return "it is delivered: the cloud has it";
	case PUNCH_DISCARDED: return "it is discarded already";
	case PUNCH_QUEUED:
	case PUNCH_HELD:
	case PUNCH_PARKED:
	case PUNCH_SUPPRESSED: break;
	}
	if (may_have_arrived(p))
		p->flags |= FLAG_IN_DOUBT;
	p->state = PUNCH_DISCARDED;
	p->reason = REASON_NONE;
	p->settled_us = now_us;
	return NULL;
}

/* ---- amend */

static const char *may_amend(const struct hand_amendment *a, const struct punch *p)
{
	if (p->state == PUNCH_DELIVERED)
		return "it is delivered: the cloud has it as it is";
	if (p->state == PUNCH_DISCARDED)
		return "it is discarded";
	if (is_unreadable(p))
		return unreadable;
	if (p->frozen_us != 0 && !is_refused(p))
		return "it may have been sent as it is: the cloud may have it so";
	if (a->received && !(p->flags & FLAG_TRUSTED))
		return "the clock was not right when it came: give the time";
	return NULL;
}

static void set_time(const struct hand_amendment *a, struct punch *p)
{
	p->has_time = true;
	p->time_s = a->received ? p->received_us / CLOCK_US_PER_S : a->time_s;
	p->flags |= FLAG_TIME_BY_HAND;
}

static const char *amend(const struct hand_amendment *a, struct punch *p)
{
	const char *fault = may_amend(a, p);

	if (fault)
		return fault;
	if (a->user_id[0] && punch_text_set(p->user_id, sizeof p->user_id, a->user_id) < 0)
		return "no user_id is that long";
	if (a->user_id[0])
		p->flags |= FLAG_USER_BY_HAND;
	if (a->type != TYPE_NONE) {
		p->type = a->type;
		p->type_from = FROM_PERSON;
	}
	if (a->has_time || a->received)
		set_time(a, p);
	p->flags |= FLAG_AMENDED;
	if (p->frozen_us != 0)
		thaw(p);
	/* What was wrong with it is mended. */
	if (p->state == PUNCH_PARKED &&
		((p->reason == REASON_BAD_TIME && p->has_time) ||
			(p->reason == REASON_UNKNOWN_USER && a->user_id[0])))
		judge_anew(p);
	return NULL;
}

const char *hand_apply(enum hand_action action, const struct hand_amendment *amendment,
	int64_t now_us, struct punch *p)
{
	switch (action) {
	case HAND_RELEASE: return release(p);
	case HAND_RETRY: return retry(p);
	case HAND_DISCARD: return discard(p, now_us);
	case HAND_AMEND: break;
	}
	return amend(amendment, p);
}

bool hand_note_is_sound(const char *note)
{
	if (strlen(note) > HAND_NOTE_MAX || !utf8_valid(note))
		return false;
	for (const char *s = note; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	}
	return true;
}
