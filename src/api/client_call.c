/* One call, from its start to its answer. */
#include "api/client_private.h"

#define KEY_HIDE_MIN 4

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

/* Of what a person asked for: one report that takes too long, or one user that the server cannot digest,
 * must not hold up punches. */
static bool is_persons(const struct call *call)
{
	return api_client_class(call->kind) == SHARE_PERSON;
}

/* What trouble is the call's own there; API_CANCELLED says nothing. */
static enum api_outcome outcome_for_destination(const struct call *call, enum api_outcome outcome)
{
	switch (outcome) {
	case API_GARBLED:
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_ROAD_FAULT:
	case API_LOST: return is_persons(call) ? API_CANCELLED : outcome;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT:
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_NEVER_LEFT:
	case API_CANCELLED: return outcome;
	}
	return outcome;
}

/* 403 is the endpoint's 401; whatever else is an answer of the API opens the endpoint again. What
 * comes from the road says nothing of it, unless the road is told nothing. */
static enum api_outcome outcome_for_gate(const struct call *call, enum api_outcome outcome)
{
	switch (outcome) {
	case API_FORBIDDEN: return API_UNAUTHORIZED;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT: return API_DONE;
	case API_GARBLED:
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_ROAD_FAULT:
	case API_LOST: return is_persons(call) ? outcome : API_CANCELLED;
	case API_UNAUTHORIZED:
	case API_RATE_LIMITED:
	case API_NEVER_LEFT:
	case API_CANCELLED: return API_CANCELLED;
	}
	return API_CANCELLED;
}

/* An answer to an old key says nothing of the new one's rights and budget. */
static bool is_of_old_key(const struct call *call)
{
	return call->key_generation != call->client->key_generation;
}

static void tell_destination(
	const struct call *call, enum api_outcome outcome, int64_t retry_after_us, int64_t now_us)
{
	struct api_client *c = call->client;

	outcome = outcome_for_destination(call, outcome);
	if (call->kind == API_CALL_REPORT)
		circuit_heard(
			&c->circuit, call->epoch, outcome, retry_after_us, now_us, random_bits(c));
	else
		circuit_ended(
			&c->circuit, call->epoch, outcome, retry_after_us, now_us, random_bits(c));
}

static void tell_circuits(
	const struct call *call, const struct api_reply *reply, int64_t retry_after_us)
{
	struct api_client *c = call->client;
	enum api_outcome outcome = reply->outcome;
	int64_t now_us = reply->received.mono_us;

	if ((outcome == API_UNAUTHORIZED || outcome == API_FORBIDDEN) && is_of_old_key(call))
		outcome = API_CANCELLED;
	if (!call->heard)
		tell_destination(call, outcome, retry_after_us, now_us);
	circuit_ended(&c->gate[call->kind], call->gate_epoch, outcome_for_gate(call, outcome),
		is_persons(call) ? retry_after_us : -1, now_us, random_bits(c));
}

