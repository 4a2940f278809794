#include "core/workday.h"

#define DAY_S  86400
#define STEP_S 10800

int32_t workday_of(const struct zone *zone, int32_t day_start_s, int64_t unix_s)
{
	int64_t local_s = unix_s + zone_offset_at(zone, unix_s) - day_start_s;
	int64_t day = local_s / DAY_S;

	if (local_s % DAY_S < 0)
		day--;
	return (int32_t)day;
}

void workday_span(const struct zone *zone, int32_t day_start_s, int32_t day, int64_t *ret_from_s,
	int64_t *ret_to_s)
{
	int64_t from_s = (int64_t)day * DAY_S + day_start_s, to_s = from_s + DAY_S;

	/* From UTC's day outwards; a step beyond, since a clock that is set back repeats an hour. */
	while (workday_of(zone, day_start_s, from_s) >= day)
		from_s -= STEP_S;
	while (workday_of(zone, day_start_s, to_s) <= day)
		to_s += STEP_S;
	*ret_from_s = from_s - STEP_S;
	*ret_to_s = to_s + STEP_S;
}
