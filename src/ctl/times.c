#include "ctl/times.h"

#include <errno.h>

#include "base/time.h"
#include "base/units.h"

#define DAY_S 86400

const char *times_format(
	const struct times *t, int64_t unix_s, char ret_text[static TIMES_TEXT_SIZE])
{
	struct tm local;
	time_t when = unix_s;
	char text[TIME_TEXT_SIZE];
	long offset_min;

	if (t->utc || !localtime_r(&when, &local)) {
		snprintf(ret_text, TIMES_TEXT_SIZE, "%s", time_format_utc(unix_s, -1, text));
		for (char *p = ret_text; *p; p++)
			*p = *p == 'T' ? ' ' : *p;
		return ret_text;
	}
	offset_min = local.tm_gmtoff / 60;
	snprintf(ret_text, TIMES_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d:%02d%c%02ld:%02ld",
		local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min,
		local.tm_sec, offset_min < 0 ? '-' : '+', labs(offset_min) / 60,
		labs(offset_min) % 60);
	return ret_text;
}

const char *times_show(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE])
{
	int64_t unix_s;

	if (!rfc3339)
		return "";
	if (time_parse_rfc3339(rfc3339, &unix_s) < 0)
		return rfc3339;
	return times_format(t, unix_s, ret_text);
}

const char *times_show_brief(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE])
{
	const char *text = times_show(t, rfc3339, ret_text);

	/* What is no time was not written there. */
	if (text == ret_text)
		ret_text[sizeof "2026-02-01 10:00:00" - 1] = '\0';
	return text;
}

const char *times_span(int64_t seconds, char ret_text[static TIMES_TEXT_SIZE])
{
	long long s = seconds > 0 ? seconds : 0;

	if (s < 60)
		snprintf(ret_text, TIMES_TEXT_SIZE, "%llds", s);
	else if (s < 3600)
		snprintf(ret_text, TIMES_TEXT_SIZE, "%lldm %llds", s / 60, s % 60);
	else if (s < DAY_S)
		snprintf(ret_text, TIMES_TEXT_SIZE, "%lldh %lldm", s / 3600, s % 3600 / 60);
	else
		snprintf(ret_text, TIMES_TEXT_SIZE, "%lldd %lldh", s / DAY_S, s % DAY_S / 3600);
	return ret_text;
}

const char *times_ago(
	const struct times *t, const char *rfc3339, char ret_text[static TIMES_TEXT_SIZE])
{
	char span[TIMES_TEXT_SIZE];
	int64_t unix_s;

	if (!rfc3339 || time_parse_rfc3339(rfc3339, &unix_s) < 0)
		return "";
	if (unix_s <= t->now_s)
		snprintf(ret_text, TIMES_TEXT_SIZE, "%.40s ago",
			times_span(t->now_s - unix_s, span));
	else
		snprintf(
			ret_text, TIMES_TEXT_SIZE, "in %.40s", times_span(unix_s - t->now_s, span));
	return ret_text;
}

/* ---- reading */

static int64_t offset_at(int64_t unix_s)
{
	struct tm local;
	time_t when = unix_s;

	return localtime_r(&when, &local) ? local.tm_gmtoff : 0;
}

/*
 * The point of time of a local one. Zones change by less than a day, so the offsets a day before
 * and behind are those on either side of a change that may be near. Where the earlier offset gives
 * a time whose local reading is the one that was asked for, it is the (earlier) answer; else the
 * later offset's is, and where neither is, the time was skipped: the change lies between.
 */
static int64_t local_to_unix(int64_t local_s)
{
	int64_t before = offset_at(local_s - DAY_S), after = offset_at(local_s + DAY_S);
	int64_t low = local_s - before, high = local_s - after;

	if (offset_at(low) == before)
		return low;
	if (offset_at(high) == after)
		return high;
	/* The offset is still the earlier one at high and the later one at low. */
	while (low - high > 1) {
		int64_t middle = high + (low - high) / 2;

		if (offset_at(middle) == before)
			high = middle;
		else
			low = middle;
	}
	return low;
}

static int read_civil(const struct times *t, const char *text, int64_t add_s, int64_t *ret_unix_s)
{
	struct time_text parsed;
	int64_t local_s;

	if (time_parse(text, &parsed) < 0 || parsed.has_offset)
		return -EINVAL;
	local_s = time_from_civil(&parsed.civil) + add_s;
	*ret_unix_s = t->utc ? local_s : local_to_unix(local_s);
	return 0;
}

int times_read(const struct times *t, const char *text, enum times_edge edge, int64_t *ret_unix_s)
{
	int64_t ago_ms;
	char midnight[32];

	if (units_parse_duration(text, &ago_ms) == 0) {
		if (ago_ms < 0)
			return -EINVAL;
		/* Nothing here is older than the clock's own beginning. */
		*ret_unix_s = ago_ms / 1000 < t->now_s ? t->now_s - ago_ms / 1000 : 0;
		return 0;
	}
	if (time_parse_rfc3339(text, ret_unix_s) == 0)
		return 0;
	if (strlen(text) != 10)
		return read_civil(t, text, 0, ret_unix_s);
	snprintf(midnight, sizeof midnight, "%sT00:00:00", text);
	return read_civil(t, midnight, edge == TIMES_TO ? DAY_S : 0, ret_unix_s);
}
