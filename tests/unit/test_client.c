/* api/client over a transport that only notes what it is given, in virtual time. */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/transport.h"

#define S     CLOCK_US_PER_S
#define EPOCH 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define KEY   "sk_live_0123456789"

/* --- the transport */

struct noted {
	enum api_method method;
	char url[256];
	char authorization[128];
	char idempotency_key[128];
	char body[512];
	size_t answer_max;
	bool keyless;
	api_answered *answered;
	void *arg;
	char accept[64];
	const struct api_sink *sink;
	bool resumed, cancelled;
};

struct fake {
	struct api_transport base;
	struct noted noted[200];
	size_t count;
	bool full;
	bool *freed;
};

static void note(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "-");
}

static int fake_submit(struct api_transport *t, const struct api_request *request,
	api_answered *answered, void *arg)
{
	struct fake *f = (struct fake *)(void *)t;
	struct noted *n = &f->noted[f->count];

	if (f->full)
		return -ENOMEM;
	f->count++;
	n->method = request->method;
	note(n->url, sizeof n->url, request->url);
	note(n->authorization, sizeof n->authorization, request->authorization);
	note(n->idempotency_key, sizeof n->idempotency_key, request->idempotency_key);
	note(n->body, sizeof n->body, request->body);
	n->answer_max = request->answer_max;
	n->keyless = !request->authorization;
	n->answered = answered;
	n->arg = arg;
	return 0;
}

static int fake_stream(struct api_transport *t, const struct api_request *request,
	const struct api_sink *sink, api_answered *answered, void *arg, void **ret_stream)
{
	struct fake *f = (struct fake *)(void *)t;
	int r = fake_submit(t, request, answered, arg);

	if (r < 0)
		return r;
	f->noted[f->count - 1].sink = sink;
	note(f->noted[f->count - 1].accept, sizeof f->noted[0].accept, request->accept);
	*ret_stream = &f->noted[f->count - 1];
	return 0;
}

static void fake_resume(struct api_transport *t, void *stream)
{
	struct noted *n = stream;

	(void)t;
	n->resumed = true;
}

static void fake_cancel(struct api_transport *t, void *stream)
{
	struct noted *n = stream;

	(void)t;
	n->cancelled = true;
}

static void fake_free(struct api_transport *t)
{
	struct fake *f = (struct fake *)(void *)t;

	*f->freed = true;
	free(f);
}

/* --- the world */

static struct fake *fake;
static struct api_client *client;
static struct api_moment time_now;
static bool transport_freed;
static int64_t wait_us;

static struct api_moment world_now(void *arg)
{
	(void)arg;
	return time_now;
}

static uint64_t world_random(void *arg)
{
	(void)arg;
	return 0;
}

static const struct api_world world = {.now = world_now, .random = world_random};

static struct fake *new_fake(void)
{
	struct fake *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->base = (struct api_transport){.submit = fake_submit,
		.stream = fake_stream,
		.resume = fake_resume,
		.cancel = fake_cancel,
		.free = fake_free};
	f->freed = &transport_freed;
	transport_freed = false;
	return f;
}

static struct api_settings settings = {
	.base_url = "https://api.example.com/v1",
	.max_in_flight = 8,
	.retry_min_ms = 1000,
	.retry_max_ms = 60000,
	.auth_retry_ms = 300000,
};

static void advance(int64_t us)
{
	time_now.mono_us += us;
	time_now.wall_us += us;
}

static int begin(void **state)
{
	(void)state;
	time_now = (struct api_moment){.wall_us = EPOCH * S, .mono_us = 1000 * S};
	fake = new_fake();
	assert_int_equal(api_client_new(&settings, &world, &fake->base, &client), 0);
	assert_int_equal(api_client_set_key(client, KEY), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	api_client_free(client);
	assert_true(transport_freed);
	return 0;
}

/* --- callers */

struct seen {
	int calls;
	enum api_outcome outcome;
	int status;
	char id[64], code[64], message[300], param[64];
	bool echo_differs;
	size_t list_size;
	int64_t date_s;
	struct api_moment sent, received;
	bool send_another; /* from inside the callback */
};

static const struct api_attendance punch = {
	.user_id = "usr_1",
	.device_id = "dev_1",
	.type = "check_in",
	.timestamp = "2023-01-15T10:30:00Z",
	.key = "00112233",
};

static void on_done(void *arg, const struct api_reply *reply)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->outcome = reply->outcome;
	seen->status = reply->status;
	snprintf(seen->id, sizeof seen->id, "%s", reply->id);
	snprintf(seen->code, sizeof seen->code, "%s", reply->code);
	snprintf(seen->message, sizeof seen->message, "%s", reply->message);
	snprintf(seen->param, sizeof seen->param, "%s", reply->param);
	seen->echo_differs = reply->echo_differs;
	seen->list_size = json_array_size(reply->data);
	seen->date_s = reply->date_s;
	seen->sent = reply->sent;
	seen->received = reply->received;
	if (seen->send_another) {
		seen->send_another = false;
		assert_int_equal(api_attendance_create(client, &punch, on_done, seen), 0);
	}
}

