/*
 * GET /reports/attendance: what is asked for, and the work on it in slices.
 *
 * Reports take turns of a few milliseconds, and other requests are served between them. What a
 * report is, report.h says.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/time.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/report_text.h"
#include "sandbox/sandbox.h"

#define SLICE_US 4000
#define TEXT_MAX (64u << 20)

enum report_format { FORMAT_JSON, FORMAT_CSV, FORMAT_PDF };

static const char *const format_names[] = {
	[FORMAT_JSON] = "json", [FORMAT_CSV] = "csv", [FORMAT_PDF] = "pdf"};

struct report_job {
	struct report_job *next; /* in sandbox->reports */
	struct exchange *x;
	struct report report;
	enum report_format format;
	const char *user_id, *department; /* of the exchange's query; NULL: all */
	bool begun;
	size_t written; /* users */
	struct buf text;
	struct pdf_job *pdf;
};

/* ---- what is asked for */

static bool take_format(struct exchange *x, enum report_format *ret)
{
	const char *text = exchange_query(x, "format");

	*ret = FORMAT_JSON;
	for (size_t i = 0; text && i < sizeof format_names / sizeof format_names[0]; i++) {
		if (strcmp(format_names[i], text) == 0) {
			*ret = (enum report_format)i;
			text = NULL;
		}
	}
	if (text)
		answer_error(
			x, 400, "invalid_request", "format", "format must be json, csv or pdf");
	else if (*ret == FORMAT_PDF && !pdf_available(x->sandbox->pdf))
		answer_error(x, 501, "pdf_unavailable", "format",
			"there is no " PDF_PROGRAM " here: install the package " PDF_PACKAGE);
	return x->status == 0;
}

static bool take_day(struct exchange *x, const char *name, const char **ret_text, int64_t *ret_day)
{
	char whole[TIME_TEXT_SIZE];
	int64_t unix_s;

	*ret_text = exchange_query(x, name);
	if (!*ret_text) {
		answer_error(x, 400, "invalid_request", name, "%s is required", name);
		return false;
	}
	snprintf(whole, sizeof whole, "%.11sT00:00:00Z", *ret_text);
	if (strlen(*ret_text) != 10 || time_parse_rfc3339(whole, &unix_s) < 0) {
		answer_error(x, 400, "invalid_request", name, "%s must be a day, YYYY-MM-DD", name);
		return false;
	}
	/* Whole days: exact, before 1970 too. */
	*ret_day = unix_s / REPORT_DAY_S;
	return true;
}

static bool take_range(struct exchange *x, struct report *report)
{
	const char *start, *end;
	int64_t first, last;

	if (!take_day(x, "start_date", &start, &first) || !take_day(x, "end_date", &end, &last))
		return false;
	if (last < first || last - first >= REPORT_DAYS_MAX) {
		answer_error(x, 400, "invalid_request", "end_date",
			"end_date must be start_date or up to %d days later", REPORT_DAYS_MAX - 1);
		return false;
	}
	if (report_init(report, &x->sandbox->options->rules, first, last - first + 1) < 0) {
		answer_broken(x);
		return false;
	}
	snprintf(report->start, sizeof report->start, "%s", start);
	snprintf(report->end, sizeof report->end, "%s", end);
	return true;
}

static bool take_filter(struct exchange *x, const char *name, const char **ret)
{
	*ret = exchange_query(x, name);
	if (!*ret || (*ret)[0])
		return true;
	answer_error(x, 400, "invalid_request", name, "%s is empty: leave it out for all", name);
	return false;
}

static bool take_filters(struct exchange *x, struct report_job *job)
{
	int known;

	if (!take_filter(x, "user_id", &job->user_id) ||
		!take_filter(x, "department", &job->department))
		return false;
	if (!job->user_id)
		return true;
	known = directory_user_get(&x->sandbox->db, job->user_id, NULL, NULL);
	if (known < 0)
		answer_broken(x);
	else if (known == 0)
		answer_error(x, 404, "not_found", "user_id", "there is no such user");
	return known == 1;
}

/* ---- its end */

static void job_free(struct report_job *job)
{
	report_done(&job->report);
	buf_done(&job->text);
	free(job);
}