static void remember_outcome(const struct call *call, const struct api_reply *reply)
{
	struct api_client *c = call->client;

	switch (outcome_for_destination(call, reply->outcome)) {
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

/* Answers to the key that we have tell what remains; nothing else does. */
static bool tells_rate(const struct call *call, const struct api_answer *answer)
{
	return answer->fate == API_FATE_ANSWERED && !is_of_old_key(call);
}

static void tell_pace_of_report(const struct call *call, const struct api_answer *answer,
	const struct pace_headers *headers, int64_t now_us)
{
	if (tells_rate(call, answer))
		pace_aside_answered(&call->client->pace, call->ticket, call->sent.mono_us, now_us,
			answer->status == 429, headers);
}

static void tell_pace(const struct call *call, const struct api_answer *answer,
	const struct pace_headers *headers, int64_t now_us)
{
	struct pace *pace = &call->client->pace;

	if (answer->fate == API_FATE_NEVER_LEFT)
		pace_never_left(pace, call->ticket);
	else if (!tells_rate(call, answer))
		pace_answered(pace, call->ticket, call->sent.mono_us, now_us, false, NULL);
	else
		pace_answered(pace, call->ticket, call->sent.mono_us, now_us, answer->status == 429,
			headers);
}

/* What an answer tells of the rate limit. Returns the pause that it asks for, or -1. */
static int64_t take_rate(const struct call *call, const struct api_answer *answer, int64_t now_us)
{
	struct pace_headers headers;

	if (call->keyless)
		return -1;
	api_read_rate(answer->status, &answer->headers, &headers);
	if (call->kind == API_CALL_REPORT)
		tell_pace_of_report(call, answer, &headers, now_us);
	else
		tell_pace(call, answer, &headers, now_us);
	return tells_rate(call, answer) && headers.retry_after_s >= 0
		? pace_clamp_us(headers.retry_after_s)
		: -1;
}

void api_client_heard(struct call *call, const struct api_answer *head)
{
	int64_t now_us = api_client_now(call->client).mono_us;

	take_rate(call, head, now_us);
	tell_destination(call, API_DONE, -1, now_us);
	call->heard = true;
}

/* What the end of a call tells of the API. */
static void learn(
	const struct call *call, const struct api_answer *answer, const struct api_reply *reply)
{
	struct api_client *c = call->client;
	int64_t now_us = reply->received.mono_us, retry_after_us = -1;

	if (answer->fate == API_FATE_ANSWERED && call->kind != API_CALL_REPORT)
		note_latency(c, now_us - call->sent.mono_us);
	if (!call->heard)
		retry_after_us = take_rate(call, answer, now_us);
	tell_circuits(call, reply, retry_after_us);
	share_ended(&c->share, api_client_class(call->kind));
	remember_outcome(call, reply);
}

void api_client_answered(void *arg, const struct api_answer *answer)
{
	struct call *call = arg;
	struct api_client *c = call->client;
	struct api_reading reading;

	api_reading_init(&reading, call->kind, answer, call->sent_texts);
	if (call->heard && answer->fate == API_FATE_ANSWERED)
		reading.reply.outcome = API_DONE;
	if (call->keyless && answer->fate != API_FATE_CANCELLED)
		settle_keyless(&reading);
	hide_keys(c, &reading);
	reading.reply.sent = call->sent;
	reading.reply.received = api_client_now(c);
	learn(call, answer, &reading.reply);
	api_client_unlink(call);
	call->done(call->arg, &reading.reply);
	api_reading_done(&reading);
	free(call);
}

/* --- the start of a call */

struct call *api_client_new_call(
	struct api_client *c, enum api_call kind, size_t size, api_done *done, void *arg)
{
	struct call *call = calloc(1, size);

	if (!call)
		return NULL;
	call->client = c;
	call->kind = kind;
	call->done = done;
	call->arg = arg;
	return call;
}

void api_client_prepare(struct call *call, struct api_request *request)
{
	struct api_client *c = call->client;

	request->authorization = c->authorization;
	call->keyless = !c->authorization;
	call->key_generation = c->key_generation;
	call->sent = api_client_now(c);
}

/* A report is no probe, and opens no window: its answer may take minutes. */
static void account_for_report(struct api_client *c, struct call *call)
{
	call->epoch = c->circuit.epoch;
	if (!call->keyless)
		call->ticket = pace_sent_aside(&c->pace, call->sent.mono_us);
	c->reports++;
}

static void account_for(struct api_client *c, struct call *call)
{
	call->epoch = circuit_sent(&c->circuit);
	if (!call->keyless)
		call->ticket = pace_sent(&c->pace, call->sent.mono_us);
	c->in_flight++;
}

void api_client_sent(struct call *call)
{
	struct api_client *c = call->client;

	if (call->kind == API_CALL_REPORT)
		account_for_report(c, call);
	else
		account_for(c, call);
	call->gate_epoch = circuit_sent(&c->gate[call->kind]);
	share_sent(&c->share, api_client_class(call->kind));
	c->sent += !call->keyless;
	call->next = &c->calls;
	call->previous = c->calls.previous;
	call->previous->next = call;
	c->calls.previous = call;
}
