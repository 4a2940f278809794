#include "core/config.h"

#include <errno.h>
#include <ini.h>

#include "base/log.h"
#include "base/time.h"
#include "base/units.h"

#define LINE_BYTES_MAX 190 /* Debian's libinih splits a line of over 200 bytes in two */

enum key_type {
	KEY_TEXT,
	KEY_URL,  /* https only */
	KEY_PLAN, /* auto, a plan's name, or requests a minute */
	KEY_INT,
	KEY_DURATION,
	KEY_SIZE,
	KEY_BOOL,
	KEY_CLOCK, /* hh:mm */
	KEY_TIME,  /* RFC 3339, or empty */
	KEY_LEVEL,
	KEY_ABSOLUTE, /* an absolute path */
	KEY_PREFIX,   /* what may stand before an MQTT topic */
};

struct key {
	const char *section;
	const char *name;
	enum key_type type;
	size_t offset;
	const char *fallback;
	int64_t min, max; /* of numbers, in the struct's unit */
	bool live;        /* takes effect on SIGHUP */
	const char *help;
};

#define DAY_MS  86400000LL
#define AT(m)   offsetof(struct config, m)
#define EVER_MS (36500 * DAY_MS)

static const struct key keys[] = {
	{"api", "base_url", KEY_URL, AT(api.base_url), "https://api.bthdevelopers.com/v1", 0, 0,
		false, "where the cloud API is; https only"},
	{"api", "key_file", KEY_TEXT, AT(api.key_file), "", 0, 0, true,
		"file with the API key; else the systemd credential api.key, else "
		"/etc/punchd/api.key"},
	{"api", "ca_file", KEY_TEXT, AT(api.ca_file), "", 0, 0, false,
		"a further CA to trust, beside the system's"},
	{"api", "plan", KEY_PLAN, AT(api.plan), "auto", 0, 1000000, false,
		"auto, basic, premium, enterprise or requests a minute: for answers without rate "
		"headers"},
	{"api", "timeout", KEY_DURATION, AT(api.timeout_ms), "30s", 100, EVER_MS, false,
		"one request, from connecting to its last byte"},
	{"api", "max_in_flight", KEY_INT, AT(api.max_in_flight), "8", 1, 256, false,
		"requests under way at once"},
	{"api", "retry_min", KEY_DURATION, AT(api.retry_min_ms), "1s", 1, EVER_MS, false,
		"shortest wait after the API failed"},
	{"api", "retry_max", KEY_DURATION, AT(api.retry_max_ms), "15m", 1, EVER_MS, false,
		"longest wait after the API failed again and again"},
	{"api", "auth_retry", KEY_DURATION, AT(api.auth_retry_ms), "5m", 1, EVER_MS, false,
		"how often a refused key is tried again; a changed key file is tried at once"},
	{"mqtt", "host", KEY_TEXT, AT(mqtt.host), "127.0.0.1", 0, 0, false, "the broker"},
	{"mqtt", "port", KEY_INT, AT(mqtt.port), "1883", 1, 65535, false, "its port"},
	{"mqtt", "client_id", KEY_TEXT, AT(mqtt.client_id), "", 0, 0, false,
		"default punchd- and 12 hex digits made from the machine id"},
	{"mqtt", "username", KEY_TEXT, AT(mqtt.username), "", 0, 0, false, "empty: none"},
	{"mqtt", "password_file", KEY_TEXT, AT(mqtt.password_file), "", 0, 0, false,
		"file with the broker's password"},
	{"mqtt", "keepalive", KEY_DURATION, AT(mqtt.keepalive_ms), "60s", 5000, 65535000, false,
		"how often a quiet link is checked; whole seconds"},
	{"mqtt", "topic_prefix", KEY_PREFIX, AT(mqtt.topic_prefix), "", 0, 0, false,
		"put before every topic, e.g. site7/"},
	{"site", "name", KEY_TEXT, AT(site.name), "", 0, 0, false,
		"shown in status and in the gateway's topic; default the host name"},
	{"site", "time_zone", KEY_TEXT, AT(site.time_zone), "", 0, 0, false,
		"IANA name, e.g. Europe/Berlin; default the system's"},
	{"site", "day_start", KEY_CLOCK, AT(site.day_start_s), "04:00", 0, 86399, false,
		"where a working day turns over"},
	{"punches", "max_age", KEY_DURATION, AT(punches.max_age_ms), "90d", 1000, EVER_MS, true,
		"a punch older than this when it came is held as stale"},
	{"punches", "accept_from", KEY_TIME, AT(punches.accept_from_s), "", 0, 0, true,
		"RFC 3339; earlier punches are held as before_start"},
	{"punches", "max_future", KEY_DURATION, AT(punches.max_future_ms), "5m", 0, EVER_MS, true,
		"a punch later than now by more than this is held as future_time"},
	{"punches", "greet", KEY_BOOL, AT(punches.greet), "yes", 0, 1, true,
		"put the user's name into the acknowledgement"},
	{"store", "path", KEY_ABSOLUTE, AT(store.path), "/var/lib/punchd/punchd.db", 0, 0, false,
		"the database"},
	{"store", "retention", KEY_DURATION, AT(store.retention_ms), "90d", 3600000, EVER_MS, true,
		"a settled punch is kept at least this long; an unsettled one for ever"},
	{"store", "min_free", KEY_SIZE, AT(store.min_free), "64M", 0, INT64_MAX / 4, true,
		"below this much free disk nothing is acknowledged"},
	{"sync", "users", KEY_DURATION, AT(sync.users_ms), "6h", 1000, EVER_MS, true,
		"how often the list of users is fetched"},
	{"sync", "devices", KEY_DURATION, AT(sync.devices_ms), "1h", 1000, EVER_MS, true,
		"how often the list of devices is fetched"},
	{"control", "socket", KEY_ABSOLUTE, AT(control.socket), "/run/punchd/punchd.sock", 0, 0,
		false, "where punchctl asks"},
	{"control", "group", KEY_TEXT, AT(control.group), "punchd", 0, 0, false,
		"may read and act; root always may"},
	{"log", "level", KEY_LEVEL, AT(log.level), "info", 0, 0, true,
		"error, warning, info or debug"},
};
#define KEYS (sizeof keys / sizeof keys[0])

