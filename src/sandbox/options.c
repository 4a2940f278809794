#include "sandbox/options.h"

#include <errno.h>
#include <getopt.h>
#include <sys/random.h>

#include "base/units.h"
#include "sandbox/fault.h"
#include "sandbox/hook.h"
#include "sandbox/options_table.h"
#include "sandbox/schedule.h"

#define WINDOW_MAX_MS (24 * 3600000LL)

static const char listen_default[] = "127.0.0.1:8443";

/* ---- values: each returns NULL, or what is wrong */

static const char *take_port(const char *text, uint16_t *ret)
{
	int64_t port;

	if (units_parse_int(text, &port) < 0 || port < 0 || port > 65535)
		return "the port must be 0 to 65535";
	*ret = (uint16_t)port;
	return NULL;
}

/* Names go into the certificate's text, so nothing but what names and addresses are made of. */
static bool name_good(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 254 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-") ==
		n;
}

static const char *take_listen(struct options *o, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (!colon || n == 0 || n >= sizeof o->host)
		return "must be HOST:PORT";
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return "an IPv6 address goes into brackets: [::1]:8443";
	}
	memcpy(o->host, text, n);
	o->host[n] = '\0';
	return name_good(o->host) ? take_port(colon + 1, &o->port) : "no host name or address";
}

static const char *take_plan(struct options *o, const char *text)
{
	static const struct {
		const char *name;
		int64_t per_window;
	} plans[] = {{"basic", 100}, {"premium", 500}, {"enterprise", 1000}, {"none", 0}};

	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
		if (strcmp(plans[i].name, text) == 0) {
			o->plan = plans[i].per_window;
			return NULL;
		}
	}
	if (units_parse_int(text, &o->plan) == 0 && o->plan >= 1 && o->plan <= OPTIONS_PLAN_MAX)
		return NULL;
	return "must be basic, premium, enterprise, none, or 1 to 1000000";
}

static const char *take_window(struct options *o, const char *text)
{
	if (units_parse_duration(text, &o->window_ms) == 0 && o->window_ms >= 100 &&
		o->window_ms <= WINDOW_MAX_MS)
		return NULL;
	return "must be a duration from 100ms to 24h, such as 60s";
}

static const char *take_life(struct options *o, const char *text)
{
	o->idempotency_life_ms = 0;
	if (strcmp(text, "none") == 0 ||
		(units_parse_duration(text, &o->idempotency_life_ms) == 0 &&
			o->idempotency_life_ms >= 1000))
		return NULL;
	return "must be a duration from 1s, such as 24h, or none";
}

static const char *take_counting(struct options *o, const char *text)
{
	static const char *const names[] = {
		[KEYS_FIXED] = "fixed", [KEYS_SLIDING] = "sliding", [KEYS_BUCKET] = "bucket"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], text) == 0) {
			o->counting = (enum keys_counting)i;
			return NULL;
		}
	}
	return "must be fixed, sliding or bucket";
}

static const char *take_item(struct options_list *list, const char *text)
{
	if (text[0] == '\0')
		return "is empty";
	if (list->count == OPTIONS_LIST_MAX)
		return "is given too often (64 times at most)";
	list->items[list->count++] = text;
	return NULL;
}

static const char *take_users(struct options *o, const char *text)
{
	if (units_parse_int(text, &o->users) == 0 && o->users >= 0 && o->users <= OPTIONS_USERS_MAX)
		return NULL;
	return "must be 0 to 1000000";
}

static bool take_number(int64_t *ret, const char *text, int64_t max)
{
	return units_parse_int(text, ret) == 0 && *ret >= 1 && *ret <= max;
}

static const char *take_webhook(struct options *o, const char *text)
{
	o->webhook = text;
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0
		? NULL
		: "must be an http:// or https:// URL";
}

static const char *take_schedule(struct options *o, const char *text)
{
	const char *why = schedule_fault(text);

	return why ? why : take_item(&o->schedules, text);
}

static const char *take_fault(struct options *o, const char *text)
{
	static char why[256];
	struct faults trial;
	int r;

	faults_init(&trial, 0);
	r = faults_add(&trial, text, why, sizeof why);
	faults_done(&trial);
	return r < 0 ? why : take_item(&o->faults, text);
}

static const char *take_seed(struct options *o, const char *text)
{
	int64_t seed;

	if (units_parse_int(text, &seed) < 0 || seed < 0)
		return "must be a number from 0";
	o->seed = (uint64_t)seed;
	return NULL;
}

/* ---- what reports go by */

static const char *take_working_days(struct options *o, const char *text)
{
	static const char days[] = "mon tue wed thu fri sat sun";
	static const char blanks[] = " ,";
	const char *word = text + strspn(text, blanks);

	memset(o->rules.works, 0, sizeof o->rules.works);
	for (; *word; word += strspn(word, blanks)) {
		size_t n = strcspn(word, blanks), day = 0;

		while (day < 7 && (n != 3 || strncmp(days + 4 * day, word, 3) != 0))
			day++;
		if (day == 7)
			return "must be of mon tue wed thu fri sat sun";
		o->rules.works[day] = true;
		word += n;
	}
	return memchr(o->rules.works, true, 7) ? NULL : "must name a day";
}

static const char *take_hour(int32_t *ret, const char *text)
{
	int hour, minute, end = 0;

	if (strlen(text) != 5 || sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || end != 5 ||
		strspn(text, "0123456789:") != 5 || hour > 23 || minute > 59)
		return "must be a time of day, such as 09:15";
	*ret = hour * 3600 + minute * 60;
	return NULL;
}

