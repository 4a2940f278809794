/*
 * Salvage: from a damaged store to a sound one, with all that can be read.
 *
 * The damaged file is never written to, deleted or overwritten. A new one is made beside it as
 * PATH.salvage-part, and named PATH.salvaged when it is complete and on disk. Only then the damaged
 * file and its log are set aside as PATH.damaged-YYYYMMDDThhmmssZ (and -wal, -shm, -journal), and
 * the new one takes their place. Cut short before it is complete, it is begun anew; behind that,
 * store_open finishes it.
 *
 * Saved punches keep number, identity, body and wire key. What was queued or held is held as
 * restored (a queued one with a frozen body may have been sent since: in doubt), what was parked
 * stays parked, so that a person decides. Numbers of rows that are lost are holes (meta `holes`), so
 * that the law of conservation holds: stored = numbers given - holes = rows + purged.
 */
#ifndef PUNCHD_STORE_STORE_SALVAGE_H
#define PUNCHD_STORE_STORE_SALVAGE_H

#include <limits.h>

#include "store/store.h"

/*
 * What the new file's meta says, for the alarm store_replaced; it stands until replaced_at is set
 * to 0. A second salvage before that adds up saved and lost.
 */
#define STORE_META_REPLACED_AT    "replaced_at"    /* seconds since 1970 */
#define STORE_META_REPLACED_SAVED "replaced_saved" /* punches */
#define STORE_META_REPLACED_LOST  "replaced_lost"  /* punches; -1: nobody can tell */

struct store_salvage_report {
	char set_aside[PATH_MAX];       /* what the damaged file is called now */
	int64_t saved;                  /* punches */
	int64_t by_state[PUNCH_STATES]; /* as they are in the new file */
	int64_t lost; /* punches that are known to be missing; -1: nobody can tell */
	int64_t lost_from_s, lost_to_s; /* hours of their times, read as if UTC; 0: not known */
	int64_t doubtful;               /* saved, but not as they came: parked as damaged */
	int64_t rows_bad;               /* records of any table that could not be read whole */
	int64_t pages, pages_bad;    /* of the damaged file; those that could not be read whole */
	int64_t log_frames, log_bad; /* of its log, up to the last commit */
};

/*
 * Replace a damaged store. now_s: wall clock, for the name and the alarm. Open it with store_open
 * afterwards. Takes time and free space in proportion to the file.
 * Returns 0, with ret_words telling in a sentence what became of the punches, or an error with
 * words why not: -EBUSY (in use), -EMEDIUMTYPE (no store of ours), -ENOSPC (no room for the new
 * file), -ENOENT (no file and no log), -ENOMEM, -EIO. After an error the damaged file is as it was.
 */
int store_salvage(const char *path, int64_t now_s, struct store_salvage_report *ret,
	char ret_words[static STORE_WORDS_MAX]);

/*
 * The rest of a salvage that was cut short, for store_open, which holds the lock: 1 (finished), 0
 * (there was none), or an error with words. ret_set_aside may be NULL.
 */
int store_salvage_finish(
	const char *path, char *ret_set_aside, char ret_words[static STORE_WORDS_MAX]);

/*
 * Whether a file that is not empty begins like a store: 0, -EMEDIUMTYPE (it is something else), or
 * -EUCLEAN (it is one of ours, but damaged). marked: one was made here before.
 */
int store_file_check(const char *path, bool marked, char ret_words[static STORE_WORDS_MAX]);

#endif
