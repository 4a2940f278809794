/* doctor: one line a check, and what to do. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/times.h"
#include "base/time.h"

#define FREE_LOW_BYTES   (256LL * 1024 * 1024) /* four times min_free's default */
#define QUEUE_OLD_S      3600
#define DIRECTORY_OLD_S  (2 * 86400)
#define SILENT_NAMED_MAX 3

enum result { RESULT_OK, RESULT_WARN, RESULT_FAIL };

struct check {
	const char *name;
	enum result result;
	struct buf found;
	const char *advice; /* NULL: none */
};

struct doctor {
	struct ctl *ctl;
	const json_t *status;
	struct table table;
	json_t *checks; /* owned */
	enum result worst;
};

static const char *result_word(enum result result)
{
	switch (result) {
	case RESULT_OK: return "ok";
	case RESULT_WARN: return "warn";
	case RESULT_FAIL: return "FAIL";
	}
	return "";
}

static enum tint result_tint(enum result result)
{
	switch (result) {
	case RESULT_OK: return TINT_GOOD;
	case RESULT_WARN: return TINT_WARN;
	case RESULT_FAIL: return TINT_BAD;
	}
	return TINT_PLAIN;
}

/* ---- what is written down of a check */

static void note(struct doctor *d, const char *name, enum result result, const char *advice,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

static void note(struct doctor *d, const char *name, enum result result, const char *advice,
	const char *format, ...)
{
	struct buf found;
	va_list ap;
	json_t *check;

	buf_init(&found, 16384);
	va_start(ap, format);
	buf_vaddf(&found, format, ap);
	va_end(ap);
	check = json_pack("{s:s, s:s, s:s%, s:s?}", "check", name, "result", result_word(result),
		"found", found.data, found.len, "advice", result == RESULT_OK ? NULL : advice);
	json_array_append_new(d->checks, check);
	table_add(&d->table, result_tint(result), result_word(result));
	table_add(&d->table, TINT_BOLD, name);
	if (result != RESULT_OK && advice) {
		buf_addf(&found, ". %s", advice);
	}
	table_add_bytes(&d->table, TINT_PLAIN, found.data, found.len);
	if (result > d->worst)
		d->worst = result;
	buf_done(&found);
}
