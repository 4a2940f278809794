/* A report on its way to a file or to standard output, as it comes. */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/report.h"

#define SHOW_EVERY_US 200000

int report_sink_open(struct report_sink *sink, const char *path)
{
	int r = 0;

	*sink = (struct report_sink){.file = {.fd = STDOUT_FILENO},
		.path = path,
		.progress = path && isatty(STDERR_FILENO)};
	if (path) {
		newfile_on_signals();
		r = newfile_open(&sink->file, path);
	}
	if (r == 0)
		return CTL_DONE;
	ctl_complain("%s cannot be written: %s", path, strerror(-r));
	return CTL_REFUSED;
}

void report_sink_progress(struct report_sink *sink, size_t n)
{
	int64_t now_us = clock_now().mono_us;

	sink->bytes += (int64_t)n;
	if (!sink->progress || now_us - sink->shown_us < SHOW_EVERY_US)
		return;
	sink->shown_us = now_us;
	fprintf(stderr, "\r%lld kB ", (long long)(sink->bytes / 1000));
}

int report_sink_write(void *arg, const char *bytes, size_t n)
{
	struct report_sink *sink = arg;
	int r = newfile_write(&sink->file, bytes, n);

	if (r == 0)
		report_sink_progress(sink, n);
	else
		ctl_complain("%s cannot be written: %s",
			sink->path ? sink->path : "standard output", strerror(-r));
	return r;
}

int report_sink_close(struct report_sink *sink, int exit)
{
	int r;

	if (sink->progress)
		fputs("\r\033[K", stderr);
	if (!sink->path)
		return exit;
	if (exit != CTL_DONE) {
		newfile_abandon(&sink->file);
		return exit;
	}
	r = newfile_commit(&sink->file);
	if (r == 0)
		return CTL_DONE;
	newfile_abandon(&sink->file);
	ctl_complain("%s cannot be written: %s", sink->path, strerror(-r));
	return CTL_REFUSED;
}

int report_fetched(struct ctl *ctl, int error, const struct answer *a)
{
	if (error == -EPIPE && ctl->client.words[0]) {
		ctl_complain("the report broke off before it was whole: the cloud failed midway, "
			     "or punchd has ended (its log says more)");
		return CTL_REFUSED;
	}
	if (error < 0 && ctl->client.words[0]) {
		ctl_complain("%s", ctl->client.words);
		return CTL_AWAY;
	}
	if (error < 0) /* it was said where it happened */
		return CTL_REFUSED;
	return a->status >= 200 && a->status <= 299 ? CTL_DONE : ctl_refused(ctl, a);
}

int report_to_file(struct ctl *ctl, const struct report_ask *ask)
{
	static const char *const types[] = {
		[REPORT_TABLE] = "application/json",
		[REPORT_JSON] = "application/json",
		[REPORT_CSV] = "text/csv",
		[REPORT_PDF] = "application/pdf",
	};
	struct report_sink sink;
	struct answer a;
	struct buf path;
	int r = report_sink_open(&sink, ask->output);

	if (r != CTL_DONE)
		return r;
	report_path(ctl, ask, false, &path);
	r = client_fetch(&ctl->client, path.data, types[ask->format], ctl_limit_ms(ctl, 0),
		report_sink_write, &sink, &a);
	buf_done(&path);
	r = report_sink_close(&sink, report_fetched(ctl, r, &a));
	answer_done(&a);
	return r;
}
