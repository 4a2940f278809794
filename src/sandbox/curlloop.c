#include "sandbox/curlloop.h"

#include <errno.h>

static void tell_ends(struct curlloop *l)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(l->multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(l->multi, easy);
		l->done(l->arg, easy, code);
	}
}

static void act(struct curlloop *l, curl_socket_t socket, int what)
{
	int running;

	curl_multi_socket_action(l->multi, socket, what, &running);
	tell_ends(l);
}

static void on_socket(evutil_socket_t fd, short events, void *arg)
{
	act(arg, fd,
		(events & EV_READ ? CURL_CSELECT_IN : 0) |
			(events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
	(void)fd, (void)events;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *multi, long wait_ms, void *arg)
{
	struct curlloop *l = arg;
	const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};

	(void)multi;
	if (wait_ms < 0)
		return evtimer_del(l->timer);
	return evtimer_add(l->timer, &wait);
}

/* The event of a socket is what libcurl keeps for us with it. */
static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *kept)
{
	struct curlloop *l = arg;
	short events = EV_PERSIST;
	struct event *event = kept;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	if (what != CURL_POLL_REMOVE) {
		event = event_new(l->base, fd, events, on_socket, l);
		if (!event || event_add(event, NULL) < 0)
			return -1;
	}
	curl_multi_assign(l->multi, fd, event);
	return 0;
}

int curlloop_init(struct curlloop *l, struct event_base *base, curlloop_done *done, void *arg)
{
	*l = (struct curlloop){.base = base, .done = done, .arg = arg};
	l->multi = curl_multi_init();
	l->timer = evtimer_new(base, on_timer, l);
	if (!l->multi || !l->timer)
		return -ENOMEM;
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	return 0;
}

void curlloop_free(struct curlloop *l)
{
	curl_multi_cleanup(l->multi);
	if (l->timer)
		event_free(l->timer);
	*l = (struct curlloop){0};
}

int curlloop_add(struct curlloop *l, CURL *easy)
{
	return curl_multi_add_handle(l->multi, easy) == CURLM_OK ? 0 : -EIO;
}

void curlloop_remove(struct curlloop *l, CURL *easy)
{
	curl_multi_remove_handle(l->multi, easy);
}
