/* What a list, or a deed that is done to many, asks for: the same words in a query and in a body. */
#include "base/time.h"
#include "daemon/control_private.h"

/* A time: RFC 3339, or a date that begins at midnight UTC. Returns whether it is one. */
static bool read_time(struct call *call, const char *key, const char *value, int64_t *ret_s)
{
	char text[TIME_TEXT_SIZE + 16];

	if (!value || time_parse_rfc3339(value, ret_s) == 0)
		return true;
	snprintf(text, sizeof text, "%.20sT00:00:00Z", value);
	if (time_parse_rfc3339(text, ret_s) == 0)
		return true;
	control_fail(call, 400, "bad_request", "%s is no time such as 2026-02-01T08:00:00Z", key);
	return false;
}

static bool read_states(
	struct call *call, const char *state, const char *reason, struct store_filter *ret)
{
	enum punch_state parsed;

	if (state && punch_state_parse(state, &parsed) < 0) {
		control_fail(call, 400, "bad_request", "there is no state %.40s", state);
		return false;
	}
	if (state)
		ret->state = (int)parsed;
	if (reason && punch_reason_parse(reason, &ret->reason) < 0) {
		control_fail(call, 400, "bad_request", "there is no reason %.40s", reason);
		return false;
	}
	return true;
}

bool control_filter(
	struct call *call, control_word *word, const void *arg, struct store_filter *ret)
{
	*ret = (struct store_filter){.state = -1,
		.reason = REASON_NONE,
		.user = word(arg, "user"),
		.device = word(arg, "device"),
		.from_s = INT64_MIN,
		.to_s = INT64_MAX};
	return read_states(call, word(arg, "state"), word(arg, "reason"), ret) &&
		read_time(call, "from", word(arg, "from"), &ret->from_s) &&
		read_time(call, "to", word(arg, "to"), &ret->to_s);
}
