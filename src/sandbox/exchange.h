/*
 * One request from its arrival to its answer.
 *
 *	arrive → gate (key, rate, faults, idempotency) → [slow] → work (the route's call) → done
 *
 * Nothing is answered at once: `done` queues the exchange, and when this turn of the loop is over
 * one commit serves them all, and only then the answers (and webhooks) leave. So an answer that was
 * seen is on file, and a thousand requests a second cost few commits.
 *
 * A call fills the answer by answer_*() exactly once and touches nothing else of the exchange. One
 * that takes long says exchange_wait(), answers later, and ends with exchange_finish().
 */
#ifndef PUNCHD_SANDBOX_EXCHANGE_H
#define PUNCHD_SANDBOX_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "base/buf.h"
#include "sandbox/fault.h"
#include "sandbox/keys.h"

#define EXCHANGE_KEY_MAX 255 /* of an Idempotency-Key */
#define EXCHANGE_DIGEST  32

struct sandbox;
struct exchange;

struct exchange_route {
	const char *method;
	const char *path; /* whole; one that ends in / takes whatever follows */
	void (*call)(struct exchange *x);
};

struct exchange {
	struct sandbox *sandbox;
	struct evhttp_request *request;
	struct exchange *next, **link; /* all that live */
	struct exchange *next_done;

	const char *method, *path, *rest; /* rest: what follows a route's path that ends in / */
	const struct exchange_route *route;
	struct evkeyvalq query;
	const char *body;
	size_t body_length;
	bool is_admin;  /* / and below /_sandbox/: no key, no limit, no faults */
	int64_t now_ms; /* this server's clock, skew and all */

	struct fault_plan plan;
	struct keys_view rate;
	struct event *timer; /* of a slow one */

	char key[EXCHANGE_KEY_MAX + 1]; /* Idempotency-Key; "": none */
	unsigned char digest[EXCHANGE_DIGEST];
	bool holds_key; /* it is in sandbox->running under key */

	void *job;                           /* what a call left to be done later; NULL: nothing */
	void (*abandon)(struct exchange *x); /* frees it */

	int status; /* 0: not yet answered */
	struct buf out;
	const char *content_type;
	const char *allow; /* of a 405 */
	char file_name[64];
};

/* A request has come in; request belongs to the exchange from now on. */
void exchange_arrive(struct sandbox *sandbox, struct evhttp_request *request);

/* The turn is over: commit, then answer all that are done. */
void exchange_flush(struct sandbox *sandbox);

/* Free all that live, unanswered: the server is going down. */
void exchange_drop_all(struct sandbox *sandbox);

/* The answer comes later. job belongs to the call; abandon frees it should the server go down. */
void exchange_wait(struct exchange *x, void *job, void (*abandon)(struct exchange *x));
/* The answer is there now, and the job gone. Not for what holds an idempotency key. */
void exchange_finish(struct exchange *x);

/* A header of the request; NULL: none. */
const char *exchange_header(const struct exchange *x, const char *name);

/* A query parameter, decoded; NULL: none. */
const char *exchange_query(struct exchange *x, const char *name);

/* An optional whole number in the query. Answers 400 and returns false where it is none. */
bool exchange_query_int(
	struct exchange *x, const char *name, int64_t min, int64_t max, int64_t *ret);

/* The body as a JSON object, the caller's. NULL: answered 400 or 415. */
json_t *exchange_json(struct exchange *x);

/* A text of a JSON object, 1 to max bytes. Missing or null, and not required: *ret_text is untouched.
 * Answers 400 and returns false where it is wrong or missing. */
bool exchange_take_text(struct exchange *x, const json_t *object, const char *name, size_t max,
	bool required, const char **ret_text);

/* The webhook is to be told, once this is committed; data is stolen. */
void exchange_event(struct exchange *x, const char *type, json_t *data);

#endif