static int create(struct seen *seen)
{
	return api_attendance_create(client, &punch, on_done, seen);
}

static size_t send_punch(struct seen *seen)
{
	*seen = (struct seen){.calls = 0};
	assert_int_equal(create(seen), 0);
	assert_int_equal(seen->calls, 0);
	return fake->count - 1;
}

static void answer(size_t i, const struct api_answer *a)
{
	fake->noted[i].answered(fake->noted[i].arg, a);
}

static struct api_answer answer_of(int status, const char *body)
{
	struct api_answer a = {
		.fate = API_FATE_ANSWERED,
		.status = status,
		.body = body,
		.body_length = strlen(body),
	};

	snprintf(a.headers.date, sizeof a.headers.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	return a;
}

/* With rate headers: remaining until reset_in_s from now. */
static struct api_answer answer_with_rate(
	int status, const char *body, int64_t remaining, int64_t reset_in_s)
{
	struct api_answer a = answer_of(status, body);

	snprintf(a.headers.limit, sizeof a.headers.limit, "100");
	snprintf(a.headers.remaining, sizeof a.headers.remaining, "%" PRId64, remaining);
	snprintf(a.headers.reset, sizeof a.headers.reset, "%" PRId64, EPOCH + reset_in_s);
	return a;
}

#define DONE_BODY "{\"data\":{\"id\":\"att_7\",\"user_id\":\"usr_1\"}}"

static void answer_done(size_t i)
{
	struct api_answer a = answer_of(201, DONE_BODY);

	answer(i, &a);
}

static void answer_status(size_t i, int status, const char *body)
{
	struct api_answer a = answer_of(status, body);

	answer(i, &a);
}

static void answer_fate(size_t i, enum api_fate fate)
{
	struct api_answer a = {.fate = fate, .body = "", .trouble = "broke"};

	answer(i, &a);
}

static int room(enum api_call call)
{
	return api_client_room(client, call, &wait_us);
}

static struct api_status status_now(void)
{
	struct api_status status;

	api_client_status(client, &status);
	return status;
}

/* --- cases */

static void test_requests(void **state)
{
	static struct seen seen;
	struct noted *n;

	(void)state;
	send_punch(&seen);
	n = &fake->noted[0];
	assert_int_equal(n->method, API_POST);
	assert_string_equal(n->url, "https://api.example.com/v1/attendance");
	assert_string_equal(n->authorization, "Bearer " KEY);
	assert_string_equal(n->idempotency_key, "00112233");
	assert_string_equal(n->body,
		"{\"user_id\":\"usr_1\",\"device_id\":\"dev_1\",\"type\":\"check_in\","
		"\"timestamp\":\"2023-01-15T10:30:00Z\"}");
	assert_int_equal(n->answer_max, 64 * 1024);
	assert_int_equal(api_users_list(client, 100, 200, on_done, &seen), 0);
	n = &fake->noted[1];
	assert_int_equal(n->method, API_GET);
	assert_string_equal(n->url, "https://api.example.com/v1/users?limit=100&offset=200");
	assert_string_equal(n->body, "-");
	assert_string_equal(n->idempotency_key, "-");
	assert_int_equal(n->answer_max, 4 * 1024 * 1024);
	assert_int_equal(api_devices_list(client, on_done, &seen), 0);
	assert_string_equal(fake->noted[2].url, "https://api.example.com/v1/devices");
	assert_int_equal(status_now().in_flight, 3);
	assert_int_equal(status_now().sent, 3);
}

static void test_reply(void **state)
{
	struct seen seen;
	size_t i = send_punch(&seen);

	(void)state;
	advance(S);
	answer_done(i);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.outcome, API_DONE);
	assert_int_equal(seen.status, 201);
	assert_string_equal(seen.id, "att_7");
	assert_false(seen.echo_differs);
	assert_int_equal(seen.date_s, EPOCH);
	assert_int_equal(seen.sent.mono_us, 1000 * S);
	assert_int_equal(seen.received.mono_us, 1001 * S);
	assert_int_equal(status_now().in_flight, 0);
	assert_int_equal(status_now().last_done_us, (EPOCH + 1) * S);
}