static const struct {
	const char *name;
	int64_t limit;
} plans[] = {{"auto", 0}, {"basic", 100}, {"premium", 500}, {"enterprise", 1000}};
#define PLANS (sizeof plans / sizeof plans[0])

static const char *const levels[] = {"error", "warning", "info", "debug"};

static bool is_text(enum key_type type)
{
	return type == KEY_TEXT || type == KEY_URL || type == KEY_ABSOLUTE || type == KEY_PREFIX;
}

static char **text_of(const struct config *c, const struct key *k)
{
	return (char **)((uintptr_t)c + k->offset);
}

static int64_t *number_of(const struct config *c, const struct key *k)
{
	return (int64_t *)((uintptr_t)c + k->offset);
}

/* ---- values */

static int parse_url(const char *value)
{
	const char *host = value + strlen("https://");

	if (strncmp(value, "https://", strlen("https://")) != 0)
		return -EPROTO;
	if (*host == '\0' || *host == '/' || strpbrk(value, "@?# \\"))
		return -EINVAL;
	return 0;
}

static int parse_plan(const char *value, int64_t *ret)
{
	for (size_t i = 0; i < PLANS; i++) {
		if (strcmp(value, plans[i].name) == 0) {
			*ret = plans[i].limit;
			return 0;
		}
	}
	return units_parse_int(value, ret) < 0 || *ret < 1 ? -EINVAL : 0;
}

static int parse_bool(const char *value, int64_t *ret)
{
	*ret = strcmp(value, "yes") == 0;
	return *ret || strcmp(value, "no") == 0 ? 0 : -EINVAL;
}

static int parse_clock(const char *value, int64_t *ret)
{
	const char *v = value;

	if (strlen(v) != 5 || v[2] != ':' || strspn(v, "0123456789:") != 5 || v[0] == ':' ||
		v[1] == ':' || v[3] == ':' || v[4] == ':')
		return -EINVAL;
	*ret = ((v[0] - '0') * 10 + v[1] - '0') * 3600 + ((v[3] - '0') * 10 + v[4] - '0') * 60;
	return v[3] > '5' ? -EINVAL : 0;
}

