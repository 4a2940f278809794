#include "daemon/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "base/units.h"
#include "daemon/control_private.h"
#include "daemon/devices.h"
#include "daemon/people.h"
#include "daemon/status.h"
#include "daemon/view.h"
#include "store/store_punch.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     1000
#define MADE_MAX      (256UL * 1024 * 1024)

struct route {
	const char *method;
	const char *path; /* {id} stands for one part */
	bool acts;
	void (*serve)(struct call *call);
	const char *query; /* keys that it takes, with a blank before and behind each */
};

/* ---- errors */

void control_fail(struct call *call, int status, const char *code, const char *format, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	json_decref(call->body);
	call->status = status;
	call->body = json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message);
	if (!call->body)
		call->body = json_pack("{s:{s:s, s:s}}", "error", "code", code, "message",
			"something in the request is not UTF-8");
}

void control_fail_store(struct call *call, int error)
{
	context_store_failed(call->control->context, error, "answering a question");
	control_fail(
		call, 500, "store_failed", "the store could not be read: %s", strerror(-error));
}

/* ---- lists */

const char *control_query(const struct call *call, const char *key)
{
	const char *value = http_query_get(call->request->query, key);

	return value && value[0] ? value : NULL;
}

static const char *query_word(const void *arg, const char *key)
{
	return control_query(arg, key);
}

bool control_query_count(
	struct call *call, const char *key, int64_t fallback, int64_t max, int64_t *ret)
{
	const char *value = control_query(call, key);

	*ret = fallback;
	if (!value || (units_parse_int(value, ret) == 0 && *ret >= 1 && *ret <= max))
		return true;
	control_fail(
		call, 400, "bad_request", "%s is no number from 1 to %lld", key, (long long)max);
	return false;
}

bool control_query_yes(struct call *call, const char *key, bool *ret)
{
	const char *value = control_query(call, key);

	*ret = value && strcmp(value, "yes") == 0;
	if (!value || *ret || strcmp(value, "no") == 0)
		return true;
	control_fail(call, 400, "bad_request", "%s is neither yes nor no", key);
	return false;
}

struct listing {
	struct call *call;
	json_t *list;
};

static int list_one(void *arg, const struct punch *p)
{
	struct listing *l = arg;
	const struct control *c = l->call->control;

	return json_array_append_new(l->list, view_punch(c->context, c->forward, p)) < 0 ? -ENOMEM
											 : 0;
}

static void serve_punches(struct call *call)
{
	struct store_filter filter;
	struct listing listing = {.call = call};
	int64_t limit, next;
	int n;

	if (!control_filter(call, query_word, call, &filter) ||
		!control_query_count(call, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit) ||
		!control_query_count(call, "before", 0, INT64_MAX, &filter.before_seq) ||
		!control_query_yes(call, "in_doubt", &filter.in_doubt))
		return;
	filter.limit = (int)limit;
	listing.list = json_array();
	n = store_punch_list(call->control->context->store, &filter, list_one, &listing, &next);
	if (n < 0) {
		json_decref(listing.list);
		control_fail_store(call, n);
		return;
	}
	call->body = json_pack("{s:o, s:{s:o}}", "data", listing.list, "meta", "next",
		next > 0 ? json_integer(next) : json_null());
}

bool control_find_punch(struct call *call, struct punch *ret)
{
	int r = store_punch_find(call->control->context->store, call->argument, ret);

	if (r == -ENOENT || r == -EINVAL)
		control_fail(call, 404, "not_found", "there is no punch %.40s", call->argument);
	else if (r == -ENOTUNIQ)
		control_fail(call, 409, "not_unique",
			"several punches begin with %.40s: give more digits", call->argument);
	else if (r < 0)
		control_fail_store(call, r);
	return r == 0;
}

static void serve_punch(struct call *call)
{
	const struct control *c = call->control;
	struct punch p;
	json_t *view;

	if (!control_find_punch(call, &p))
		return;
	view = view_punch(c->context, c->forward, &p);
	json_object_set_new(view, "trace", view_trace(c->context, c->forward, &p));
	call->body = json_pack("{s:o}", "data", view);
}

