/* GET /v1/report: what may be asked for. How it is answered is daemon/reports.h. */
#include <errno.h>

#include "core/calendar.h"
#include "core/report.h"
#include "daemon/control_private.h"

#define NAME_MAX_ 500 /* bytes of an id or a department that go into a URL */

static bool take_day(struct call *call, const char *key, const char **ret_text, int64_t *ret_day)
{
	*ret_text = control_query(call, key);
	if (!*ret_text)
		control_fail(call, 400, "bad_request", "%s is missing", key);
	else if (calendar_parse_day(*ret_text, ret_day) < 0)
		control_fail(call, 400, "bad_request",
			"%s is no day of the calendar, as 2026-02-28: %.40s", key, *ret_text);
	else
		return true;
	return false;
}

static bool take_period(struct call *call, struct reports_query *q)
{
	if (!take_day(call, "start_date", &q->start_date, &q->first_day) ||
		!take_day(call, "end_date", &q->end_date, &q->last_day))
		return false;
	if (q->last_day < q->first_day)
		control_fail(call, 400, "bad_request", "end_date is before start_date");
	else if (q->last_day - q->first_day >= REPORT_DAYS_MAX)
		control_fail(call, 400, "bad_request", "a report is of at most %d days",
			REPORT_DAYS_MAX);
	else
		return true;
	return false;
}

static bool take_names(struct call *call, struct reports_query *q)
{
	q->user_id = control_query(call, "user_id");
	q->department = control_query(call, "department");
	if ((!q->user_id || strlen(q->user_id) <= NAME_MAX_) &&
		(!q->department || strlen(q->department) <= NAME_MAX_))
		return true;
	control_fail(call, 400, "bad_request", "user_id and department have at most %d bytes",
		NAME_MAX_);
	return false;
}

static bool take_format(struct call *call, struct reports_query *q)
{
	const char *format = control_query(call, "format");

	for (int i = API_FORMAT_JSON; i <= API_FORMAT_PDF; i++) {
		if (!format || strcmp(format, api_format_name((enum api_format)i)) == 0) {
			q->format = (enum api_format)i;
			return true;
		}
	}
	control_fail(call, 400, "bad_request", "format is json, csv or pdf, not %.40s", format);
	return false;
}

static bool take_source(struct call *call, struct reports_query *q)
{
	const char *source = control_query(call, "source");

	q->local = source && strcmp(source, "local") == 0;
	if (source && !q->local && strcmp(source, "cloud") != 0)
		control_fail(
			call, 400, "bad_request", "source is cloud or local, not %.40s", source);
	else if (q->local && q->format == API_FORMAT_PDF)
		control_fail(call, 501, "pdf_unavailable",
			"punchd makes no PDF: punchctl report --local --format pdf does, with "
			"punch-report-pdf of the package punchd-report");
	else
		return true;
	return false;
}

void control_report(struct call *call)
{
	struct reports_query query = {0};
	int r;

	if (!take_period(call, &query) || !take_names(call, &query) || !take_format(call, &query) ||
		!take_source(call, &query))
		return;
	r = reports_start(call->control->reports, &query, call->request);
	if (r == -EBUSY)
		control_fail(call, 503, "busy",
			"%d local reports are being computed already: try again in a moment",
			REPORTS_LOCAL_MAX);
	else if (r < 0)
		control_fail(call, 503, "store_failed", "out of memory");
}
