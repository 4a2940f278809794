/* A report of this gateway's own: computed (daemon/localreport.h), then written as he takes it. */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/reports_private.h"

#define PIECE     16384
#define PIECE_MAX (16 * 1024 * 1024) /* with the longest list of silent terminals */

static const struct report_format *format_of(const struct reporting *g)
{
	return g->format == API_FORMAT_CSV ? &report_csv : &report_json;
}

/* As many people as a piece holds. false: all are written, and the end. */
static bool fill(struct reporting *g, struct buf *piece)
{
	const struct report *report = localreport_report(g->local);
	const struct report_format *format = format_of(g);

	while (g->at < report->count && piece->len < PIECE)
		format->user(report, g->at++, piece);
	if (g->at < report->count)
		return true;
	format->end(report, piece);
	return false;
}

/* Writes what is in the piece, and on as long as he takes it. */
static void write_on(struct reporting *g, struct buf *piece)
{
	bool more = true, room = true;

	while (more && room && buf_error(piece) == 0) {
		more = fill(g, piece);
		room = http_stream_write(g->stream, piece->data, piece->len);
		if (buf_error(piece) == 0)
			buf_clear(piece);
	}
	if (buf_error(piece) < 0)
		http_stream_fail(g->stream);
	else if (!more)
		http_stream_end(g->stream);
	if (buf_error(piece) < 0 || !more)
		reporting_free(g);
	buf_done(piece);
}

void reporting_local_room(struct reporting *g)
{
	struct buf piece;

	buf_init(&piece, PIECE_MAX);
	write_on(g, &piece);
}

static void begin(struct reporting *g)
{
	const struct report_facts facts = {.report_id = g->report_id,
		.department = g->department,
		.generated_us = g->generated_us};
	char file[64];
	struct buf piece;

	snprintf(file, sizeof file, "attendance-%.10s-%.10s.csv", g->start_date, g->end_date);
	http_stream_begin(g->stream, 200, format_of(g)->content_type,
		g->format == API_FORMAT_CSV ? file : NULL);
	g->begun = true;
	buf_init(&piece, PIECE_MAX);
	format_of(g)->head(localreport_report(g->local), &facts, &piece);
	write_on(g, &piece);
}

static void refuse(struct reporting *g, int error, const char *words)
{
	struct reporting_error e = {.status = 500, .code = "store_failed", .message = words};

	if (error == -ENOENT) {
		e = (struct reporting_error){.status = 404,
			.code = "not_found",
			.message = "there is no such user in the list that this gateway has",
			.param = "user_id"};
	} else {
		log_error("report", "a report could not be computed", LOG_S("error", words));
	}
	if (store_is_fatal(error))
		context_store_failed(g->owner->context, error, "computing a report");
	reporting_refuse(g, &e);
}

static void on_done(void *arg, int error, const char *words)
{
	struct reporting *g = arg;

	if (error < 0)
		refuse(g, error, words);
	else
		begin(g);
}

int reporting_begin_local(struct reporting *g)
{
	struct reports *r = g->owner;
	const struct localreport_query query = {.first_day = g->first_day,
		.last_day = g->last_day,
		.user_id = g->user_id,
		.department = g->department};
	char words[STORE_WORDS_MAX];
	int error;

	snprintf(g->report_id, sizeof g->report_id, "rep_local_%016llx",
		(unsigned long long)loop_random(r->context->loop));
	g->generated_us = loop_now(r->context->loop).wall_us;
	error = localreport_start(r->context, r->terminals, &query, on_done, g, &g->local, words);
	if (error < 0)
		refuse(g, error, words);
	else
		r->locals++;
	return error;
}
