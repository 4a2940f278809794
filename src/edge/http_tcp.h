/*
 * The HTTP server of edge/http.h on TCP, plain or with TLS 1.2 and above: for strangers, too.
 *
 * A connection has ten seconds from being accepted until its request is whole, handshake included,
 * however slowly its bytes drip. There are at most HTTP_GUESTS_MAX at once, and HTTP_HOUSEHOLD_MAX from
 * one IPv4 address or IPv6 /64, but for the loopback, where a proxy may stand for everybody. Beyond
 * the second a new one is closed. At the first the one that has dawdled longest is, and nothing is
 * accepted until there is room: callers wait in the kernel's queue.
 */
#ifndef PUNCHD_EDGE_HTTP_TCP_H
#define PUNCHD_EDGE_HTTP_TCP_H

#include "edge/http.h"

#define HTTP_GUESTS_MAX    256
#define HTTP_HOUSEHOLD_MAX 32

#define HTTP_TLS_WORDS_MAX 512

/* A certificate with its key. */
struct http_tls;

/* Load both from PEM files; the first certificate is the server's own, others are its chain.
 * Returns 0, -ENOMEM, or -EINVAL with words on what is wrong, and with which file. */
int http_tls_load(const char *cert_file, const char *key_file, struct http_tls **ret_tls,
	char ret_words[static HTTP_TLS_WORDS_MAX]);
void http_tls_free(struct http_tls *tls);

/* As in the settings: see base/netaddr.h. tls: NULL for plain; taken over, also on failure.
 * Returns 0 or a negative errno: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, … */
int http_tcp_new(struct loop *l, const char *listen, struct http_tls *tls, size_t body_max,
	http_handle *handle, void *arg, struct http_server **ret_server);

/* Connections from now on show this certificate; taken over. The server is one with TLS. */
void http_tcp_set_tls(struct http_server *s, struct http_tls *tls);

/* Connections whose request is not whole yet. */
int http_tcp_coming(struct http_server *s);

#endif
