#include "edge/http.h"

#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/keyvalq_struct.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "edge/http_private.h"
#include "edge/loop_base.h"
#include "edge/unixsocket.h"

#define PAUSE_MS       250
#define SPARE_FILES    64    /* descriptors that are left for the daemon's own work */
#define ANSWER_MS      10000 /* an answer of which nothing is taken for so long is given up */
#define EXPIRED_MS     (3 * HTTP_REQUEST_MS)
#define LISTEN_BACKLOG 1024 /* callers beyond it are refused, where they connect with a time-out */

struct http_query {
	struct evkeyvalq pairs;
};

/*
 * A connection whose request is not whole yet. evhttp does not tell when one ends, but none can
 * wait for longer than EXPIRED_MS: then its place is taken by another.
 */
struct http_connection {
	struct http_server *server;
	struct bufferevent *bev;
	int64_t began_ms; /* 0: a free place */
	LIST_ENTRY(http_connection) next;
};

/* A request while its handler is asked. */
struct http_exchange {
	struct evhttp_request *req;
	bool later;
};

/* ---- refusals of our own */

/* Why a request did not reach the handler, as the error document that every caller expects. */
static const char *refusal(int status)
{
	switch (status) {
	case HTTP_ENTITYTOOLARGE:
		return "{\"error\":{\"code\":\"too_large\",\"message\":\"the body is too large\"}}";
	case HTTP_NOTIMPLEMENTED:
		return "{\"error\":{\"code\":\"not_implemented\",\"message\":\"there is no such "
		       "method\"}}";
	default:
		return "{\"error\":{\"code\":\"bad_request\",\"message\":\"the request cannot be "
		       "read\"}}";
	}
}

/*
 * What evhttp cannot read it refuses by itself, with a page in HTML that cannot be changed (2.1.12).
 * Whatever it writes before a request is ours to answer is such a page, or a 100 Continue: with its
 * first line the page is replaced, and the buffer closed to the rest of it.
 */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	char line[32] = "";
	const struct http_connection *c = arg;
	const char *body, *blank;
	int status;

	if (info->n_added == 0)
		return;
	evbuffer_copyout(output, line, sizeof line - 1);
	blank = strchr(line, ' ');
	status = blank ? (int)strtol(blank, NULL, 10) : 0;
	if (status < HTTP_BADREQUEST)
		return;
	body = refusal(status);
	if (status == HTTP_ENTITYTOOLARGE && c->server->guests)
		http_guest_drain(c->server->guests, bufferevent_getfd(c->bev));
	evbuffer_remove_cb(output, on_output, arg);
	evbuffer_drain(output, evbuffer_get_length(output));
	evbuffer_add_printf(output,
		"HTTP/1.1 %d Refused\r\nConnection: close\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		status, strlen(body), body);
	evbuffer_freeze(output, 0);
}

/* ---- the deadline */

static struct timeval as_timeval(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void set_timeouts(struct bufferevent *bev, int64_t ms)
{
	struct timeval tv = as_timeval(ms > 1 ? ms : 1);

	bufferevent_set_timeouts(bev, &tv, &tv);
}

static int64_t now_ms(const struct http_server *s)
{
	return loop_now(s->loop).mono_us / 1000;
}

/*
 * evhttp's time-out is per read (2.1.12): a request of one byte a second would live for ever. So
 * each time bytes come, the time-out becomes what is left of the whole.
 */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *c = arg;

	(void)input;
	if (info->n_added > 0)
		set_timeouts(c->bev, c->began_ms + HTTP_REQUEST_MS - now_ms(c->server));
}

static struct http_connection *connection_place(struct http_server *s)
{
	struct http_connection *c;

	LIST_FOREACH(c, &s->connections, next)
	{
		if (c->began_ms == 0 || c->began_ms + EXPIRED_MS < now_ms(s))
			return c;
	}
	c = calloc(1, sizeof *c);
	if (c)
		LIST_INSERT_HEAD(&s->connections, c, next);
	return c;
}

