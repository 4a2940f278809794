/* What edge/http.c (the requests) and the ways to listen share: http_tcp.c has the one over TCP. */
#ifndef PUNCHD_EDGE_HTTP_PRIVATE_H
#define PUNCHD_EDGE_HTTP_PRIVATE_H

#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "edge/http.h"

/* Of a server that listens on TCP. */
struct http_guests;
struct http_tls;

struct http_connection;

struct http_server {
	LIST_HEAD(, http_connection) connections;
	struct loop *loop;
	struct evhttp *http;
	struct evconnlistener *listener; /* owned by http */
	struct loop_timer *pause;
	http_handle *handle;
	void *arg;
	char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* "": not bound */
	struct http_guests *guests;                           /* NULL: a UNIX socket */
};

/* A server that answers what comes in at fd, which it takes over also where it fails. Returns 0 or
 * -ENOMEM: then http_server_free. */
int http_serve(struct http_server *s, int fd, size_t body_max);

/* ---- http_tcp.c */

/* The bufferevent of a connection that was just accepted, plain or TLS. NULL: no memory. */
struct bufferevent *http_guest_new(struct http_guests *g, struct event_base *base);
/* Its request is whole. *ret_address: who asks, valid as long as the connection. */
void http_guest_whole(struct http_guests *g, int fd, const char **ret_address);
/* It sends more than is read, and is told so (edge/http_drain.h). */
void http_guest_drain(struct http_guests *g, int fd);
void http_guests_free(struct http_guests *g);

/* ---- http_tls.c */

/* A connection's side of TLS. NULL: no memory. */
struct ssl_st *http_tls_session(const struct http_tls *tls);

#endif
