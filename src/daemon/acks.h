/*
 * Application acknowledgements of a burst, gathered by terminal in the order in which their punches
 * came, at most 100 a message (INTERFACES.md, att/v1/{serial}/ack).
 */
#ifndef PUNCHD_DAEMON_ACKS_H
#define PUNCHD_DAEMON_ACKS_H

#include <stddef.h>

#include "base/buf.h"

struct acks_group;

struct acks {
	struct acks_group *groups;
	size_t count, size;
	int error; /* -ENOMEM: some are missing; none may be sent */
};

typedef void acks_send(void *arg, const char *serial, const char *payload, size_t length);

void acks_init(struct acks *a);
void acks_done(struct acks *a);

/* Add one. reason and name may be "". Texts are UTF-8 without NUL. */
void acks_add(struct acks *a, const char *serial, const char *id, const char *status,
	const char *reason, const char *name);

/* Send all, and forget them. */
void acks_flush(struct acks *a, acks_send *send, void *arg);

/* Forget all: the burst was rolled back. */
void acks_clear(struct acks *a);

#endif
