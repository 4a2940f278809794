/*
 * SQLite's log (the -wal file), read by ourselves, without changing it.
 *
 * SQLite believes a log up to its first frame that is not whole, and forgets what lies behind: right
 * after a power cut, when nobody was told that it is on disk, and wrong where the frame was whole
 * once and has been damaged since. Under synchronous=FULL a transaction begins only after the one
 * before it is on disk, and writes each page once. So a broken frame with more than its own
 * transaction behind it is damage; a broken last transaction proves nothing. (What stays in doubt is
 * taken for that: the last but one was a single frame, and nothing of that frame's header is left.)
 *
 * A frame's checksum runs on from the one before it, which stands in that frame's header: so frames
 * behind a damaged one can be checked all the same.
 * Format: https://www.sqlite.org/fileformat2.html#walformat
 */
#ifndef PUNCHD_STORE_STORE_LOG_H
#define PUNCHD_STORE_STORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct log_view {
	int fd; /* owned; -1: no log, or one without a frame */
	int page_size;
	uint32_t frames;  /* the file has room for */
	uint32_t good;    /* SQLite would read up to this one, counted from 1 */
	uint32_t last;    /* committed up to this one */
	uint32_t bad;     /* frames up to `last` that cannot be believed */
	bool damaged;     /* `last` is behind `good`, and that is no power cut */
	uint32_t *number; /* by frame, from 1: its page; 0 where it cannot be believed. Owned */
};

/*
 * Read a log. page_size: of the file it belongs to, for a log that no longer says its own; 0 unknown.
 * No such file: an empty view. Returns 0 or an error of the system.
 */
int log_read(const char *path, int page_size, struct log_view *ret);
void log_done(struct log_view *v);

/* A frame's page. Returns 0 or -EIO. */
int log_page(const struct log_view *v, uint32_t frame, uint8_t *ret_page);

/*
 * Whether SQLite may be let at a store's log: 0, or -EUCLEAN with words where committed frames would
 * be forgotten, or another error. path: of the store's file.
 */
int store_log_check(const char *path, char ret_words[static STORE_WORDS_MAX]);

#endif
