/*
 * A client for the cloud attendance API, on the caller's event loop. The library's public header.
 *
 * A client owns its connections, its key and what it learnt of the rate limit (api/pace.h) and of
 * the server's health (api/circuit.h). It never sends on its own account: the caller asks for room,
 * then hands over requests; each ends in exactly one callback, never from inside the call that
 * started it. Nothing is retried in here: one call is at most one request on the wire. Not
 * thread-safe; callbacks may start new calls, and may not free the client.
 */
#ifndef PUNCHD_API_API_H
#define PUNCHD_API_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/outcome.h"
#include "base/clock.h"

struct api_client;
struct api_transport;

struct api_settings {
	const char *base_url; /* https://…/v1 without a trailing slash */
	int64_t plan_limit; /* requests a minute where headers are missing; 0: the smallest plan */
	int max_in_flight;
	int64_t retry_min_ms; /* backoff of the destination: api/circuit.h */
	int64_t retry_max_ms;
	int64_t auth_retry_ms;
};

/* The caller's clock and randomness. */
struct api_world {
	void *arg;
	struct moment (*now)(void *arg);
	uint64_t (*random)(void *arg);
};

/* One POST /attendance. The texts need to live only during the call. */
struct api_attendance {
	const char *user_id;
	const char *device_id;
	const char *type;      /* check_in or check_out */
	const char *timestamp; /* 2023-01-15T10:30:00Z */
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
	struct moment sent; /* when it was handed to the transport */
	struct moment received;
};

typedef void api_done(void *arg, const struct api_reply *reply);

/* The calls of the API, one an endpoint and method. */
enum api_call {
	API_CALL_ATTENDANCE,  /* POST /attendance */
	API_CALL_USERS,       /* GET /users */
	API_CALL_DEVICES,     /* GET /devices */
	API_CALL_USER_CREATE, /* POST /users */
	API_CALL_REPORT,      /* GET /reports/attendance */
};
#define API_CALLS 5

/* What the API is like just now: api.state of the status document. */
enum api_state {
	API_STATE_OK,
	API_STATE_RATE_LIMITED,
	API_STATE_BACKOFF,
	API_STATE_AUTH_FAILED,
	API_STATE_OFFLINE
};

const char *api_state_name(enum api_state state);

/* For status and alarms. */
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

/*
 * A client over a transport, which it takes over (and frees, also on failure).
 * Returns 0, -ENOMEM, or -EINVAL for a base URL that is not https.
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

/* Forget pauses and backoff: try at once. For `sync`, SIGHUP and tests. */
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

/* Whether refreshes go before punches, which then have no room. */
void api_client_refresh_first(struct api_client *c, bool first);

/* How many requests of the punches' class the rate limit would let go from now on, however many run
 * already or may run at once; at most 1 while the destination is in trouble. */
int64_t api_client_budget(const struct api_client *c);

/* Whether a request now would be a probe of a destination that is in trouble, so that the caller
 * can choose another user's punch for it. */
bool api_client_probing(const struct api_client *c);

/*
 * POST /attendance. Returns 0; or with nothing sent and no callback -ENOMEM, -EINVAL (a text that
 * is no UTF-8, a key that no header may carry), or -ESHUTDOWN (the client is being freed).
 */
int api_attendance_create(
	struct api_client *c, const struct api_attendance *a, api_done *done, void *arg);

/* GET /users, one page. Returns as above. */
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

/*
 * How long so many punches more will take, with as many side by side as `parallel`: what the rate limit
 * allows, and how long answers take. An estimate, in microseconds; -1 while nobody can tell, since the
 * destination is in trouble.
 */
int64_t api_client_time_for(const struct api_client *c, int64_t punches, int64_t parallel);

void api_client_status(const struct api_client *c, struct api_status *ret);

#endif
