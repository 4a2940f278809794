/* Records that are made and lists that are read: calls whose answer is held whole. */
#include <errno.h>

#include "api/client_private.h"
#include "api/wire.h"

/* Hand a request over. call may be NULL; it is freed on failure. */
static int start_call(struct call *call, struct api_request *request)
{
	struct api_transport *t;
	int r;

	if (!call)
		return -ENOMEM;
	t = call->client->transport;
	api_client_prepare(call, request);
	r = t->submit(t, request, api_client_answered, call);
	if (r < 0) {
		free(call);
		return r;
	}
	api_client_sent(call);
	return 0;
}

/* --- records */

/* A call that keeps the texts it is asked for behind itself, to compare the echo with. */
static struct call *new_record_call(struct api_client *c, enum api_call kind,
	const struct api_sent *sent, api_done *done, void *arg)
{
	size_t size = sizeof(struct call);
	struct call *call;
	char *at;

	for (const struct api_sent *s = sent; s->member; s++)
		size += strlen(s->text) + 1;
	call = api_client_new_call(c, kind, size, done, arg);
	if (!call)
		return NULL;
	at = (char *)(call + 1);
	for (size_t i = 0; sent[i].member; i++) {
		call->sent_texts[i] = (struct api_sent){sent[i].member, at};
		at = stpcpy(at, sent[i].text) + 1;
	}
	return call;
}

/* Takes url and body. */
static int start_record(struct call *call, char *url, char *body, const char *key)
{
	struct api_request request = {
		.method = API_POST,
		.url = url,
		.idempotency_key = key,
		.body = body,
		.body_length = strlen(body),
		.answer_max = API_RECORD_ANSWER_MAX,
	};
	int r = start_call(call, &request);

	free(url);
	free(body);
	return r;
}

int api_attendance_create(
	struct api_client *c, const struct api_attendance *a, api_done *done, void *arg)
{
	const struct api_sent sent[API_SENT_MAX] = {
		{"user_id", a->user_id},
		{"device_id", a->device_id},
		{"type", a->type},
		{a->timestamp ? "timestamp" : NULL, a->timestamp},
	};
	char *url, *body;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	if (!wire_token_sound(a->key))
		return -EINVAL;
	r = wire_attendance_body(a, &body);
	if (r < 0)
		return r;
	r = wire_attendance_url(c->base_url, &url);
	if (r < 0) {
		free(body);
		return r;
	}
	return start_record(
		new_record_call(c, API_CALL_ATTENDANCE, sent, done, arg), url, body, a->key);
}

int api_user_create(struct api_client *c, const struct api_new_user *u, api_done *done, void *arg)
{
	const struct api_sent sent[API_SENT_MAX] = {
		{"name", u->name},
		{"email", u->email},
		{"phone", u->phone},
	};
	char *url, *body;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	if (!wire_token_sound(u->key))
		return -EINVAL;
	r = wire_user_body(u, &body);
	if (r < 0)
		return r;
	r = wire_user_url(c->base_url, &url);
	if (r < 0) {
		free(body);
		return r;
	}
	return start_record(
		new_record_call(c, API_CALL_USER_CREATE, sent, done, arg), url, body, u->key);
}

/* --- lists */

/* Takes url. */
static int start_list(
	struct api_client *c, enum api_call kind, char *url, api_done *done, void *arg)
{
	struct api_request request = {
		.method = API_GET,
		.url = url,
		.answer_max = API_LIST_ANSWER_MAX,
	};
	int r = start_call(api_client_new_call(c, kind, sizeof(struct call), done, arg), &request);

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