/* The record is compared with what was asked for although the caller's texts are gone. */
static void test_echo_of_texts_that_are_gone(void **state)
{
	char user_id[] = "usr_1";
	struct api_attendance a = punch;
	struct seen seen = {.calls = 0};

	(void)state;
	a.user_id = user_id;
	assert_int_equal(api_attendance_create(client, &a, on_done, &seen), 0);
	memset(user_id, 'x', sizeof user_id - 1);
	answer_done(0);
	assert_false(seen.echo_differs);
	send_punch(&seen);
	answer_status(1, 200, "{\"data\":{\"id\":\"att_8\",\"user_id\":\"usr_2\"}}");
	assert_true(seen.echo_differs);
}

static void test_list(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	assert_int_equal(api_users_list(client, 100, 0, on_done, &seen), 0);
	answer_status(0, 200, "{\"data\":[{},{}],\"meta\":{\"total\":2}}");
	assert_int_equal(seen.outcome, API_DONE);
	assert_int_equal(seen.list_size, 2);
}

static void test_callback_may_send(void **state)
{
	struct seen seen;
	size_t i = send_punch(&seen);

	(void)state;
	seen.send_another = true;
	answer_done(i);
	assert_int_equal(fake->count, 2);
	answer_done(1);
	assert_int_equal(seen.calls, 2);
}

static void test_no_memory(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	fake->full = true;
	assert_int_equal(create(&seen), -ENOMEM);
	assert_int_equal(api_devices_list(client, on_done, &seen), -ENOMEM);
	assert_int_equal(status_now().in_flight, 0);
	assert_int_equal(status_now().sent, 0);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1); /* nothing was spent */
}

static void test_texts_that_cannot_be_sent(void **state)
{
	struct api_attendance a = punch;
	struct seen seen = {.calls = 0};

	(void)state;
	a.user_id = "\xff";
	assert_int_equal(api_attendance_create(client, &a, on_done, &seen), -EINVAL);
	a = punch;
	a.key = "a\r\nb";
	assert_int_equal(api_attendance_create(client, &a, on_done, &seen), -EINVAL);
	assert_int_equal(fake->count, 0);
	assert_int_equal(seen.calls, 0);
}

static void test_base_url_must_be_https(void **state)
{
	struct api_settings plain = settings;
	struct api_client *none = NULL;
	struct fake *other;

	(void)state;
	api_client_free(client);
	other = new_fake();
	plain.base_url = "http://api.example.com/v1";
	assert_int_equal(api_client_new(&plain, &world, &other->base, &none), -EINVAL);
	assert_true(transport_freed);
	assert_null(none);
	api_client_free(NULL);
	begin(NULL);
}

/* --- room */

static void test_room_by_connections(void **state)
{
	static struct seen seen[9];
	struct api_answer a = answer_with_rate(201, DONE_BODY, 90, 60);

	(void)state;
	assert_int_equal(room(API_CALL_ATTENDANCE), 1); /* the first tells of the limit */
	send_punch(&seen[0]);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, -1);
	answer(0, &a);
	assert_int_equal(room(API_CALL_ATTENDANCE), 8);
	for (int i = 0; i < 8; i++)
		send_punch(&seen[i]);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, -1);
	assert_int_equal(api_client_budget(client), 82);
}

static void test_room_by_rate(void **state)
{
	struct seen seen;
	struct api_answer a = answer_with_rate(201, DONE_BODY, 2, 60);
	struct api_status s;

	(void)state;
	answer(send_punch(&seen), &a);
	assert_int_equal(room(API_CALL_ATTENDANCE), 2);
	s = status_now();
	assert_int_equal(s.state, API_STATE_OK);
	assert_int_equal(s.limit, 100);
	assert_int_equal(s.remaining, 2);
	assert_int_equal(s.reset_us, 1060 * S);
	assert_int_equal(s.next_try_us, 0);
	a = answer_with_rate(201, DONE_BODY, 0, 60);
	answer(send_punch(&seen), &a);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, 60 * S);
	assert_int_equal(api_client_budget(client), 0);
	s = status_now();
	assert_int_equal(s.state, API_STATE_RATE_LIMITED);
	assert_int_equal(s.next_try_us, 1060 * S);
}

/* A call beyond the room goes all the same, and is reckoned with. */
static void test_beyond_the_room(void **state)
{
	static struct seen seen[2];

	(void)state;
	send_punch(&seen[0]);
	send_punch(&seen[1]);
	assert_int_equal(fake->count, 2);
	assert_int_equal(status_now().in_flight, 2);
}

