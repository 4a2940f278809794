/*
 * The store of what is not acknowledged: what a terminal has in flash. One SQLite file for all
 * terminals of a process; each terminal's count of punches made, and its unacknowledged records,
 * byte for byte.
 *
 * Changes gather in one transaction until keep_commit, which syncs them. Nothing may be published
 * before the commit that holds it. Without a file it only counts, and everything is lost with the
 * process. One process at a time: the file stays locked while it is open.
 */
#ifndef PUNCHD_TERMINAL_KEEP_H
#define PUNCHD_TERMINAL_KEEP_H

#include <stdint.h>

struct keep;

/*
 * Open or make the file; path NULL: none. All functions return 0 or a negative errno; -EIO is
 * SQLite's refusal, whose words keep_words tells. After a failure of keep_open *ret_keep is there
 * for keep_words and keep_close, or NULL. -EBUSY: another process has it; -EMEDIUMTYPE: the file is
 * something else.
 */
int keep_open(const char *path, struct keep **ret_keep);
void keep_close(struct keep *k);
const char *keep_words(const struct keep *k);

/* How many punches this terminal has made in its life; 0 where it is not known. */
int keep_made(struct keep *k, const char *serial, int64_t *ret_made);

/* Call on for each record, oldest first. The texts live during the callback; a negative result of
 * it ends the walk and is returned. */
int keep_load(struct keep *k,
	int (*on)(void *arg, const char *serial, int64_t row, const char *id, const char *body),
	void *arg);

/* Note a new record, and that the terminal has made `made` punches. */
int keep_add(struct keep *k, const char *serial, int64_t made, const char *id, const char *body,
	int64_t *ret_row);
int keep_del(struct keep *k, int64_t row);

/* The terminal has made none again. */
int keep_reset(struct keep *k, const char *serial);

int keep_commit(struct keep *k);

#endif
