/*
 * Messages to publish once what they answer to is on disk: in the order in which they were added.
 */
#ifndef PUNCHD_DAEMON_LETTERS_H
#define PUNCHD_DAEMON_LETTERS_H

#include <stddef.h>

struct letter;

struct letters {
	struct letter *list;
	size_t count, size;
	int error; /* -ENOMEM: one is missing; none may be sent */
};

typedef void letters_send(void *arg, const char *topic, const char *payload, size_t length);

void letters_done(struct letters *l);

/* Both are copied. */
void letters_add(struct letters *l, const char *topic, const char *payload, size_t length);

/* Send all, and forget them. */
void letters_flush(struct letters *l, letters_send *send, void *arg);

/* Forget all: the burst was rolled back. */
void letters_clear(struct letters *l);

#endif