/* The request is whole: from now on the time-out is the answer's. */
static void connection_whole(struct http_server *s, struct bufferevent *bev)
{
	struct http_connection *c;

	LIST_FOREACH(c, &s->connections, next)
	{
		if (c->began_ms == 0 || c->bev != bev)
			continue;
		evbuffer_remove_cb(bufferevent_get_input(bev), on_input, c);
		evbuffer_remove_cb(bufferevent_get_output(bev), on_output, c);
		c->began_ms = 0;
	}
	set_timeouts(bev, ANSWER_MS);
}

/* ---- accepting */

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static bool short_of_files(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		(rlim_t)open_files() + SPARE_FILES > limit.rlim_cur;
}

static void on_pause_over(void *arg)
{
	struct http_server *s = arg;

	evconnlistener_enable(s->listener);
}

/* evhttp asks for the bufferevent of each connection that it has accepted. */
static struct bufferevent *new_connection(struct event_base *base, void *arg)
{
	struct http_server *s = arg;
	struct bufferevent *bev = s->guests
		? http_guest_new(s->guests, base)
		: bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct http_connection *c = bev ? connection_place(s) : NULL;

	if (short_of_files()) {
		evconnlistener_disable(s->listener);
		loop_timer_set(s->pause, PAUSE_MS);
	}
	if (!c) {
		if (bev)
			bufferevent_free(bev);
		return NULL;
	}
	*c = (struct http_connection){
		.server = s, .bev = bev, .began_ms = now_ms(s), .next = c->next};
	evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
	evbuffer_add_cb(bufferevent_get_output(bev), on_output, c);
	return bev;
}

/* ---- a request */

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_DELETE: return "DELETE";
	case EVHTTP_REQ_HEAD: return "HEAD";
	case EVHTTP_REQ_OPTIONS: return "OPTIONS";
	case EVHTTP_REQ_TRACE: return "TRACE";
	case EVHTTP_REQ_PATCH: return "PATCH";
	case EVHTTP_REQ_CONNECT: break; /* refused before */
	}
	return "";
}

static void free_body(const void *data, size_t length, void *body)
{
	(void)data;
	(void)length;
	free(body);
}

/* A HEAD is told how long the body would be, and evhttp (2.1.12) would send it all the same. */
static void keep_body(struct evkeyvalq *head, struct http_answer *answer)
{
	char length[24];

	snprintf(length, sizeof length, "%zu", answer->body_length);
	evhttp_add_header(head, "Content-Length", length);
	free(answer->body);
	answer->body = NULL;
}

static void send_answer(struct evhttp_request *req, struct http_answer *answer)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(req);
	struct evbuffer *out = evhttp_request_get_output_buffer(req);
	char seconds[24];

	evhttp_add_header(head, "Connection", "close");
	/* A request for a whole URL could ask evhttp by this to go on all the same. */
	evhttp_remove_header(evhttp_request_get_input_headers(req), "Proxy-Connection");
	if (answer->content_type)
		evhttp_add_header(head, "Content-Type", answer->content_type);
	if (answer->allow)
		evhttp_add_header(head, "Allow", answer->allow);
	if (answer->retry_after_s > 0) {
		snprintf(seconds, sizeof seconds, "%lld", (long long)answer->retry_after_s);
		evhttp_add_header(head, "Retry-After", seconds);
	}
	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
		keep_body(head, answer);
	if (answer->body &&
		evbuffer_add_reference(
			out, answer->body, answer->body_length, free_body, answer->body) < 0) {
		free(answer->body);
		answer->status = HTTP_INTERNAL;
	}
	evhttp_send_reply(req, answer->status, NULL, NULL);
}

static void read_peer(struct bufferevent *bev, struct http_request *ret)
{
	struct ucred peer = {.pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof peer;

	/* Nobody's numbers where the kernel cannot say: whoever decides then says no. */
	getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &peer, &size);
	ret->uid = peer.uid;
	ret->gid = peer.gid;
	ret->pid = peer.pid;
}

/* The path, decoded, or NULL: none, or one with a NUL in it. Freed by the caller. */
static char *path_of(const struct evhttp_uri *uri)
{
	const char *raw = uri ? evhttp_uri_get_path(uri) : NULL;
	size_t length = 0;
	char *path = raw ? evhttp_uridecode(raw, 0, &length) : NULL;

	if (path && path[0] == '/' && strlen(path) == length)
		return path;
	free(path);
	return NULL;
}