static int parse_level(const char *value, int64_t *ret)
{
	enum log_level level;
	int r = log_level_parse(value, &level);

	if (r == 0)
		*ret = (int64_t)level;
	return r;
}

static int parse_number(const struct key *k, const char *value, int64_t *ret)
{
	switch (k->type) {
	case KEY_PLAN: return parse_plan(value, ret);
	case KEY_INT: return units_parse_int(value, ret);
	case KEY_DURATION: return units_parse_duration(value, ret);
	case KEY_SIZE: return units_parse_size(value, ret);
	case KEY_BOOL: return parse_bool(value, ret);
	case KEY_CLOCK: return parse_clock(value, ret);
	case KEY_TIME:
		*ret = INT64_MIN;
		return value[0] == '\0' ? 0 : time_parse_rfc3339(value, ret);
	case KEY_LEVEL: return parse_level(value, ret);
	case KEY_TEXT:
	case KEY_URL:
	case KEY_ABSOLUTE:
	case KEY_PREFIX: break;
	}
	return -EINVAL;
}

static int check_text(const struct key *k, const char *value)
{
	for (const char *s = value; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return -EINVAL;
	}
	if (k->type == KEY_URL)
		return parse_url(value);
	if (k->type == KEY_ABSOLUTE)
		return value[0] == '/' ? 0 : -EINVAL;
	if (k->type == KEY_PREFIX)
		return strpbrk(value, "+#") || value[0] == '$' ? -EINVAL : 0;
	return 0;
}

static bool in_range(const struct key *k, int64_t number)
{
	bool ranged = k->type == KEY_INT || k->type == KEY_DURATION || k->type == KEY_SIZE ||
		k->type == KEY_CLOCK || k->type == KEY_PLAN;

	return !ranged || (number >= k->min && number <= k->max);
}

static void format_number(const struct key *k, int64_t value, char *ret, size_t size)
{
	char text[TIME_TEXT_SIZE + UNITS_TEXT_SIZE];

	text[0] = '\0';
	switch (k->type) {
	case KEY_DURATION: units_format_duration(value, text); break;
	case KEY_SIZE: units_format_size(value, text); break;
	case KEY_BOOL: snprintf(text, sizeof text, "%s", value ? "yes" : "no"); break;
	case KEY_CLOCK:
		snprintf(text, sizeof text, "%02d:%02d", (int)(value / 3600),
			(int)(value / 60 % 60));
		break;
	case KEY_TIME:
		if (value != INT64_MIN)
			time_format_utc(value, -1, text);
		break;
	case KEY_LEVEL:
		for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
			int64_t number;

			if (parse_level(levels[i], &number) == 0 && number == value)
				snprintf(text, sizeof text, "%s", levels[i]);
		}
		break;
	case KEY_PLAN:
	case KEY_INT:
	case KEY_TEXT:
	case KEY_URL:
	case KEY_ABSOLUTE:
	case KEY_PREFIX:
		snprintf(text, sizeof text, "%lld", (long long)value);
		if (k->type == KEY_PLAN && value == 0)
			snprintf(text, sizeof text, "auto");
		break;
	}
	snprintf(ret, size, "%s", text);
}

/* What a value of this key looks like, for the message that says it does not. */
static void describe(const struct key *k, char *ret, size_t size)
{
	char min[64], max[64];

	format_number(k, k->min, min, sizeof min);
	format_number(k, k->max, max, sizeof max);
	switch (k->type) {
	case KEY_URL: snprintf(ret, size, "a URL that begins with https://"); break;
	case KEY_PLAN:
		snprintf(ret, size, "auto, basic, premium, enterprise or 1 to %s", max);
		break;
	case KEY_INT: snprintf(ret, size, "a number from %s to %s", min, max); break;
	case KEY_DURATION:
		snprintf(ret, size, "a duration from %s to %s, as 500ms 30s 5m 6h 90d", min, max);
		break;
	case KEY_SIZE: snprintf(ret, size, "a size, as 64K 10M 2G"); break;
	case KEY_BOOL: snprintf(ret, size, "yes or no"); break;
	case KEY_CLOCK: snprintf(ret, size, "a time of day, as 04:00"); break;
	case KEY_TIME:
		snprintf(ret, size, "a time with its offset, as 2026-02-01T08:00:00+02:00");
		break;
	case KEY_LEVEL: snprintf(ret, size, "error, warning, info or debug"); break;
	case KEY_ABSOLUTE: snprintf(ret, size, "an absolute path"); break;
	case KEY_PREFIX:
		snprintf(ret, size, "a topic's beginning, without + and # and no leading $");
		break;
	case KEY_TEXT: snprintf(ret, size, "a text without control characters"); break;
	}
}

