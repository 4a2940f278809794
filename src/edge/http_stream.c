#include "edge/http_stream.h"

#include <event2/buffer.h>
#include <stdlib.h>

#include "edge/http_private.h"

#define INPUT_MAX 4096 /* what somebody may go on sending */

struct http_stream {
	struct http_stream_events events;
	struct evhttp_request *req;
	bool broken; /* a piece is missing, for want of memory */
};

static struct bufferevent *bev_of(const struct http_stream *s)
{
	return evhttp_connection_get_bufferevent(evhttp_request_get_connection(s->req));
}

/* A connection that failed has let go of its request; one that is freed with the server takes it
 * along. */
static void on_closed(struct evhttp_connection *connection, void *arg)
{
	struct http_stream *s = arg;

	(void)connection;
	if (!evhttp_request_get_connection(s->req))
		evhttp_request_free(s->req);
	s->events.gone(s->events.arg);
	free(s);
}

/*
 * Until something is written evhttp (2.1.12) does not read, and so does not see that its client hangs
 * up. What it does then while it writes is done at once: reading with nobody who looks at what comes.
 */
static void watch(struct http_stream *s)
{
	struct timeval idle = {.tv_sec = HTTP_STREAM_IDLE_MS / 1000};
	struct bufferevent *bev = bev_of(s);
	bufferevent_data_cb write;
	bufferevent_event_cb event;
	void *arg;

	bufferevent_getcb(bev, NULL, &write, &event, &arg);
	bufferevent_setcb(bev, NULL, write, event, arg);
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	bufferevent_set_timeouts(bev, NULL, &idle);
	bufferevent_enable(bev, EV_READ);
}

struct http_stream *http_stream_new(
	struct http_later *later, const struct http_stream_events *events)
{
	struct http_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct http_stream){.events = *events, .req = (struct evhttp_request *)later};
	evhttp_connection_set_closecb(evhttp_request_get_connection(s->req), on_closed, s);
	watch(s);
	return s;
}

/* Nothing comes back from now on. */
static struct evhttp_request *let_go(struct http_stream *s)
{
	struct evhttp_request *req = s->req;

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	free(s);
	return req;
}

void http_stream_begin(
	struct http_stream *s, int status, const char *content_type, const char *file)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(s->req);
	char disposition[128];

	evhttp_add_header(head, "Connection", "close");
	evhttp_remove_header(evhttp_request_get_input_headers(s->req), "Proxy-Connection");
	evhttp_add_header(head, "Content-Type", content_type);
	if (file) {
		snprintf(disposition, sizeof disposition, "attachment; filename=\"%.80s\"", file);
		evhttp_add_header(head, "Content-Disposition", disposition);
	}
	evhttp_send_reply_start(s->req, status, NULL);
}

static void on_drained(struct evhttp_connection *connection, void *arg)
{
	struct http_stream *s = arg;

	(void)connection;
	s->events.room(s->events.arg);
}

bool http_stream_write(struct http_stream *s, const void *bytes, size_t n)
{
	struct evbuffer *piece = evbuffer_new();

	if (!piece || evbuffer_add(piece, bytes, n) < 0)
		s->broken = true;
	else
		evhttp_send_reply_chunk_with_cb(s->req, piece, on_drained, s);
	if (piece)
		evbuffer_free(piece);
	return evbuffer_get_length(bufferevent_get_output(bev_of(s))) < HTTP_STREAM_FULL;
}

void http_stream_fail(struct http_stream *s)
{
	evhttp_connection_free(evhttp_request_get_connection(let_go(s)));
}

void http_stream_end(struct http_stream *s)
{
	if (s->broken)
		http_stream_fail(s);
	else
		evhttp_send_reply_end(let_go(s));
}

void http_stream_answer(struct http_stream *s, struct http_answer *answer)
{
	http_later_answer((struct http_later *)let_go(s), answer);
}
