/*
 * The attendance report, computed from the records.
 *
 * Days are those of the rules' time zone. A user is present on a working day with at least one
 * check_in; late if the first one of that day is after late_after_s, gone early if there is a
 * check_out and the last one is before early_before_s; absent on the other working days. What is
 * done on other days counts nowhere. A percentage is present of working days, rounded to two
 * places, half up (21 of 22 is 95.45); the average is that of all listed users' days together, so
 * the mean of the users.
 *
 * It is reckoned in slices, user by user, so that other requests are served meanwhile; what is
 * recorded while it runs may be in it or not. Results are 0 or a negative errno.
 */
#ifndef PUNCHD_SANDBOX_REPORT_H
#define PUNCHD_SANDBOX_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"
#include "sandbox/db.h"

#define REPORT_DAY_S     86400
#define REPORT_DAYS_MAX  3660
#define REPORT_DATE_SIZE 16

struct report_rules {
	bool works[7];        /* Monday first */
	int32_t late_after_s; /* seconds of the day */
	int32_t early_before_s;
	struct zone *zone; /* NULL: UTC */
};

struct report_user {
	char *id, *name, *department; /* department NULL: none */
	int64_t present, late, early;
};

/* What one user did on one day: seconds of the day, -1: nothing. */
struct report_day {
	int32_t first_in, last_out;
};

struct report {
	const struct report_rules *rules;
	char start[REPORT_DATE_SIZE], end[REPORT_DATE_SIZE];
	int64_t first_day, days, working; /* first_day: since 1970 */
	struct report_user *users;
	size_t count, size;
	size_t counted;          /* users that are reckoned */
	int64_t present;         /* of all of them */
	struct report_day *each; /* one user's days, at a time */
};

/* Days from first_day on; start and end, their texts, are the caller's to fill in. */
int report_init(
	struct report *r, const struct report_rules *rules, int64_t first_day, int64_t days);
void report_done(struct report *r);

/* List the users: all, one, or those of a department. NULL: no such filter. */
int report_list(struct report *r, struct db *db, const char *user_id, const char *department);

/* Reckon the next user. Returns 1: one more was reckoned, 0: all are. */
int report_count_next(struct report *r, struct db *db);

/* In hundredths of a percent. */
int64_t report_percentage(int64_t part, int64_t whole);
int64_t report_average(const struct report *r);

#endif
