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

/* What shares the budget. Punches come first; a refresh gets every 20th request at the least. */
enum api_class { API_CLASS_PUNCH, API_CLASS_REFRESH };

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
	bool garbled;           /* the last answers came from something that is not the API */
	bool unauthorized;      /* 401 */
	bool forbidden_punch;   /* 403 for attendance */
	bool forbidden_refresh; /* 403 for a list */
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
 * How many requests of a class may be handed over now: what rate limit, circuit and max_in_flight
 * allow. 0 with *ret_wait_us = how long until it is worth asking again (-1: not before a running
 * call ends). A call beyond the room is sent all the same: the caller decides.
 */
int api_client_room(struct api_client *c, enum api_class class, int64_t *ret_wait_us);

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
 * How long so many punches more will take, with as many side by side as `parallel`: what the rate limit
 * allows, and how long answers take. An estimate, in microseconds; -1 while nobody can tell, since the
 * destination is in trouble.
 */
int64_t api_client_time_for(const struct api_client *c, int64_t punches, int64_t parallel);

void api_client_status(const struct api_client *c, struct api_status *ret);

#endif
