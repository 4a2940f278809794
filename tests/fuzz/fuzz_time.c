/* RFC 3339 texts, and any 64 bits as a point of time: parsing, printing and the calendar agree. */
#include <errno.h>

#include "fuzz.h"

#include "base/time.h"

static void check_point(int64_t unix_s)
{
	char text[TIME_TEXT_SIZE];
	struct civil c;
	int64_t back;

	time_to_civil(unix_s, &c);
	HOLDS(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
	HOLDS(c.hour >= 0 && c.hour <= 23 && c.minute >= 0 && c.minute <= 59);
	HOLDS(c.second >= 0 && c.second <= 59);
	if (unix_s > INT64_MIN / 2 && unix_s < INT64_MAX / 2)
		HOLDS(time_from_civil(&c) == unix_s);
	time_format_utc(unix_s, -1, text);
	HOLDS(text[strlen(text) - 1] == 'Z');
	if (c.year >= 0 && c.year <= 9999)
		HOLDS(time_parse_rfc3339(text, &back) == 0 && back == unix_s);
}

static void check_text(const char *text)
{
	struct time_text t, again;
	int64_t unix_s;
	int r = time_parse(text, &t);
	int rfc = time_parse_rfc3339(text, &unix_s);

	HOLDS(r == 0 || rfc < 0);
	if (r < 0)
		return;
	HOLDS(t.has_offset || rfc == -ENODATA);
	HOLDS(t.civil.year >= 0 && t.civil.year <= 9999 && t.nanosecond >= 0);
	HOLDS(t.nanosecond < 1000000000 && t.offset_s > -86400 && t.offset_s < 86400);
	if (rfc < 0)
		return;
	check_point(unix_s);
	time_to_civil(unix_s, &again.civil);
	HOLDS(t.has_offset && again.civil.year >= 0 && again.civil.year <= 9999);
	/* a leap second counts as the first of the next minute, everything else comes back */
	time_to_civil(unix_s + t.offset_s, &again.civil);
	HOLDS(time_from_civil(&again.civil) == time_from_civil(&t.civil));
	HOLDS(t.civil.second == 60 ||
		(again.civil.day == t.civil.day && again.civil.second == t.civil.second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];
	int64_t point;

	if (size == sizeof point) {
		memcpy(&point, data, sizeof point);
		check_point(point);
	}
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	return 0;
}
