#include "terminal/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>

#include "base/time.h"
#include "base/units.h"
#include "terminal/options_table.h"

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list ap;

	fputs("punch-terminal: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\n", stderr);
}

/* ---- one argument into one field */

static int parse_rate(const char *text, int64_t *ret_interval_us)
{
	char *end;
	double rate;

	errno = 0;
	rate = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(rate) || rate < 0)
		return -EINVAL;
	if (rate > 100000 || (rate > 0 && rate < 0.0001))
		return -ERANGE;
	*ret_interval_us = rate > 0 ? (int64_t)(1000000 / rate) : 0;
	return 0;
}

static int parse_types(const char *text, enum options_types *ret_types)
{
	static const char *const names[] = {
		[OPTIONS_TYPES_ALTERNATE] = "alternate",
		[OPTIONS_TYPES_CHECK_IN] = "check_in",
		[OPTIONS_TYPES_CHECK_OUT] = "check_out",
		[OPTIONS_TYPES_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_types = (enum options_types)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A duration with a sign; a bare number is seconds. */
static int parse_shift(const char *text, int64_t *ret_ms)
{
	bool minus = *text == '-';
	int64_t ms;
	int r;

	if (*text == '-' || *text == '+')
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	r = units_parse_duration(text, &ms);
	if (r == -EINVAL) {
		r = units_parse_int(text, &ms);
		if (r == 0 && ms > INT64_MAX / 1000)
			r = -ERANGE;
		ms = r == 0 ? ms * 1000 : 0;
	}
	if (r == 0 && ms > 365000 * OPTION_DAY_MS)
		r = -ERANGE;
	if (r == 0)
		*ret_ms = minus ? -ms : ms;
	return r;
}

/* `+02:00`, read by the parser of whole times. */
static int parse_zone(const char *text, int64_t *ret_s)
{
	char whole[TIME_TEXT_SIZE];
	struct time_text t;

	if (strlen(text) > 6)
		return -EINVAL;
	snprintf(whole, sizeof whole, "2000-01-01T00:00:00%s", text);
	if (time_parse(whole, &t) < 0 || !t.has_offset)
		return -EINVAL;
	*ret_s = t.offset_s;
	return 0;
}

static int add_item(struct options_list *list, const char *text)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof *items);

	if (!items)
		return -ENOMEM;
	items[list->count++] = text;
	list->items = items;
	return 0;
}

static int check_range(const struct option_row *row, int r, int64_t value)
{
	if (r < 0)
		return r;
	return value < row->min || value > row->max ? -ERANGE : 0;
}

static int set_field(struct options *o, const struct option_row *row, const char *text)
{
	void *field = (char *)o + row->at;
	int64_t *number = field;
	int r;

	switch (row->kind) {
	case KIND_TEXT: *(const char **)field = text; return 0;
	case KIND_FLAG: *(bool *)field = true; return 0;
	case KIND_NO_TYPE: o->types = OPTIONS_TYPES_NONE; return 0;
	case KIND_LIST: return add_item(field, text);
	case KIND_NUMBER: r = units_parse_int(text, number); return check_range(row, r, *number);
	case KIND_DURATION:
		r = units_parse_duration(text, number);
		return check_range(row, r, *number);
	case KIND_RATE: return parse_rate(text, number);
	case KIND_TYPES: return parse_types(text, field);
	case KIND_TIME: o->has_start = true; return time_parse_rfc3339(text, number);
	case KIND_SHIFT: return parse_shift(text, number);
	case KIND_ZONE: return parse_zone(text, number);
	case KIND_HELP:
	case KIND_VERSION: return 0;
	}
	return -EINVAL;
}

static bool set_option(struct options *o, const struct option_row *row, const char *text)
{
	int r = set_field(o, row, text);

	if (r == 0)
		return true;
	if (r == -ERANGE && row->max > 0)
		complain("--%s %s is out of range: %lld to %lld%s", row->name, text,
			(long long)row->min, (long long)row->max,
			row->kind == KIND_DURATION ? " ms" : "");
	else if (r == -ERANGE)
		complain("--%s %s is out of range", row->name, text);
	else if (r == -ENODATA)
		complain("--%s %s lacks its offset from UTC, such as Z or +02:00", row->name, text);
	else if (r == -ENOMEM)
		complain("out of memory");
	else
		complain("--%s takes %s, not \"%s\"", row->name, row->argument, text);
	return false;
}

/* ---- what only makes sense together */

static bool check_together(const struct options *o)
{
	if (!o->raw_file != !o->topic)
		complain("--publish-raw and --topic go together");
	else if (o->quiet && o->verbose)
		complain("--quiet or --verbose, not both");
	else if (o->no_time && (o->has_start || o->time_offset_ms != 0))
		complain("--no-time leaves no place for --start or --time-offset");
	else if (o->step_ms != 0 && !o->has_start)
		complain("--step goes with --start");
	else if (o->password_file && !o->username)
		complain("--password-file goes with --username");
	else if (o->users_count > 0 && (o->users.count > 0 || o->users_file))
		complain("--users makes its own list: leave out --user and --users-file");
	else
		return true;
	return false;
}

static enum options_result parse_all(int argc, char **argv, struct options *o)
{
	struct option table[OPTION_ROWS + 1] = {0};
	int c, index;

	for (size_t i = 0; i < OPTION_ROWS; i++)
		table[i] = (struct option){.name = option_rows[i].name,
			.has_arg = option_rows[i].argument ? required_argument : no_argument};
	while ((c = getopt_long(argc, argv, "", table, &index)) != -1) {
		if (c == '?') {
			complain("see punch-terminal --help");
			return OPTIONS_BAD;
		}
		if (option_rows[index].kind == KIND_HELP) {
			options_help(stdout);
			return OPTIONS_DONE;
		}
		if (option_rows[index].kind == KIND_VERSION) {
			puts("punch-terminal " PACKAGE_VERSION);
			return OPTIONS_DONE;
		}
		if (!set_option(o, &option_rows[index], optarg))
			return OPTIONS_BAD;
	}
	if (optind < argc) {
		complain("what is \"%s\"? It takes options only", argv[optind]);
		return OPTIONS_BAD;
	}
	return check_together(o) ? OPTIONS_RUN : OPTIONS_BAD;
}

enum options_result options_parse(int argc, char **argv, struct options *ret_options)
{
	enum options_result result;

	*ret_options = (struct options){
		.host = "127.0.0.1",
		.port = 1883,
		.prefix = "",
		.keepalive_ms = 60000,
		.qos = 1,
		.window = 100,
		.resend_ms = 10000,
		.count = 1,
		.batch = 1,
		.user_format = "usr_%06d",
	};
	result = parse_all(argc, argv, ret_options);
	if (ret_options->step_ms == 0)
		ret_options->step_ms = 1000;
	if (result != OPTIONS_RUN)
		options_done(ret_options);
	return result;
}

void options_done(struct options *o)
{
	free(o->serials.items);
	free(o->users.items);
	o->serials = o->users = (struct options_list){0};
}
