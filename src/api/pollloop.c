#include "api/pollloop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"

#define NO_POLL_MS 10 /* where poll fails, instead of turning without end */

void poll_loop_init(struct poll_loop *p)
{
	*p = (struct poll_loop){.due_us = -1};
}

void poll_loop_done(struct poll_loop *p)
{
	free(p->fds);
	poll_loop_init(p);
}

/* --- what the transport asks for */

static short poll_events(int events)
{
	return (short)((events & API_FD_IN ? POLLIN : 0) | (events & API_FD_OUT ? POLLOUT : 0));
}

static int make_room(struct poll_loop *p)
{
	size_t size = p->size ? 2 * p->size : 8;
	struct pollfd *larger;

	if (p->count < p->size)
		return 0;
	larger = reallocarray(p->fds, size, sizeof *larger);
	if (!larger)
		return -ENOMEM;
	p->fds = larger;
	p->size = size;
	return 0;
}

static int watch(void *arg, int fd, int events)
{
	struct poll_loop *p = arg;
	size_t i = 0;

	while (i < p->count && p->fds[i].fd != fd)
		i++;
	if (events == 0) {
		if (i < p->count)
			p->fds[i] = p->fds[--p->count];
		return 0;
	}
	if (i == p->count) {
		if (make_room(p) < 0)
			return -ENOMEM;
		p->count++;
	}
	p->fds[i] = (struct pollfd){.fd = fd, .events = poll_events(events)};
	return 0;
}

static int set_timer(void *arg, int64_t delay_ms)
{
	struct poll_loop *p = arg;

	p->due_us = delay_ms < 0 ? -1 : clock_now().mono_us + delay_ms * 1000;
	return 0;
}

struct api_loop poll_loop_calls(struct poll_loop *p)
{
	return (struct api_loop){.arg = p, .watch = watch, .timer = set_timer};
}

/* --- one turn */

static int wait_ms(const struct poll_loop *p, int64_t most_ms)
{
	int64_t left_ms = most_ms < 0 || most_ms > INT_MAX ? INT_MAX : most_ms, due_ms;

	if (p->due_us < 0)
		return most_ms < 0 ? -1 : (int)left_ms;
	due_ms = (p->due_us - clock_now().mono_us + 999) / 1000;
	if (due_ms < 0)
		due_ms = 0;
	return (int)(due_ms < left_ms ? due_ms : left_ms);
}

static bool take_due(struct poll_loop *p)
{
	if (p->due_us < 0 || clock_now().mono_us < p->due_us)
		return false;
	p->due_us = -1;
	return true;
}

static int ready_events(short what)
{
	return (what & (POLLIN | POLLHUP | POLLERR) ? API_FD_IN : 0) |
		(what & POLLOUT ? API_FD_OUT : 0);
}

/* What is watched changes while it is told: one at a time, the first that is ready, which is not asked
 * for again until it has been polled. */
static void tell_ready(struct poll_loop *p, struct api_transport *t)
{
	for (size_t i = 0; i < p->count;) {
		int events = ready_events(p->fds[i].revents);

		if (events == 0) {
			i++;
			continue;
		}
		p->fds[i].revents = 0;
		api_curl_on_fd(t, p->fds[i].fd, events);
		i = 0;
	}
}

void poll_loop_turn(struct poll_loop *p, struct api_transport *t, int64_t most_ms)
{
	int n = poll(p->fds, (nfds_t)p->count, wait_ms(p, most_ms));

	if (n < 0 && errno != EINTR)
		poll(NULL, 0, NO_POLL_MS);
	if (n > 0)
		tell_ready(p, t);
	if (take_due(p))
		api_curl_on_timer(t);
}
