/* report: which one is asked for, and how it is to be shown. */
#include <strings.h>

#include "ctl/commands.h"
#include "ctl/report.h"

static int wrong(const char *words)
{
	ctl_complain("%s", words);
	return CTL_USAGE;
}

/* A date stays as it was given; any other time is the day that it lies in. */
static void day_of(const struct ctl *ctl, enum option option, char ret[static REPORT_DAY_SIZE])
{
	char text[TIMES_TEXT_SIZE];

	if (strlen(ctl->text[option]) == strlen("YYYY-MM-DD") && ctl->text[option][4] == '-')
		snprintf(ret, REPORT_DAY_SIZE, "%.10s", ctl->text[option]);
	else
		snprintf(ret, REPORT_DAY_SIZE, "%.10s",
			times_format(&ctl->times, ctl->number[option], text));
}

static bool ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && strcasecmp(path + n - m, end) == 0;
}

static enum report_format format_of(const struct ctl *ctl)
{
	const char *format = ctl->text[OPTION_FORMAT], *path = ctl->text[OPTION_OUTPUT];

	if (format)
		return strcmp(format, "csv") == 0    ? REPORT_CSV
			: strcmp(format, "pdf") == 0 ? REPORT_PDF
						     : REPORT_JSON;
	if (path)
		return ends_with(path, ".csv")    ? REPORT_CSV
			: ends_with(path, ".pdf") ? REPORT_PDF
						  : REPORT_JSON;
	return ctl->on_terminal && !ctl->text[OPTION_JSON] ? REPORT_TABLE : REPORT_JSON;
}

/* What does not go together, or is missing. */
static int check(const struct ctl *ctl, const struct report_ask *ask)
{
	if (strcmp(ask->to, ask->from) < 0)
		return wrong("--to is before --from");
	if (ctl->text[OPTION_COMPARE] &&
		(ctl->text[OPTION_LOCAL] || ctl->text[OPTION_FORMAT] || ctl->text[OPTION_OUTPUT]))
		return wrong(
			"--compare takes both reports, and prints a table or --json: leave out "
			"--local, --format and --output");
	if (ctl->text[OPTION_JSON] && ask->format != REPORT_JSON)
		return wrong("--json or --format, not both");
	if (ask->format == REPORT_PDF && !ask->output && ctl->on_terminal)
		return wrong("a PDF is nothing for a terminal: name a file with -o");
	return CTL_DONE;
}

void report_path(const struct ctl *ctl, const struct report_ask *ask, bool json, struct buf *out)
{
	static const char *const names[] = {
		[REPORT_TABLE] = "json",
		[REPORT_JSON] = "json",
		[REPORT_CSV] = "csv",
		[REPORT_PDF] = "pdf",
	};

	buf_init(out, 16384);
	buf_add_str(out, "/v1/report");
	client_add_query(out, "start_date", ask->from);
	client_add_query(out, "end_date", ask->to);
	if (ctl->text[OPTION_USER])
		client_add_query(out, "user_id", ctl->text[OPTION_USER]);
	if (ctl->text[OPTION_DEPARTMENT])
		client_add_query(out, "department", ctl->text[OPTION_DEPARTMENT]);
	client_add_query(out, "format", json ? "json" : names[ask->format]);
	client_add_query(out, "source", ask->local ? "local" : "cloud");
}

int run_report(struct ctl *ctl)
{
	struct report_ask ask = {
		.local = ctl->text[OPTION_LOCAL] != NULL, .output = ctl->text[OPTION_OUTPUT]};
	int r;

	if (!ctl->text[OPTION_FROM] || !ctl->text[OPTION_TO])
		return wrong("report needs --from and --to, such as --from 2026-02-01 --to "
			     "2026-02-28");
	day_of(ctl, OPTION_FROM, ask.from);
	day_of(ctl, OPTION_TO, ask.to);
	ask.format = format_of(ctl);
	r = check(ctl, &ask);
	if (r != CTL_DONE)
		return r;
	if (ctl->text[OPTION_COMPARE])
		return report_compare(ctl, &ask);
	if (ask.format == REPORT_TABLE)
		return report_as_table(ctl, &ask);
	if (ask.format == REPORT_PDF && ask.local)
		return report_by_program(ctl, &ask);
	return report_to_file(ctl, &ask);
}
