#include "terminal/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>

#include "base/time.h"
#include "base/units.h"

enum kind {
	KIND_TEXT,
	KIND_NUMBER,
	KIND_DURATION,
	KIND_FLAG,
	KIND_LIST,
	KIND_RATE,
	KIND_TYPES,
	KIND_TIME,
	KIND_SHIFT,
	KIND_ZONE,
	KIND_NO_TYPE,
	KIND_HELP,
	KIND_VERSION
};

struct row {
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *help;
	enum kind kind;
	size_t at; /* of its field in struct options */
	int64_t min, max;
};

#define FIELD(f) offsetof(struct options, f)
#define DAY_MS   (24 * 3600 * 1000LL)

static const struct row rows[] = {
	{"host", "NAME", "the broker (127.0.0.1)", KIND_TEXT, FIELD(host), 0, 0},
	{"port", "N", "its port (1883)", KIND_NUMBER, FIELD(port), 1, 65535},
	{"username", "NAME", "log in as; %s is the serial", KIND_TEXT, FIELD(username), 0, 0},
	{"password-file", "FILE", "its password", KIND_TEXT, FIELD(password_file), 0, 0},
	{"ca-file", "FILE", "use TLS, and trust this CA", KIND_TEXT, FIELD(ca_file), 0, 0},
	{"prefix", "TEXT", "put before every topic", KIND_TEXT, FIELD(prefix), 0, 0},
	{"keepalive", "TIME", "MQTT keep-alive (60s)", KIND_DURATION, FIELD(keepalive_ms), 5000,
		65535 * 1000LL},
	{"qos", "0|1", "of the punches (1)", KIND_NUMBER, FIELD(qos), 0, 1},
	{"terminals", "N", "how many to play (1)", KIND_NUMBER, FIELD(terminals), 1, 100000},
	{"serial", "NAME", "a terminal's name, or all names by a pattern (BIO-FP-%03d)", KIND_LIST,
		FIELD(serials), 0, 0},
	{"keep", "FILE", "where what is not acknowledged survives a restart", KIND_TEXT,
		FIELD(keep), 0, 0},
	{"window", "N", "unacknowledged punches of a terminal under way (100)", KIND_NUMBER,
		FIELD(window), 1, 10000},
	{"resend", "TIME", "send again what is not acknowledged after (10s)", KIND_DURATION,
		FIELD(resend_ms), 100, DAY_MS},
	{"no-ack", NULL, "trust the broker: do not wait for the gateway's ack", KIND_FLAG,
		FIELD(no_ack), 0, 0},
	{"retain", NULL, "publish punches retained", KIND_FLAG, FIELD(retain), 0, 0},
	{"counter-reset", NULL, "begin ids at 000001 again", KIND_FLAG, FIELD(counter_reset), 0, 0},
	{"count", "N", "punches of each terminal, 0: no end (1)", KIND_NUMBER, FIELD(count), 0,
		1000000000},
	{"rate", "N", "punches a second of each terminal, 0: as fast as acks allow (0)", KIND_RATE,
		FIELD(interval_us), 0, 0},
	{"batch", "N", "stored punches to a message, up to 100; 1: live (1)", KIND_NUMBER,
		FIELD(batch), 1, OPTIONS_BATCH_MAX},
	{"user", "KIND:VALUE", "somebody who punches; may be repeated", KIND_LIST, FIELD(users), 0,
		0},
	{"users-file", "FILE", "the same, one a line", KIND_TEXT, FIELD(users_file), 0, 0},
	{"users", "N", "the first N users of the sandbox (10)", KIND_NUMBER, FIELD(users_count), 1,
		1000000},
	{"user-format", "PATTERN", "their ids (usr_%06d)", KIND_TEXT, FIELD(user_format), 0, 0},
	{"types", "WHICH", "alternate, check_in, check_out or none (alternate)", KIND_TYPES,
		FIELD(types), 0, 0},
	{"no-type", NULL, "the same as --types none", KIND_NO_TYPE, FIELD(types), 0, 0},
	{"no-time", NULL, "punches without a time", KIND_FLAG, FIELD(no_time), 0, 0},
	{"start", "TIME", "time of each terminal's first punch, instead of the clock's", KIND_TIME,
		FIELD(start_s), 0, 0},
	{"step", "TIME", "from one punch to the next, with --start (1s)", KIND_DURATION,
		FIELD(step_ms), 1, 365 * DAY_MS},
	{"time-offset", "[-]TIME", "how far the clocks are off", KIND_SHIFT, FIELD(time_offset_ms),
		0, 0},
	{"utc-offset", "+hh:mm", "write times with this offset (Z)", KIND_ZONE, FIELD(utc_offset_s),
		0, 0},
	{"journal", "FILE", "append a JSON line for each punch and each ack", KIND_TEXT,
		FIELD(journal), 0, 0},
	{"timeout", "TIME", "give up after", KIND_DURATION, FIELD(timeout_ms), 1, 365 * DAY_MS},
	{"publish-raw", "FILE", "publish these bytes once, as they are", KIND_TEXT, FIELD(raw_file),
		0, 0},
	{"topic", "TOPIC", "where to, with --publish-raw", KIND_TEXT, FIELD(topic), 0, 0},
	{"quiet", NULL, "say errors only", KIND_FLAG, FIELD(quiet), 0, 0},
	{"verbose", NULL, "say everything", KIND_FLAG, FIELD(verbose), 0, 0},
	{"help", NULL, "show this", KIND_HELP, 0, 0, 0},
	{"version", NULL, "show the version", KIND_VERSION, 0, 0, 0},
};

#define ROWS (sizeof rows / sizeof rows[0])

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list ap;

	fputs("punch-terminal: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputs("\n", stderr);
}

static void show_help(void)
{
	puts("usage: punch-terminal [OPTION]…\n"
	     "Play one attendance terminal or thousands over MQTT (att/v1). Defaults in "
	     "brackets.\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		snprintf(left, sizeof left, "--%s %s", rows[i].name,
			rows[i].argument ? rows[i].argument : "");
		printf("  %-25s %s\n", left, rows[i].help);
	}
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
	if (r == 0 && ms > 365000 * DAY_MS)
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

static int check_range(const struct row *row, int r, int64_t value)
{
	if (r < 0)
		return r;
	return value < row->min || value > row->max ? -ERANGE : 0;
}

static int set_field(struct options *o, const struct row *row, const char *text)
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

static bool set_option(struct options *o, const struct row *row, const char *text)
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
	struct option table[ROWS + 1] = {0};
	int c, index;

	for (size_t i = 0; i < ROWS; i++)
		table[i] = (struct option){.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument};
	while ((c = getopt_long(argc, argv, "", table, &index)) != -1) {
		if (c == '?') {
			complain("see punch-terminal --help");
			return OPTIONS_BAD;
		}
		if (rows[index].kind == KIND_HELP) {
			show_help();
			return OPTIONS_DONE;
		}
		if (rows[index].kind == KIND_VERSION) {
			puts("punch-terminal " PACKAGE_VERSION);
			return OPTIONS_DONE;
		}
		if (!set_option(o, &rows[index], optarg))
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
