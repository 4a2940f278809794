/*
 * Connections of those who send more than is read, and were told so: what still comes is read and dropped,
 * within a request's time. Closed at once, they would see a broken connection in place of the answer.
 */
#ifndef PUNCHD_EDGE_HTTP_DRAIN_H
#define PUNCHD_EDGE_HTTP_DRAIN_H

#include <stdint.h>

#include "edge/loop.h"

struct http_drains;

/* NULL: no memory. */
struct http_drains *http_drains_new(struct loop *l);
void http_drains_free(struct http_drains *d);

/* fd stays its owner's, who is about to close it and until then reads from it. Beyond a few at once
 * nothing is done. */
void http_drains_add(struct http_drains *d, int fd);

/* What a socket is known by however its descriptor is numbered; 0: it is none. */
uint64_t http_socket_cookie(int fd);

#endif
