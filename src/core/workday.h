/* The working day a punch belongs to (JUDGING.md §9): a calendar day of the site's zone that turns
 * over at day_start instead of midnight. */
#ifndef PUNCHD_CORE_WORKDAY_H
#define PUNCHD_CORE_WORKDAY_H

#include <stdint.h>

#include "base/zone.h"

/* Days since 1970-01-01 of the working day in which unix_s lies. day_start_s: seconds after
 * midnight, 0–86399. */
int32_t workday_of(const struct zone *zone, int32_t day_start_s, int64_t unix_s);

/* Times between which a working day surely lies, and a few hours more. */
void workday_span(const struct zone *zone, int32_t day_start_s, int32_t day, int64_t *ret_from_s,
	int64_t *ret_to_s);

#endif
