/*
 * The attendance report of a period, as the cloud makes it (CLOUD-API.md, GET /reports/attendance), from
 * this gateway's own punches.
 *
 * A day is a working day of the site (core/workday.h): it turns over at day_start, so that a night
 * shift is one day. Who has a check_in on a day that is worked was present on it; who had the first
 * one later than late_after was late, whose last check_out came before early_before went early. Both
 * are times of the clock in the site's zone; one that lies before day_start belongs to the morning
 * after. A percentage is present of working days in hundredths of a percent, half up; the average is
 * the mean over all people, rounded likewise.
 *
 * Days are handed in one after the other with their punches in any order; what is kept of a day is two
 * numbers a person. Pure: whoever reads the store and the clock is above.
 */
#ifndef PUNCHD_CORE_REPORT_H
#define PUNCHD_CORE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "base/zone.h"
#include "core/punch.h"

#define REPORT_DAYS_MAX 3660

struct report_rules {
	const struct zone *zone;
	int32_t day_start_s;
	int64_t week; /* core/calendar.h */
	const char *holidays;
	int64_t late_after_s, early_before_s; /* after midnight */
};

/* The texts are the report's own; department "" is none. */
struct report_user {
	char *id, *name, *department;
	int64_t present, late, early;
	int32_t first_in, last_out; /* of the day at hand, seconds from its start; -1: none */
};

struct report_silent {
	char serial[CLOUD_ID_MAX + 1];
	int64_t since_us; /* wall clock; 0: it was never heard */
};

/* What a reader has to know before he pays by it. All of the period, and of people of the report or of
 * nobody that is known. */
struct report_completeness {
	int64_t queued;          /* counted, but not in the cloud yet */
	int64_t held, parked;    /* not counted */
	int64_t in_doubt;        /* of all these: the cloud may have them all the same */
	int64_t unlisted;        /* of people who are not in the list: not counted either */
	int64_t users_synced_us; /* 0: never */
	int64_t complete_from;   /* a day; INT64_MIN: the whole period is */
	struct report_silent *silent;
	size_t silent_count;
};

struct report {
	struct report_rules rules; /* borrowed zone and holidays */
	bool confined;             /* not of all people: what others punch does not concern it */
	int64_t first_day, last_day, working_days;
	struct report_user *users;
	size_t count, size;
	struct strmap by_id; /* → index + 1 */
	int64_t day;         /* at hand; INT64_MIN: none */
	struct report_completeness completeness;
};

/* last_day is not before first_day, and less than REPORT_DAYS_MAX behind it. */
void report_init(struct report *r, const struct report_rules *rules, int64_t first_day,
	int64_t last_day, uint64_t seed);
void report_done(struct report *r);

/* Somebody who is in it, with or without punches. Returns 0 or -ENOMEM. */
int report_add_user(struct report *r, const char *id, const char *name, const char *department);

/* Whether a day is worked: only such are handed in. */
bool report_works(const struct report *r, int64_t day);

/* The working day of a time. */
int64_t report_day_of(const struct report *r, int64_t time_s);

/* From now on punches are of this day, and the one before is over. */
void report_begin_day(struct report *r, int64_t day);
/* One that counts; of another day: it is passed over. */
void report_tap(struct report *r, const char *user_id, enum punch_type type, int64_t time_s);
/* The last day is over. */
void report_end(struct report *r);

/* A punch of the period that is queued, held or parked. user_id "": nobody that is known. */
void report_waiting(struct report *r, const char *user_id, enum punch_state state, bool in_doubt);

/* In hundredths of a percent. */
int64_t report_percentage(const struct report *r, const struct report_user *user);
int64_t report_average(const struct report *r);

#endif
