/* A TZif file, or else a TZ string: no offset beyond RFC 9636, and a local time that was made from a
 * point of time leads back to it or, where it happened twice, to one before. */
#include "fuzz.h"

#include <limits.h>

#include "base/tzrule.h"
#include "base/zone.h"

/* Out there times are cut to what is reckoned. */
static bool far(int64_t t)
{
	return t > TZRULE_FAR_S - 200000 || t < -TZRULE_FAR_S + 200000;
}

static void check_point(const struct zone *z, int64_t t)
{
	int32_t offset = zone_offset_at(z, t);
	enum zone_fit fit;
	int64_t back, local;

	HOLDS(offset >= -89999 && offset <= 93599);
	if (far(t))
		return;
	local = t + offset;
	fit = zone_to_unix(z, local, &back);
	HOLDS(fit != ZONE_SKIPPED && back <= t);
	HOLDS(back + zone_offset_at(z, back) == local);
	HOLDS(fit == ZONE_TWICE || back == t);
}

static void check_local(const struct zone *z, int64_t local)
{
	int64_t t;
	enum zone_fit fit = zone_to_unix(z, local, &t);

	HOLDS(t >= local - 93599 && t <= local + 89999);
	HOLDS((fit == ZONE_SKIPPED) == (t + zone_offset_at(z, t) != local));
}

static void check_zone(const struct zone *z, const uint8_t *data, size_t size)
{
	static const int64_t points[] = {0, INT32_MIN, INT32_MAX, 1774746000, 4102444800,
		16725225600, -2208988800, 253402300799, -62167219200, INT64_MIN, INT64_MAX};
	int64_t t;

	for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
		check_point(z, points[i]);
	/* the file's own bytes as points, so that the fuzzer can aim at its transitions */
	for (size_t i = 0; i + sizeof t <= size && i < 4096; i += 4) {
		memcpy(&t, data + i, sizeof t);
		t = (int64_t)__builtin_bswap64((uint64_t)t);
		for (int64_t step = -1; step <= 1 && t > INT64_MIN && t < INT64_MAX; step++) {
			check_point(z, t + step);
			if (!far(t))
				check_local(z, t + step * 3600);
		}
	}
}

static void check_rule(const uint8_t *data, size_t size)
{
	struct tzrule rule;
	char text[256];

	if (size >= sizeof text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (tzrule_parse(text, &rule) < 0)
		return;
	for (int64_t t = 1700000000, end = t + 3 * 366 * 86400LL; t < end;) {
		int64_t next = tzrule_next_change(&rule, t);
		int32_t offset = tzrule_offset_at(&rule, t);

		HOLDS(next > t);
		HOLDS(offset == rule.standard_s ||
			(rule.has_daylight && offset == rule.daylight_s));
		/* nothing changes before the next change */
		HOLDS(next == INT64_MAX || tzrule_offset_at(&rule, next - 1) == offset);
		t = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z = NULL;

	if (zone_parse(data, size, &z) == 0) {
		check_zone(z, data, size);
		zone_free(z);
	} else {
		HOLDS(!z);
		check_rule(data, size);
	}
	return 0;
}
