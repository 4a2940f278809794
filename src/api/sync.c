/* Calls that return when they have ended: a client on a loop of its own, and the last reply. */
#include <errno.h>
#include <limits.h>

#include "api/client_private.h"
#include "api/pollloop.h"

#define ASK_MS 200 /* where the client cannot say when there will be room */

struct api_sync {
	struct poll_loop loop;
	struct api_transport *transport; /* the client's */
	struct api_client *client;
	bool ended; /* the call that is waited for */
	struct api_reply reply;
	char *texts; /* those of reply, owned */
	api_chunk *chunk;
	void *chunk_arg;
};

/* --- life */

int api_sync_new(const struct api_settings *settings, const struct api_curl_settings *network,
	const char *key, struct api_sync **ret_sync)
{
	struct api_sync *s = calloc(1, sizeof *s);
	struct api_loop calls;
	int r;

	if (!s)
		return -ENOMEM;
	poll_loop_init(&s->loop);
	calls = poll_loop_calls(&s->loop);
	r = api_curl_new(network, &calls, &s->transport);
	r = r < 0 ? r : api_client_new(settings, NULL, s->transport, &s->client);
	r = r < 0 ? r : api_client_set_key(s->client, key);
	if (r < 0) {
		api_sync_free(s);
		return r;
	}
	*ret_sync = s;
	return 0;
}

static void drop_reply(struct api_sync *s)
{
	json_decref((json_t *)s->reply.data);
	json_decref((json_t *)s->reply.meta);
	free(s->texts);
	s->reply = (struct api_reply){.status = 0};
	s->texts = NULL;
}

void api_sync_free(struct api_sync *s)
{
	if (!s)
		return;
	api_client_free(s->client);
	drop_reply(s);
	poll_loop_done(&s->loop);
	free(s);
}

struct api_client *api_sync_client(struct api_sync *s)
{
	return s->client;
}

/* --- waiting */

static int64_t now_ms(const struct api_sync *s)
{
	return api_client_now(s->client).mono_us / 1000;
}

int api_sync_room(struct api_sync *s, enum api_call call, int64_t most_ms)
{
	int64_t end_ms = most_ms < 0 ? INT64_MAX : now_ms(s) + most_ms, wait_us;

	while (api_client_room(s->client, call, &wait_us) <= 0) {
		int64_t left_ms = end_ms - now_ms(s);
		int64_t wait_ms = wait_us < 0 ? ASK_MS : (wait_us + 999) / 1000;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		poll_loop_turn(&s->loop, s->transport, wait_ms < left_ms ? wait_ms : left_ms);
	}
	return 0;
}

/* --- the reply, which outlives its callback */

static const char *keep(char **at, const char *text)
{
	char *kept = *at;

	*at = stpcpy(kept, text) + 1;
	return kept;
}

static void keep_texts(struct api_sync *s, const struct api_reply *reply)
{
	char *at = s->texts;

	s->reply.id = keep(&at, reply->id);
	s->reply.code = keep(&at, reply->code);
	s->reply.message = keep(&at, reply->message);
	s->reply.param = keep(&at, reply->param);
}

static void on_done(void *arg, const struct api_reply *reply)
{
	struct api_sync *s = arg;

	s->ended = true;
	s->texts = malloc(strlen(reply->id) + strlen(reply->code) + strlen(reply->message) +
		strlen(reply->param) + 4);
	if (!s->texts)
		return;
	s->reply = *reply;
	json_incref((json_t *)reply->data);
	json_incref((json_t *)reply->meta);
	keep_texts(s, reply);
}

/* r: what starting the call returned. */
static int finish(struct api_sync *s, int r, const struct api_reply **ret_reply)
{
	if (r < 0)
		return r;
	while (!s->ended)
		poll_loop_turn(&s->loop, s->transport, -1);
	if (!s->texts)
		return -ENOMEM;
	*ret_reply = &s->reply;
	return 0;
}

static struct api_client *begin(struct api_sync *s)
{
	drop_reply(s);
	s->ended = false;
	return s->client;
}

/* --- the calls */

int api_sync_attendance_create(
	struct api_sync *s, const struct api_attendance *a, const struct api_reply **ret_reply)
{
	return finish(s, api_attendance_create(begin(s), a, on_done, s), ret_reply);
}

int api_sync_user_create(
	struct api_sync *s, const struct api_new_user *u, const struct api_reply **ret_reply)
{
	return finish(s, api_user_create(begin(s), u, on_done, s), ret_reply);
}

int api_sync_users_list(
	struct api_sync *s, int limit, int64_t offset, const struct api_reply **ret_reply)
{
	return finish(s, api_users_list(begin(s), limit, offset, on_done, s), ret_reply);
}

int api_sync_devices_list(struct api_sync *s, const struct api_reply **ret_reply)
{
	return finish(s, api_devices_list(begin(s), on_done, s), ret_reply);
}

/* Nobody would resume what is paused. */
static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	const struct api_sync *s = arg;

	return s->chunk(s->chunk_arg, data, length) == API_TAKE_STOP ? API_TAKE_STOP
								     : API_TAKE_MORE;
}

int api_sync_report_get(struct api_sync *s, const struct api_report_query *q, api_chunk *chunk,
	void *arg, const struct api_reply **ret_reply)
{
	s->chunk = chunk;
	s->chunk_arg = arg;
	return finish(s, api_report_get(begin(s), q, on_chunk, on_done, s, NULL), ret_reply);
}
