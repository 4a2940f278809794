/* What the control interface's files share: a call while it is answered. */
#ifndef PUNCHD_DAEMON_CONTROL_PRIVATE_H
#define PUNCHD_DAEMON_CONTROL_PRIVATE_H

#include <jansson.h>

#include "base/buf.h"
#include "daemon/control.h"

struct call {
	struct control *control;
	const struct http_request *request;
	const char *argument; /* the path's {id} */
	int status;
	json_t *body;     /* owned; NULL: text */
	const char *text; /* a constant */
	struct buf made;  /* where it is not empty: a document that is too long for a tree */
};

/* Answer with an error document instead of whatever was there. */
void control_fail(struct call *call, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void control_fail_store(struct call *call, int error);

/* The value of a query key; NULL where there is none, or an empty one. */
const char *control_query(const struct call *call, const char *key);

/* A whole number from 1 to max, fallback where there is none. False: it is something else, and the
 * call is answered. */
bool control_query_count(
	struct call *call, const char *key, int64_t fallback, int64_t max, int64_t *ret);

/* control_lobby.c */
void control_lobby_get(struct call *call);

/* control_links.c */
void control_links_get(struct call *call);
void control_links_put(struct call *call);
void control_links_delete(struct call *call);

#endif
