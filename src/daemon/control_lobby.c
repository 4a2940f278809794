/* GET /v1/lobby: what is held, gathered. */
#include <errno.h>

#include "daemon/control_private.h"
#include "daemon/view.h"
#include "store/store_lobby.h"

#define WHO_SIZE (USER_MAX + 16)

static json_t *who_of(const struct store_group *g)
{
	char who[WHO_SIZE];

	if (!g->about_user)
		return json_null();
	snprintf(who, sizeof who, "%s:%s", user_kind_name(g->kind), g->user);
	return json_string(who);
}

static int list_group(void *arg, const struct store_group *g)
{
	char reason[REASON_TEXT_SIZE];
	json_t *group = json_pack("{s:s, s:o, s:s, s:I, s:o, s:o}", "reason",
		punch_reason_name(g->reason, reason), "who", who_of(g), "device", g->terminal,
		"count", (json_int_t)g->count, "since", view_time(g->since_us, false), "newest",
		view_time(g->newest_us, false));

	return json_array_append_new(arg, group) < 0 ? -ENOMEM : 0;
}

void control_lobby_get(struct call *call)
{
	json_t *list = json_array();
	int64_t after, next;
	int r;

	if (!control_query_count(call, "after", 0, INT64_MAX, &after)) {
		json_decref(list);
		return;
	}
	r = store_lobby_read(call->control->context->store, after, list_group, list, &next);
	if (r < 0) {
		json_decref(list);
		control_fail_store(call, r);
		return;
	}
	call->body = json_pack("{s:o, s:{s:o}}", "data", list, "meta", "next",
		next > 0 ? json_integer(next) : json_null());
}
