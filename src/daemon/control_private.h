/* What the control interface's files share: a call while it is answered. */
#ifndef PUNCHD_DAEMON_CONTROL_PRIVATE_H
#define PUNCHD_DAEMON_CONTROL_PRIVATE_H

#include <jansson.h>

#include "base/buf.h"
#include "core/hand.h"
#include "daemon/control.h"
#include "store/store_punch.h"

#define ARGUMENT_SIZE 512

struct call {
	struct control *control;
	const struct http_request *request;
	char argument[ARGUMENT_SIZE]; /* the path's {id} */
	int status;
	json_t *body;     /* owned; NULL: text */
	const char *text; /* a constant */
	bool later;       /* the answer comes later (http_later) */
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

/* Whether it is yes; false where it is no, or not there. False: it is neither, and the call is
 * answered. */
bool control_query_yes(struct call *call, const char *key, bool *ret);

/* The punch that the path names, by a beginning of its id. False, and answered, where there is none. */
bool control_find_punch(struct call *call, struct punch *ret);

/* A word of what is asked; NULL where it is not there. */
typedef const char *control_word(const void *arg, const char *key);
/* Which punches are asked for: state, reason, user, device, from, to. False, and answered, where that
 * cannot be. (control_filter.c) */
bool control_filter(
	struct call *call, control_word *word, const void *arg, struct store_filter *ret);

/* control_hand.c */
void control_hand_release(struct call *call);
void control_hand_retry(struct call *call);
void control_hand_discard(struct call *call);
void control_hand_amend(struct call *call);
void control_hand_release_many(struct call *call);
void control_hand_retry_many(struct call *call);
void control_hand_discard_many(struct call *call);

/* control_pause.c */
void control_pause(struct call *call);
void control_resume(struct call *call);

/* control_lobby.c */
void control_lobby_get(struct call *call);

/* control_report.c */
void control_report(struct call *call);

/* control_links.c */
void control_links_get(struct call *call);
void control_links_put(struct call *call);
void control_links_delete(struct call *call);

/* control_users.c */
void control_users_post(struct call *call);
void control_users_pending_get(struct call *call);
void control_users_pending_delete(struct call *call);

#endif
