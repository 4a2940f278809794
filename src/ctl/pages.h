/*
 * What the vocabulary prints: help, usage, and the parts of the man page and of the bash completion
 * that are kept in the source tree (tests/unit/test_ctl_pages holds them in step).
 */
#ifndef PUNCHD_CTL_PAGES_H
#define PUNCHD_CTL_PAGES_H

#include <stdio.h>

#include "ctl/vocabulary.h"

void pages_help(FILE *out);
void pages_help_command(FILE *out, const struct command *command);

/* The short form, for a wrong call; command may be NULL. */
void pages_usage(FILE *out, const struct command *command);

/* mdoc: the list of the options that all commands take, and that of the commands. */
void pages_man(FILE *out);

/* Shell: the tables as functions. */
void pages_completion(FILE *out);

#endif
