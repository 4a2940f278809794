/* Making a sound store of rows that were copied from a damaged one. */
#ifndef PUNCHD_STORE_STORE_MEND_H
#define PUNCHD_STORE_STORE_MEND_H

#include "store/store_copy.h"
#include "store/store_salvage.h"

/*
 * Give the rows what others of theirs had to tell (terminals, boots), hold what was not settled,
 * count the holes and write the report into meta; in the open transaction. nothing: there was no
 * page to read. Sets saved and lost. Returns 0 or an error of db.
 */
int mend_rows(sqlite3 *db, const struct copy_result *copied, bool nothing, int64_t now_s,
	struct store_salvage_report *ret);

/*
 * An identity is a hash over what the terminal sent, a wire key one over a frozen body: so a row
 * that was damaged without anybody seeing it is found. Such held ones are parked with the error
 * `damaged`, and counted. Commits. Returns 0, or an error with words.
 */
int mend_doubtful(struct store *s, int64_t *ret_doubtful, char ret_words[static STORE_WORDS_MAX]);

#endif