static void test_429(void **state)
{
	struct seen seen;
	struct api_answer a = answer_with_rate(429, "", 0, 20);

	(void)state;
	answer(send_punch(&seen), &a);
	assert_int_equal(seen.outcome, API_RATE_LIMITED);
	assert_int_equal(status_now().state, API_STATE_RATE_LIMITED);
	room(API_CALL_ATTENDANCE);
	assert_int_equal(wait_us, 20 * S);
	api_client_resume(client);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	advance(20 * S);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
	a = answer_of(429, "");
	snprintf(a.headers.retry_after, sizeof a.headers.retry_after, "7");
	answer(send_punch(&seen), &a);
	room(API_CALL_ATTENDANCE);
	assert_int_equal(wait_us, 7 * S);
	api_client_resume(client);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
}

static void test_plan_without_headers(void **state)
{
	struct seen seen;
	int sent = 0;

	(void)state;
	for (; room(API_CALL_ATTENDANCE) > 0; sent++)
		answer_done(send_punch(&seen));
	assert_int_equal(sent, 100);
	assert_int_equal(wait_us, 60 * S);
	assert_int_equal(status_now().limit, -1);
	assert_int_equal(status_now().reset_us, 0);
}

/* --- trouble */

static void test_server_error(void **state)
{
	struct seen seen;
	size_t i = send_punch(&seen);

	(void)state;
	answer_status(i, 500, "");
	assert_int_equal(seen.outcome, API_SERVER_DOUBT);
	assert_string_equal(seen.message, "HTTP 500");
	assert_int_equal(status_now().state, API_STATE_BACKOFF);
	assert_int_equal(status_now().next_try_us, 1001 * S);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, S);
	assert_true(api_client_probing(client));
	assert_int_equal(api_client_budget(client), 1);
	advance(S);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
	answer_done(send_punch(&seen));
	assert_false(api_client_probing(client));
	assert_int_equal(room(API_CALL_ATTENDANCE), 2);
	answer_done(send_punch(&seen));
	assert_int_equal(room(API_CALL_ATTENDANCE), 3);
}

static void test_retry_after_with_503(void **state)
{
	struct seen seen;
	struct api_answer a = answer_of(503, "");

	(void)state;
	snprintf(a.headers.retry_after, sizeof a.headers.retry_after, "45");
	answer(send_punch(&seen), &a);
	assert_int_equal(seen.outcome, API_SERVER_ERROR);
	room(API_CALL_ATTENDANCE);
	assert_int_equal(wait_us, 45 * S);
}

static void test_lost_and_never_left(void **state)
{
	struct seen seen;
	size_t i = send_punch(&seen);

	(void)state;
	answer_fate(i, API_FATE_LOST);
	assert_int_equal(seen.outcome, API_LOST);
	assert_string_equal(seen.message, "broke");
	assert_int_equal(status_now().state, API_STATE_OFFLINE);
	advance(S);
	answer_fate(send_punch(&seen), API_FATE_NEVER_LEFT);
	assert_int_equal(seen.outcome, API_NEVER_LEFT);
	assert_int_equal(status_now().state, API_STATE_OFFLINE);
}

static void test_garbled_until_the_api_answers(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool garbled;
	} rows[] = {
		{200, "<html>", true},
		{500, "", true}, /* says neither */
		{200, "{}", false},
		{302, "", true},
		{429, "", false},
		{407, "", true},
		{422, "{\"error\":{\"code\":\"x\"}}", false},
		{404, "<html>", true},
		{201, DONE_BODY, false},
	};
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		answer_status(send_punch(&seen), rows[i].status, rows[i].body);
		if (status_now().garbled != rows[i].garbled)
			fail_msg("%d %s", rows[i].status, rows[i].body);
	}
}

static void test_401(void **state)
{
	static struct seen seen;

	(void)state;
	answer_status(send_punch(&seen), 401, "");
	assert_int_equal(seen.outcome, API_UNAUTHORIZED);
	assert_int_equal(status_now().state, API_STATE_AUTH_FAILED);
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, 300 * S);
	assert_int_equal(room(API_CALL_DEVICES), 0);
	api_client_set_key(client, KEY); /* the same: nothing new */
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(api_client_set_key(client, "sk_other"), 0);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
	assert_int_equal(status_now().state, API_STATE_OK);
	send_punch(&seen);
	assert_string_equal(fake->noted[fake->count - 1].authorization, "Bearer sk_other");
}

/* A new key does not mend a server that is down. */
static void test_new_key_lifts_no_other_pause(void **state)
{
	struct seen seen;

	(void)state;
	answer_status(send_punch(&seen), 503, "");
	api_client_set_key(client, "sk_other");
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(status_now().state, API_STATE_BACKOFF);
}

