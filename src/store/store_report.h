/*
 * What a report reads of the store, on a connection of its own, so that it may be done in a thread of
 * its own while the store is written: it sees the store as it was at the first call, to the end. As long
 * as it is open the log cannot be used anew from its start, and grows.
 *
 * Opening takes the store's path alone; everything else may be done by any one thread at a time.
 */
#ifndef PUNCHD_STORE_STORE_REPORT_H
#define PUNCHD_STORE_STORE_REPORT_H

#include "store/store.h"

struct store_report;

/* All return 0 or an error; words: of what went wrong. */
int store_report_new(
	const struct store *s, struct store_report **ret, char ret_words[static STORE_WORDS_MAX]);
void store_report_free(struct store_report *r);
const char *store_report_words(const struct store_report *r);

/* From another thread: the walk that is under way ends with -ECANCELED, and so does every other. */
void store_report_stop(struct store_report *r);

/* Called for each row; what is not 0 ends the walk and is returned. */
typedef int store_report_on_user(
	void *arg, const char *id, const char *name, const char *department);
typedef int store_report_on_tap(void *arg, const char *user_id, int type, int64_t time_s);
typedef int store_report_on_waiting(
	void *arg, const char *user_id, int state, bool in_doubt, int64_t time_s);

/* Who is in the list of people and not gone, in the order of ids. NULL: any. */
int store_report_users(struct store_report *r, const char *user_id, const char *department,
	store_report_on_user *on, void *arg);

/* Punches that are delivered or queued, with a time from from_s on and before to_s, in no order. */
int store_report_taps(struct store_report *r, int64_t from_s, int64_t to_s, const char *user_id,
	store_report_on_tap *on, void *arg);

/* Those that are queued, held or parked; one without a time by its receipt. in_doubt: the cloud may have
 * it. user_id "": not known. */
int store_report_waiting(struct store_report *r, int64_t from_s, int64_t to_s,
	store_report_on_waiting *on, void *arg);

/* How far it reaches back: when the first of the punches that are there came, and the latest time of
 * those that were purged. INT64_MIN: there is none. */
int store_report_reach(struct store_report *r, int64_t *ret_first_s, int64_t *ret_purged_s);

#endif
