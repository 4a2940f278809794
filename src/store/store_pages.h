/*
 * A damaged store's pages as they were last committed: the file with its log laid over it. Read
 * only, without SQLite, and without believing anything.
 */
#ifndef PUNCHD_STORE_STORE_PAGES_H
#define PUNCHD_STORE_STORE_PAGES_H

#include "store/store_log.h"

struct pages {
	int fd; /* owned; -1: there is no file, only a log */
	int page_size;
	int usable;       /* bytes of a page that SQLite uses */
	uint32_t count;   /* pages of file and log together */
	uint32_t in_file; /* pages of the file, a cut one too */
	int last_bytes;   /* of the last of these */
	uint32_t *
		frame_of; /* by page: the frame with its newest version, 0: the file has it. Owned */
	struct log_view log;
};

/* Open a store's file and log. Returns 0, or an error of the system. */
int pages_open(const char *path, struct pages *ret);
void pages_done(struct pages *p);

/* A page, from 1; what lies behind the end of a file that was cut is zero.
 * Returns 0, -ENODATA (no such page), or -EIO (the disk cannot read it). */
int pages_read(const struct pages *p, uint32_t number, uint8_t *ret_page);

/* How many of a page's usable bytes are its own: fewer where the file was cut within it. */
int pages_there(const struct pages *p, uint32_t number);

/* Whether the newest version of a page stands in the log. */
bool pages_in_log(const struct pages *p, uint32_t number);

#endif
