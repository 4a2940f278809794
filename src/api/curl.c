#include "api/curl.h"

#include <errno.h>

#include "api/curl_private.h"
#include "base/clock.h"

#define GRACE_MS 500 /* after which we no longer trust libcurl's own time-out */

static struct curl_transport *of(struct api_transport *t)
{
	return (struct curl_transport *)(void *)t;
}

/* --- what libcurl calls */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct curl_transport *t = arg;
	int events = 0;

	(void)easy;
	(void)socket_arg;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= API_FD_IN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= API_FD_OUT;
	return t->loop.watch(t->loop.arg, fd, events) < 0 ? -1 : 0;
}

static bool is_at_rest(const struct curl_transport *t)
{
	return t->transfers.next == &t->transfers && t->streams.next == &t->streams;
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t ms_until(int64_t when_us)
{
	int64_t left_us = when_us - clock_now().mono_us;

	return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

/* libcurl's wish; but while anything runs we come by no later than it should have ended, and else
 * when idle connections are to be closed. */
static int set_timer(struct curl_transport *t, int64_t delay_ms)
{
	int64_t most_ms = -1;

	if (t->keyless > 0)
		most_ms = 0;
	else if (!is_at_rest(t))
		most_ms = t->timeout_ms + GRACE_MS;
	else if (t->close_us > 0)
		most_ms = ms_until(t->close_us);
	most_ms = earlier(most_ms, streams_wait_ms(t));
	return t->loop.timer(t->loop.arg, earlier(delay_ms, most_ms));
}

/* libcurl tells of changes alone, and thinks that its last timer still runs. */
static void set_timer_anew(struct curl_transport *t)
{
	long delay_ms = -1;

	curl_multi_timeout(t->multi, &delay_ms);
	set_timer(t, delay_ms);
}

static int on_timer(CURLM *multi, long delay_ms, void *arg)
{
	struct curl_transport *t = arg;

	(void)multi;
	return set_timer(t, delay_ms) < 0 ? -1 : 0;
}

/* --- connections */

long transport_connections(const struct curl_transport *t)
{
	return t->max_connections + t->stream_count;
}

static CURLM *new_multi(struct curl_transport *t)
{
	CURLM *multi = curl_multi_init();
	long most = transport_connections(t);
	bool set = multi &&
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, t) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_TIMERDATA, t) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most) == CURLM_OK &&
		curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) == CURLM_OK;

	if (set)
		return multi;
	curl_multi_cleanup(multi);
	return NULL;
}

/* libcurl looks at the age of a connection only when the next request wants one; and without a
 * request it has no word for closing but its own end. TLS sessions outlive that. */
static void close_idle(struct curl_transport *t)
{
	CURLM *fresh = new_multi(t);

	t->close_us = 0;
	if (!fresh)
		return;
	curl_multi_cleanup(t->multi);
	t->multi = fresh;
}

/* --- the end of a transfer */

