/*
 * punch-api: a client for the cloud attendance API, in C, on the caller's event loop or without one.
 *
 * Five calls, each in two forms: api_users_list and the like start a request and call back when it has
 * ended (a client on your loop: api_curl_new, then api_client_new); api_sync_users_list and the like
 * return when it has (api_sync_new). punch-api(3) has the whole story.
 *
 * A client owns its connections, its key and what it learnt of the rate limit and of the server's
 * health. It never sends on its own account, and nothing is retried in here: one call is at most one
 * request on the wire. The caller asks for room (api_client_room), then hands over requests; each ends
 * in exactly one callback, never from inside the call that started it. Whoever sends a POST again does
 * so with the same Idempotency-Key and the same texts.
 *
 * Not thread-safe: a client, and all that belongs to it, is one thread's. Callbacks may start new
 * calls, and may not free the client. Texts that are handed over need to live only during the call.
 * Functions return 0 or a negative errno; what came of a request is an outcome, not an error. A program
 * ignores SIGPIPE: writing to a connection that has ended raises it.
 *
 * There is no promise yet that this interface stays as it is.
 */
#ifndef PUNCH_API_H
#define PUNCH_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

#ifdef __cplusplus
extern "C" {
#endif

struct api_client;
struct api_transport;

/* ---- what is asked for */

/* The calls of the API, one an endpoint and method. */
enum api_call {
	API_CALL_ATTENDANCE,  /* POST /attendance */
	API_CALL_USERS,       /* GET /users */
	API_CALL_DEVICES,     /* GET /devices */
	API_CALL_USER_CREATE, /* POST /users */
	API_CALL_REPORT,      /* GET /reports/attendance */
};
#define API_CALLS 5

/* One POST /attendance. The texts need to live only during the call. */
struct api_attendance {
	const char *user_id;
	const char *device_id;
	const char *type;      /* check_in or check_out */
	const char *timestamp; /* 2023-01-15T10:30:00Z; NULL: the server's now */
	const char *key;       /* Idempotency-Key */
};

/* One POST /users. The texts need to live only during the call. */
struct api_new_user {
	const char *name;
	const char *email;
	const char *phone;      /* E.164: +919876543210 */
	const char *department; /* NULL: none */
	const char *key;        /* Idempotency-Key */
};

enum api_format { API_FORMAT_JSON, API_FORMAT_CSV, API_FORMAT_PDF };

/* One GET /reports/attendance. The texts need to live only during the call. */
struct api_report_query {
	const char *start_date; /* 2023-01-31, the first day */
	const char *end_date;   /* the last day */
	const char *user_id;    /* NULL: everybody */
	const char *department; /* NULL: all */
	enum api_format format;
};

/* ---- what comes of it */

/* A point of time, on the wall clock and on the one that only runs. */
struct api_moment {
	int64_t wall_us; /* UTC, microseconds since 1970 */
	int64_t mono_us; /* microseconds since an arbitrary start */
};

/* What came of a call. All pointers are valid only during the callback. */
struct api_reply {
	enum api_outcome outcome;
	int status;         /* HTTP status; 0 where there was none */
	const json_t *data; /* borrowed: data of a 2xx; NULL where there is none */
	const json_t *meta; /* borrowed: meta of a list; NULL where there is none */
	const char *id;     /* data.id of a record that was made, "" where none came; also as far as
			      * an answer that was cut off shows it */
	const char *code;   /* the error object's members, or ""; never NULL, never the key */
	const char *message; /* also our own words where there was no error object or no answer */
	const char *param;
	bool echo_differs; /* the record that came back is not the one that was sent */
	int64_t created_s; /* created_at of the record that a 2xx told, seconds since 1970; 0: none */
	int64_t date_s;    /* the answer's Date, seconds since 1970; 0 where there was none */
	struct api_moment sent; /* when it was handed to the transport */
	struct api_moment received;
};

typedef void api_done(void *arg, const struct api_reply *reply);

/* ---- a client */

/* What is 0 or NULL takes the value in brackets; but base_url has none. */
struct api_settings {
	const char *base_url;  /* https://…/v1 without a trailing slash */
	int64_t plan_limit;    /* requests a minute where headers are missing [100] */
	int max_in_flight;     /* [8] */
	int64_t retry_min_ms;  /* backoff of a destination that is in trouble [1 s] */
	int64_t retry_max_ms;  /* [15 min] */
	int64_t auth_retry_ms; /* after 401 and 403 [5 min] */
};

/* A clock and randomness other than the system's. */
struct api_world {
	void *arg;
	struct api_moment (*now)(void *arg);
	uint64_t (*random)(void *arg);
};

/*
 * A client over a transport, which it takes over (and frees, also on failure). world: NULL for the
 * system's. Returns 0, -ENOMEM, or -EINVAL for a base URL that is not https.
 */
int api_client_new(const struct api_settings *settings, const struct api_world *world,
	struct api_transport *transport, struct api_client **ret_client);

/* End every running call with API_CANCELLED, then free. NULL is taken. */
void api_client_free(struct api_client *c);

/*
 * Set or replace the key (NULL: none; every call then ends as API_UNAUTHORIZED without being
 * sent). A key that differs from the last one lifts the pauses that 401 and 403 made, and answers to
 * the old one make none any more. Copied.
 * Returns 0, -ENOMEM, or -EINVAL for bytes that no header may carry.
 */
int api_client_set_key(struct api_client *c, const char *key);

/* Forget pauses and backoff: try at once, because a person says so. */
void api_client_resume(struct api_client *c);

/*
 * How many requests of a kind may be handed over now: what rate limit, circuit and max_in_flight
 * allow. Punches come first; lists, and what a person asked for (a user to create, a report), get
 * every 20th request at the least, and take turns. 0 with *ret_wait_us = how long until it is worth
 * asking again (-1: not before a running call ends). A call beyond the room is sent all the same:
 * the caller decides.
 *
 * A 403 leaves no room for that call alone, until a probe after auth_retry or a new key. What a
 * report or a creation meets (a 5xx, an answer that was lost or is not the API's) closes that call
 * alone, too; only a missing connection, and 401, close all.
 */
int api_client_room(struct api_client *c, enum api_call call, int64_t *ret_wait_us);

/* ---- its status */

/* What the API is like just now. */
enum api_state {
	API_STATE_OK,
	API_STATE_RATE_LIMITED,
	API_STATE_BACKOFF,
	API_STATE_AUTH_FAILED,
	API_STATE_OFFLINE
};

const char *api_state_name(enum api_state state);

struct api_status {
	enum api_state state;
	bool garbled;              /* the last answers came from something that is not the API */
	bool unauthorized;         /* 401 */
	bool forbidden[API_CALLS]; /* 403 for that call: the key's rights do not cover it */
	int in_flight;
	int64_t limit;        /* of the window that was learnt; -1 unknown */
	int64_t remaining;    /* in that window; -1 unknown */
	int64_t reset_us;     /* monotonic; 0 unknown */
	int64_t next_try_us;  /* monotonic: when something may be sent again; 0: now */
	int64_t last_done_us; /* wall clock of the last API_DONE; 0: none yet */
	uint64_t sent;        /* requests handed to the transport */
};

void api_client_status(const struct api_client *c, struct api_status *ret);

/* ---- the calls */

/*
 * POST /attendance. Returns 0; or with nothing sent and no callback -ENOMEM, -EINVAL (a text that
 * is no UTF-8, a key that no header may carry), or -ESHUTDOWN (the client is being freed).
 */
int api_attendance_create(
	struct api_client *c, const struct api_attendance *a, api_done *done, void *arg);

/* GET /users, one page: limit entries (0: as many as the server likes) from offset on. How many there
 * are, and how many come at once, say total and limit of reply.meta. Returns as above. */
int api_users_list(struct api_client *c, int limit, int64_t offset, api_done *done, void *arg);

/* GET /devices. Returns as above. */
int api_devices_list(struct api_client *c, api_done *done, void *arg);

/*
 * POST /users. Outcomes as for attendance, but for 409: without data.id it is always API_CONFLICT,
 * since `already_exists` may be said of somebody else with that e-mail: the list tells. reply.data
 * is the user, reply.id its id; the echo is compared in name, e-mail (upper or lower case) and phone.
 * Returns as above.
 */
int api_user_create(struct api_client *c, const struct api_new_user *u, api_done *done, void *arg);

/*
 * GET /reports/attendance. Its body is never held whole: it comes in pieces, as the network brings
 * them (up to 16 KiB each), and the caller may pause it.
 *
 * Pieces come only of a 2xx whose Content-Type fits the format and whose length or end HTTP tells.
 * Any other answer is read as elsewhere and none of it reaches chunk: refused with code, message and
 * param, and so on; a 2xx that is not the report asked for (a page of HTML) is API_GARBLED. Only
 * API_DONE says that the pieces were the whole report; after anything else the caller throws away
 * what came. reply.data is always NULL.
 *
 * The answer may take ten times `timeout` to begin, since a report is computed meanwhile; from then
 * on it is LOST when nothing comes for `timeout`. The time of a pause does not count.
 *
 * A report goes over a connection of its own, beside max_in_flight; of them api_client_room allows
 * API_REPORTS_MAX at once.
 */
#define API_REPORTS_MAX 2

struct api_stream;

enum api_take {
	API_TAKE_MORE,  /* taken */
	API_TAKE_PAUSE, /* taken; no more until api_stream_resume. done may come in the meantime */
	API_TAKE_STOP,  /* the rest is not wanted: ends in done with API_CANCELLED */
};

/* A piece, in order. May not start a call nor free the client. */
typedef enum api_take api_chunk(void *arg, const char *data, size_t length);

/* Returns as above, or -ENOTSUP for a transport that cannot. *ret_stream is valid until done; NULL is
 * taken. */
int api_report_get(struct api_client *c, const struct api_report_query *q, api_chunk *chunk,
	api_done *done, void *arg, struct api_stream **ret_stream);

/* Neither calls anything from inside. After cancel no piece comes, and done follows. */
void api_stream_resume(struct api_stream *s);
void api_stream_cancel(struct api_stream *s);

/* The name as the API writes it: json, csv, pdf. */
const char *api_format_name(enum api_format format);

/* ---- the network, on the caller's loop */

enum { API_FD_IN = 1, API_FD_OUT = 2 };

/* The caller's loop. */
struct api_loop {
	void *arg;
	/* Call api_curl_on_fd when fd is ready for what events says; 0: forget fd. */
	int (*watch)(void *arg, int fd, int events);
	/* Call api_curl_on_timer once, after delay_ms; -1: not any more. */
	int (*timer)(void *arg, int64_t delay_ms);
};

/* What is 0 or NULL takes the value in brackets. */
struct api_curl_settings {
	const char *ca_file; /* a further CA to trust, beside the system's [none] */
	const char *ca_dir;  /* the system's CAs, by hash [where libcurl looks] */
	const char *proxy;   /* its URL; "": none [as the environment says] */
	const char *pins;    /* sha256//…, blanks between: the only public keys to trust [any] */
	int64_t timeout_ms;  /* one request, from connecting to its last byte [30 s] */
	int64_t connect_timeout_ms; /* of that, until TLS stands [10 s] */
	int max_connections;        /* [8] */
	const char *user_agent;     /* [punch-api] */
};

/*
 * HTTPS only, TLS 1.2 or newer, verified; no redirects. The loop is told what to watch from inside the
 * functions below and from inside calls; it must outlive the client.
 * Returns 0, -ENOMEM, or -ENOENT / -EINVAL for a CA file that cannot be used.
 */
int api_curl_new(const struct api_curl_settings *settings, const struct api_loop *loop,
	struct api_transport **ret_transport);

/* What the loop saw. Both make callbacks happen. */
void api_curl_on_fd(struct api_transport *t, int fd, int events);
void api_curl_on_timer(struct api_transport *t);

/* ---- without a loop: calls that return when they have ended */

struct api_sync;

/*
 * A client that waits by itself. Returns 0, -ENOMEM, -ENOENT or -EINVAL (base URL, CA file, key).
 */
int api_sync_new(const struct api_settings *settings, const struct api_curl_settings *network,
	const char *key, struct api_sync **ret_sync);

/* NULL is taken. */
void api_sync_free(struct api_sync *s);

/* Its client, for api_client_status and the like; calls are started below alone. */
struct api_client *api_sync_client(struct api_sync *s);

/* Wait until there is room for a call, at most so long (-1: without end). Returns 0 or
 * -ETIMEDOUT. */
int api_sync_room(struct api_sync *s, enum api_call call, int64_t most_ms);

/*
 * The five calls. Return as the others; with 0 *ret_reply is what came of it, valid until the next call
 * on s. Of a report's chunk API_TAKE_PAUSE is as
 * API_TAKE_MORE: who takes its time makes the server wait.
 */
int api_sync_attendance_create(
	struct api_sync *s, const struct api_attendance *a, const struct api_reply **ret_reply);
int api_sync_user_create(
	struct api_sync *s, const struct api_new_user *u, const struct api_reply **ret_reply);
int api_sync_users_list(
	struct api_sync *s, int limit, int64_t offset, const struct api_reply **ret_reply);
int api_sync_devices_list(struct api_sync *s, const struct api_reply **ret_reply);
int api_sync_report_get(struct api_sync *s, const struct api_report_query *q, api_chunk *chunk,
	void *arg, const struct api_reply **ret_reply);

#ifdef __cplusplus
}
#endif

#endif
