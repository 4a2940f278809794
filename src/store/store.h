/*
 * The store: one SQLite file that survives kill -9 and power loss.
 *
 * What store_commit has acknowledged is on disk (WAL, synchronous=FULL: an fdatasync a commit).
 * Writes belong into a transaction; store_begin opens one where none is open, so that everything
 * that comes together shares its commit. One process at a time, one thread.
 *
 * Errors everywhere: -ENOSPC (disk full), -EBUSY (another program holds the file), -ENOMEM: roll
 * back, nothing was done. -EIO: the disk failed, and what became of the transaction is unknown.
 * -EUCLEAN: the file is damaged. -ESTALE: it was moved, deleted or replaced under us. After these
 * the process must end (store_is_fatal); at the next start identities sort out what came twice, and
 * salvage what was damaged.
 */
#ifndef PUNCHD_STORE_STORE_H
#define PUNCHD_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/punch.h"

struct store;

/*
 * Open the file, made where there is none and brought to the present version where it is older. A
 * salvage that was cut short after its work was done is finished first (store_salvage.h).
 * Further errors: -EBUSY (another punchd, or another program that holds it), -EMEDIUMTYPE (a file
 * that is no store of ours), -EPROTONOSUPPORT (made by a newer version), -EROFS / -EACCES /
 * -ENOENT (cannot be written, no such folder), -ELOOP (the file itself is a symbolic link),
 * -EUCLEAN (damaged, or its log is: nothing was touched; see store_salvage).
 * On error *ret_store is NULL and ret_words says what was wrong.
 */
#define STORE_WORDS_MAX 256
int store_open(const char *path, struct store **ret_store, char ret_words[static STORE_WORDS_MAX]);
void store_close(struct store *s);

/* Whether it was made just now, where there was one before. */
bool store_made_anew(const struct store *s);

bool store_is_fatal(int error);

/* SQLite's own words on the last error. Valid until the next call. */
const char *store_words(const struct store *s);

int store_begin(struct store *s);
bool store_in_transaction(const struct store *s);
/* Durable when it returns 0. On error the transaction is gone. Nothing open: 0, nothing done. */
int store_commit(struct store *s);
/* Everything is again as it was at store_begin, the counts and the tally too. */
void store_rollback(struct store *s);

/*
 * Move the log into the file where it has grown; slow, so call it when nobody waits. Returns 0, also
 * where there was nothing to do, or an error as above.
 */
int store_checkpoint(struct store *s);

/* Read every page and check the file's structure; for start-up after an unclean end.
 * Returns 0, -EUCLEAN, or another error. Takes time in proportion to the file. */
int store_check_structure(struct store *s);

/* Bytes of file and log, and free bytes of the disk below it. */
int store_disk(const struct store *s, int64_t *ret_bytes, int64_t *ret_free);

/* ---- what is counted beside the punches; kept with the next commit that happens anyway */

struct store_tally {
	int64_t duplicate;
	int64_t ignored;
	int64_t refused;
};

/* The tally; the caller may raise its members at any time. What is raised within a transaction is
 * rolled back with it; what is raised outside waits for the next store_commit of one. */
struct store_tally *store_tally(struct store *s);

struct store_counts {
	int64_t stored;                 /* ever */
	int64_t by_state[PUNCH_STATES]; /* now, or when they were purged */
	int64_t open[PUNCH_STATES];     /* of queued, held, parked: now */
};

/* Cheap: kept up to date by every write. */
void store_counts(const struct store *s, struct store_counts *ret);

/*
 * The law of conservation, by counting every row: each punch ever stored is in exactly one state.
 * The whole at once; store_check.h has the same in steps.
 * Returns 0, -EUCLEAN with words in ret_words, or another error.
 */
int store_check_counts(struct store *s, char ret_words[static STORE_WORDS_MAX]);

/* ---- small facts by name */

int store_meta_get(struct store *s, const char *key, int64_t fallback, int64_t *ret);
int store_meta_set(struct store *s, const char *key, int64_t value);

/* The store's number of a boot, made on first use. Returns it (> 0) or an error. */
int64_t store_boot(struct store *s, const char *boot_id);

#endif
