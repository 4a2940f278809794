/* The command line, by the table of options_table.h. */
#ifndef PUNCHD_REPORT_OPTIONS_H
#define PUNCHD_REPORT_OPTIONS_H

#include "report/pdf.h"

/* The texts belong to argv. */
struct options {
	const char *output; /* NULL: standard output */
	const struct pdf_paper *paper;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE, /* --help or --version has been answered */
	OPTIONS_BAD,  /* what is wrong is on stderr */
};

enum options_result options_parse(int argc, char **argv, struct options *ret);

#endif
