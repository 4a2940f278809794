#include "edge/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <sys/random.h>

#include "edge/loop_base.h"

struct loop {
	struct event_base *base;
	int code;
};

struct loop_timer {
	struct event *event;
	void (*on)(void *arg);
	void *arg;
};

struct loop_watch {
	struct event *event; /* NULL while nothing is watched */
	struct loop *loop;
	int fd;
	int events;
	void (*on)(void *arg, int events);
	void *arg;
};

struct loop_signal {
	struct event *event;
	void (*on)(void *arg);
	void *arg;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->base = event_base_new();
	if (!l->base) {
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

int loop_run(struct loop *l)
{
	l->code = -EIO;
	if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		return -EIO;
	return l->code;
}

void loop_stop(struct loop *l, int code)
{
	l->code = code;
	event_base_loopbreak(l->base);
}

struct moment loop_now(struct loop *l)
{
	(void)l;
	return clock_now();
}

uint64_t loop_random(struct loop *l)
{
	uint64_t bits;

	(void)l;
	/* Eight bytes never come in part (getrandom(2)), and only before the pool is ready would it
	 * wait. */
	while (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
		assert(errno == EINTR);
	return bits;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	t->on(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*on)(void *arg), void *arg)
{
	struct loop_timer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	*t = (struct loop_timer){.on = on, .arg = arg};
	t->event = event_new(l->base, -1, 0, on_timer, t);
	if (!t->event) {
		free(t);
		return NULL;
	}
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
	struct timeval tv = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};

	event_add(t->event, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
	event_del(t->event);
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return event_pending(t->event, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->event);
	free(t);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *w = arg;

	(void)fd;
	w->on(w->arg, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

struct loop_watch *loop_watch_new(
	struct loop *l, int fd, void (*on)(void *arg, int events), void *arg)
{
	struct loop_watch *w = calloc(1, sizeof *w);

	if (w)
		*w = (struct loop_watch){.loop = l, .fd = fd, .on = on, .arg = arg};
	return w;
}

int loop_watch_set(struct loop_watch *w, int events)
{
	short what = EV_PERSIST;

	if (events == w->events)
		return 0;
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	w->events = 0;
	if (events == 0)
		return 0;
	what = (short)(what | (events & LOOP_READ ? EV_READ : 0) |
		(events & LOOP_WRITE ? EV_WRITE : 0));
	w->event = event_new(w->loop->base, w->fd, what, on_watch, w);
	if (!w->event || event_add(w->event, NULL) < 0)
		return -EIO;
	w->events = events;
	return 0;
}

void loop_watch_free(struct loop_watch *w)
{
	if (!w)
		return;
	if (w->event)
		event_free(w->event);
	free(w);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)signo;
	(void)what;
	s->on(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *l, int signo, void (*on)(void *arg), void *arg)
{
	struct loop_signal *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct loop_signal){.on = on, .arg = arg};
	s->event = evsignal_new(l->base, signo, on_signal, s);
	if (!s->event || event_add(s->event, NULL) < 0) {
		loop_signal_free(s);
		return NULL;
	}
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (!s)
		return;
	if (s->event)
		event_free(s->event);
	free(s);
}