/* 401 and 403 for the old key that come after the new one was set. */
static void test_late_answers_to_an_old_key(void **state)
{
	struct seen seen[2];

	(void)state;
	send_punch(&seen[0]);
	send_punch(&seen[1]);
	api_client_set_key(client, "sk_other");
	answer_status(0, 401, "");
	answer_status(1, 403, "");
	assert_int_equal(seen[0].outcome, API_UNAUTHORIZED);
	assert_int_equal(seen[1].outcome, API_FORBIDDEN);
	assert_int_equal(status_now().state, API_STATE_OK);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
}

static void test_403_pauses_its_endpoint_alone(void **state)
{
	struct seen seen;
	struct api_status s;

	(void)state;
	answer_status(send_punch(&seen), 403, "");
	assert_int_equal(seen.outcome, API_FORBIDDEN);
	s = status_now();
	assert_true(s.forbidden[API_CALL_ATTENDANCE]);
	assert_false(s.unauthorized);
	assert_false(s.forbidden[API_CALL_DEVICES]);
	assert_int_equal(s.state, API_STATE_AUTH_FAILED);
	assert_true(api_client_probing(client));
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, 300 * S);
	assert_int_equal(room(API_CALL_DEVICES), 8);
	/* A list passes: that opens nothing for punches. */
	assert_int_equal(api_devices_list(client, on_done, &seen), 0);
	answer_status(1, 200, "{\"data\":[]}");
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	advance(300 * S);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
	answer_done(send_punch(&seen));
	assert_false(status_now().forbidden[API_CALL_ATTENDANCE]);
	assert_int_equal(room(API_CALL_ATTENDANCE), 2);
}

static void test_403_for_a_list(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	assert_int_equal(api_users_list(client, 100, 0, on_done, &seen), 0);
	answer_status(0, 403, "");
	assert_true(status_now().forbidden[API_CALL_USERS]);
	assert_int_equal(status_now().state, API_STATE_OK);
	assert_int_equal(room(API_CALL_USERS), 0);
	assert_int_equal(room(API_CALL_DEVICES), 8);
	assert_int_equal(room(API_CALL_ATTENDANCE), 8);
	api_client_resume(client);
	assert_false(status_now().forbidden[API_CALL_USERS]);
}

/* A probe of a forbidden endpoint that does not come back leaves it closed, and may go again. */
static void test_403_probe_that_is_lost(void **state)
{
	struct seen seen;

	(void)state;
	answer_status(send_punch(&seen), 403, "");
	advance(300 * S);
	answer_fate(send_punch(&seen), API_FATE_LOST);
	advance(S);
	assert_true(status_now().forbidden[API_CALL_ATTENDANCE]);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
}

/* --- users and reports */

static const struct api_new_user someone = {
	.name = "Zoë",
	.email = "zoe@example.com",
	.phone = "+919876543210",
	.key = "4455",
};

static const struct api_report_query january = {
	.start_date = "2023-01-01",
	.end_date = "2023-01-31",
	.format = API_FORMAT_CSV,
};

static size_t chunk_bytes;

static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	(void)arg;
	(void)data;
	chunk_bytes += length;
	return API_TAKE_PAUSE;
}

static size_t send_user(struct seen *seen)
{
	*seen = (struct seen){.calls = 0};
	assert_int_equal(api_user_create(client, &someone, on_done, seen), 0);
	return fake->count - 1;
}

static struct api_stream *stream;

static size_t send_report(struct seen *seen)
{
	*seen = (struct seen){.calls = 0};
	chunk_bytes = 0;
	assert_int_equal(api_report_get(client, &january, on_chunk, on_done, seen, &stream), 0);
	return fake->count - 1;
}

/* Its headers, and whether its body is wanted in pieces. */
static bool answer_head(size_t i, const char *type)
{
	struct api_answer a = answer_with_rate(200, "", 50, 60);

	snprintf(a.headers.content_type, sizeof a.headers.content_type, "%s", type);
	return fake->noted[i].sink->head(fake->noted[i].arg, &a);
}

static void test_user_create(void **state)
{
	struct seen seen;
	struct noted *n = &fake->noted[send_user(&seen)];

	(void)state;
	assert_int_equal(n->method, API_POST);
	assert_string_equal(n->url, "https://api.example.com/v1/users");
	assert_string_equal(n->idempotency_key, "4455");
	assert_string_equal(n->body,
		"{\"name\":\"Zoë\",\"email\":\"zoe@example.com\",\"phone\":\"+919876543210\"}");
	answer_status(0, 201, "{\"data\":{\"id\":\"usr_9\",\"phone\":\"+910000000000\"}}");
	assert_int_equal(seen.outcome, API_DONE);
	assert_string_equal(seen.id, "usr_9");
	assert_true(seen.echo_differs);
}

