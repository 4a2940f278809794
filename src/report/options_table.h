/* punch-report-pdf's options, a row each: parser, --help and punch-report-pdf(1) come from this. */
#ifndef PUNCHD_REPORT_OPTIONS_TABLE_H
#define PUNCHD_REPORT_OPTIONS_TABLE_H

#include <stdio.h>

enum { OPT_OUTPUT, OPT_PAPER, OPT_HELP, OPT_VERSION, OPT_COUNT };

struct option_spec {
	const char *name;
	char letter;        /* 0: none */
	const char *value;  /* what it takes; NULL: nothing */
	const char *preset; /* what counts where it is not given, for people; NULL: nothing */
	const char *help;   /* a line */
	const char *more;   /* sentences for the man page alone; NULL: none */
};

/* By OPT_…. */
extern const struct option_spec option_specs[OPT_COUNT];

void options_help(FILE *out);

/* mdoc: the list of options. */
void options_man(FILE *out);

#endif