/* Returns 0, -ENOMEM, or another negative errno for a value that the key does not take. */
static int set_value(struct config *c, const struct key *k, const char *value)
{
	int64_t number;
	int r;

	if (is_text(k->type)) {
		char *copy;

		r = check_text(k, value);
		if (r < 0)
			return r;
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
		free(*text_of(c, k));
		*text_of(c, k) = copy;
		return 0;
	}
	r = parse_number(k, value, &number);
	if (r < 0)
		return -EINVAL;
	if (!in_range(k, number))
		return -ERANGE;
	*number_of(c, k) = number;
	return 0;
}

/* ---- files */

/* One file on its way through libinih, which is given one checked line at a time. */
struct reading {
	struct config *config;
	struct buf *faults;
	const char *file;
	const char *at, *end;
	int line;
	char section[64];
	bool section_known;
	int error;
};

static void __attribute__((format(printf, 2, 3))) fault(struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_addf(r->faults, "%s:%d: ", r->file, r->line);
	buf_vaddf(r->faults, format, ap);
	buf_add_char(r->faults, '\n');
	va_end(ap);
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\0' || *line == ';' || *line == '#' || *line == '\n' || *line == '\r';
}

static void enter_section(struct reading *r, const char *line)
{
	size_t n = strcspn(line + 1, "]");
	const char *rest = line + 1 + n;

	r->section_known = false;
	if (*rest != ']' || !is_comment(rest + 1)) {
		fault(r, "a section ends with ] and nothing else");
		return;
	}
	snprintf(r->section, sizeof r->section, "%.*s", (int)n, line + 1);
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, r->section) == 0)
			r->section_known = true;
	}
	if (!r->section_known)
		fault(r, "there is no section [%s]", r->section);
}

/* Whether libinih may see the line; else a fault is noted, or it is a section, which we keep. */
static bool check_line(struct reading *r, const char *line, size_t n)
{
	if (memchr(line, '\0', n)) {
		fault(r, "a NUL byte");
		return false;
	}
	if (n > LINE_BYTES_MAX) {
		fault(r, "a line of more than %d bytes", LINE_BYTES_MAX);
		return false;
	}
	if (is_comment(line))
		return false;
	if (*line == ' ' || *line == '\t') {
		fault(r, "an indented line: settings begin in the first column");
		return false;
	}
	if (*line == '[') {
		enter_section(r, line);
		return false;
	}
	if (!strpbrk(line, "=:")) {
		fault(r, "neither a section nor a setting `key = value`");
		return false;
	}
	if (r->section[0] == '\0') {
		fault(r, "a setting before the first section");
		return false;
	}
	return r->section_known;
}

/* The reader that libinih calls for each line. An unwanted line is given as an empty one. */
static char *next_line(char *to, int size, void *stream)
{
	struct reading *r = stream;
	const char *newline;
	size_t n;

	if (r->at == r->end)
		return NULL;
	newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	n = newline ? (size_t)(newline - r->at) : (size_t)(r->end - r->at);
	r->line++;
	if (r->line == 1 && n >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0) {
		r->at += 3; /* a byte-order mark of some editor */
		n -= 3;
	}
	/* The checks want a string, and a line may not end with a NUL. */
	snprintf(to, (size_t)size, "%.*s", n < (size_t)size ? (int)n : size - 1, r->at);
	if (memchr(r->at, '\0', n) || n > LINE_BYTES_MAX) {
		check_line(r, r->at, n);
		to[0] = '\0';
	} else if (!check_line(r, to, n)) {
		to[0] = '\0';
	}
	r->at = newline ? newline + 1 : r->end;
	return to;
}

static const struct key *find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

