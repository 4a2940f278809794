#include "edge/http_tcp.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netaddr.h"
#include "edge/http_drain.h"
#include "edge/http_private.h"

#define TICK_MS 1000
#define BACKLOG 1024

/*
 * A connection. evhttp (2.1.12) neither shows the descriptor when it asks for the bufferevent nor tells
 * when it has closed one: so each is looked at once the loop runs again, its bufferevent kept alive
 * until then, and the socket's cookie says later whether the descriptor is still this connection.
 */
struct guest {
	bool here;
	bool whole;                /* its request is */
	bool cut;                  /* it is about to go */
	struct bufferevent *fresh; /* held; NULL: it was looked at */
	int fd;
	uint64_t cookie;
	int64_t began_ms;
	bool loopback;
	uint64_t household;
	char address[NETADDR_TEXT_SIZE];
};

struct http_guests {
	struct http_server *server;
	struct http_tls *tls;
	struct loop_timer *look, *tick;
	bool full; /* nothing is accepted */
	struct guest list[HTTP_GUESTS_MAX];
	struct http_drains *drains;
};

/* ---- who is here */

static int64_t now_ms(const struct http_guests *g)
{
	return loop_now(g->server->loop).mono_us / 1000;
}

/* evhttp sees its end, and closes it. */
static void cut(struct guest *one)
{
	one->cut = true;
	shutdown(one->fd, SHUT_RDWR);
}

static void sweep(struct http_guests *g)
{
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		struct guest *one = &g->list[i];

		if (one->here && !one->fresh && http_socket_cookie(one->fd) != one->cookie)
			one->here = false;
	}
}

static struct guest *find_place(struct http_guests *g)
{
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		if (!g->list[i].here)
			return &g->list[i];
	}
	return NULL;
}

static bool is_crowded(const struct http_guests *g, const struct guest *one)
{
	int same = 0;

	for (int i = 0; i < HTTP_GUESTS_MAX && !one->loopback; i++)
		same += g->list[i].here && g->list[i].household == one->household &&
			!g->list[i].loopback && !g->list[i].fresh;
	return same > HTTP_HOUSEHOLD_MAX;
}

static void look_at(struct http_guests *g, struct guest *one)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof peer;

	one->fd = bufferevent_getfd(one->fresh);
	one->cookie = http_socket_cookie(one->fd);
	getpeername(one->fd, (struct sockaddr *)&peer, &size);
	one->loopback = netaddr_is_loopback(&peer);
	one->household = netaddr_household(&peer);
	netaddr_print(&peer, one->address);
	bufferevent_decref(one->fresh);
	one->fresh = NULL;
	if (is_crowded(g, one)) {
		sweep(g);
		if (one->here && is_crowded(g, one))
			cut(one);
	}
}

/* But for the one that evhttp is about to give its descriptor. */
static void look(struct http_guests *g)
{
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		struct guest *one = &g->list[i];

		if (one->here && one->fresh && bufferevent_getfd(one->fresh) >= 0)
			look_at(g, one);
	}
}

/* The last place goes to this one: who has dawdled longest makes room. */
static void close_door(struct http_guests *g)
{
	struct guest *oldest = NULL;

	look(g);
	sweep(g);
	if (find_place(g))
		return;
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		struct guest *one = &g->list[i];

		if (!one->fresh && !one->whole && !one->cut &&
			(!oldest || one->began_ms < oldest->began_ms))
			oldest = one;
	}
	if (oldest)
		cut(oldest);
	g->full = true;
	evconnlistener_disable(g->server->listener);
	loop_timer_set(g->look, 1);
}

static void on_look(void *arg)
{
	struct http_guests *g = arg;

	look(g);
	if (!g->full)
		return;
	sweep(g);
	if (find_place(g)) {
		g->full = false;
		evconnlistener_enable(g->server->listener);
	} else {
		loop_timer_set(g->look, 10);
	}
}

