/* A report of the cloud: waiting for its turn, and passed on piece by piece. */
#include "base/clock.h"
#include "daemon/reports_private.h"

#define LOOK_MS     250 /* for a turn, where nobody can say when it comes */
#define LOOK_MAX_MS 1000

static const char *content_type(enum api_format format)
{
	switch (format) {
	case API_FORMAT_JSON: return "application/json";
	case API_FORMAT_CSV: return "text/csv; charset=utf-8";
	case API_FORMAT_PDF: return "application/pdf";
	}
	return "application/octet-stream";
}

static void begin(struct reporting *g)
{
	char file[64];

	if (g->begun)
		return;
	snprintf(file, sizeof file, "attendance-%.10s-%.10s.%s", g->start_date, g->end_date,
		api_format_name(g->format));
	http_stream_begin(g->stream, 200, content_type(g->format),
		g->format == API_FORMAT_JSON ? NULL : file);
	g->begun = true;
}

static enum api_take on_piece(void *arg, const char *data, size_t length)
{
	struct reporting *g = arg;

	if (!g->stream)
		return API_TAKE_STOP;
	begin(g);
	return http_stream_write(g->stream, data, length) ? API_TAKE_MORE : API_TAKE_PAUSE;
}

static void on_reply(void *arg, const struct api_reply *reply)
{
	struct reporting *g = arg;
	struct reporting_error error;

	g->api = NULL;
	if (g->stream && reply->outcome == API_RATE_LIMITED) {
		/* Others use the key too, and were faster: it waits on. */
		loop_timer_set(g->timer, LOOK_MS);
		return;
	}
	if (g->stream && reply->outcome != API_DONE) {
		reporting_explain(reply, &error);
		reporting_refuse(g, &error);
		return;
	}
	if (g->stream) {
		begin(g);
		http_stream_end(g->stream);
	}
	reporting_free(g);
}

void reporting_cloud_room(struct reporting *g)
{
	if (g->api)
		api_stream_resume(g->api);
}

void reporting_cloud_gone(struct reporting *g)
{
	api_stream_cancel(g->api);
}

/* ---- waiting for its turn */

static void ask(struct reporting *g)
{
	const struct api_report_query query = {.start_date = g->start_date,
		.end_date = g->end_date,
		.user_id = g->user_id,
		.department = g->department,
		.format = g->format};
	int r = api_report_get(g->owner->client, &query, on_piece, on_reply, g, &g->api);

	if (r < 0)
		reporting_refuse(g,
			&(struct reporting_error){.status = 503,
				.code = "not_sent",
				.message = "the cloud could not be asked: punchd is ending, or "
					   "without memory"});
}

/* Why it makes no sense to wait; NULL: it does. */
static const char *hopeless(struct reporting *g, const char **ret_code)
{
	struct api_status status;

	api_client_status(g->owner->client, &status);
	*ret_code = api_state_name(status.state);
	if (status.state == API_STATE_OFFLINE)
		return "the cloud cannot be reached just now: --local (source=local) makes the "
		       "report of this gateway's own punches";
	if (status.state == API_STATE_AUTH_FAILED)
		return "the cloud refuses the API key: punchctl doctor says more";
	*ret_code = "forbidden";
	if (status.forbidden[API_CALL_REPORT])
		return "the cloud does not let this API key read reports";
	return NULL;
}

static void refuse(struct reporting *g, const char *code, const char *message, int64_t wait_us)
{
	reporting_refuse(g,
		&(struct reporting_error){.status = 503,
			.code = code,
			.message = message,
			.retry_after_s = wait_us > 0 ? wait_us / CLOCK_US_PER_S + 1 : 1});
}

static void look(void *arg)
{
	struct reporting *g = arg;
	int64_t now_us = loop_now(g->owner->context->loop).mono_us, wait_us, wait_ms = LOOK_MS;
	const char *code, *why;

	if (api_client_room(g->owner->client, API_CALL_REPORT, &wait_us) > 0) {
		ask(g);
		return;
	}
	why = hopeless(g, &code);
	if (why) {
		refuse(g, code, why, wait_us);
		return;
	}
	if (now_us + (wait_us > 0 ? wait_us : 0) > g->until_us) {
		refuse(g, "rate_limited",
			"the cloud takes no more requests just now: try again later", wait_us);
		return;
	}
	if (wait_us >= 0)
		wait_ms = wait_us / 1000 + 1;
	loop_timer_set(g->timer, wait_ms < LOOK_MAX_MS ? wait_ms : LOOK_MAX_MS);
}

void reporting_begin_cloud(struct reporting *g)
{
	struct loop *loop = g->owner->context->loop;

	g->until_us = loop_now(loop).mono_us + REPORTS_WAIT_MS * 1000LL;
	g->timer = loop_timer_new(loop, look, g);
	if (g->timer)
		look(g);
	else
		refuse(g, "not_sent", "out of memory", 0);
}
