/*
 * punch-sandbox's options, a row each: the parser (options.c), --help and the option list of
 * punch-sandbox(1) come from this table.
 */
#ifndef PUNCHD_SANDBOX_OPTIONS_TABLE_H
#define PUNCHD_SANDBOX_OPTIONS_TABLE_H

#include <stdio.h>

enum {
	OPT_LISTEN,
	OPT_DATA,
	OPT_PLAN,
	OPT_WINDOW,
	OPT_COUNTING,
	OPT_KEY,
	OPT_READ_KEY,
	OPT_ATTENDANCE_KEY,
	OPT_IDEMPOTENCY_LIFE,
	OPT_USERS,
	OPT_DEVICES,
	OPT_SCHEDULE,
	OPT_WEBHOOK,
	OPT_WEBHOOK_CA,
	OPT_WEBHOOK_SECRET,
	OPT_WEBHOOK_PARALLEL,
	OPT_WEBHOOK_TRIES,
	OPT_WORKING_DAYS,
	OPT_LATE_AFTER,
	OPT_EARLY_BEFORE,
	OPT_REPORT_ZONE,
	OPT_PDF_PROGRAM,
	OPT_FAULT,
	OPT_NAME,
	OPT_SEED,
	OPT_RECORD,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
	OPT_COUNT
};

struct option_spec {
	const char *name;
	const char *value;  /* what it takes; NULL: nothing */
	const char *preset; /* what counts where it is not given, for people; NULL: nothing */
	const char *help;   /* a line */
	const char *more;   /* sentences for the man page alone; NULL: none */
};

/* By OPT_…. */
extern const struct option_spec option_specs[OPT_COUNT];

/* --help; the faults too. */
void options_help(FILE *out);

/* mdoc: the list of options. */
void options_man(FILE *out);

#endif
