#include "core/workday.h"

#define DAY_S 86400

int32_t workday_of(const struct zone *zone, int32_t day_start_s, int64_t unix_s)
{
	int64_t local_s = unix_s + zone_offset_at(zone, unix_s) - day_start_s;
	int64_t day = local_s / DAY_S;

	if (local_s % DAY_S < 0)
		day--;
	return (int32_t)day;
}