/* ---- the rest */

static void serve_status(struct call *call)
{
	call->body = status_json(call->control);
}

static void serve_users(struct call *call)
{
	const char *after = control_query(call, "after"), *next;
	int64_t limit;
	json_t *list;

	if (!control_query_count(call, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit))
		return;
	list = people_users(&call->control->context->directory, control_query(call, "q"),
		after ? after : "", (size_t)limit, &next);
	call->body = json_pack("{s:o, s:{s:o}}", "data", list, "meta", "next",
		next ? json_string(next) : json_null());
}

static void serve_devices(struct call *call)
{
	struct control *c = call->control;
	bool more;
	int r;
	json_t *list = devices_json(c->context, c->terminals, &more, &r);

	if (list)
		call->body = json_pack("{s:o, s:{s:o, s:b}}", "data", list, "meta", "synced_at",
			view_time(c->context->devices_pass_ms * 1000, false), "held_more", more);
	else
		control_fail_store(call, r);
}

static void serve_sync(struct call *call)
{
	int64_t pass = refresh_now(call->control->refresh);

	log_info("sync", "a refresh of the directory was asked for",
		LOG_I("uid", call->request->uid));
	call->status = 202;
	call->body = json_pack("{s:{s:I}}", "data", "pass", (json_int_t)pass);
}

static void serve_check_start(struct call *call)
{
	int64_t number = check_start(call->control->check);

	call->status = 202;
	call->body = json_pack("{s:{s:I}}", "data", "check", (json_int_t)number);
}

static void serve_check(struct call *call)
{
	call->body = json_pack("{s:o}", "data", check_json(call->control->check));
}

static void serve_healthz(struct call *call)
{
	const struct alarms *alarms = &call->control->context->alarms;

	if (!alarms_any(alarms, true)) {
		call->text = "ok\n";
		return;
	}
	call->status = 503;
	call->body = json_pack("{s:o}", "alarms", alarms_json(alarms, true));
}

static const struct route routes[] = {
	{"GET", "/v1/status", false, serve_status, " "},
	{"GET", "/v1/punches", false, serve_punches,
		" state reason user device from to limit before in_doubt "},
	{"GET", "/v1/punches/{id}", false, serve_punch, " "},
	{"POST", "/v1/punches/release", true, control_hand_release_many, " "},
	{"POST", "/v1/punches/retry", true, control_hand_retry_many, " "},
	{"POST", "/v1/punches/discard", true, control_hand_discard_many, " "},
	{"POST", "/v1/punches/{id}/release", true, control_hand_release, " "},
	{"POST", "/v1/punches/{id}/retry", true, control_hand_retry, " "},
	{"POST", "/v1/punches/{id}/discard", true, control_hand_discard, " "},
	{"POST", "/v1/punches/{id}/amend", true, control_hand_amend, " "},
	{"GET", "/v1/users", false, serve_users, " q limit after "},
	{"POST", "/v1/users", true, control_users_post, " "},
	{"GET", "/v1/users/pending", false, control_users_pending_get, " all "},
	{"DELETE", "/v1/users/pending", true, control_users_pending_delete, " id email force "},
	{"GET", "/v1/devices", false, serve_devices, " "},
	{"GET", "/v1/lobby", false, control_lobby_get, " after "},
	{"GET", "/v1/links", false, control_links_get, " "},
	{"PUT", "/v1/links", true, control_links_put, " "},
	{"DELETE", "/v1/links", true, control_links_delete, " kind value device note "},
	{"POST", "/v1/sync", true, serve_sync, " "},
	{"POST", "/v1/pause", true, control_pause, " "},
	{"POST", "/v1/resume", true, control_resume, " "},
	{"GET", "/v1/check", false, serve_check, " "},
	{"POST", "/v1/check", true, serve_check_start, " "},
	{"GET", "/v1/report", false, control_report,
		" start_date end_date user_id department format source "},
	{"GET", "/healthz", false, serve_healthz, " "},
};
#define ROUTES (sizeof routes / sizeof routes[0])

/* ---- dispatch */

