/* punch-report-pdf: an attendance report in JSON becomes a PDF; punch-report-pdf(1). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/newfile.h"
#include "report/document.h"
#include "report/options.h"
#include "report/pdf.h"

#define PDF_BYTES_MAX (256 * 1024 * 1024)
#define READ_AT_ONCE  65536

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "punch-report-pdf: %s%s%s\n", what, *what ? ": " : "", why);
	return 1;
}

/* Standard input whole: 0, -E2BIG or another negative errno. */
static int read_input(struct buf *in)
{
	char bytes[READ_AT_ONCE];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(in, bytes, (size_t)n);
		if (buf_error(in) < 0)
			return buf_error(in);
	}
	return 0;
}

static int write_output(const char *path, const struct buf *out)
{
	struct newfile file = {.fd = STDOUT_FILENO};
	int r = 0;

	if (path) {
		newfile_on_signals();
		r = newfile_open(&file, path);
	}
	if (r == 0)
		r = newfile_write(&file, out->data, out->len);
	if (r == 0 && path)
		r = newfile_commit(&file);
	if (r == 0)
		return 0;
	if (path)
		newfile_abandon(&file);
	return fail(path ? path : "standard output", strerror(-r));
}

static int make(const struct options *o, const struct document *d)
{
	struct buf out;
	size_t unknown = 0;
	int r;

	buf_init(&out, PDF_BYTES_MAX);
	r = pdf_make(d, o->paper, &out, &unknown);
	if (unknown > 0)
		fprintf(stderr,
			"punch-report-pdf: no font is installed for %zu of the letters, which are "
			"drawn as boxes: fonts-noto-core has most scripts, fonts-noto-cjk those of "
			"China, Japan and Korea\n",
			unknown);
	if (r == -ENOENT)
		r = fail("", "no font is installed; install fonts-noto-core");
	else if (r < 0)
		r = fail("the PDF could not be made", strerror(-r));
	else
		r = write_output(o->output, &out);
	buf_done(&out);
	return r;
}

static int run(const struct options *o)
{
	struct buf in;
	struct document document;
	char fault[DOCUMENT_FAULT];
	int r;

	buf_init(&in, DOCUMENT_BYTES_MAX);
	r = read_input(&in);
	if (r == 0)
		r = document_read(in.data, in.len, &document, fault);
	else if (r == -E2BIG)
		snprintf(fault, sizeof fault, "the report is over %d MiB",
			DOCUMENT_BYTES_MAX / 1024 / 1024);
	buf_done(&in);
	if (r == -EINVAL || r == -E2BIG)
		return fail("", fault);
	if (r < 0)
		return fail("the report could not be read", strerror(-r));
	r = make(o, &document);
	document_done(&document);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;

	switch (options_parse(argc, argv, &o)) {
	case OPTIONS_DONE: return 0;
	case OPTIONS_BAD: return 2;
	case OPTIONS_RUN: break;
	}
	if (!o.output && isatty(STDOUT_FILENO)) {
		fail("", "a PDF is nothing for a terminal: name a file with -o");
		return 2;
	}
	return run(&o);
}
