/* One call, from its start to its answer. */
#include <errno.h>

#include "api/client_private.h"
#include "api/wire.h"

#define KEY_HIDE_MIN 4

static enum api_class class_of(enum api_call kind)
{
	return kind == API_CALL_ATTENDANCE ? API_CLASS_PUNCH : API_CLASS_REFRESH;
}

static uint64_t random_bits(struct api_client *c)
{
	return c->world.random(c->world.arg);
}

/* --- the end of a call */

/* A server may repeat the key in an error ("invalid key …"): it must not reach logs and traces. A
 * text that was cut may end within it. Fewer than four bytes are no secret. */
static void hide_key(const char *key, char *text)
{
	size_t length = key ? strlen(key) : 0;
	char *found;

	if (length < KEY_HIDE_MIN)
		return;
	while ((found = strstr(text, key)))
		memset(found, '*', length);
	for (size_t n = length; n >= KEY_HIDE_MIN; n--)
		if (strlen(text) >= n && memcmp(text + strlen(text) - n, key, n) == 0)
			memset(text + strlen(text) - n, '*', n);
}

static void hide_keys(const struct api_client *c, struct api_reading *r)
{
	char *const texts[] = {r->message, r->code, r->param, r->id};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		hide_key(c->key, texts[i]);
		hide_key(c->old_key, texts[i]);
	}
}

/* 403 is the endpoint's 401; whatever else is an answer of the API opens the endpoint again. What
 * comes from the road says nothing of it. */
static enum api_outcome outcome_for_gate(enum api_outcome outcome)
{
	switch (outcome) {
	case API_FORBIDDEN: return API_UNAUTHORIZED;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT: return API_DONE;
	case API_GARBLED:
	case API_UNAUTHORIZED:
	case API_RATE_LIMITED:
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_ROAD_FAULT:
	case API_NEVER_LEFT:
	case API_LOST:
	case API_CANCELLED: return API_CANCELLED;
	}
	return API_CANCELLED;
}

/* An answer to an old key says nothing of the new one's rights and budget. */
static bool is_of_old_key(const struct call *call)
{
	return call->key_generation != call->client->key_generation;
}

static void tell_circuits(struct api_client *c, const struct call *call,
	const struct api_reply *reply, int64_t retry_after_us)
{
	enum api_outcome outcome = reply->outcome;

	if ((outcome == API_UNAUTHORIZED || outcome == API_FORBIDDEN) && is_of_old_key(call))
		outcome = API_CANCELLED;
	circuit_ended(&c->circuit, call->epoch, outcome, retry_after_us, reply->received.mono_us,
		random_bits(c));
	circuit_ended(&c->gate[class_of(call->kind)], call->gate_epoch, outcome_for_gate(outcome),
		-1, reply->received.mono_us, random_bits(c));
}

static void remember_outcome(struct api_client *c, const struct api_reply *reply)
{
	switch (reply->outcome) {
	case API_DONE:
		c->last_done_us = reply->received.wall_us;
		c->garbled = false;
		break;
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT:
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED: c->garbled = false; break;
	case API_GARBLED:
	case API_ROAD_FAULT: c->garbled = true; break;
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_NEVER_LEFT:
	case API_LOST:
	case API_CANCELLED: break;
	}
}

/* The middle of the last few. */
static void note_latency(struct api_client *c, int64_t latency_us)
{
	if (c->latency_us == 0)
		c->latency_us = latency_us;
	c->latency_us += (latency_us - c->latency_us) / 16;
}

static void settle_keyless(struct api_reading *r)
{
	r->reply.outcome = API_UNAUTHORIZED;
	snprintf(r->message, sizeof r->message, "there is no API key");
}

static void tell_pace(struct api_client *c, const struct call *call,
	const struct api_answer *answer, int64_t now_us, int64_t *ret_retry_after_us)
{
	struct pace_headers headers;
	bool limited = answer->status == 429;

	*ret_retry_after_us = -1;
	if (call->keyless)
		return;
	if (answer->fate == API_FATE_NEVER_LEFT) {
		pace_never_left(&c->pace, call->ticket);
		return;
	}
	if (answer->fate != API_FATE_ANSWERED || is_of_old_key(call)) {
		pace_answered(&c->pace, call->ticket, call->sent.mono_us, now_us, false, NULL);
		return;
	}
	api_read_rate(answer->status, &answer->headers, &headers);
	if (headers.retry_after_s >= 0)
		*ret_retry_after_us = pace_clamp_us(headers.retry_after_s);
	pace_answered(&c->pace, call->ticket, call->sent.mono_us, now_us, limited, &headers);
}

