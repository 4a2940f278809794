/*
 * A file that appears whole or not at all.
 *
 * It is written under a temporary name in the folder of its own, synced, and only then renamed to what
 * it is called. Until newfile_commit() has returned 0 nothing has changed at the path: an older file
 * stays as it was, and newfile_abandon() leaves nothing behind. A path that is no regular file (a
 * pipe, a terminal, /dev/null) is written to as it is, since nothing could be renamed over it.
 *
 * A signal that ends the process leaves nothing either where newfile_on_signals() was called.
 */
#ifndef PUNCHD_BASE_NEWFILE_H
#define PUNCHD_BASE_NEWFILE_H

#include <stddef.h>

struct newfile {
	int fd; /* -1: not open */
	char *path;
	char *part; /* the temporary name; NULL: the path is written as it is */
};

/* All return 0 or a negative errno. After a failure of any of them but open newfile_abandon() is due. */
int newfile_open(struct newfile *f, const char *path);
int newfile_write(struct newfile *f, const void *bytes, size_t n);
int newfile_commit(struct newfile *f);

/* Removes what was written. Takes one that was committed, or never opened but zeroed with fd -1. */
void newfile_abandon(struct newfile *f);

/*
 * From now on SIGINT, SIGTERM and SIGHUP remove what is open and uncommitted, and then end the process
 * as they would have. For programs that have no use of their own for these signals; one file at a time.
 */
void newfile_on_signals(void);

#endif
