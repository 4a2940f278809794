/* What a person does to punches by hand: POST /v1/punches… (JUDGING.md §8). */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/control_private.h"
#include "daemon/view.h"
#include "store/store_hand.h"

#define BULK_ROWS    500 /* of one call: one transaction, so that intake does not wait for long */
#define REFUSALS_MAX 10  /* told one by one */

/* Why it may not be just now; a moment later it may. */
static const char busy[] = "it is on its way just now: look again in a moment";

/* Who does what, and why. */
struct deed {
	struct call *call;
	enum hand_action action;
	const struct hand_amendment *amendment; /* of HAND_AMEND */
	const char *note;
	char name[64];
	json_t *body; /* owned */
};

/* ---- reading what is asked */

/* A text of the body; NULL where there is none. What is there are texts: begin has looked. */
static const char *text_of(const void *body, const char *key)
{
	const char *text = json_string_value(json_object_get(body, key));

	return text && text[0] ? text : NULL;
}

/* keys: those that it takes, a blank before and behind each. */
static bool check_body(struct call *call, const json_t *body, const char *keys)
{
	const char *key;
	char padded[64];
	json_t *value;

	json_object_foreach((json_t *)body, key, value)
	{
		snprintf(padded, sizeof padded, " %.60s ", key);
		if (!strstr(keys, padded) || strchr(key, ' ')) {
			control_fail(call, 400, "bad_request", "there is no %.40s here", key);
			return false;
		}
		if (!json_is_string(value) && !json_is_null(value)) {
			control_fail(call, 400, "bad_request", "%s is no text", key);
			return false;
		}
	}
	return true;
}

/* False, and answered, where the body is none that can be taken. */
static bool begin(struct deed *d, struct call *call, enum hand_action action, const char *keys)
{
	const struct http_request *q = call->request;
	const struct passwd *who = getpwuid(q->uid);
	const char *note;

	*d = (struct deed){.call = call, .action = action, .note = ""};
	snprintf(d->name, sizeof d->name, "%s", who ? who->pw_name : "");
	d->body = q->body_length ? json_loadb(q->body, q->body_length, JSON_REJECT_DUPLICATES, NULL)
				 : json_object();
	if (!json_is_object(d->body)) {
		control_fail(call, 400, "bad_request", "the body is no JSON object");
		return false;
	}
	if (!check_body(call, d->body, keys))
		return false;
	note = text_of(d->body, "note");
	if (note && !hand_note_is_sound(note)) {
		control_fail(call, 400, "bad_request",
			"a note is a line of at most %d bytes, without control characters",
			HAND_NOTE_MAX);
		return false;
	}
	d->note = note ? note : "";
	return true;
}

/* What answers have decided is written first: it may be about the same punches. False, and answered,
 * where that fails. */
static bool settle(struct deed *d)
{
	int r = forward_flush(d->call->control->forward);

	if (r < 0)
		control_fail(d->call, 500, "store_failed", "nothing was changed: %s", strerror(-r));
	return r == 0;
}

static void end(struct deed *d)
{
	json_decref(d->body);
}

/* ---- doing it */

/* What it was before, as far as that may have changed; freed by the caller. */
static char *before_of(const struct punch *p)
{
	char reason[REASON_TEXT_SIZE], time[TIME_TEXT_SIZE];
	json_t *json = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "state",
		punch_state_name(p->state), "reason",
		p->reason ? punch_reason_name(p->reason, reason) : NULL, "time",
		p->has_time ? time_format_utc(p->time_s, -1, time) : NULL, "type",
		p->type ? punch_type_name(p->type) : NULL, "user_id",
		p->user_id[0] ? p->user_id : NULL);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static int write_deed(const struct deed *d, const struct punch *before)
{
	struct context *c = d->call->control->context;
	char *text = before_of(before);
	const struct store_deed deed = {.seq = before->seq,
		.at_us = loop_now(c->loop).wall_us,
		.uid = (uint32_t)d->call->request->uid,
		.name = d->name,
		.action = hand_action_name(d->action),
		.note = d->note,
		.before = text};
	int r = text ? store_deed_add(c->store, &deed) : -ENOMEM;

	free(text);
	return r;
}

/* Change one, in the open transaction. *ret_words: why it may not be, else NULL. Returns 0 or a store
 * error. */
