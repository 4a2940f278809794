/*
 * A VFS over SQLite's own that fails on demand, and that knows what a power cut would leave.
 *
 * Every call that changes a file is counted. Call number `at` fails: as an error, or as the moment
 * of a power cut, behind which every call fails. After that power cut faultvfs_cut() gives each file
 * what was synced, and of the writes since then some, none, or parts: whole sectors, in any order.
 * Files are real ones, so that code which does not go through SQLite sees them too.
 */
#ifndef PUNCHD_TESTS_FAULTVFS_H
#define PUNCHD_TESTS_FAULTVFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_ENOMEM,
	FAULT_POWER,
};

enum fault_call { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_TRUNCATE, CALL_DELETE, CALL_SHM, CALLS };

struct faultvfs {
	enum fault_kind kind;
	int at;           /* which call fails, from 1; 0 none */
	bool for_ever;    /* and all behind it */
	bool writes_only; /* of the calls only CALL_WRITE fails: a disk that is full */
	int calls;        /* so far */
	int by_call[CALLS];
	enum fault_call hit; /* what failed */
	bool failed;         /* it has happened */
};

/* Make it the default VFS. The struct stays the caller's. */
void faultvfs_install(struct faultvfs *f);
void faultvfs_uninstall(void);

/* Begin again: nothing has been called, everything there is on disk is synced. */
void faultvfs_arm(enum fault_kind kind, int at, bool for_ever);

/* The power is back: files are what the disk kept. seed chooses among what may be. */
void faultvfs_cut(uint64_t seed);

#endif