/* The server goes down. */
static void abandon(struct exchange *x)
{
	struct report_job *job = x->job;

	if (job->pdf)
		pdf_forget(job->pdf);
	job_free(job);
}

static void finish(struct report_job *job)
{
	struct exchange *x = job->x;

	job_free(job);
	exchange_finish(x);
}

static void answer_text(struct report_job *job, const char *media, const struct buf *text)
{
	const struct report *r = &job->report;
	char name[64];

	snprintf(name, sizeof name, "attendance-%s_%s.%s", r->start, r->end,
		format_names[job->format]);
	answer_file(job->x, media, name, text);
}

static void on_pdf(void *arg, const struct buf *pdf, const char *why)
{
	struct report_job *job = arg;

	if (pdf)
		answer_text(job, "application/pdf", pdf);
	else
		answer_error(job->x, 500, "internal_error", NULL, PDF_PROGRAM ": %s", why);
	finish(job);
}

/* All users are written. */
static void hand_over(struct report_job *job)
{
	struct exchange *x = job->x;

	if (job->format != FORMAT_CSV)
		report_json_end(&job->text);
	if (job->format == FORMAT_PDF && buf_error(&job->text) == 0 &&
		pdf_start(x->sandbox->pdf, &job->text, on_pdf, job, &job->pdf) == 0)
		return;
	if (job->format == FORMAT_PDF)
		answer_broken(x);
	else if (job->format == FORMAT_CSV)
		answer_text(job, "text/csv; charset=utf-8", &job->text);
	else
		answer_data_text(x, &job->text);
	finish(job);
}

/* ---- the work */

static void begin_text(struct report_job *job)
{
	if (job->format == FORMAT_CSV)
		report_csv_begin(&job->text);
	else
		report_json_begin(&job->text, &job->report, job->department, job->x->now_ms / 1000);
	job->begun = true;
}

/* One user's worth. 1: go on, 0: all is written. */
static int step(struct report_job *job)
{
	struct report *r = &job->report;
	int result = report_count_next(r, &job->x->sandbox->db);

	if (result != 0)
		return result;
	if (!job->begun)
		begin_text(job);
	if (job->written == r->count)
		return 0;
	if (job->format == FORMAT_CSV)
		report_csv_user(&job->text, r, job->written++);
	else
		report_json_user(&job->text, r, job->written++);
	return 1;
}

/* A slice. Returns whether there is more to do. */
static bool slice(struct report_job *job)
{
	int64_t until_us = clock_now().mono_us + SLICE_US;
	int r;

	do {
		r = step(job);
	} while (r == 1 && clock_now().mono_us < until_us);
	if (r < 0) {
		answer_broken(job->x);
		finish(job);
	} else if (r == 0) {
		hand_over(job);
	}
	return r == 1;
}

/* By a timer, which comes after the sockets: an event that is made active would go before them. */
static void wake(struct sandbox *sandbox)
{
	const struct timeval now = {0, 0};

	evtimer_add(sandbox->report_turn, &now);
}

static void enqueue(struct sandbox *sandbox, struct report_job *job)
{
	struct report_job **end = &sandbox->reports;

	while (*end)
		end = &(*end)->next;
	job->next = NULL;
	*end = job;
	wake(sandbox);
}

void call_report_turn(evutil_socket_t fd, short events, void *arg)
{
	struct sandbox *sandbox = arg;
	struct report_job *job = sandbox->reports;

	(void)fd, (void)events;
	if (!job)
		return;
	sandbox->reports = job->next;
	if (slice(job))
		enqueue(sandbox, job);
	else if (sandbox->reports)
		wake(sandbox);
}

void call_report(struct exchange *x)
{
	struct report_job *job = calloc(1, sizeof *job);
	struct db *db = &x->sandbox->db;

	if (!job) {
		answer_broken(x);
		return;
	}
	job->x = x;
	buf_init(&job->text, TEXT_MAX);
	if (!take_format(x, &job->format) || !take_range(x, &job->report) ||
		!take_filters(x, job)) {
		job_free(job);
	} else if (report_list(&job->report, db, job->user_id, job->department) < 0) {
		answer_broken(x);
		job_free(job);
	} else {
		exchange_wait(x, job, abandon);
		enqueue(x->sandbox, job);
	}
}
