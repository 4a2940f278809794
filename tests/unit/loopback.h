/*
 * Sockets on the loopback, host being 127.0.0.1, another of 127.0.0.0/8, or ::1: what listens, what
 * connects, and a black hole that answers no SYN.
 */
#ifndef PUNCHD_TESTS_LOOPBACK_H
#define PUNCHD_TESTS_LOOPBACK_H

#include <stdbool.h>

bool loopback_has_ipv6(void);

/* On port, or an ephemeral one (0). Returns the descriptor, or -1 where the port is taken. */
int loopback_listen(const char *host, int port, int backlog, int *ret_port);

/* Returns the descriptor or -1. */
int loopback_connect(const char *host, int port);

/* A listener whose queue is full: Linux drops every further SYN. */
struct loopback_hole {
	int port;
	int fds[32]; /* the listener and who fills its queue */
	int count;
};

/* On port, or an ephemeral one (0). Whether that could be had. */
bool loopback_hole_open(struct loopback_hole *h, const char *host, int port);
void loopback_hole_close(struct loopback_hole *h);

#endif
