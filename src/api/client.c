#include "api/api.h"

#include <errno.h>
#include <limits.h>
#include <sys/random.h>

#include "api/client_private.h"
#include "api/wire.h"

#define SMALLEST_PLAN  100 /* requests a minute: Basic */
#define PLAN_WINDOW_US (60 * CLOCK_US_PER_S)

/* Where the settings say nothing. */
#define IN_FLIGHT     8
#define RETRY_MIN_MS  1000
#define RETRY_MAX_MS  (15 * 60 * 1000)
#define AUTH_RETRY_MS (5 * 60 * 1000)

const char *api_state_name(enum api_state state)
{
	switch (state) {
	case API_STATE_OK: return "ok";
	case API_STATE_RATE_LIMITED: return "rate_limited";
	case API_STATE_BACKOFF: return "backoff";
	case API_STATE_AUTH_FAILED: return "auth_failed";
	case API_STATE_OFFLINE: return "offline";
	}
	return "unknown";
}

struct api_moment api_client_now(const struct api_client *c)
{
	return c->world.now(c->world.arg);
}

/* --- the system's clock and randomness */

static struct api_moment system_now(void *arg)
{
	(void)arg;
	return api_moment_of(clock_now());
}

/* It only spreads retries: zero will do where there is none. */
static uint64_t system_random(void *arg)
{
	uint64_t bits = 0;

	(void)arg;
	return getrandom(&bits, sizeof bits, GRND_NONBLOCK) == sizeof bits ? bits : 0;
}

static const struct api_world the_system = {.now = system_now, .random = system_random};

/* --- life */