static void test_user_that_cannot_be_sent(void **state)
{
	struct api_new_user u = someone;
	struct seen seen = {.calls = 0};

	(void)state;
	u.name = "\xff";
	assert_int_equal(api_user_create(client, &u, on_done, &seen), -EINVAL);
	u = someone;
	u.key = "";
	assert_int_equal(api_user_create(client, &u, on_done, &seen), -EINVAL);
	fake->full = true;
	assert_int_equal(api_user_create(client, &someone, on_done, &seen), -ENOMEM);
	assert_int_equal(api_report_get(client, &january, on_chunk, on_done, &seen, NULL), -ENOMEM);
	fake->base.stream = NULL;
	assert_int_equal(
		api_report_get(client, &january, on_chunk, on_done, &seen, NULL), -ENOTSUP);
	assert_int_equal(status_now().in_flight, 0);
}

static void test_report(void **state)
{
	struct seen seen;
	size_t i = send_report(&seen);
	struct noted *n = &fake->noted[i];

	(void)state;
	assert_int_equal(n->method, API_GET);
	assert_string_equal(n->accept, "text/csv, application/json");
	assert_int_equal(n->answer_max, 64 * 1024);
	assert_int_equal(status_now().in_flight, 1);
	assert_true(answer_head(i, "text/csv"));
	assert_int_equal(status_now().remaining, 50); /* told by its headers */
	assert_int_equal(n->sink->chunk(n->arg, "abc", 3), API_TAKE_PAUSE);
	assert_int_equal(chunk_bytes, 3);
	api_stream_resume(stream);
	assert_true(n->resumed);
	answer_status(i, 200, "");
	assert_int_equal(seen.outcome, API_DONE);
	assert_int_equal(status_now().in_flight, 0);
	assert_int_equal(status_now().last_done_us, EPOCH * S);
}

static void test_report_that_is_cut_off_or_cancelled(void **state)
{
	struct api_answer cancelled = {.fate = API_FATE_CANCELLED, .body = ""};
	struct seen seen;
	size_t i = send_report(&seen);

	(void)state;
	assert_true(answer_head(i, "text/csv"));
	answer_fate(i, API_FATE_LOST);
	assert_int_equal(seen.outcome, API_LOST);
	i = send_report(&seen);
	api_stream_cancel(stream);
	assert_true(fake->noted[i].cancelled);
	answer(i, &cancelled);
	assert_int_equal(seen.outcome, API_CANCELLED);
	assert_int_equal(status_now().state, API_STATE_OK);
}

/* What a person asked for and did not get stops its own endpoint, and no punch. */
static void test_persons_trouble_is_its_own(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {{500, ""}, {503, ""}, {200, "<html>"}, {302, ""}, {0, NULL}};
	struct seen seen;

	(void)state;
	answer_done(send_punch(&seen));
	for (size_t row = 0; row < COUNT(rows); row++) {
		for (int report = 0; report < 2; report++) {
			enum api_call call = report ? API_CALL_REPORT : API_CALL_USER_CREATE;
			size_t i = report ? send_report(&seen) : send_user(&seen);

			fake->count = 0;
			if (rows[row].body)
				answer_status(i, rows[row].status, rows[row].body);
			else
				answer_fate(i, API_FATE_LOST);
			assert_int_equal(seen.calls, 1);
			assert_int_equal(room(call), 0);
			assert_true(wait_us > 0);
			assert_int_equal(room(API_CALL_ATTENDANCE), 8);
			assert_int_equal(room(API_CALL_USERS), 8);
			assert_int_equal(status_now().state, API_STATE_OK);
			assert_false(status_now().garbled);
			assert_false(status_now().forbidden[call]);
			advance(100 * S);
			assert_int_equal(room(call), 1);
		}
	}
}

static void test_persons_403_is_its_own(void **state)
{
	struct seen seen;

	(void)state;
	answer_done(send_punch(&seen));
	answer_status(send_report(&seen), 403, "");
	assert_true(status_now().forbidden[API_CALL_REPORT]);
	assert_int_equal(room(API_CALL_REPORT), 0);
	assert_int_equal(wait_us, 300 * S);
	assert_int_equal(room(API_CALL_USER_CREATE), 8);
	answer_status(send_user(&seen), 403, "");
	assert_true(status_now().forbidden[API_CALL_USER_CREATE]);
	assert_int_equal(room(API_CALL_USER_CREATE), 0);
	assert_int_equal(room(API_CALL_USERS), 8);
	assert_int_equal(room(API_CALL_ATTENDANCE), 8);
	assert_int_equal(status_now().state, API_STATE_OK);
}

