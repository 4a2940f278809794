#include "base/time.h"

#include <errno.h>

#define DAY_S 86400

/* What is written with four digits of a year. */
#define YEAR_0_S     (-62167219200LL)
#define YEAR_10000_S 253402300800LL

/* Howard Hinnant's days_from_civil, which needs no table and no loop. */
int64_t time_days_from_civil(int64_t year, int month, int day)
{
	int64_t era, yoe, doy, doe;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	yoe = year - era * 400;
	doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

int64_t time_from_civil(const struct civil *c)
{
	return time_days_from_civil(c->year, c->month, c->day) * DAY_S + c->hour * 3600 +
		c->minute * 60 + c->second;
}

void time_to_civil(int64_t unix_s, struct civil *ret_civil)
{
	int64_t days = unix_s / DAY_S, rest = unix_s % DAY_S;
	int64_t era, doe, yoe, doy, mp;

	if (rest < 0) {
		rest += DAY_S;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	ret_civil->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	ret_civil->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	ret_civil->year = yoe + era * 400 + (ret_civil->month <= 2);
	ret_civil->hour = (int)(rest / 3600);
	ret_civil->minute = (int)(rest / 60 % 60);
	ret_civil->second = (int)(rest % 60);
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly n digits as a number; NULL where there are fewer. */
static const char *take_digits(const char *s, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++, s++) {
		if (*s < '0' || *s > '9')
			return NULL;
		*ret = *ret * 10 + (*s - '0');
	}
	return s;
}

static const char *take_char(const char *s, const char *set)
{
	return s && *s && strchr(set, *s) ? s + 1 : NULL;
}

/* One field of n digits behind a separator out of set. */
static const char *take_field(const char *s, const char *set, int n, int *ret)
{
	s = take_char(s, set);
	return s ? take_digits(s, n, ret) : NULL;
}

static const char *take_fraction(const char *s, int32_t *ret_ns)
{
	int32_t unit = 100000000;

	*ret_ns = 0;
	if (*s != '.')
		return s;
	if (s[1] < '0' || s[1] > '9')
		return NULL;
	for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
		*ret_ns += (*s - '0') * unit;
	return s;
}

static const char *take_offset(const char *s, struct time_text *ret)
{
	int hour, minute, sign;

	ret->has_offset = *s != '\0';
	ret->offset_s = 0;
	if (*s == '\0')
		return s;
	if (*s == 'Z' || *s == 'z')
		return s + 1;
	sign = *s == '-' ? -1 : 1;
	s = take_field(s, "+-", 2, &hour);
	s = s ? take_field(s, ":", 2, &minute) : NULL;
	if (!s || hour > 23 || minute > 59)
		return NULL;
	ret->offset_s = sign * (hour * 3600 + minute * 60);
	return s;
}

static bool civil_exists(const struct civil *c)
{
	return c->month >= 1 && c->month <= 12 && c->day >= 1 &&
		c->day <= days_in_month(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
		c->second <= 60;
}

int time_parse(const char *s, struct time_text *ret)
{
	struct civil *c = &ret->civil;
	int year;

	s = take_digits(s, 4, &year);
	s = s ? take_field(s, "-", 2, &c->month) : NULL;
	s = s ? take_field(s, "-", 2, &c->day) : NULL;
	s = s ? take_field(s, "Tt ", 2, &c->hour) : NULL;
	s = s ? take_field(s, ":", 2, &c->minute) : NULL;
	s = s ? take_field(s, ":", 2, &c->second) : NULL;
	s = s ? take_fraction(s, &ret->nanosecond) : NULL;
	s = s ? take_offset(s, ret) : NULL;
	if (!s || *s != '\0')
		return -EINVAL;
	c->year = year;
	return civil_exists(c) ? 0 : -EINVAL;
}

int time_parse_rfc3339(const char *text, int64_t *ret_unix_s)
{
	struct time_text t;
	int64_t unix_s;
	int r = time_parse(text, &t);

	if (r < 0)
		return r;
	if (!t.has_offset)
		return -ENODATA;
	unix_s = time_from_civil(&t.civil) - t.offset_s;
	if (unix_s < YEAR_0_S || unix_s >= YEAR_10000_S)
		return -EINVAL;
	*ret_unix_s = unix_s;
	return 0;
}

const char *time_format_utc(int64_t unix_s, int ms, char ret_text[static TIME_TEXT_SIZE])
{
	struct civil c;
	char fraction[16] = "";

	time_to_civil(unix_s, &c);
	if (ms >= 0)
		snprintf(fraction, sizeof fraction, ".%03d", ms % 1000);
	snprintf(ret_text, TIME_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d%sZ", (long long)c.year,
		c.month, c.day, c.hour, c.minute, c.second, fraction);
	return ret_text;
}
