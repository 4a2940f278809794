/*
 * An HTTP/1.1 server over libevent's evhttp, on a UNIX stream socket, or over TCP (edge/http_tcp.h).
 *
 * One request a connection: it must be whole within HTTP_REQUEST_MS, however slowly its bytes drip,
 * and its answer closes the connection. Head and body are capped. While descriptors run short
 * nothing is accepted; callers wait in the socket's backlog. The kernel tells who asks.
 * What cannot be read never reaches the handler: it is answered with 400, 413 or 501 and
 * `{"error":{"code":"…","message":"…"}}`.
 */
#ifndef PUNCHD_EDGE_HTTP_H
#define PUNCHD_EDGE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "edge/loop.h"

#define HTTP_REQUEST_MS 10000
#define HTTP_HEAD_MAX   16384
#define HTTP_BODY_MAX   (8 * 1024 * 1024) /* 100,000 links in one call */

struct http_server;
struct http_query;
struct http_exchange;
struct http_later;

/* Valid only during the callback. */
struct http_request {
	const char *method;             /* GET, POST, PATCH … as in the request */
	const char *path;               /* decoded, begins with a slash */
	const struct http_query *query; /* http_query_get */
	struct http_exchange *exchange; /* http_later, http_header_get */
	const char *body;
	size_t body_length;
	const char *address; /* who asks over TCP, in numbers; else "" */
	uid_t uid;           /* of the process that connected */
	gid_t gid;
	pid_t pid;
};

/* What to answer: filled in by the callback. */
struct http_answer {
	int status;
	const char *content_type; /* a constant */
	const char *allow;        /* of a 405: the methods there are; NULL else */
	int64_t retry_after_s;    /* of a 503: when it is worth asking again; 0: it is not said */
	char *body;               /* from malloc, freed by the server; NULL: empty */
	size_t body_length;
};

typedef void http_handle(
	void *arg, const struct http_request *request, struct http_answer *ret_answer);

/*
 * Listen. The socket's folder must exist. A socket that nobody listens on any more is replaced.
 * group: may connect (mode 0660); where the group does not exist, or may not be given, only the
 * owner can (0600) and *ret_group_error tells why (-ENOENT, -EPERM), else it is 0.
 * Returns 0, -EADDRINUSE (somebody listens there), -ENAMETOOLONG, -EEXIST (a file that is no
 * socket), or another negative errno.
 */
int http_unix_new(struct loop *l, const char *path, const char *group, http_handle *handle,
	void *arg, struct http_server **ret_server, int *ret_group_error);

/* Closes and removes the socket. NULL is taken. */
void http_server_free(struct http_server *s);

/*
 * In the callback: the answer comes later, what it would have filled in is not looked at. It is given
 * once by http_later_answer, but not any more where the server was freed first; the body goes as from
 * the callback. Answering to who is gone does nothing.
 */
struct http_later *http_later(const struct http_request *request);
void http_later_answer(struct http_later *later, struct http_answer *answer);

/* The first header of this name, or NULL. */
const char *http_header_get(const struct http_request *request, const char *name);

/* The first value of a query key, decoded, or NULL. */
const char *http_query_get(const struct http_query *q, const char *key);

/* The keys one after the other, for finding unknown ones; NULL behind the last. */
const char *http_query_key(const struct http_query *q, size_t index);

#endif
