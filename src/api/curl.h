/*
 * The transport over libcurl's multi interface, on a loop that is reached through three calls.
 *
 * HTTPS only, TLS 1.2 or newer, verified; no redirects. libcurl sends a POST again by itself when
 * a kept connection turns out dead: CURLOPT_PREREQFUNCTION sees the second send coming and stops
 * it (libcurl 7.88: error 42), so that wire sends are what was decided; such a transfer is LOST.
 * A request is NEVER_LEFT only while that function has not been called for it: a proxy has been
 * asked, and the server's certificate found good, before.
 *
 * Where a proxy is asked is libcurl's own reading of https_proxy, all_proxy and no_proxy; the last
 * counts for a proxy of the settings, too. Our headers never go to a proxy.
 */
#ifndef PUNCHD_API_CURL_H
#define PUNCHD_API_CURL_H

#include "api/transport.h"

enum { API_FD_IN = 1, API_FD_OUT = 2 };

/* The caller's loop. */
struct api_loop {
	void *arg;
	/* Call api_curl_on_fd when fd is ready for what events says; 0: forget fd. */
	int (*watch)(void *arg, int fd, int events);
	/* Call api_curl_on_timer once, after delay_ms; -1: not any more. */
	int (*timer)(void *arg, int64_t delay_ms);
};

struct api_curl_settings {
	const char *ca_file; /* a further CA to trust, beside the system's; NULL: none */
	const char *ca_dir;  /* the system's CAs, by hash; NULL: where libcurl looks */
	const char *proxy;   /* its URL; "": none; NULL: as the environment says */
	const char *pins; /* sha256//…, blanks between: the only public keys to trust; NULL: any */
	int64_t timeout_ms;         /* one request, from connecting to its last byte */
	int64_t connect_timeout_ms; /* of that, until TLS stands; 0: as long as is sensible */
	int max_connections;
	const char *user_agent;
};

/* Returns 0, -ENOMEM, or -ENOENT / -EINVAL for a CA file that cannot be used. */
int api_curl_new(const struct api_curl_settings *settings, const struct api_loop *loop,
	struct api_transport **ret_transport);

void api_curl_on_fd(struct api_transport *t, int fd, int events);
void api_curl_on_timer(struct api_transport *t);

#endif
