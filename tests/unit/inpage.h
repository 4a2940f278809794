/*
 * Parts of files in the tree (pagepart.h) that lie between two marks, and that a program prints from
 * its tables: between a line that holds `MARK begin: ` and one that is `MARK end`.
 */
#ifndef PUNCHD_TESTS_INPAGE_H
#define PUNCHD_TESTS_INPAGE_H

#include <stdio.h>

/* The mark of man pages. */
#define INPAGE_MAN ".\\\""

/* What a page prints; freed by the caller. */
char *inpage_printed(void (*page)(FILE *out));

/* The part of the file, whose name is from the root of the tree, is what page prints. */
void inpage_assert(const char *name, const char *mark, void (*page)(FILE *out));

#endif
