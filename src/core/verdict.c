#include "core/verdict.h"

#include <assert.h>
#include <strings.h>

#include "base/clock.h"

#define AHEAD_MAX_S 86400 /* a time further ahead of its receipt is not released by itself */

static int64_t received_s(const struct punch *p)
{
	return p->received_us / CLOCK_US_PER_S;
}

/*
 * A time ahead of its receipt by more than max_future: held until it is due, or for a person where
 * it was more than a day ahead. The receipt decides whether it is such a one at all, so waiting
 * in the lobby for other reasons changes nothing.
 */
static bool is_future(const struct verdict_context *c, const struct punch *p)
{
	int64_t now_s = c->now_us / CLOCK_US_PER_S;
	int64_t ahead_s = p->time_s - received_s(p);

	if (ahead_s <= c->settings->max_future_s)
		return false;
	return ahead_s > AHEAD_MAX_S || p->time_s > now_s + c->settings->max_future_s;
}

static enum punch_reason time_reason(const struct verdict_context *c, const struct punch *p)
{
	if (!p->has_time)
		return REASON_NO_TIME;
	if (p->flags & FLAG_RELEASED)
		return REASON_NONE;
	if (p->time_s < c->settings->accept_from_s)
		return REASON_BEFORE_START;
	if (received_s(p) - p->time_s > c->settings->max_age_s)
		return REASON_STALE;
	if (is_future(c, p))
		return REASON_FUTURE_TIME;
	return REASON_NONE;
}

/* A punch without a time of its own takes the receipt time, where that can be believed. */
static void take_time(struct punch *p)
{
	if (p->time_sent[0] != '\0' || p->flags & FLAG_TIME_BY_HAND)
		return;
	p->has_time = (p->flags & FLAG_TRUSTED) && !(p->flags & FLAG_WAITED);
	p->time_s = p->has_time ? received_s(p) : 0;
}

static const struct dir_user *look_up(const struct directory *d, const struct punch *p)
{
	switch (p->user_kind) {
	case USER_ID: return directory_user(d, p->user);
	case USER_EMAIL:
	case USER_PHONE: return directory_user_by_contact(d, p->user_kind, p->user);
	case USER_PIN:
	case USER_CARD:
	case USER_SLOT: break; /* the cloud does not know these */
	}
	return NULL;
}

/* What an operator linked goes before the directory, and needs not be in it: the API decides. */
static const char *find_user(const struct verdict_context *c, const struct punch *p)
{
	const struct user_link *link = links_find(c->links, p->user_kind, p->user, c->serial);
	const struct dir_user *user = link ? NULL : look_up(c->directory, p);

	if (link)
		return link->user_id;
	return user ? user->id : "";
}

static void take_person_and_device(const struct verdict_context *c, struct punch *p)
{
	const struct dir_device *device = directory_device(c->directory, c->serial);

	if (!(p->flags & FLAG_USER_BY_HAND))
		punch_text_set(p->user_id, sizeof p->user_id, find_user(c, p));
	punch_text_set(p->device_id, sizeof p->device_id, device ? device->id : "");
}

/* A cloud that states no status says nothing against a device. */
static bool is_inactive(const struct verdict_context *c)
{
	const struct dir_device *device = directory_device(c->directory, c->serial);

	return device && device->status[0] && strcasecmp(device->status, "active") != 0;
}

static enum verdict_answer device_answer(const struct verdict_context *c)
{
	return c->devices_listed ? c->settings->unknown_device : VERDICT_HOLD;
}

/* Only the cloud's own ids mean something to it. */
static enum verdict_answer user_answer(const struct verdict_context *c, const struct punch *p)
{
	enum verdict_answer answer = c->users_listed ? c->settings->unknown_user : VERDICT_HOLD;

	return answer == VERDICT_FORWARD && p->user_kind != USER_ID ? VERDICT_HOLD : answer;
}

/* What is to be forwarded though nobody knows it goes as the terminal sent it; where that is longer
 * than an id can be it stays unknown. */
static void forward_unknown(const struct verdict_context *c, struct punch *p)
{
	if (p->device_id[0] == '\0' && device_answer(c) == VERDICT_FORWARD)
		punch_text_set(p->device_id, sizeof p->device_id, c->serial);
	if (p->user_id[0] == '\0' && user_answer(c, p) == VERDICT_FORWARD)
		punch_text_set(p->user_id, sizeof p->user_id, p->user);
}

/* Of several reasons the first is shown (JUDGING.md §7). */
static enum punch_reason first_reason(const struct verdict_context *c, const struct punch *p)
{
	enum punch_reason reason;

	if (p->flags & FLAG_RESTORED)
		return REASON_RESTORED;
	reason = time_reason(c, p);
	if (reason != REASON_NONE)
		return reason;
	if (p->device_id[0] == '\0')
		return REASON_UNKNOWN_DEVICE;
	if (is_inactive(c) && c->settings->inactive_device != VERDICT_FORWARD &&
		!(p->flags & FLAG_RELEASED))
		return REASON_INACTIVE_DEVICE;
	if (p->user_id[0] == '\0')
		return REASON_UNKNOWN_USER;
	if (p->type == TYPE_NONE)
		return REASON_NO_DIRECTION;
	return REASON_NONE;
}

static enum punch_state state_for(const struct verdict_context *c, const struct punch *p)
{
	if (p->reason == REASON_NONE)
		return PUNCH_QUEUED;
	if ((p->reason == REASON_UNKNOWN_DEVICE && device_answer(c) == VERDICT_PARK) ||
		(p->reason == REASON_UNKNOWN_USER && user_answer(c, p) == VERDICT_PARK))
		return PUNCH_PARKED;
	return PUNCH_HELD;
}

void verdict_judge(const struct verdict_context *context, struct punch *p)
{
	assert(p->frozen_us == 0);
	take_time(p);
	take_person_and_device(context, p);
	forward_unknown(context, p);
	if (p->type_sent != TYPE_NONE && p->type_from != FROM_PERSON) {
		p->type = p->type_sent;
		p->type_from = FROM_TERMINAL;
	}
	p->reason = (int)first_reason(context, p);
	p->state = state_for(context, p);
}

void verdict_park(struct punch *p, int reason, const char *message)
{
	p->state = PUNCH_PARKED;
	p->reason = reason;
	punch_text_cut(p->error_message, sizeof p->error_message, message);
}
