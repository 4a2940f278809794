#include "sandbox/exchange.h"

#include <strings.h>
#include <sys/queue.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "base/jget.h"
#include "base/log.h"
#include "base/time.h"
#include "base/units.h"
#include "sandbox/answer.h"
#include "sandbox/gate.h"
#include "sandbox/idempotency.h"
#include "sandbox/sandbox.h"

#define ANSWER_MAX (64u << 20)

/* ---- life */

static const char *method_name(struct evhttp_request *request)
{
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_HEAD: return "HEAD";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_DELETE: return "DELETE";
	case EVHTTP_REQ_OPTIONS: return "OPTIONS";
	case EVHTTP_REQ_TRACE: return "TRACE";
	case EVHTTP_REQ_CONNECT: return "CONNECT";
	case EVHTTP_REQ_PATCH: return "PATCH";
	}
	return "?";
}

static void read_request(struct exchange *x)
{
	struct evhttp_request *request = x->request;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *query = uri ? evhttp_uri_get_query(uri) : NULL;
	struct evbuffer *body = evhttp_request_get_input_buffer(request);

	x->method = method_name(request);
	x->path = path && path[0] ? path : "/";
	x->is_admin = strcmp(x->path, "/") == 0 ||
		strncmp(x->path, SANDBOX_ADMIN, strlen(SANDBOX_ADMIN)) == 0;
	x->route = sandbox_route_find(x->method, x->path, &x->allow);
	if (x->route)
		x->rest = x->path + strlen(x->route->path);
	if (query)
		evhttp_parse_query_str(query, &x->query);
	x->body_length = evbuffer_get_length(body);
	x->body = x->body_length ? (const char *)evbuffer_pullup(body, -1) : "";
}

static struct exchange *exchange_new(struct sandbox *sandbox, struct evhttp_request *request)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->sandbox = sandbox;
	x->request = request;
	x->now_ms = sandbox_now_ms(sandbox);
	x->plan.retry_after_s = -1;
	buf_init(&x->out, ANSWER_MAX);
	TAILQ_INIT(&x->query);
	x->next = sandbox->live;
	x->link = &sandbox->live;
	if (x->next)
		x->next->link = &x->next;
	sandbox->live = x;
	return x;
}

static void exchange_free(struct exchange *x)
{
	idempotency_release(x);
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
	if (x->timer)
		event_free(x->timer);
	if (x->job)
		x->abandon(x);
	evhttp_clear_headers(&x->query);
	buf_done(&x->out);
	free(x);
}

void exchange_drop_all(struct sandbox *sandbox)
{
	while (sandbox->live) {
		struct exchange *x = sandbox->live;

		/* One that still has a connection is freed with it. */
		if (!evhttp_request_get_connection(x->request))
			evhttp_request_free(x->request);
		exchange_free(x);
	}
}

/* ---- work */

static void done(struct exchange *x)
{
	struct sandbox *sandbox = x->sandbox;

	answer_spoil(x);
	x->next_done = NULL;
	*sandbox->done_end = x;
	sandbox->done_end = &x->next_done;
	sandbox_wants_commit(sandbox);
}

static void work(struct exchange *x)
{
	x->now_ms = sandbox_now_ms(x->sandbox) + x->plan.skew_ms;
	x->route->call(x);
	if (!x->job)
		idempotency_keep(x);
}

void exchange_wait(struct exchange *x, void *job, void (*abandon)(struct exchange *x))
{
	x->job = job;
	x->abandon = abandon;
}

void exchange_finish(struct exchange *x)
{
	x->job = NULL;
	x->now_ms = sandbox_now_ms(x->sandbox) + x->plan.skew_ms;
	done(x);
}

static void on_slow_over(evutil_socket_t fd, short events, void *arg)
{
	struct exchange *x = arg;

	(void)fd, (void)events;
	if (x->status == 0 && fault_end_works(x->plan.end))
		work(x);
	if (x->job)
		return;
	x->now_ms = sandbox_now_ms(x->sandbox) + x->plan.skew_ms;
	done(x);
}

static bool wait_slow(struct exchange *x)
{
	struct timeval wait = {x->plan.slow_ms / 1000, x->plan.slow_ms % 1000 * 1000};

	if (x->plan.slow_ms == 0)
		return false;
	x->timer = evtimer_new(x->sandbox->base, on_slow_over, x);
	return x->timer && evtimer_add(x->timer, &wait) == 0;
}

