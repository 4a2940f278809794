#include "edge/apiloop.h"

#include <errno.h>

/* One descriptor of libcurl's. There are about as many as connections: a list will do. */
struct apiwatch {
	struct apiwatch *next;
	struct apiloop *owner;
	struct loop_watch *watch;
	int fd;
};

struct apiloop {
	struct loop *loop;
	struct loop_timer *timer;
	struct apiwatch *watches;
	struct api_transport *transport;
};

static void on_fd(void *arg, int events)
{
	struct apiwatch *w = arg;

	api_curl_on_fd(w->owner->transport, w->fd,
		(events & LOOP_READ ? API_FD_IN : 0) | (events & LOOP_WRITE ? API_FD_OUT : 0));
}

static void on_timer(void *arg)
{
	struct apiloop *a = arg;

	api_curl_on_timer(a->transport);
}

static void forget(struct apiwatch **place)
{
	struct apiwatch *w = *place;

	*place = w->next;
	loop_watch_free(w->watch);
	free(w);
}

static int add(struct apiloop *a, int fd)
{
	struct apiwatch *w = calloc(1, sizeof *w);

	if (!w)
		return -ENOMEM;
	w->watch = loop_watch_new(a->loop, fd, on_fd, w);
	if (!w->watch) {
		free(w);
		return -ENOMEM;
	}
	w->owner = a;
	w->fd = fd;
	w->next = a->watches;
	a->watches = w;
	return 0;
}

static int watch(void *arg, int fd, int events)
{
	struct apiloop *a = arg;
	struct apiwatch **place = &a->watches;
	int r;

	while (*place && (*place)->fd != fd)
		place = &(*place)->next;
	if (events == 0) {
		if (*place)
			forget(place);
		return 0;
	}
	if (!*place) {
		r = add(a, fd);
		if (r < 0)
			return r;
		place = &a->watches;
	}
	return loop_watch_set((*place)->watch,
		(events & API_FD_IN ? LOOP_READ : 0) | (events & API_FD_OUT ? LOOP_WRITE : 0));
}

static int set_timer(void *arg, int64_t delay_ms)
{
	struct apiloop *a = arg;

	if (delay_ms < 0)
		loop_timer_stop(a->timer);
	else
		loop_timer_set(a->timer, delay_ms);
	return 0;
}

int apiloop_new(struct loop *l, const struct api_curl_settings *settings, struct apiloop **ret)
{
	struct apiloop *a = calloc(1, sizeof *a);
	struct api_loop calls = {.arg = a, .watch = watch, .timer = set_timer};
	int r = -ENOMEM;

	if (!a)
		return -ENOMEM;
	a->loop = l;
	a->timer = loop_timer_new(l, on_timer, a);
	if (a->timer)
		r = api_curl_new(settings, &calls, &a->transport);
	if (r < 0) {
		apiloop_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct api_transport *apiloop_transport(struct apiloop *a)
{
	return a->transport;
}

void apiloop_free(struct apiloop *a)
{
	if (!a)
		return;
	while (a->watches)
		forget(&a->watches);
	loop_timer_free(a->timer);
	free(a);
}