/* libinih's handler; its own idea of the section is empty, since it never sees one. */
static int take_setting(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct key *k = find_key(r->section, name);
	char wanted[256];
	int result;

	(void)section;
	if (!k) {
		fault(r, "there is no key %s in [%s]", name, r->section);
		return 1;
	}
	result = set_value(r->config, k, value);
	if (result == -ENOMEM) {
		r->error = -ENOMEM;
	} else if (result == -EPROTO && strncmp(value, "http://", 7) == 0) {
		fault(r, "%s: the API is reached over https only, not `%s`", name, value);
	} else if (result < 0) {
		describe(k, wanted, sizeof wanted);
		fault(r, "%s: `%s` is not %s", name, value, wanted);
	}
	return 1;
}

int config_read(struct config *c, const char *file, const char *text, size_t n, struct buf *faults)
{
	struct reading r = {
		.config = c, .faults = faults, .file = file, .at = text, .end = text + n};
	int failed = ini_parse_stream(next_line, &r, take_setting, &r);

	if (failed == -2)
		return -ENOMEM;
	if (failed > 0)
		buf_addf(faults, "%s:%d: neither a section nor a setting `key = value`\n", file,
			failed);
	return r.error;
}

void config_check(const struct config *c, struct buf *faults)
{
	if (c->api.retry_min_ms > c->api.retry_max_ms)
		buf_add_str(faults, "[api] retry_min is longer than retry_max\n");
	if (c->mqtt.password_file[0] && !c->mqtt.username[0])
		buf_add_str(faults,
			"[mqtt] password_file without username: MQTT 3.1.1 has no such login\n");
	if (!c->mqtt.host[0])
		buf_add_str(faults, "[mqtt] host is empty\n");
	if (strpbrk(c->site.name, "/+#"))
		buf_add_str(faults, "[site] name is a level of a topic: without / + #\n");
}

/* ---- life and printing */

int config_init(struct config *c)
{
	*c = (struct config){.api.plan = 0};
	for (size_t i = 0; i < KEYS; i++) {
		if (set_value(c, &keys[i], keys[i].fallback) < 0) {
			config_done(c);
			return -ENOMEM;
		}
	}
	return 0;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (is_text(keys[i].type)) {
			free(*text_of(c, &keys[i]));
			*text_of(c, &keys[i]) = NULL;
		}
	}
}

static void print_value(const struct config *c, const struct key *k, struct buf *out)
{
	char text[128];

	if (is_text(k->type)) {
		buf_add_str(out, *text_of(c, k));
		return;
	}
	format_number(k, *number_of(c, k), text, sizeof text);
	buf_add_str(out, text);
}

static void print_section(const struct key *k, const char **last, struct buf *out)
{
	if (*last && strcmp(*last, k->section) == 0)
		return;
	buf_addf(out, "%s[%s]\n", *last ? "\n" : "", k->section);
	*last = k->section;
}

void config_print(const struct config *c, struct buf *out)
{
	const char *last = NULL;

	for (size_t i = 0; i < KEYS; i++) {
		print_section(&keys[i], &last, out);
		buf_addf(out, "%s = ", keys[i].name);
		print_value(c, &keys[i], out);
		buf_add_char(out, '\n');
	}
}

void config_example(struct buf *out)
{
	const char *last = NULL;

	for (size_t i = 0; i < KEYS; i++) {
		print_section(&keys[i], &last, out);
		buf_addf(out, "# %s\n;%s = %s\n", keys[i].help, keys[i].name, keys[i].fallback);
	}
}

void config_restart_keys(const struct config *now, const struct config *wanted, struct buf *out)
{
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];
		bool same = is_text(k->type) ? strcmp(*text_of(now, k), *text_of(wanted, k)) == 0
					     : *number_of(now, k) == *number_of(wanted, k);

		if (!same && !k->live)
			buf_addf(out, "%s[%s] %s", out->len ? " " : "", k->section, k->name);
	}
}

void config_take_live(struct config *now, struct config *wanted)
{
	for (size_t i = 0; i < KEYS; i++) {
		const struct key *k = &keys[i];

		if (!k->live)
			continue;
		if (is_text(k->type)) {
			char *text = *text_of(now, k);

			*text_of(now, k) = *text_of(wanted, k);
			*text_of(wanted, k) = text;
		} else {
			*number_of(now, k) = *number_of(wanted, k);
		}
	}
}