static const char *take_zone(struct options *o, const char *text)
{
	zone_free(o->rules.zone);
	o->rules.zone = NULL;
	return text[0] && zone_load(text, &o->rules.zone) == 0
		? NULL
		: "must be a time zone, such as UTC or Asia/Kolkata";
}

static const char *take_program(struct options *o, const char *text)
{
	o->pdf_program = text;
	return text[0] ? NULL : "is empty";
}

/* ---- the rest of them */

static const char *take_name(struct options *o, const char *text)
{
	return name_good(text) ? take_item(&o->names, text) : "no host name or address";
}

static const char *take(struct options *o, int which, const char *text)
{
	switch (which) {
	case OPT_LISTEN: return take_listen(o, text);
	case OPT_DATA:
		free(o->data_dir);
		o->data_dir = strdup(text);
		return text[0] ? NULL : "is empty";
	case OPT_PLAN: return take_plan(o, text);
	case OPT_WINDOW: return take_window(o, text);
	case OPT_COUNTING: return take_counting(o, text);
	case OPT_KEY: return take_item(&o->keys, text);
	case OPT_READ_KEY: return take_item(&o->read_keys, text);
	case OPT_ATTENDANCE_KEY: return take_item(&o->attendance_keys, text);
	case OPT_IDEMPOTENCY_LIFE: return take_life(o, text);
	case OPT_USERS: return take_users(o, text);
	case OPT_DEVICES: o->devices = text; return NULL;
	case OPT_SCHEDULE: return take_schedule(o, text);
	case OPT_WEBHOOK: return take_webhook(o, text);
	case OPT_WEBHOOK_CA: o->webhook_ca = text; return NULL;
	case OPT_WEBHOOK_SECRET: o->webhook_secret_file = text; return NULL;
	case OPT_WEBHOOK_PARALLEL:
		return take_number(&o->webhook_parallel, text, HOOK_PARALLEL_MAX)
			? NULL
			: "must be 1 to 64";
	case OPT_WEBHOOK_TRIES:
		return take_number(&o->webhook_tries, text, 1000) ? NULL : "must be 1 to 1000";
	case OPT_WORKING_DAYS: return take_working_days(o, text);
	case OPT_LATE_AFTER: return take_hour(&o->rules.late_after_s, text);
	case OPT_EARLY_BEFORE: return take_hour(&o->rules.early_before_s, text);
	case OPT_REPORT_ZONE: return take_zone(o, text);
	case OPT_PDF_PROGRAM: return take_program(o, text);
	case OPT_FAULT: return take_fault(o, text);
	case OPT_NAME: return take_name(o, text);
	case OPT_SEED: return take_seed(o, text);
	case OPT_RECORD: o->record = text; return NULL;
	default: o->verbose = true; return NULL;
	}
}

/* ---- the whole line */

static char *default_data_dir(void)
{
	static const char *const from[][2] = {
		{"STATE_DIRECTORY", ""},
		{"XDG_STATE_HOME", "/punch-sandbox"},
		{"HOME", "/.local/state/punch-sandbox"},
	};
	char *path = NULL;

	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
		const char *start = getenv(from[i][0]);

		if (start && start[0] == '/')
			return asprintf(&path, "%s%s", start, from[i][1]) < 0 ? NULL : path;
	}
	return strdup("punch-sandbox");
}

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "punch-sandbox: %s %s\n", what, why);
	fputs("usage: punch-sandbox [OPTION]…  (--help tells them)\n", stderr);
	return -EINVAL;
}

static int parse_line(struct options *o, int argc, char **argv)
{
	struct option longs[OPT_COUNT + 1] = {0};
	int which;

	for (int i = 0; i < OPT_COUNT; i++)
		longs[i] = (struct option){option_specs[i].name,
			option_specs[i].value ? required_argument : no_argument, NULL, 256 + i};
	while ((which = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		const char *why;
		char what[64];

		if (which == '?')
			return complain("see", "the usage");
		if (which == 'h' || which == 256 + OPT_HELP) {
			options_help(stdout);
			return 1;
		}
		if (which == 'V' || which == 256 + OPT_VERSION) {
			puts("punch-sandbox " PACKAGE_VERSION);
			return 1;
		}
		why = take(o, which - 256, optarg);
		snprintf(what, sizeof what, "--%s:", option_specs[which - 256].name);
		if (why)
			return complain(what, why);
	}
	return optind < argc ? complain(argv[optind], "is no option") : 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int r;

	*o = (struct options){.plan = 100,
		.window_ms = 60000,
		.users = -1,
		.webhook_parallel = 1,
		.webhook_tries = 12,
		.idempotency_life_ms = 86400000};
	if (getrandom(&o->seed, sizeof o->seed, 0) != sizeof o->seed)
		return -errno;
	/* Printed, and given back to --seed, it must fit what that takes. */
	o->seed >>= 33;
	take_working_days(o, option_specs[OPT_WORKING_DAYS].preset);
	take_hour(&o->rules.late_after_s, option_specs[OPT_LATE_AFTER].preset);
	take_hour(&o->rules.early_before_s, option_specs[OPT_EARLY_BEFORE].preset);
	take_listen(o, listen_default);
	r = parse_line(o, argc, argv);
	if (r == 0 && !o->data_dir)
		o->data_dir = default_data_dir();
	return r == 0 && !o->data_dir ? -ENOMEM : r;
}

void options_done(struct options *o)
{
	free(o->data_dir);
	zone_free(o->rules.zone);
	*o = (struct options){0};
}