/* 401 and a missing connection are everybody's. */
static void test_persons_trouble_that_is_everybodys(void **state)
{
	struct seen seen;

	(void)state;
	answer_status(send_report(&seen), 401, "");
	assert_int_equal(status_now().state, API_STATE_AUTH_FAILED);
	api_client_resume(client);
	answer_fate(send_user(&seen), API_FATE_NEVER_LEFT);
	assert_int_equal(status_now().state, API_STATE_OFFLINE);
}

/* A report takes its time: it is no probe, opens no window, and takes no punch's place. */
static void test_report_is_waited_for_by_nobody(void **state)
{
	static struct seen seen[3];
	size_t report = send_report(&seen[0]);

	(void)state;
	assert_int_equal(room(API_CALL_ATTENDANCE), 1); /* opens the window */
	answer_done(send_punch(&seen[1]));
	assert_int_equal(room(API_CALL_ATTENDANCE), 8);
	assert_int_equal(room(API_CALL_REPORT), 1);
	answer_status(send_punch(&seen[1]), 503, "");
	advance(S);
	send_report(&seen[2]);
	assert_int_equal(room(API_CALL_REPORT), 0);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);        /* the probe is not taken */
	assert_true(answer_head(fake->count - 1, "text/csv")); /* but what it brings counts */
	assert_int_equal(status_now().state, API_STATE_OK);
	assert_int_equal(room(API_CALL_ATTENDANCE), 2);
	assert_true(answer_head(report, "text/csv"));
}

static void test_latency_is_not_a_reports(void **state)
{
	struct seen seen;
	size_t i = send_report(&seen);

	(void)state;
	advance(100 * S);
	assert_true(answer_head(i, "text/csv"));
	answer_status(i, 200, "");
	assert_int_equal(api_client_time_for(client, 1, 1), 0);
}

/* --- the key */

static void test_without_a_key(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(api_client_set_key(client, NULL), 0);
	assert_int_equal(status_now().state, API_STATE_AUTH_FAILED);
	send_punch(&seen);
	assert_true(fake->noted[0].keyless);
	assert_int_equal(status_now().sent, 0);
	answer_fate(0, API_FATE_NEVER_LEFT);
	assert_int_equal(seen.outcome, API_UNAUTHORIZED);
	assert_string_equal(seen.message, "there is no API key");
	assert_int_equal(room(API_CALL_ATTENDANCE), 0);
	assert_int_equal(wait_us, 300 * S);
	assert_int_equal(api_client_set_key(client, KEY), 0);
	assert_int_equal(room(API_CALL_ATTENDANCE), 1);
}

static void test_key_that_no_header_may_carry(void **state)
{
	(void)state;
	assert_int_equal(api_client_set_key(client, "a b"), -EINVAL);
	assert_int_equal(api_client_set_key(client, "a\r\nX: y"), -EINVAL);
	assert_int_equal(api_client_set_key(client, ""), -EINVAL);
}

static void check_no_key(const struct seen *seen, const char *key)
{
	assert_null(strstr(seen->message, key));
	assert_null(strstr(seen->code, key));
	assert_null(strstr(seen->param, key));
}

/* What a server says about the key must not carry it into logs and traces. */
static void test_key_in_an_answer_is_hidden(void **state)
{
	struct seen seen;
	char body[600], filler[256];

	(void)state;
	answer_status(send_punch(&seen), 401,
		"{\"error\":{\"code\":\"bad_" KEY "\",\"param\":\"" KEY "\",\"message\":\"invalid "
		"key " KEY " (" KEY ")\"}}");
	check_no_key(&seen, KEY);
	assert_string_equal(seen.message, "invalid key ****************** (******************)");
	/* Cut in the midst of the key. */
	memset(filler, 'x', 245);
	filler[245] = '\0';
	snprintf(body, sizeof body, "{\"error\":{\"code\":\"c\",\"message\":\"%s" KEY "\"}}",
		filler);
	answer_status(send_punch(&seen), 401, body);
	assert_int_equal(strlen(seen.message), 255);
	check_no_key(&seen, "sk_l");
	/* The old key, in an answer that comes after the new one was set. */
	send_punch(&seen);
	api_client_set_key(client, "k");
	answer_status(2, 401, "{\"error\":{\"code\":\"c\",\"message\":\"key " KEY "\"}}");
	check_no_key(&seen, KEY);
	assert_string_equal(seen.code, "c");
}