/* Whether a path fits a route's; ret_argument is what stands for {id}. */
static bool fits(const char *pattern, const char *path, char ret_argument[static ARGUMENT_SIZE])
{
	size_t fixed = strcspn(pattern, "{"), n;

	ret_argument[0] = '\0';
	if (pattern[fixed] == '\0')
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, fixed) != 0)
		return false;
	n = strcspn(path + fixed, "/");
	if (n == 0 || n >= ARGUMENT_SIZE ||
		strcmp(pattern + fixed + strlen("{id}"), path + fixed + n) != 0)
		return false;
	snprintf(ret_argument, ARGUMENT_SIZE, "%.*s", (int)n, path + fixed);
	return true;
}

static bool is_member(uid_t uid, gid_t group)
{
	struct passwd *who = getpwuid(uid);
	gid_t groups[256];
	int count = 256;

	if (!who || getgrouplist(who->pw_name, who->pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

/* The socket's mode keeps strangers out already; who acts is looked at once more. */
static bool may_act(const struct control *c, const struct http_request *request)
{
	if (request->uid == 0 || request->uid == getuid())
		return true;
	if (c->group == (gid_t)-1 || request->uid == (uid_t)-1)
		return false;
	return request->gid == c->group || is_member(request->uid, c->group);
}

static bool knows_query(struct call *call, const struct route *route)
{
	const char *key;
	char padded[64];

	for (size_t i = 0; (key = http_query_key(call->request->query, i)); i++) {
		snprintf(padded, sizeof padded, " %.60s ", key);
		if (strstr(route->query, padded) && !strchr(key, ' '))
			continue;
		control_fail(
			call, 400, "bad_request", "%s takes no parameter %.40s", route->path, key);
		return false;
	}
	return true;
}

static void serve(struct call *call, const struct route *route)
{
	if (route->acts && !may_act(call->control, call->request))
		control_fail(call, 403, "forbidden",
			"only root and the group of the socket may do this");
	else if (knows_query(call, route))
		route->serve(call);
}

/* What a 405 names: the methods that a path has, "" where there is no such path. */
static const char *allow_of(const char *path)
{
	static char allow[64];
	char argument[ARGUMENT_SIZE];

	allow[0] = '\0';
	for (size_t i = 0; i < ROUTES; i++) {
		size_t n = strlen(allow);

		if (fits(routes[i].path, path, argument))
			snprintf(allow + n, sizeof allow - n, "%s%s%s", n ? ", " : "",
				routes[i].method,
				strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
	}
	return allow;
}

static void route_call(struct call *call, const char **ret_allow)
{
	const char *method = call->request->method, *path = call->request->path, *allow;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < ROUTES; i++) {
		if (fits(routes[i].path, path, call->argument) &&
			strcmp(routes[i].method, method) == 0) {
			serve(call, &routes[i]);
			return;
		}
	}
	allow = allow_of(path);
	if (!allow[0]) {
		control_fail(call, 404, "not_found", "there is no %.80s", path);
		return;
	}
	*ret_allow = allow;
	control_fail(call, 405, "method_not_allowed", "%.80s is asked with %s", path, allow);
}

static char *document_of(struct call *call)
{
	if (call->body)
		return json_dumps(call->body, JSON_COMPACT);
	return call->made.len > 0 && !buf_error(&call->made) ? buf_steal(&call->made) : NULL;
}

void control_dispatch(
	void *control, const struct http_request *request, struct http_answer *ret_answer)
{
	struct call call = {.control = control, .request = request, .status = 200};

	buf_init(&call.made, MADE_MAX);
	route_call(&call, &ret_answer->allow);
	if (call.later)
		return;
	ret_answer->status = call.status;
	if (call.text) {
		ret_answer->content_type = "text/plain; charset=utf-8";
		ret_answer->body = strdup(call.text);
	} else {
		ret_answer->content_type = "application/json";
		ret_answer->body = document_of(&call);
	}
	json_decref(call.body);
	buf_done(&call.made);
	if (ret_answer->body)
		ret_answer->body_length = strlen(ret_answer->body);
	else
		ret_answer->status = 500;
}
