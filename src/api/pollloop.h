/*
 * The smallest loop that api/curl can run on: poll(2) and one timer. For calls that wait by themselves
 * (api/sync.c).
 *
 * Where poll has no memory, or the system no more descriptors, time goes on all the same: what waits
 * ends by its time-out.
 */
#ifndef PUNCHD_API_POLLLOOP_H
#define PUNCHD_API_POLLLOOP_H

#include <poll.h>

#include "api/curl.h"

struct poll_loop {
	struct pollfd *fds; /* owned */
	size_t count, size;
	int64_t due_us; /* of the timer, monotonic; -1: none */
};

void poll_loop_init(struct poll_loop *p);
void poll_loop_done(struct poll_loop *p);

/* For api_curl_new; p must stay where it is. */
struct api_loop poll_loop_calls(struct poll_loop *p);

/* Wait for what comes first, at most so long (-1: without end), and tell the transport. */
void poll_loop_turn(struct poll_loop *p, struct api_transport *t, int64_t most_ms);

#endif
