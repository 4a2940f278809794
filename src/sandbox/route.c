#include "sandbox/sandbox.h"

const struct exchange_route sandbox_routes[] = {
	{"GET", "/v1/users", call_users_list},
	{"POST", "/v1/users", call_users_add},
	{"GET", "/v1/devices", call_devices_list},
	{"POST", "/v1/attendance", call_attendance_add},
	{"GET", "/v1/reports/attendance", call_report},
	{"GET", "/_sandbox/attendance", call_sandbox_attendance},
	{"GET", "/_sandbox/stats", call_sandbox_stats},
	{"GET", "/_sandbox/faults", call_sandbox_faults_list},
	{"POST", "/_sandbox/faults", call_sandbox_faults_add},
	{"DELETE", "/_sandbox/faults", call_sandbox_faults_clear},
	{"POST", "/_sandbox/plan", call_sandbox_plan},
	{"POST", "/_sandbox/clock", call_sandbox_clock},
	{"POST", "/_sandbox/keys", call_sandbox_keys},
	{"POST", "/_sandbox/users", call_sandbox_users_put},
	{"DELETE", "/_sandbox/users/", call_sandbox_users_remove},
	{"POST", "/_sandbox/devices", call_sandbox_devices_put},
	{"DELETE", "/_sandbox/devices/", call_sandbox_devices_remove},
	{"DELETE", "/_sandbox/idempotency", call_sandbox_forget},
	{"GET", "/", call_page},
	{"GET", "/_sandbox/style.css", call_page_style},
	{"GET", "/_sandbox/script.js", call_page_script},
	{"GET", "/_sandbox/overview", call_sandbox_overview},
	{"GET", "/_sandbox/events", call_sandbox_events},
	{"POST", "/_sandbox/events/resend", call_sandbox_events_resend},
};

const size_t sandbox_route_count = sizeof sandbox_routes / sizeof sandbox_routes[0];

_Static_assert(sizeof sandbox_routes / sizeof sandbox_routes[0] <= SANDBOX_ROUTES_MAX,
	"every route has its counter");

static bool path_fits(const struct exchange_route *route, const char *path)
{
	size_t n = strlen(route->path);

	if (n > 1 && route->path[n - 1] == '/')
		return strncmp(path, route->path, n) == 0 && path[n];
	return strcmp(path, route->path) == 0;
}

const struct exchange_route *sandbox_route_find(
	const char *method, const char *path, const char **ret_allow)
{
	*ret_allow = NULL;
	for (size_t i = 0; i < sandbox_route_count; i++) {
		const struct exchange_route *route = &sandbox_routes[i];

		if (!path_fits(route, path))
			continue;
		if (strcmp(route->method, method) == 0)
			return route;
		/* GET comes before POST in the table; a client that asks wrongly is told one. */
		if (!*ret_allow)
			*ret_allow = route->method;
	}
	return NULL;
}
