/* A report, whose body goes by in pieces. */
#include <errno.h>

#include "api/client_private.h"
#include "api/wire.h"

struct api_stream {
	struct call call; /* first, so that one is the other */
	enum api_format format;
	api_chunk *chunk;
	void *carried; /* the transport's name for it */
};

static struct api_stream *of(void *call)
{
	return call;
}

/* What cannot be known to be whole is no report either. */
static bool on_head(void *arg, const struct api_answer *head)
{
	struct api_stream *s = of(arg);

	if (head->status < 200 || head->status > 299 || head->body_ends_by_close ||
		!api_report_fits(s->format, head->headers.content_type))
		return false;
	api_client_heard(&s->call, head);
	return true;
}

static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	struct api_stream *s = of(arg);

	return s->chunk(s->call.arg, data, length);
}

static const struct api_sink sink = {.head = on_head, .chunk = on_chunk};

static struct api_stream *new_stream(struct api_client *c, const struct api_report_query *q,
	api_chunk *chunk, api_done *done, void *arg)
{
	struct api_stream *s = of(api_client_new_call(c, API_CALL_REPORT, sizeof *s, done, arg));

	if (!s)
		return NULL;
	s->format = q->format;
	s->chunk = chunk;
	return s;
}

/* Takes s. */
static int start(struct api_stream *s, struct api_request *request)
{
	struct api_transport *t = s->call.client->transport;
	int r;

	api_client_prepare(&s->call, request);
	r = t->stream(t, request, &sink, api_client_answered, &s->call, &s->carried);
	if (r < 0) {
		free(s);
		return r;
	}
	api_client_sent(&s->call);
	return 0;
}

int api_report_get(struct api_client *c, const struct api_report_query *q, api_chunk *chunk,
	api_done *done, void *arg, struct api_stream **ret_stream)
{
	struct api_request request = {
		.method = API_GET,
		.accept = wire_report_accept(q->format),
		.answer_max = API_RECORD_ANSWER_MAX,
	};
	struct api_stream *s;
	char *url;
	int r;

	if (c->closing)
		return -ESHUTDOWN;
	if (!c->transport->stream)
		return -ENOTSUP;
	r = wire_report_url(c->base_url, q, &url);
	if (r < 0)
		return r;
	request.url = url;
	s = new_stream(c, q, chunk, done, arg);
	r = s ? start(s, &request) : -ENOMEM;
	free(url);
	if (r == 0 && ret_stream)
		*ret_stream = s;
	return r;
}

void api_stream_resume(struct api_stream *s)
{
	struct api_transport *t = s->call.client->transport;

	t->resume(t, s->carried);
}

void api_stream_cancel(struct api_stream *s)
{
	struct api_transport *t = s->call.client->transport;

	t->cancel(t, s->carried);
}
