/* What an answer that is no report means to who asked for one: the cloud's own words where it has some. */
#include "daemon/reports_private.h"

static const struct {
	int status; /* 0: the cloud's */
	const char *code, *message;
} explained[] = {
	[API_DONE] = {502, "api_garbled", "the cloud's answer is no report"},
	[API_DONE_NO_ID] = {502, "api_garbled", "the cloud's answer is no report"},
	[API_GARBLED] = {502, "api_garbled",
		"what came is not the report that was asked for: something stands between this "
		"gateway and the cloud"},
	[API_REFUSED] = {0, "refused", "the cloud refuses this report"},
	[API_CONFLICT] = {0, "conflict", "the cloud refuses this report"},
	[API_UNAUTHORIZED] = {0, "unauthorized", "the cloud refuses the API key"},
	[API_FORBIDDEN] = {0, "forbidden", "the cloud does not let this API key read reports"},
	[API_RATE_LIMITED] = {503, "rate_limited",
		"the cloud takes no more requests just now: try again later"},
	[API_SERVER_ERROR] = {502, "api_error", "the cloud failed to make the report"},
	[API_SERVER_DOUBT] = {502, "api_error", "the cloud failed to make the report"},
	[API_ROAD_FAULT] = {502, "api_garbled",
		"something between this gateway and the cloud does not let the request through: "
		"punchctl doctor says more"},
	[API_NEVER_LEFT] = {503, "offline",
		"the cloud cannot be reached: --local (source=local) makes the report of this "
		"gateway's own punches"},
	[API_LOST] = {504, "lost", "the connection to the cloud broke before its answer was whole"},
	[API_CANCELLED] = {503, "not_sent", "punchd is ending"},
};

void reporting_explain(const struct api_reply *reply, struct reporting_error *ret)
{
	bool own_words = reply->outcome == API_GARBLED || reply->outcome == API_DONE ||
		reply->outcome == API_DONE_NO_ID || reply->outcome == API_NEVER_LEFT;
	bool waits = reply->outcome == API_RATE_LIMITED || reply->outcome == API_NEVER_LEFT;

	*ret = (struct reporting_error){
		.status = explained[reply->outcome].status,
		.code = explained[reply->outcome].code,
		.message = explained[reply->outcome].message,
		.param = reply->param,
		.cloud_status = reply->status,
		.retry_after_s = waits ? 1 : 0,
	};
	if (ret->status == 0)
		ret->status = reply->status > 0 ? reply->status : 401; /* no key: never sent */
	if (reply->code[0])
		ret->code = reply->code;
	if (reply->message[0] && !own_words)
		ret->message = reply->message;
}
