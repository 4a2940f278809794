#include "api/reply.h"

#include "base/time.h"

struct fields {
	char month[4];
	int day, year, hour, minute, second;
};

static int month_number(const char *name)
{
	static const char *const names[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < 12; i++)
		if (strcmp(names[i], name) == 0)
			return i + 1;
	return 0;
}

/* Whether the text has the shape: `d` a digit, `_` a digit or a blank, `A` a letter, else itself.
 * The parsers below then read places that are sure to be there. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		bool digit = *text >= '0' && *text <= '9';
		bool letter = (*text | 0x20) >= 'a' && (*text | 0x20) <= 'z';

		if (*shape == 'd'               ? !digit
				: *shape == '_' ? !digit && *text != ' '
				: *shape == 'A' ? !letter
						: *text != *shape)
			return false;
	}
	return *text == '\0';
}

static int number_at(const char *text, int digits)
{
	int n = 0;

	for (; digits > 0; digits--, text++)
		n = n * 10 + (*text == ' ' ? 0 : *text - '0');
	return n;
}

static void read_clock(const char *text, struct fields *f)
{
	f->hour = number_at(text, 2);
	f->minute = number_at(text + 3, 2);
	f->second = number_at(text + 6, 2);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_imf(const char *text, struct fields *f)
{
	if (!has_shape(text, "AAA, dd AAA dddd dd:dd:dd GMT"))
		return false;
	f->day = number_at(text + 5, 2);
	memcpy(f->month, text + 8, 3);
	f->year = number_at(text + 12, 4);
	read_clock(text + 17, f);
	return true;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850(const char *text, struct fields *f)
{
	const char *rest = strchr(text, ',');

	if (!rest || !has_shape(rest, ", dd-AAA-dd dd:dd:dd GMT"))
		return false;
	f->day = number_at(rest + 2, 2);
	memcpy(f->month, rest + 5, 3);
	f->year = number_at(rest + 9, 2);
	f->year += f->year >= 70 ? 1900 : 2000;
	read_clock(rest + 12, f);
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(const char *text, struct fields *f)
{
	if (!has_shape(text, "AAA AAA _d dd:dd:dd dddd"))
		return false;
	memcpy(f->month, text + 4, 3);
	f->day = number_at(text + 8, 2);
	read_clock(text + 11, f);
	f->year = number_at(text + 20, 4);
	return true;
}

int64_t api_parse_http_date(const char *text)
{
	struct fields f = {.month = ""};
	char rfc3339[64];
	int64_t unix_s;

	if (!read_imf(text, &f) && !read_rfc850(text, &f) && !read_asctime(text, &f))
		return 0;
	/* base/time.h knows which dates the calendar has. */
	snprintf(rfc3339, sizeof rfc3339, "%04d-%02d-%02dT%02d:%02d:%02dZ", f.year,
		month_number(f.month), f.day, f.hour, f.minute, f.second);
	if (time_parse_rfc3339(rfc3339, &unix_s) < 0 || unix_s < 0)
		return 0;
	return unix_s;
}