static void count_arrival(struct exchange *x)
{
	struct stats *stats = &x->sandbox->stats;

	if (x->is_admin)
		return;
	stats->requests++;
	stats->running++;
	if (stats->running > stats->max_running)
		stats->max_running = stats->running;
	if (x->route)
		stats->by_route[x->route - sandbox_routes]++;
	else
		stats->unrouted++;
}

/* Outside the API's base path there is a web server that knows nothing of it. */
static bool outside(const struct exchange *x)
{
	size_t n = strlen(SANDBOX_API);

	return !x->is_admin && (strncmp(x->path, SANDBOX_API, n) != 0 || x->path[n] != '/');
}

static void answer_outside(struct exchange *x)
{
	x->plan.no_headers = true;
	x->status = 404;
	x->content_type = "text/html";
	buf_add_str(&x->out,
		"<!DOCTYPE html><title>404</title><h1>Not found</h1>"
		"<p>The API is below /v1.</p>\n");
}

void exchange_arrive(struct sandbox *sandbox, struct evhttp_request *request)
{
	struct exchange *x = exchange_new(sandbox, request);

	if (!x) {
		evhttp_send_error(request, 503, NULL);
		return;
	}
	read_request(x);
	count_arrival(x);
	if (outside(x)) {
		answer_outside(x);
		done(x);
		return;
	}
	if (!x->is_admin)
		faults_pick_manners(
			&sandbox->faults, x->method, x->path + strlen(SANDBOX_API), &x->plan);
	x->now_ms += x->plan.skew_ms;
	if (gate_pass(x)) {
		if (wait_slow(x))
			return;
		work(x);
		if (x->job)
			return;
	} else if (wait_slow(x)) {
		return;
	}
	done(x);
}

/* ---- the end of a turn */

static void finish(struct exchange *x, bool committed)
{
	struct sandbox *sandbox = x->sandbox;

	if (!committed)
		answer_broken(x);
	if (!x->is_admin)
		sandbox->stats.running--;
	answer_send(x);
	exchange_free(x);
}

void exchange_flush(struct sandbox *sandbox)
{
	struct exchange *x = sandbox->done;
	bool committed;

	keys_save(&sandbox->keys, &sandbox->db);
	committed = db_commit(&sandbox->db) == 0;
	sandbox->done = NULL;
	sandbox->done_end = &sandbox->done;
	if (!committed)
		log_error("db", "a turn's records could not be committed: all answered 500");
	while (x) {
		struct exchange *next = x->next_done;

		finish(x, committed);
		x = next;
	}
	if (committed)
		hook_pump(sandbox->hook);
	else
		hook_settle_again(sandbox->hook);
}

/* ---- what calls ask */

const char *exchange_header(const struct exchange *x, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(x->request), name);
}

const char *exchange_query(struct exchange *x, const char *name)
{
	return evhttp_find_header(&x->query, name);
}

bool exchange_query_int(
	struct exchange *x, const char *name, int64_t min, int64_t max, int64_t *ret)
{
	const char *text = exchange_query(x, name);

	if (!text)
		return true;
	if (units_parse_int(text, ret) == 0 && *ret >= min && *ret <= max)
		return true;
	answer_error(x, 400, "invalid_request", name, "%s must be a number from %lld to %lld", name,
		(long long)min, (long long)max);
	return false;
}

json_t *exchange_json(struct exchange *x)
{
	const char *type = exchange_header(x, "Content-Type");
	json_error_t error;
	json_t *body;

	if (!type || strncasecmp(type, "application/json", 16) != 0) {
		answer_error(x, 415, "unsupported_media_type", NULL,
			"the body must come as Content-Type: application/json");
		return NULL;
	}
	body = json_loadb(x->body, x->body_length, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(body)) {
		answer_error(x, 400, "invalid_json", NULL, "the body is no JSON object: %.200s",
			body ? "it is something else" : error.text);
		json_decref(body);
		return NULL;
	}
	return body;
}

bool exchange_take_text(struct exchange *x, const json_t *object, const char *name, size_t max,
	bool required, const char **ret_text)
{
	int r = jget_str(object, name, 1, max, ret_text);

	if (r < 0 && json_is_null(json_object_get(object, name)))
		r = 0;
	if (r == 1 || (r == 0 && !required))
		return true;
	if (r == 0)
		answer_error(x, 400, "invalid_request", name, "%s is required", name);
	else
		answer_error(x, 400, "invalid_request", name, "%s must be a text of 1 to %zu bytes",
			name, max);
	return false;
}

void exchange_event(struct exchange *x, const char *type, json_t *data)
{
	sandbox_event(x->sandbox, type, data, x->now_ms);
}