static void free_transfer(struct transfer *x)
{
	struct curl_transport *t = x->transport;

	if (x->next) {
		x->previous->next = x->next;
		x->next->previous = x->previous;
		if (x->easy && x->stream.sink)
			stream_count(t, -1);
	}
	if (x->easy) {
		curl_multi_remove_handle(t->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	if (x->keyless)
		t->keyless--;
	if (x->easy && is_at_rest(t))
		t->close_us = clock_now().mono_us + IDLE_S * CLOCK_US_PER_S;
	curl_slist_free_all(x->headers);
	buf_done(&x->body);
	free(x);
}

static void read_header(struct transfer *x, const char *name, char *ret, size_t size)
{
	struct curl_header *header;

	if (curl_easy_header(x->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
		strlen(header->value) < size)
		snprintf(ret, size, "%s", header->value);
}

static void read_headers(struct transfer *x, struct api_headers *h)
{
	read_header(x, "Date", h->date, sizeof h->date);
	read_header(x, "X-RateLimit-Limit", h->limit, sizeof h->limit);
	read_header(x, "X-RateLimit-Remaining", h->remaining, sizeof h->remaining);
	read_header(x, "X-RateLimit-Reset", h->reset, sizeof h->reset);
	read_header(x, "Retry-After", h->retry_after, sizeof h->retry_after);
	read_header(x, "Content-Type", h->content_type, sizeof h->content_type);
}

/* RFC 9112 §6.3: without a length, a body lasts until the connection ends. libcurl 7.88 takes any end
 * for that, one without TLS's close_notify as well; and of HTTP/2, where the stream says its end, now
 * and then a connection that broke off behind the headers. */
static bool body_ends_by_close(const struct transfer *x, long status)
{
	struct curl_header *coding;
	curl_off_t length = -1;
	long version = 0;

	curl_easy_getinfo(x->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length >= 0 || status == 204 || status == 304)
		return false;
	if (version > CURL_HTTP_VERSION_1_1)
		return true;
	return curl_easy_header(x->easy, "Transfer-Encoding", 0, CURLH_HEADER, -1, &coding) !=
		CURLHE_OK ||
		!strcasestr(coding->value, "chunked");
}

/* A body that we cut off ourselves is an answer all the same: its status stands. */
static enum api_fate fate_of(const struct transfer *x, CURLcode code)
{
	bool ended = code == CURLE_OK || (code == CURLE_WRITE_ERROR && x->body_cut);

	if (x->stream.cancelled)
		return API_FATE_CANCELLED;
	if (ended && x->headers_whole)
		return API_FATE_ANSWERED;
	return x->sends > 0 ? API_FATE_LOST : API_FATE_NEVER_LEFT;
}

void transfer_read_head(struct transfer *x, struct api_answer *ret)
{
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->status = (int)status;
	ret->body_ends_by_close = body_ends_by_close(x, status);
	read_headers(x, &ret->headers);
}

void transfer_finish(struct transfer *x, CURLcode code)
{
	struct api_answer answer = {
		.fate = fate_of(x, code),
		.body = x->body.data,
		.body_length = x->body.len,
		.body_cut = x->body_cut,
	};

	if (answer.fate == API_FATE_ANSWERED)
		transfer_read_head(x, &answer);
	else
		answer.trouble = transfer_trouble(x, code);
	x->answered(x->arg, &answer);
	free_transfer(x);
}

static void finish_keyless(struct curl_transport *t)
{
	struct transfer *x = t->transfers.next, *next;

	for (; x != &t->transfers; x = next) {
		struct api_answer answer = {
			.fate = x->stream.cancelled ? API_FATE_CANCELLED : API_FATE_NEVER_LEFT,
			.body = "",
			.trouble = "there is no authorization",
		};

		next = x->next;
		if (!x->keyless)
			continue;
		x->answered(x->arg, &answer);
		next = x->next; /* the callback may have added one */
		free_transfer(x);
	}
}

/* The loop cannot watch our sockets any more, or libcurl has no memory: nothing would ever end. */
static void give_up(struct transfer *ring, CURLMcode code)
{
	struct transfer *next;

	for (struct transfer *x = ring->next; x != ring; x = next) {
		snprintf(x->error, sizeof x->error, "%s", curl_multi_strerror(code));
		next = x->next;
		if (x->easy)
			transfer_finish(x, CURLE_ABORTED_BY_CALLBACK);
	}
}

static void reap(struct curl_transport *t)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(t->multi, &left))) {
		CURLcode code = message->data.result;
		char *x = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x);
		transfer_finish((struct transfer *)(void *)x, code);
	}
}

/* libcurl 7.88 can drop a transfer's time-out where another of its timers fires less than a millisecond
 * before; the transfer then runs for ever, and with it a punch. The oldest stand first. */
static void end_overdue(struct curl_transport *t)
{
	int64_t now_us = clock_now().mono_us;

	while (t->transfers.next != &t->transfers && t->transfers.next->easy &&
		t->transfers.next->overdue_us <= now_us)
		transfer_finish(t->transfers.next, CURLE_OPERATION_TIMEDOUT);
}

static void act(struct curl_transport *t, curl_socket_t fd, int what)
{
	int running;
	CURLMcode code = curl_multi_socket_action(t->multi, fd, what, &running);

	reap(t);
	if (code != CURLM_OK) {
		give_up(&t->transfers, code);
		give_up(&t->streams, code);
	}
	end_overdue(t);
	streams_tend(t);
	if (is_at_rest(t) || t->stream_count > 0)
		set_timer_anew(t);
}

