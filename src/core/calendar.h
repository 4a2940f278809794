/*
 * Which days are worked: days of the week, and holidays of a site (punchd.conf(5), [site]). Days are
 * counted from 1970-01-01 (core/workday.h). Pure; the texts are those of the settings.
 */
#ifndef PUNCHD_CORE_CALENDAR_H
#define PUNCHD_CORE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Bit 0 is Monday … bit 6 Sunday. */
#define CALENDAR_WEEK 0x7f

/* `mon tue wed thu fri`, in any order, none twice. Returns 0 or -EINVAL; nothing at all is no week. */
int calendar_parse_week(const char *text, int64_t *ret_week);
void calendar_print_week(int64_t week, struct buf *out);

/* Whether a text is a list of holidays: `2026-12-25`, or `12-25` for that day of each year; blanks
 * between them; it may be empty. */
bool calendar_holidays_sound(const char *text);

/* 0 Monday … 6 Sunday. */
int calendar_weekday(int64_t day);

/* Whether a day is worked: one of the week's, and none of the holidays, which are sound. */
bool calendar_works(int64_t week, const char *holidays, int64_t day);

/* `YYYY-MM-DD` whole: the day, or -EINVAL in *ret untouched. */
int calendar_parse_day(const char *text, int64_t *ret_day);

#define CALENDAR_DAY_SIZE 32
/* Writes `2026-12-25`. Returns ret. */
const char *calendar_day_text(int64_t day, char ret[static CALENDAR_DAY_SIZE]);

#endif