static int64_t value_or(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static void take_settings(struct api_client *c, const struct api_settings *s)
{
	int64_t min_ms = value_or(s->retry_min_ms, RETRY_MIN_MS);
	int64_t max_ms = value_or(s->retry_max_ms, RETRY_MAX_MS);
	int64_t auth_ms = value_or(s->auth_retry_ms, AUTH_RETRY_MS);

	if (max_ms < min_ms)
		max_ms = min_ms;
	c->max_in_flight = (int)value_or(s->max_in_flight, IN_FLIGHT);
	pace_init(&c->pace, value_or(s->plan_limit, SMALLEST_PLAN), PLAN_WINDOW_US);
	circuit_init(&c->circuit, min_ms, max_ms, auth_ms);
	for (int i = 0; i < API_CALLS; i++)
		circuit_init(&c->gate[i], min_ms, max_ms, auth_ms);
}

int api_client_new(const struct api_settings *s, const struct api_world *world,
	struct api_transport *transport, struct api_client **ret_client)
{
	struct api_client *c = calloc(1, sizeof *c);

	if (!c || !(c->base_url = strdup(s->base_url))) {
		free(c);
		transport->free(transport);
		return -ENOMEM;
	}
	c->transport = transport;
	c->calls.next = c->calls.previous = &c->calls;
	if (!wire_base_url_sound(c->base_url)) {
		api_client_free(c);
		return -EINVAL;
	}
	c->world = world ? *world : the_system;
	take_settings(c, s);
	*ret_client = c;
	return 0;
}

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void api_client_unlink(struct call *call)
{
	call->previous->next = call->next;
	call->next->previous = call->previous;
	if (call->kind == API_CALL_REPORT)
		call->client->reports--;
	else
		call->client->in_flight--;
}

static void cancel_call(struct call *call)
{
	struct api_reply reply = {
		.outcome = API_CANCELLED,
		.id = "",
		.code = "",
		.message = "the client was closed",
		.param = "",
		.sent = call->sent,
		.received = api_client_now(call->client),
	};

	api_client_unlink(call);
	call->done(call->arg, &reply);
	free(call);
}

void api_client_free(struct api_client *c)
{
	if (!c)
		return;
	c->closing = true;
	c->transport->free(c->transport);
	while (c->calls.next != &c->calls)
		cancel_call(c->calls.next);
	free_secret(c->key);
	free_secret(c->old_key);
	free_secret(c->authorization);
	free(c->base_url);
	free(c);
}

/* --- the key */

static bool same_key(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What 401 and 403 closed was closed to the old key; and the new one has a budget of its own. */
static void lift_pauses_of_key(struct api_client *c)
{
	c->key_generation++;
	if (c->circuit.cause == CIRCUIT_AUTH)
		circuit_resume(&c->circuit);
	for (int i = 0; i < API_CALLS; i++)
		circuit_resume(&c->gate[i]);
	pace_forget(&c->pace);
}

int api_client_set_key(struct api_client *c, const char *key)
{
	char *copy = NULL, *authorization = NULL;
	int r;

	if (same_key(c->key, key))
		return 0;
	if (key) {
		if (!wire_token_sound(key))
			return -EINVAL;
		r = wire_authorization(key, &authorization);
		if (r < 0)
			return r;
		copy = strdup(key);
		if (!copy) {
			free_secret(authorization);
			return -ENOMEM;
		}
	}
	free_secret(c->old_key);
	free_secret(c->authorization);
	c->old_key = c->key;
	c->key = copy;
	c->authorization = authorization;
	lift_pauses_of_key(c);
	return 0;
}

void api_client_resume(struct api_client *c)
{
	circuit_resume(&c->circuit);
	for (int i = 0; i < API_CALLS; i++)
		circuit_resume(&c->gate[i]);
	pace_resume(&c->pace, api_client_now(c).mono_us);
}

/* --- room */

/* One more bound. Where several forbid, the last of them to end counts. */
static void narrow(int64_t *room, int64_t *wait_us, int64_t bound, int64_t bound_wait_us)
{
	if (bound < *room)
		*room = bound;
	if (bound > 0)
		return;
	if (*wait_us >= 0 && (bound_wait_us < 0 || bound_wait_us > *wait_us))
		*wait_us = bound_wait_us;
}

/* How many more may run side by side. */
static int64_t free_places(const struct api_client *c, enum api_call call)
{
	int64_t most = call == API_CALL_REPORT ? API_REPORTS_MAX : c->max_in_flight;
	int64_t running = call == API_CALL_REPORT ? c->reports : c->in_flight;

	return most > running ? most - running : 0;
}

/* What there is for a call before it is shared. */
static int64_t common_room(
	const struct api_client *c, enum api_call call, int64_t now_us, int64_t *ret_wait_us)
{
	int64_t room = INT_MAX, bound, wait_us;

	*ret_wait_us = 0;
	bound = pace_room(&c->pace, now_us, &wait_us);
	narrow(&room, ret_wait_us, bound, wait_us);
	bound = circuit_room(&c->circuit, now_us, &wait_us);
	narrow(&room, ret_wait_us, bound, wait_us);
	bound = circuit_room(&c->gate[call], now_us, &wait_us);
	narrow(&room, ret_wait_us, bound, wait_us);
	narrow(&room, ret_wait_us, free_places(c, call), -1);
	return room;
}

enum share_class api_client_class(enum api_call kind)
{
	switch (kind) {
	case API_CALL_ATTENDANCE: return SHARE_PUNCH;
	case API_CALL_USERS:
	case API_CALL_DEVICES: return SHARE_REFRESH;
	case API_CALL_USER_CREATE:
	case API_CALL_REPORT: return SHARE_PERSON;
	}
	return SHARE_REFRESH;
}

int api_client_room(struct api_client *c, enum api_call call, int64_t *ret_wait_us)
{
	int64_t now_us = api_client_now(c).mono_us;
	int64_t room = common_room(c, call, now_us, ret_wait_us);

	return (int)share_room(&c->share, api_client_class(call), room, now_us, ret_wait_us);
}

void api_client_refresh_first(struct api_client *c, bool first)
{
	c->share.refresh_first = first;
}

int64_t api_client_budget(const struct api_client *c)
{
	int64_t wait_us;

	if (api_client_probing(c))
		return 1;
	return pace_room(&c->pace, api_client_now(c).mono_us, &wait_us);
}

bool api_client_probing(const struct api_client *c)
{
	return circuit_probing(&c->circuit) || circuit_probing(&c->gate[API_CALL_ATTENDANCE]);
}

/* --- outlook */

int64_t api_client_time_for(const struct api_client *c, int64_t punches, int64_t parallel)
{
	int64_t now_us = api_client_now(c).mono_us, by_limit_us, by_latency_us;

	if (!c->key || api_client_probing(c))
		return -1;
	if (parallel > c->max_in_flight)
		parallel = c->max_in_flight;
	if (parallel < 1)
		parallel = 1;
	by_limit_us = pace_time_for(&c->pace, now_us, punches);
	by_latency_us = punches / parallel * c->latency_us + c->latency_us;
	return by_limit_us > by_latency_us ? by_limit_us : by_latency_us;
}

/* --- status */

static enum api_state state_of(const struct api_client *c, int64_t now_us)
{
	switch (c->circuit.cause) {
	case CIRCUIT_AUTH: return API_STATE_AUTH_FAILED;
	case CIRCUIT_OFFLINE: return API_STATE_OFFLINE;
	case CIRCUIT_SERVER:
	case CIRCUIT_GARBLED: return API_STATE_BACKOFF;
	case CIRCUIT_OPEN_ROAD: break;
	}
	if (!c->key || circuit_probing(&c->gate[API_CALL_ATTENDANCE]))
		return API_STATE_AUTH_FAILED;
	return pace_exhausted(&c->pace, now_us) ? API_STATE_RATE_LIMITED : API_STATE_OK;
}

void api_client_status(const struct api_client *c, struct api_status *ret)
{
	int64_t now_us = api_client_now(c).mono_us, wait_us;

	common_room(c, API_CALL_ATTENDANCE, now_us, &wait_us);
	*ret = (struct api_status){
		.state = state_of(c, now_us),
		.garbled = c->garbled,
		.unauthorized = c->circuit.cause == CIRCUIT_AUTH,
		.in_flight = c->in_flight + c->reports,
		.limit = c->pace.learnt ? c->pace.limit : -1,
		.remaining = c->pace.learnt ? c->pace.remaining : -1,
		.reset_us = c->pace.learnt && c->pace.reset_us > 0 ? c->pace.reset_us : 0,
		.next_try_us = wait_us > 0 ? now_us + wait_us : 0,
		.last_done_us = c->last_done_us,
		.sent = c->sent,
	};
	for (int i = 0; i < API_CALLS; i++)
		ret->forbidden[i] = c->gate[i].cause == CIRCUIT_AUTH;
}
