/* What the files of `punchctl report` share: which report, and where it goes. */
#ifndef PUNCHD_CTL_REPORT_H
#define PUNCHD_CTL_REPORT_H

#include <sys/types.h>

#include "base/newfile.h"
#include "ctl/ctl.h"

#define REPORT_DAY_SIZE 16

enum report_format {
	REPORT_TABLE, /* for eyes: of the JSON */
	REPORT_JSON,
	REPORT_CSV,
	REPORT_PDF
};

struct report_ask {
	char from[REPORT_DAY_SIZE], to[REPORT_DAY_SIZE]; /* YYYY-MM-DD, both included */
	enum report_format format;
	bool local;
	const char *output; /* NULL: standard output */
};

/* The path to ask for it, as JSON whatever its format is, or in its format. */
void report_path(const struct ctl *ctl, const struct report_ask *ask, bool json, struct buf *out);

/* Each returns an enum ctl_exit, and has said what went wrong. */
int report_to_file(struct ctl *ctl, const struct report_ask *ask);
int report_by_program(struct ctl *ctl, const struct report_ask *ask);
int report_as_table(struct ctl *ctl, const struct report_ask *ask);
int report_compare(struct ctl *ctl, const struct report_ask *ask);

/* The document whole. *ret_data is borrowed from the answer, which is to be ended in any case. */
int report_document(struct ctl *ctl, const struct report_ask *ask, struct answer *ret_answer,
	const json_t **ret_data);

/* How complete it is: lines for people. */
void report_say_completeness(const struct ctl *ctl, const struct paper *paper, const json_t *data);

/* What client_fetch gave: 0 and a 2xx is CTL_DONE, the rest is said. nothing: words behind it. */
int report_fetched(struct ctl *ctl, int error, const struct answer *a);

/* ---- where the bytes go: a file that appears at the end, or standard output */

struct report_sink {
	struct newfile file;
	const char *path; /* NULL: standard output */
	int64_t bytes;
	int64_t shown_us; /* monotonic: when progress was shown last */
	bool progress;
};

int report_sink_open(struct report_sink *sink, const char *path);
/* client_on_piece. */
int report_sink_write(void *sink, const char *bytes, size_t n);
void report_sink_progress(struct report_sink *sink, size_t n);
/* good: it is whole. Returns exit, or what went wrong at the end. */
int report_sink_close(struct report_sink *sink, int exit);

#endif