static int change(const struct deed *d, struct punch *p, const char **ret_words)
{
	const struct control *control = d->call->control;
	struct punch before = *p;
	int r;

	*ret_words = NULL;
	if (forward_busy(control->forward, p->seq))
		*ret_words = busy;
	else
		*ret_words = hand_apply(
			d->action, d->amendment, loop_now(control->context->loop).wall_us, p);
	if (*ret_words)
		return 0;
	r = judging_change(control->judging, &before, p);
	return r < 0 ? r : write_deed(d, &before);
}

/* Commit, or take back. Returns whether it is on disk; else it is answered. */
static bool commit(const struct deed *d, int r)
{
	struct control *control = d->call->control;
	struct context *c = control->context;

	if (r == 0 && store_in_transaction(c->store))
		r = forward_join(control->forward);
	if (r == 0)
		r = store_commit(c->store);
	if (r < 0)
		store_rollback(c->store);
	forward_ended(control->forward, r == 0);
	if (r == 0)
		return true;
	context_store_failed(c, r, "changing punches by hand");
	control_fail(d->call, 500, "store_failed", "nothing was changed: %s", strerror(-r));
	return false;
}

/* ---- one */

static void act_on_one(struct deed *d)
{
	struct call *call = d->call;
	const struct control *control = call->control;
	char id[IDENTITY_SIZE * 2 + 1];
	const char *words;
	struct punch p;
	int r;

	if (!settle(d) || !control_find_punch(call, &p))
		return;
	r = change(d, &p, &words);
	if (!commit(d, r))
		return;
	if (words) {
		control_fail(call, 409, words == busy ? "busy" : "refused", "%s", words);
		return;
	}
	log_info("hand", "a punch was changed by hand",
		LOG_S("action", hand_action_name(d->action)),
		LOG_S("id", hex_encode(p.identity, IDENTITY_SIZE, id)),
		LOG_S("state", punch_state_name(p.state)), LOG_I("uid", call->request->uid),
		LOG_S("note", d->note));
	call->body = json_pack("{s:o}", "data", view_punch(control->context, control->forward, &p));
	if (p.state == PUNCH_DISCARDED && p.flags & FLAG_IN_DOUBT)
		json_object_set_new(call->body, "warning",
			json_string("it may have been sent: look for it in the cloud"));
}

static void serve_one(struct call *call, enum hand_action action)
{
	struct deed d;

	if (begin(&d, call, action, " note "))
		act_on_one(&d);
	end(&d);
}

void control_hand_release(struct call *call)
{
	serve_one(call, HAND_RELEASE);
}

void control_hand_retry(struct call *call)
{
	serve_one(call, HAND_RETRY);
}

void control_hand_discard(struct call *call)
{
	serve_one(call, HAND_DISCARD);
}

/* ---- amend */

static bool read_amendment(struct deed *d, struct hand_amendment *ret)
{
	const char *type = text_of(d->body, "type"), *time = text_of(d->body, "time"),
		   *user_id = text_of(d->body, "user_id");

	*ret = (struct hand_amendment){.user_id = user_id ? user_id : ""};
	if (!type && !time && !user_id)
		control_fail(d->call, 400, "bad_request", "give type, time or user_id");
	else if (type && punch_type_parse(type, &ret->type) < 0)
		control_fail(d->call, 400, "bad_request", "type is check_in or check_out");
	else if (user_id && (!hand_note_is_sound(user_id) || strlen(user_id) > CLOUD_ID_MAX))
		control_fail(d->call, 400, "bad_request", "user_id is no id such as usr_123");
	else if (time && strcmp(time, "received") != 0 &&
		time_parse_rfc3339(time, &ret->time_s) < 0)
		control_fail(d->call, 400, "bad_request",
			"time is \"received\", or a time such as 2026-02-01T08:00:00+02:00");
	else {
		ret->received = time && strcmp(time, "received") == 0;
		ret->has_time = time && !ret->received;
		d->amendment = ret;
		return true;
	}
	return false;
}

void control_hand_amend(struct call *call)
{
	struct hand_amendment amendment;
	struct deed d;

	if (begin(&d, call, HAND_AMEND, " type time user_id note ") &&
		read_amendment(&d, &amendment))
		act_on_one(&d);
	end(&d);
}

