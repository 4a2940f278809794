/*
 * The cloud API's connections (api/curl.h) on the event loop.
 *
 * The transport goes to an api_client, which frees it; afterwards, and before the loop, the apiloop
 * is freed.
 */
#ifndef PUNCHD_EDGE_APILOOP_H
#define PUNCHD_EDGE_APILOOP_H

#include "api/curl.h"
#include "edge/loop.h"

struct apiloop;

/* Returns 0, -ENOMEM, or -ENOENT / -EINVAL for a CA file that cannot be used. */
int apiloop_new(struct loop *l, const struct api_curl_settings *settings, struct apiloop **ret);

/* For api_client_new. */
struct api_transport *apiloop_transport(struct apiloop *a);

/* NULL is taken. */
void apiloop_free(struct apiloop *a);

#endif
