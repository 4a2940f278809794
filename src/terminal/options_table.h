/*
 * punch-terminal's options, a row each: the parser (options.c), --help and the option list of
 * punch-terminal(1) come from this table.
 */
#ifndef PUNCHD_TERMINAL_OPTIONS_TABLE_H
#define PUNCHD_TERMINAL_OPTIONS_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "terminal/options.h"

enum option_kind {
	KIND_TEXT,
	KIND_NUMBER,
	KIND_DURATION,
	KIND_FLAG,
	KIND_LIST,
	KIND_RATE,
	KIND_TYPES,
	KIND_TIME,
	KIND_SHIFT,
	KIND_ZONE,
	KIND_NO_TYPE,
	KIND_HELP,
	KIND_VERSION
};

struct option_row {
	const char *section; /* begins with this row; NULL: as the one before */
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *preset;   /* what counts where it is not given, for people; NULL: nothing */
	const char *help;     /* a line */
	const char *more;     /* sentences for the man page alone; NULL: none */
	enum option_kind kind;
	size_t at; /* of its field in struct options */
	int64_t min, max;
};

#define OPTION_DAY_MS (24 * 3600 * 1000LL)
#define OPTION_ROWS   38

extern const struct option_row option_rows[OPTION_ROWS];

void options_help(FILE *out);

/* mdoc: a subsection of options for each section. */
void options_man(FILE *out);

#endif