/* ---- many */

struct bulk {
	struct deed *deed;
	struct punch *punches; /* BULK_ROWS of them */
	int count;
	int64_t changed, refused, in_doubt;
	json_t *refusals;
};

static int gather(void *arg, const struct punch *p)
{
	struct bulk *b = arg;

	b->punches[b->count++] = *p;
	return 0;
}

static void note_refusal(struct bulk *b, const struct punch *p, const char *words)
{
	char id[IDENTITY_SIZE * 2 + 1];

	b->refused++;
	if (json_array_size(b->refusals) < REFUSALS_MAX)
		json_array_append_new(b->refusals,
			json_pack("{s:s, s:s}", "id", hex_encode(p->identity, IDENTITY_SIZE, id),
				"message", words));
}

/* What one of them has changed for another is seen: each is read again. */
static int change_all(struct bulk *b)
{
	struct store *s = b->deed->call->control->context->store;
	const char *words;
	struct punch p;
	int r = 0;

	for (int i = 0; i < b->count && r == 0; i++) {
		r = store_punch_get(s, b->punches[i].seq, &p);
		if (r == 0)
			r = change(b->deed, &p, &words);
		if (r < 0)
			break;
		if (words)
			note_refusal(b, &p, words);
		else
			b->changed++;
		b->in_doubt += !words && p.state == PUNCH_DISCARDED && p.flags & FLAG_IN_DOUBT;
	}
	return r;
}

static void act_on_many(struct bulk *b, const struct store_filter *filter)
{
	struct call *call = b->deed->call;
	int64_t next;
	int r = store_punch_list(call->control->context->store, filter, gather, b, &next);

	if (r >= 0)
		r = change_all(b);
	if (!commit(b->deed, r))
		return;
	if (b->changed > 0)
		log_info("hand", "punches were changed by hand",
			LOG_S("action", hand_action_name(b->deed->action)),
			LOG_I("changed", b->changed), LOG_I("refused", b->refused),
			LOG_I("uid", call->request->uid), LOG_S("note", b->deed->note));
	call->body = json_pack("{s:{s:I, s:I, s:I, s:O}, s:{s:o}}", "data", "changed",
		(json_int_t)b->changed, "refused", (json_int_t)b->refused, "in_doubt",
		(json_int_t)b->in_doubt, "refusals", b->refusals, "meta", "next",
		next > 0 ? json_integer(next) : json_null());
}

/* `before` of the body is `meta.next` of the answer before. */
static bool read_before(struct deed *d, int64_t *ret)
{
	const char *text = text_of(d->body, "before");
	char *rest;

	*ret = 0;
	if (!text)
		return true;
	errno = 0;
	*ret = strtoll(text, &rest, 10);
	if (errno == 0 && *ret > 0 && *rest == '\0')
		return true;
	control_fail(d->call, 400, "bad_request", "before is no number");
	return false;
}

static bool is_empty(const struct store_filter *f)
{
	return f->state < 0 && f->reason == REASON_NONE && !f->user && !f->device &&
		f->from_s == INT64_MIN && f->to_s == INT64_MAX;
}

static void serve_many(struct call *call, enum hand_action action)
{
	struct store_filter filter;
	struct deed d;
	struct bulk b = {.deed = &d};

	if (begin(&d, call, action, " state reason user device from to before note ") &&
		control_filter(call, text_of, d.body, &filter) &&
		read_before(&d, &filter.before_seq)) {
		filter.limit = BULK_ROWS;
		b.punches = calloc(BULK_ROWS, sizeof *b.punches);
		b.refusals = json_array();
		if (is_empty(&filter))
			control_fail(call, 400, "bad_request",
				"say which: state, reason, user, device, from or to");
		else if (!b.punches || !b.refusals)
			control_fail(call, 500, "no_memory", "%s", strerror(ENOMEM));
		else if (settle(&d))
			act_on_many(&b, &filter);
		free(b.punches);
		json_decref(b.refusals);
	}
	end(&d);
}

void control_hand_release_many(struct call *call)
{
	serve_many(call, HAND_RELEASE);
}

void control_hand_retry_many(struct call *call)
{
	serve_many(call, HAND_RETRY);
}

void control_hand_discard_many(struct call *call)
{
	serve_many(call, HAND_DISCARD);
}
