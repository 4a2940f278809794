#include "edge/http_drain.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/http.h"

#define DRAINS_MAX 32
#define GULPS_MAX  16 /* of 64 KiB, in one turn of the loop */
#define LOOK_MS    2  /* whether the owner has closed his */
#define TICK_MS    1000

struct drain {
	struct loop_watch *watch; /* NULL: a free place */
	int fd;                   /* a copy */
	int was_fd;               /* the owner's; -1: closed, so we read */
	uint64_t cookie;
	int64_t until_ms;
};

struct http_drains {
	struct loop *loop;
	struct loop_timer *timer;
	struct drain list[DRAINS_MAX];
};

uint64_t http_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof cookie;

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static int64_t now_ms(const struct http_drains *d)
{
	return loop_now(d->loop).mono_us / 1000;
}

static void end(struct drain *one)
{
	if (!one->watch)
		return;
	loop_watch_free(one->watch);
	close(one->fd);
	one->watch = NULL;
}

static void on_readable(void *arg, int events)
{
	static char nowhere[65536];
	struct drain *one = arg;
	ssize_t n = 1;

	(void)events;
	for (int i = 0; i < GULPS_MAX && n > 0; i++)
		n = recv(one->fd, nowhere, sizeof nowhere, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(one);
}

/* Two who read would take bytes of TLS away from one another. */
static bool waits_for_owner(struct drain *one)
{
	if (one->was_fd < 0)
		return false;
	if (http_socket_cookie(one->was_fd) == one->cookie)
		return true;
	one->was_fd = -1;
	if (loop_watch_set(one->watch, LOOP_READ) < 0)
		end(one);
	return false;
}

static void on_timer(void *arg)
{
	struct http_drains *d = arg;
	int64_t wait_ms = 0;

	for (int i = 0; i < DRAINS_MAX; i++) {
		struct drain *one = &d->list[i];

		if (one->watch && one->until_ms <= now_ms(d))
			end(one);
		if (one->watch && waits_for_owner(one))
			wait_ms = LOOK_MS;
		else if (one->watch && wait_ms == 0)
			wait_ms = TICK_MS;
	}
	if (wait_ms > 0)
		loop_timer_set(d->timer, wait_ms);
}

void http_drains_add(struct http_drains *d, int fd)
{
	struct drain *one = NULL;

	for (int i = 0; i < DRAINS_MAX && !one; i++)
		one = d->list[i].watch ? NULL : &d->list[i];
	if (!one)
		return;
	one->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	one->was_fd = fd;
	one->cookie = http_socket_cookie(fd);
	one->until_ms = now_ms(d) + HTTP_REQUEST_MS;
	if (one->fd < 0)
		return;
	one->watch = loop_watch_new(d->loop, one->fd, on_readable, one);
	if (!one->watch)
		close(one->fd);
	loop_timer_set(d->timer, LOOK_MS);
}

struct http_drains *http_drains_new(struct loop *l)
{
	struct http_drains *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->loop = l;
	d->timer = loop_timer_new(l, on_timer, d);
	if (!d->timer) {
		http_drains_free(d);
		return NULL;
	}
	return d;
}

void http_drains_free(struct http_drains *d)
{
	if (!d)
		return;
	for (int i = 0; i < DRAINS_MAX; i++)
		end(&d->list[i]);
	loop_timer_free(d->timer);
	free(d);
}