static bool parse_query(const struct evhttp_uri *uri, struct http_query *ret)
{
	const char *raw = uri ? evhttp_uri_get_query(uri) : NULL;

	TAILQ_INIT(&ret->pairs);
	return !raw || evhttp_parse_query_str(raw, &ret->pairs) == 0;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct http_server *s = arg;
	struct bufferevent *bev = evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(req));
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	struct http_answer answer = {.status = HTTP_BADREQUEST, .content_type = "application/json"};
	struct http_exchange exchange = {.req = req};
	struct http_query query;
	char *path = path_of(uri);
	struct http_request request = {
		.method = method_name(evhttp_request_get_command(req)),
		.path = path,
		.query = &query,
		.exchange = &exchange,
		.body_length = evbuffer_get_length(in),
		.address = "",
	};

	connection_whole(s, bev);
	if (s->guests)
		http_guest_whole(s->guests, bufferevent_getfd(bev), &request.address);
	read_peer(bev, &request);
	request.body = (const char *)evbuffer_pullup(in, -1);
	if (parse_query(uri, &query) && path) {
		s->handle(s->arg, &request, &answer);
	} else {
		answer.body = strdup(refusal(answer.status));
		answer.body_length = answer.body ? strlen(answer.body) : 0;
	}
	if (!exchange.later)
		send_answer(req, &answer);
	evhttp_clear_headers(&query.pairs);
	free(path);
}

/* What a handler keeps of a request is evhttp's own. */
struct http_later *http_later(const struct http_request *request)
{
	request->exchange->later = true;
	return (struct http_later *)request->exchange->req;
}

/* Whose connection has gone meanwhile is only freed. */
void http_later_answer(struct http_later *later, struct http_answer *answer)
{
	send_answer((struct evhttp_request *)later, answer);
}

const char *http_header_get(const struct http_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->exchange->req), name);
}

const char *http_query_get(const struct http_query *q, const char *key)
{
	return evhttp_find_header(&q->pairs, key);
}

const char *http_query_key(const struct http_query *q, size_t index)
{
	const struct evkeyval *pair;

	TAILQ_FOREACH(pair, &q->pairs, next)
	{
		if (index-- == 0)
			return pair->key;
	}
	return NULL;
}

/* ---- listening */

int http_serve(struct http_server *s, int fd, size_t body_max)
{
	s->http = evhttp_new(loop_base(s->loop));
	s->pause = loop_timer_new(s->loop, on_pause_over, s);
	s->listener = evconnlistener_new(loop_base(s->loop), NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, LISTEN_BACKLOG, fd);
	if (!s->listener)
		close(fd);
	if (!s->http || !s->pause || !s->listener)
		return -ENOMEM;
	evhttp_set_allowed_methods(s->http,
		EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			EVHTTP_REQ_HEAD | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(s->http, HTTP_HEAD_MAX);
	evhttp_set_max_body_size(s->http, (ev_ssize_t)body_max);
	evhttp_set_timeout(s->http, HTTP_REQUEST_MS / 1000);
	evhttp_set_bevcb(s->http, new_connection, s);
	evhttp_set_gencb(s->http, on_request, s);
	return evhttp_bind_listener(s->http, s->listener) ? 0 : -ENOMEM;
}

int http_unix_new(struct loop *l, const char *path, const char *group, http_handle *handle,
	void *arg, struct http_server **ret_server, int *ret_group_error)
{
	struct http_server *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->handle = handle;
	s->arg = arg;
	r = unixsocket_listen(path);
	if (r >= 0) {
		snprintf(s->path, sizeof s->path, "%s", path);
		r = http_serve(s, r, HTTP_BODY_MAX);
	}
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	*ret_group_error = unixsocket_let_in(path, group);
	*ret_server = s;
	return 0;
}

void http_server_free(struct http_server *s)
{
	struct http_connection *c;

	if (!s)
		return;
	if (s->http)
		evhttp_free(s->http);
	loop_timer_free(s->pause);
	while ((c = LIST_FIRST(&s->connections))) {
		LIST_REMOVE(c, next);
		free(c);
	}
	if (s->path[0])
		unlink(s->path);
	http_guests_free(s->guests);
	free(s);
}