/* --- the end */

static void on_cancelled(void *arg, const struct api_reply *reply)
{
	int *cancelled = arg;

	assert_int_equal(reply->outcome, API_CANCELLED);
	assert_string_equal(reply->id, "");
	*cancelled += 1;
	/* Too late for new ones. */
	assert_int_equal(api_attendance_create(client, &punch, on_cancelled, arg), -ESHUTDOWN);
	assert_int_equal(api_users_list(client, 1, 0, on_cancelled, arg), -ESHUTDOWN);
	assert_int_equal(api_devices_list(client, on_cancelled, arg), -ESHUTDOWN);
	assert_int_equal(api_user_create(client, &someone, on_cancelled, arg), -ESHUTDOWN);
	assert_int_equal(
		api_report_get(client, &january, on_chunk, on_cancelled, arg, NULL), -ESHUTDOWN);
}

static void test_free_cancels(void **state)
{
	int cancelled = 0;

	(void)state;
	assert_int_equal(api_attendance_create(client, &punch, on_cancelled, &cancelled), 0);
	assert_int_equal(api_devices_list(client, on_cancelled, &cancelled), 0);
	api_client_free(client);
	assert_int_equal(cancelled, 2);
	assert_true(transport_freed);
	begin(NULL);
}

/* --- a backlog and a refresh that never ends, over one key */

static void test_refresh_gets_its_share(void **state)
{
	struct seen seen;
	int punches = 0, refreshes = 0;

	(void)state;
	for (int i = 0; i < 199; i++) {
		struct api_answer a = answer_with_rate(200, "{\"data\":[]}", 100, 3600);

		fake->count = 0;
		/* Each frees its place before the next comes; punches ask first. */
		if (room(API_CALL_ATTENDANCE) > 0) {
			for (int n = room(API_CALL_ATTENDANCE); n > 0; n--)
				send_punch(&seen);
			punches += (int)fake->count;
		}
		if (room(API_CALL_DEVICES) > 0) {
			assert_int_equal(api_devices_list(client, on_done, &seen), 0);
			refreshes++;
		}
		for (size_t n = 0; n < fake->count; n++)
			answer(n, &a);
		advance(S / 10);
	}
	/* 19 punches between two, and up to 8 that are handed over together. */
	assert_in_range(punches / refreshes, 19, 19 + 8);
}

static void test_state_names(void **state)
{
	(void)state;
	assert_string_equal(api_state_name(API_STATE_OK), "ok");
	assert_string_equal(api_state_name(API_STATE_RATE_LIMITED), "rate_limited");
	assert_string_equal(api_state_name(API_STATE_BACKOFF), "backoff");
	assert_string_equal(api_state_name(API_STATE_AUTH_FAILED), "auth_failed");
	assert_string_equal(api_state_name(API_STATE_OFFLINE), "offline");
	assert_string_equal(api_state_name((enum api_state)99), "unknown");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_requests),
		CASE(test_reply),
		CASE(test_echo_of_texts_that_are_gone),
		CASE(test_list),
		CASE(test_callback_may_send),
		CASE(test_no_memory),
		CASE(test_texts_that_cannot_be_sent),
		CASE(test_base_url_must_be_https),
		CASE(test_room_by_connections),
		CASE(test_room_by_rate),
		CASE(test_beyond_the_room),
		CASE(test_429),
		CASE(test_plan_without_headers),
		CASE(test_server_error),
		CASE(test_retry_after_with_503),
		CASE(test_lost_and_never_left),
		CASE(test_garbled_until_the_api_answers),
		CASE(test_401),
		CASE(test_new_key_lifts_no_other_pause),
		CASE(test_late_answers_to_an_old_key),
		CASE(test_403_pauses_its_endpoint_alone),
		CASE(test_403_for_a_list),
		CASE(test_403_probe_that_is_lost),
		CASE(test_user_create),
		CASE(test_user_that_cannot_be_sent),
		CASE(test_report),
		CASE(test_report_that_is_cut_off_or_cancelled),
		CASE(test_persons_trouble_is_its_own),
		CASE(test_persons_403_is_its_own),
		CASE(test_persons_trouble_that_is_everybodys),
		CASE(test_report_is_waited_for_by_nobody),
		CASE(test_latency_is_not_a_reports),
		CASE(test_without_a_key),
		CASE(test_key_that_no_header_may_carry),
		CASE(test_key_in_an_answer_is_hidden),
		CASE(test_free_cancels),
		CASE(test_refresh_gets_its_share),
		cmocka_unit_test(test_state_names),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
