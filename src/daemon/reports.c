#include "daemon/reports.h"

#include <errno.h>
#include <jansson.h>

#include "base/log.h"
#include "daemon/reports_private.h"

/* ---- a report on its way */

static void on_room(void *arg)
{
	struct reporting *g = arg;

	if (g->local)
		reporting_local_room(g);
	else
		reporting_cloud_room(g);
}

static void on_gone(void *arg)
{
	struct reporting *g = arg;

	g->stream = NULL;
	if (g->api)
		reporting_cloud_gone(g);
	else
		reporting_free(g);
}

void reporting_free(struct reporting *g)
{
	if (!g)
		return;
	if (g->owner) {
		LIST_REMOVE(g, next);
		g->owner->locals -= g->local != NULL;
	}
	localreport_free(g->local);
	loop_timer_free(g->timer);
	free(g->start_date);
	free(g->end_date);
	free(g->user_id);
	free(g->department);
	free(g);
}

static json_t *error_json(const struct reporting_error *e)
{
	json_t *error = json_pack("{s:s, s:s}", "code", e->code, "message", e->message);

	if (error && e->param && e->param[0])
		json_object_set_new(error, "param", json_string(e->param));
	if (error && e->cloud_status)
		json_object_set_new(error, "cloud_status", json_integer(e->cloud_status));
	return json_pack("{s:o}", "error", error);
}

void reporting_refuse(struct reporting *g, const struct reporting_error *error)
{
	struct http_answer answer = {.status = error->status,
		.content_type = "application/json",
		.retry_after_s = error->retry_after_s};
	json_t *document = error_json(error);

	if (g->begun) {
		http_stream_fail(g->stream);
	} else {
		answer.body = document ? json_dumps(document, JSON_COMPACT) : NULL;
		answer.body_length = answer.body ? strlen(answer.body) : 0;
		http_stream_answer(g->stream, &answer);
	}
	json_decref(document);
	reporting_free(g);
}

/* ---- beginning */

static char *copy(const char *text, bool *failed)
{
	char *mine = text ? strdup(text) : NULL;

	*failed |= text && !mine;
	return mine;
}

static struct reporting *reporting_new(const struct reports_query *q)
{
	struct reporting *g = calloc(1, sizeof *g);
	bool failed = false;

	if (!g)
		return NULL;
	*g = (struct reporting){
		.first_day = q->first_day, .last_day = q->last_day, .format = q->format};
	g->start_date = copy(q->start_date, &failed);
	g->end_date = copy(q->end_date, &failed);
	g->user_id = copy(q->user_id, &failed);
	g->department = copy(q->department, &failed);
	if (!failed)
		return g;
	reporting_free(g);
	return NULL;
}

int reports_start(
	struct reports *r, const struct reports_query *query, const struct http_request *request)
{
	struct http_answer none = {.status = 503};
	struct http_later *later;
	struct reporting *g;

	if (query->local && r->locals >= REPORTS_LOCAL_MAX)
		return -EBUSY;
	g = reporting_new(query);
	if (!g)
		return -ENOMEM;
	later = http_later(request);
	g->stream = http_stream_new(
		later, &(struct http_stream_events){.arg = g, .room = on_room, .gone = on_gone});
	if (!g->stream) {
		http_later_answer(later, &none);
		reporting_free(g);
		return 0;
	}
	g->owner = r;
	LIST_INSERT_HEAD(&r->all, g, next);
	log_info("report", "a report was asked for", LOG_S("from", query->start_date),
		LOG_S("to", query->end_date), LOG_S("format", api_format_name(query->format)),
		LOG_S("source", query->local ? "local" : "cloud"), LOG_I("uid", request->uid));
	if (query->local)
		reporting_begin_local(g);
	else
		reporting_begin_cloud(g);
	return 0;
}

struct reports *reports_new(
	struct context *context, struct api_client *client, struct terminals *terminals)
{
	struct reports *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	*r = (struct reports){.context = context, .client = client, .terminals = terminals};
	LIST_INIT(&r->all);
	return r;
}

void reports_free(struct reports *r)
{
	struct reporting *g;

	if (!r)
		return;
	while ((g = LIST_FIRST(&r->all))) {
		if (g->stream)
			http_stream_fail(g->stream);
		reporting_free(g);
	}
	free(r);
}
