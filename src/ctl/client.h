/*
 * Asking punchd: HTTP/1.1 and JSON over its UNIX socket (INTERFACES.md, control socket).
 *
 * One call at a time, each with its time limit; an answer is capped. What went wrong is told in
 * words that say what to do, since the reader is a person at a shell.
 */
#ifndef PUNCHD_CTL_CLIENT_H
#define PUNCHD_CTL_CLIENT_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define CLIENT_ANSWER_MAX (16UL * 1024 * 1024)

struct client {
	const char *socket; /* borrowed */
	CURL *curl;
	size_t answer_max; /* bytes; CLIENT_ANSWER_MAX unless somebody sets it */
	char words[1024];  /* of the last failure */
	/* Asked about once a second while a call runs; true ends it. NULL: never. */
	bool (*cancelled)(void *arg);
	void *arg; /* of cancelled */
};

struct answer {
	long status;      /* HTTP */
	struct buf body;  /* as it came */
	json_t *document; /* NULL: the body is no JSON */
};

/* The path is borrowed. Returns 0, -ENAMETOOLONG (no socket can have such a path, or it is empty)
 * or -ENOMEM. */
int client_init(struct client *c, const char *socket_path);
void client_done(struct client *c);

/*
 * Ask: method, path with its query, and a body of JSON or NULL. The answer is whatever came, an error
 * too; it is to be ended by answer_done, after a failure as well.
 * Returns 0, or a negative errno, with client.words set: nobody there, no permission, not within
 * limit_ms, or nothing that is HTTP.
 */
int client_ask(struct client *c, const char *method, const char *path, const char *body,
	int64_t limit_ms, struct answer *ret_answer);

/*
 * The same for a GET whose 2xx answer may be long: what comes of it is handed to on, piece by piece, if it
 * is of that media type; anything else is the answer's body. on returns 0, or what ends the call and is
 * returned. limit_ms: 0 for none.
 * Further errors: -EPROTO (a 2xx of another type), and -EPIPE where it broke off: what on got is then
 * nothing whole.
 */
typedef int client_on_piece(void *arg, const char *bytes, size_t n);
int client_fetch(struct client *c, const char *path, const char *media_type, int64_t limit_ms,
	client_on_piece *on, void *arg, struct answer *ret_answer);

void answer_done(struct answer *a);

/* Append a query parameter, escaped, behind `?` or `&`. */
void client_add_query(struct buf *path, const char *key, const char *value);

/* Append one part of a path, escaped. */
void client_add_part(struct buf *path, const char *part);

#endif