/* The deadline of what comes slowly; its handshake is no read of evhttp's. */
static void on_tick(void *arg)
{
	struct http_guests *g = arg;
	bool any = false;

	look(g);
	sweep(g);
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		struct guest *one = &g->list[i];

		if (one->here && !one->fresh && !one->whole &&
			one->began_ms + HTTP_REQUEST_MS <= now_ms(g))
			cut(one);
		any = any || one->here;
	}
	if (any)
		loop_timer_set(g->tick, TICK_MS);
}

static struct bufferevent *make_bev(struct http_guests *g, struct event_base *base)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!g->tls)
		return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	ssl = http_tls_session(g->tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	else
		SSL_free(ssl);
	return bev;
}

struct bufferevent *http_guest_new(struct http_guests *g, struct event_base *base)
{
	struct guest *one = find_place(g);
	struct bufferevent *bev = make_bev(g, base);

	/* Without one evhttp would speak in plain text; nothing is lost by a restart. */
	if (!bev || !one)
		abort();
	bufferevent_incref(bev);
	*one = (struct guest){.here = true, .fresh = bev, .fd = -1, .began_ms = now_ms(g)};
	loop_timer_set(g->look, 0);
	if (!loop_timer_armed(g->tick))
		loop_timer_set(g->tick, TICK_MS);
	if (!find_place(g))
		close_door(g);
	return bev;
}

void http_guest_whole(struct http_guests *g, int fd, const char **ret_address)
{
	look(g);
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		struct guest *one = &g->list[i];

		if (!one->here || one->fd != fd || http_socket_cookie(fd) != one->cookie)
			continue;
		one->whole = true;
		*ret_address = one->address;
	}
}

int http_tcp_coming(struct http_server *s)
{
	int n = 0;

	sweep(s->guests);
	for (int i = 0; i < HTTP_GUESTS_MAX; i++)
		n += s->guests->list[i].here && !s->guests->list[i].whole;
	return n;
}

void http_guest_drain(struct http_guests *g, int fd)
{
	http_drains_add(g->drains, fd);
}

/* ---- life */

/* Returns a descriptor that listens, or a negative errno. */
static int listen_at(const char *where)
{
	struct sockaddr_storage address;
	socklen_t size;
	int on = 1, fd, r = netaddr_parse(where, &address, &size);

	if (r < 0)
		return r;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Accepted sockets inherit the second: an answer of two records would wait for an ACK. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
		bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static struct http_guests *make_guests(struct http_server *s, struct http_tls *tls)
{
	struct http_guests *g = calloc(1, sizeof *g);

	if (!g) {
		http_tls_free(tls);
		return NULL;
	}
	g->server = s;
	g->tls = tls;
	g->look = loop_timer_new(s->loop, on_look, g);
	g->tick = loop_timer_new(s->loop, on_tick, g);
	g->drains = http_drains_new(s->loop);
	return g;
}

int http_tcp_new(struct loop *l, const char *listen, struct http_tls *tls, size_t body_max,
	http_handle *handle, void *arg, struct http_server **ret_server)
{
	struct http_server *s = calloc(1, sizeof *s);
	int r;

	if (!s) {
		http_tls_free(tls);
		return -ENOMEM;
	}
	s->loop = l;
	s->handle = handle;
	s->arg = arg;
	s->guests = make_guests(s, tls);
	r = s->guests && s->guests->look && s->guests->tick && s->guests->drains ? listen_at(listen)
										 : -ENOMEM;
	if (r >= 0)
		r = http_serve(s, r, body_max);
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	*ret_server = s;
	return 0;
}

void http_tcp_set_tls(struct http_server *s, struct http_tls *tls)
{
	http_tls_free(s->guests->tls); /* connections have references of their own */
	s->guests->tls = tls;
}

void http_guests_free(struct http_guests *g)
{
	if (!g)
		return;
	for (int i = 0; i < HTTP_GUESTS_MAX; i++) {
		if (g->list[i].here && g->list[i].fresh)
			bufferevent_decref(g->list[i].fresh);
	}
	http_drains_free(g->drains);
	loop_timer_free(g->look);
	loop_timer_free(g->tick);
	http_tls_free(g->tls);
	free(g);
}