void api_curl_on_fd(struct api_transport *base, int fd, int events)
{
	act(of(base), fd,
		(events & API_FD_IN ? CURL_CSELECT_IN : 0) |
			(events & API_FD_OUT ? CURL_CSELECT_OUT : 0));
}

void api_curl_on_timer(struct api_transport *base)
{
	struct curl_transport *t = of(base);

	if (t->keyless > 0)
		finish_keyless(t);
	act(t, CURL_SOCKET_TIMEOUT, 0);
	if (is_at_rest(t) && t->close_us > 0 && ms_until(t->close_us) == 0)
		close_idle(t);
	set_timer_anew(t);
}

/* --- the start of a transfer */

static int start(struct curl_transport *t, struct transfer *x, const struct api_request *request)
{
	if (!request->authorization) {
		x->keyless = true;
		t->keyless++;
		return t->loop.timer(t->loop.arg, 0);
	}
	if (transfer_prepare(x, request) < 0)
		return -ENOMEM;
	return curl_multi_add_handle(t->multi, x->easy) == CURLM_OK ? 0 : -ENOMEM;
}

static void link_last(struct transfer *ring, struct transfer *x)
{
	x->next = ring;
	x->previous = ring->previous;
	x->previous->next = x;
	ring->previous = x;
}

static int stream(struct api_transport *base, const struct api_request *request,
	const struct api_sink *sink, api_answered *answered, void *arg, void **ret_stream)
{
	struct curl_transport *t = of(base);
	struct transfer *x = calloc(1, sizeof *x);
	int r;

	if (!x)
		return -ENOMEM;
	x->transport = t;
	x->answered = answered;
	x->arg = arg;
	x->stream.sink = sink;
	x->overdue_us = clock_now().mono_us + (t->timeout_ms + GRACE_MS) * 1000;
	buf_init(&x->body, request->answer_max);
	r = start(t, x, request);
	if (r < 0) {
		free_transfer(x);
		return r;
	}
	link_last(sink && x->easy ? &t->streams : &t->transfers, x);
	if (sink && x->easy)
		stream_begin(x);
	if (ret_stream)
		*ret_stream = x;
	return 0;
}

static int submit(struct api_transport *base, const struct api_request *request,
	api_answered *answered, void *arg)
{
	return stream(base, request, NULL, answered, arg, NULL);
}

/* --- life */

static void free_transport(struct api_transport *base)
{
	struct curl_transport *t = of(base);

	while (t->transfers.next != &t->transfers)
		free_transfer(t->transfers.next);
	while (t->streams.next != &t->streams)
		free_transfer(t->streams.next);
	t->close_us = 0;
	t->loop.timer(t->loop.arg, -1);
	curl_multi_cleanup(t->multi);
	curl_share_cleanup(t->sessions);
	transport_drop_settings(t);
	free(t);
	curl_global_cleanup();
}

/* Without it each transfer would remember sessions for itself, and take them with it. Only this
 * thread comes here, so nothing is locked. */
static int set_up_sessions(struct curl_transport *t)
{
	t->sessions = curl_share_init();
	if (!t->sessions)
		return -ENOMEM;
	return curl_share_setopt(t->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
			CURLSHE_OK
		? 0
		: -EINVAL;
}

int api_curl_new(const struct api_curl_settings *settings, const struct api_loop *loop,
	struct api_transport **ret_transport)
{
	struct curl_transport *t;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	t = calloc(1, sizeof *t);
	if (!t) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	t->base = (struct api_transport){.submit = submit,
		.stream = stream,
		.resume = stream_resume,
		.cancel = stream_cancel,
		.free = free_transport};
	t->loop = *loop;
	t->transfers.next = t->transfers.previous = &t->transfers;
	t->streams.next = t->streams.previous = &t->streams;
	r = transport_take_settings(t, settings);
	r = r < 0 ? r : set_up_sessions(t);
	if (r == 0 && !(t->multi = new_multi(t)))
		r = -ENOMEM;
	if (r < 0) {
		free_transport(&t->base);
		return r;
	}
	*ret_transport = &t->base;
	return 0;
}
