/*
 * Parts of pages in the tree that come from a table: whether they are in step with it. With
 * PUNCHD_PAGES=write in the environment they are written anew.
 */
#ifndef PUNCHD_TESTS_PAGEPART_H
#define PUNCHD_TESTS_PAGEPART_H

#include <stdbool.h>

#include "base/buf.h"

#define PAGEPART_PATH 4096

/* Whether parts are to be written instead of compared. */
bool pagepart_writes(void);

/* Read a file of the tree, by its name there. */
void pagepart_read(const char *name, char ret_path[static PAGEPART_PATH], struct buf *ret_text);

/* Compare the bytes from..to of a page with what the table says, or write that in their place, there
 * and in text. */
void pagepart_hold(const char *name, const char *path, struct buf *text, size_t from, size_t to,
	const char *part);

#endif
