/* What the parts of a running sandbox share. Inside src/sandbox only. */
#ifndef PUNCHD_SANDBOX_SANDBOX_H
#define PUNCHD_SANDBOX_SANDBOX_H

#include <openssl/ssl.h>

#include "base/strmap.h"
#include "sandbox/db.h"
#include "sandbox/exchange.h"
#include "sandbox/hook.h"
#include "sandbox/options.h"
#include "sandbox/pdf.h"

#define SANDBOX_ROUTES_MAX 32
#define SANDBOX_API        "/v1"
#define SANDBOX_ADMIN      "/_sandbox/"
#define SANDBOX_WINDOWS    64

/* What all keys together asked between two multiples of --window of the server's clock. */
struct window_count {
	int64_t window; /* since 1970 */
	int64_t accepted, refused;
	int64_t first_ms, last_ms; /* when the first and the last came */
};

/* Counted since the start. */
struct stats {
	int64_t requests; /* to the API; /_sandbox is not counted */
	int64_t by_route[SANDBOX_ROUTES_MAX];
	int64_t unrouted;
	int64_t by_status[600]; /* as sent */
	int64_t dropped;        /* connections closed in place of an answer */
	int64_t replayed;       /* POSTs answered from a key's first answer */
	int64_t key_running;    /* 409 */
	int64_t key_reused;     /* 422 */
	int64_t connections;
	int64_t running, max_running;                 /* requests between arrival and answer */
	struct window_count windows[SANDBOX_WINDOWS]; /* a ring of the last that were used */
	size_t window_count;                          /* how many there ever were */
};

struct sandbox {
	const struct options *options;
	struct event_base *base;
	struct event *flush; /* made active by the first exchange that is done in a turn */
	struct event *upkeep;
	struct db db;
	struct keys keys;
	int64_t clock_off_ms; /* added to this machine's clock */
	struct faults faults;
	struct hook *hook;
	struct schedule *schedule;
	struct strmap running; /* idempotency key → its exchange */
	struct exchange *live;
	struct exchange *done, **done_end;
	struct report_job *reports; /* that are worked on, in turns */
	struct event *report_turn;
	struct pdf *pdf;
	struct stats stats;
	SSL_CTX *ctx;
	struct evhttp *http;
	char *hook_secret;
	FILE *record; /* of --record; NULL: none */
};

/* Serve until SIGTERM or SIGINT. Returns the exit status. */
int sandbox_run(const struct options *options);

/* The server's clock, but for a fault's skew. */
int64_t sandbox_now_ms(const struct sandbox *sandbox);

/* Commit at the end of this turn: something outside of an exchange was written. */
void sandbox_wants_commit(struct sandbox *sandbox);

/* The webhook, if there is one, is to be told; within the turn's transaction. data is stolen,
 * said_ms the server's clock. */
void sandbox_event(struct sandbox *sandbox, const char *type, json_t *data, int64_t said_ms);

/* The routes; find returns the one for this method, or NULL: then *ret_allow names a method that
 * the path has, or NULL where there is no such path. */
extern const struct exchange_route sandbox_routes[];
extern const size_t sandbox_route_count;
const struct exchange_route *sandbox_route_find(
	const char *method, const char *path, const char **ret_allow);

/* The calls of the API. */
void call_users_list(struct exchange *x);
void call_users_add(struct exchange *x);
void call_devices_list(struct exchange *x);
void call_attendance_add(struct exchange *x);
void call_report(struct exchange *x);
void call_report_turn(evutil_socket_t fd, short events, void *arg);

/* The calls below /_sandbox/. */
void call_sandbox_attendance(struct exchange *x);
void call_sandbox_stats(struct exchange *x);
void call_sandbox_faults_list(struct exchange *x);
void call_sandbox_faults_add(struct exchange *x);
void call_sandbox_faults_clear(struct exchange *x);
void call_sandbox_plan(struct exchange *x);
void call_sandbox_clock(struct exchange *x);
void call_sandbox_keys(struct exchange *x);
void call_sandbox_users_put(struct exchange *x);
void call_sandbox_users_remove(struct exchange *x);
void call_sandbox_devices_put(struct exchange *x);
void call_sandbox_devices_remove(struct exchange *x);
void call_sandbox_forget(struct exchange *x);
void call_sandbox_overview(struct exchange *x);
void call_page(struct exchange *x);
void call_page_style(struct exchange *x);
void call_page_script(struct exchange *x);
void call_sandbox_events(struct exchange *x);
void call_sandbox_events_resend(struct exchange *x);

#endif