static void on_answered(void *arg, const struct api_answer *answer)
{
	struct call *call = arg;
	struct api_client *c = call->client;
	struct api_reading reading;
	int64_t retry_after_us;

	api_reading_init(&reading, call->kind, answer,
		call->kind == API_CALL_ATTENDANCE ? &call->record : NULL);
	if (call->keyless)
		settle_keyless(&reading);
	hide_keys(c, &reading);
	reading.reply.sent = call->sent;
	reading.reply.received = api_client_now(c);

	if (answer->fate == API_FATE_ANSWERED)
		note_latency(c, reading.reply.received.mono_us - call->sent.mono_us);
	tell_pace(c, call, answer, reading.reply.received.mono_us, &retry_after_us);
	tell_circuits(c, call, &reading.reply, retry_after_us);
	share_ended(&c->share, class_of(call->kind));
	remember_outcome(c, &reading.reply);
	api_client_unlink(call);
	call->done(call->arg, &reading.reply);
	api_reading_done(&reading);
	free(call);
}

/* --- the start of a call */

static const char *keep_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *kept = *at;

	memcpy(kept, text, size);
	*at += size;
	return kept;
}

static struct call *new_call(struct api_client *c, enum api_call kind,
	const struct api_attendance *a, api_done *done, void *arg)
{
	size_t texts = a ? strlen(a->user_id) + strlen(a->device_id) + strlen(a->type) +
			strlen(a->timestamp) + 4
			 : 0;
	struct call *call = calloc(1, sizeof *call + texts);
	char *at;

	if (!call)
		return NULL;
	call->client = c;
	call->kind = kind;
	call->done = done;
	call->arg = arg;
	if (!a)
		return call;
	at = (char *)(call + 1);
	call->record.user_id = keep_text(&at, a->user_id);
	call->record.device_id = keep_text(&at, a->device_id);
	call->record.type = keep_text(&at, a->type);
	call->record.timestamp = keep_text(&at, a->timestamp);
	return call;
}

static void account_for(struct api_client *c, struct call *call)
{
	enum api_class class = class_of(call->kind);

	call->epoch = circuit_sent(&c->circuit);
	call->gate_epoch = circuit_sent(&c->gate[class]);
	share_sent(&c->share, class);
	if (!call->keyless) {
		call->ticket = pace_sent(&c->pace, call->sent.mono_us);
		c->sent++;
	}
	call->next = &c->calls;
	call->previous = c->calls.previous;
	call->previous->next = call;
	c->calls.previous = call;
	c->in_flight++;
}

/* Hand a request over. Takes call, and frees it on failure. */
static int start_call(struct api_client *c, struct call *call, struct api_request *request)
{
	int r;

	request->authorization = c->authorization;
	call->keyless = !c->authorization;
	call->key_generation = c->key_generation;
	call->sent = api_client_now(c);
	r = c->transport->submit(c->transport, request, on_answered, call);
	if (r < 0) {
		free(call);
		return r;
	}
	account_for(c, call);
	return 0;
}

int api_attendance_create(
	struct api_client *c, const struct api_attendance *a, api_done *done, void *arg)
{
	struct api_request request = {
		.method = API_POST,
		.idempotency_key = a->key,
		.answer_max = API_ATTENDANCE_ANSWER_MAX,
	};
	struct call *call;
	char *url = NULL, *body = NULL;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	if (!wire_token_sound(a->key))
		return -EINVAL;
	r = wire_attendance_body(a, &body);
	r = r < 0 ? r : wire_attendance_url(c->base_url, &url);
	if (r == 0) {
		request.url = url;
		request.body = body;
		request.body_length = strlen(body);
		call = new_call(c, API_CALL_ATTENDANCE, a, done, arg);
		r = call ? start_call(c, call, &request) : -ENOMEM;
	}
	free(url);
	free(body);
	return r;
}

/* Takes url. */
static int start_list(
	struct api_client *c, enum api_call kind, char *url, api_done *done, void *arg)
{
	struct api_request request = {
		.method = API_GET,
		.url = url,
		.answer_max = API_LIST_ANSWER_MAX,
	};
	struct call *call = new_call(c, kind, NULL, done, arg);
	int r = call ? start_call(c, call, &request) : -ENOMEM;

	free(url);
	return r;
}

int api_users_list(struct api_client *c, int limit, int64_t offset, api_done *done, void *arg)
{
	char *url;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	r = wire_users_url(c->base_url, limit, offset, &url);
	return r < 0 ? r : start_list(c, API_CALL_USERS, url, done, arg);
}

int api_devices_list(struct api_client *c, api_done *done, void *arg)
{
	char *url;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	r = wire_devices_url(c->base_url, &url);
	return r < 0 ? r : start_list(c, API_CALL_DEVICES, url, done, arg);
}
