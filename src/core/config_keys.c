#include "core/config_keys.h"

#include <errno.h>

#include "base/log.h"
#include "base/time.h"
#include "base/units.h"
#include "base/utf8.h"
#include "core/config_road.h"
#include "core/rules.h"
#include "core/verdict.h"

#define DAY_MS  86400000LL
#define EVER_MS (36500 * DAY_MS)
#define HUGE_   (1LL << 50)

#define AT(m) offsetof(struct config, m)

const struct config_key config_keys[] = {
	{"api", "base_url", CONFIG_URL, AT(api.base_url), "https://api.bthdevelopers.com/v1", 0, 0,
		false, "where the cloud API is; https only"},
	{"api", "key_file", CONFIG_TEXT, AT(api.key_file), "", 0, 0, true,
		"file with the API key; else the systemd credential api.key, else "
		"/etc/punchd/api.key"},
	{"api", "ca_file", CONFIG_TEXT, AT(api.ca_file), "", 0, 0, false,
		"a further CA to trust, beside the system's"},
	{"api", "plan", CONFIG_PLAN, AT(api.plan), "auto", 0, 1000000, false,
		"auto, basic, premium, enterprise or requests a minute: for answers without rate "
		"headers"},
	{"api", "timeout", CONFIG_DURATION, AT(api.timeout_ms), "30s", 100, EVER_MS, false,
		"one request, from connecting to its last byte"},
	{"api", "max_in_flight", CONFIG_INT, AT(api.max_in_flight), "8", 1, 256, false,
		"requests under way at once"},
	{"api", "retry_min", CONFIG_DURATION, AT(api.retry_min_ms), "1s", 1, EVER_MS, false,
		"shortest wait after the API failed"},
	{"api", "retry_max", CONFIG_DURATION, AT(api.retry_max_ms), "15m", 1, EVER_MS, false,
		"longest wait after the API failed again and again"},
	{"api", "auth_retry", CONFIG_DURATION, AT(api.auth_retry_ms), "5m", 1, EVER_MS, false,
		"how often a refused key is tried again; a changed key file is tried at once"},
	{"api", "proxy", CONFIG_PROXY, AT(api.proxy), "", 0, 0, false,
		"proxy to the API, as http://proxy.example:3128; none; else the usual environment"},
	{"api", "pinned_public_key", CONFIG_PINS, AT(api.pinned_public_key), "", 0, 0, false,
		"the only public keys that the API may have: sha256//…, several with blanks "
		"between"},
	{"api", "in_doubt", CONFIG_DOUBT, AT(api.in_doubt), "resend", 0, DOUBT_HOLD, true,
		"a punch whose answer was lost, while the cloud is not known to honour idempotency "
		"keys: resend, which may double it there, or hold, for a person to release"},
	{"mqtt", "host", CONFIG_TEXT, AT(mqtt.host), "127.0.0.1", 0, 0, false, "the broker"},
	{"mqtt", "port", CONFIG_INT, AT(mqtt.port), "1883", 1, 65535, false, "its port"},
	{"mqtt", "client_id", CONFIG_TEXT, AT(mqtt.client_id), "", 0, 0, false,
		"default punchd- and 12 hex digits made from the machine id"},
	{"mqtt", "username", CONFIG_TEXT, AT(mqtt.username), "", 0, 0, false, "empty: none"},
	{"mqtt", "password_file", CONFIG_TEXT, AT(mqtt.password_file), "", 0, 0, false,
		"file with the broker's password"},
	{"mqtt", "keepalive", CONFIG_DURATION, AT(mqtt.keepalive_ms), "60s", 5000, 65535000, false,
		"how often a quiet link is checked; whole seconds"},
	{"mqtt", "topic_prefix", CONFIG_PREFIX, AT(mqtt.topic_prefix), "", 0, 0, false,
		"put before every topic, e.g. site7/"},
	{"mqtt", "profiles", CONFIG_TEXT, AT(mqtt.profiles), "native", 0, 0, true,
		"how terminals speak: native, and names of terminal profiles, a blank between "
		"them"},
	{"mqtt", "profile_dir", CONFIG_ABSOLUTE, AT(mqtt.profile_dir), "/etc/punchd/profiles", 0, 0,
		true, "folder of profiles; looked at before /usr/share/punchd/profiles"},
	{"mqtt", "max_payload", CONFIG_SIZE, AT(mqtt.max_payload), "4M", 1024, 256LL << 20, true,
		"a longer message is parked as too_large; a native one is over 64K already"},
	{"site", "name", CONFIG_TEXT, AT(site.name), "", 0, 0, false,
		"shown in status and in the gateway's topic; default the host name"},
	{"site", "time_zone", CONFIG_TEXT, AT(site.time_zone), "", 0, 0, false,
		"IANA name, e.g. Europe/Berlin; default the system's"},
	{"site", "day_start", CONFIG_CLOCK, AT(site.day_start_s), "04:00", 0, 86399, false,
		"where a working day turns over"},
	{"site", "max_shift", CONFIG_DURATION, AT(site.max_shift_ms), "12h", 0, CONFIG_WEEK_MS,
		true,
		"a check_in younger than this is closed by the next punch even across day_start"},
	{"punches", "direction", CONFIG_DIRECTION, AT(punches.direction), "alternate", 0,
		DIRECTION_HOLD, true,
		"where a terminal does not say which way a punch goes: alternate, check_in, "
		"check_out or hold"},
	{"punches", "double_tap", CONFIG_DURATION, AT(punches.double_tap_ms), "60s", 0,
		CONFIG_WEEK_MS, true,
		"a second punch of the same user at the same terminal within this time is "
		"suppressed; 0: off"},
	{"punches", "max_age", CONFIG_DURATION, AT(punches.max_age_ms), "90d", 1000, EVER_MS, true,
		"a punch older than this when it came is held as stale"},
	{"punches", "accept_from", CONFIG_TIME, AT(punches.accept_from_s), "", 0, 0, true,
		"RFC 3339; earlier punches are held as before_start"},
	{"punches", "max_future", CONFIG_DURATION, AT(punches.max_future_ms), "5m", 0, EVER_MS,
		true, "a punch later than now by more than this is held as future_time"},
	{"punches", "unknown_user", CONFIG_ANSWER, AT(punches.unknown_user), "hold", 0,
		VERDICT_PARK, true,
		"hold, park or forward a punch of somebody who is not in the list of users; only "
		"an id, usr_…, can be forwarded, others are held"},
	{"punches", "unknown_device", CONFIG_ANSWER, AT(punches.unknown_device), "hold", 0,
		VERDICT_PARK, true,
		"hold, park or forward a punch of a terminal that is not in the list of devices; "
		"its serial number is forwarded"},
	{"punches", "inactive_device", CONFIG_ANSWER, AT(punches.inactive_device), "hold", 0,
		VERDICT_FORWARD, true,
		"hold or forward a punch of a device whose status is not active"},
	{"punches", "greet", CONFIG_BOOL, AT(punches.greet), "yes", 0, 1, true,
		"put the user's name into the acknowledgement"},
	{"store", "path", CONFIG_ABSOLUTE, AT(store.path), "/var/lib/punchd/punchd.db", 0, 0, false,
		"the database"},
	{"store", "retention", CONFIG_DURATION, AT(store.retention_ms), "90d", 0, EVER_MS, true,
		"a settled punch is kept at least this long; an unsettled one for ever"},
	{"store", "min_free", CONFIG_SIZE, AT(store.min_free), "64M", 0, HUGE_, true,
		"below this much free disk nothing is acknowledged"},
	{"sync", "users", CONFIG_DURATION, AT(sync.users_ms), "6h", 1000, EVER_MS, true,
		"how often the list of users is fetched"},
	{"sync", "devices", CONFIG_DURATION, AT(sync.devices_ms), "1h", 1000, EVER_MS, true,
		"how often the list of devices is fetched"},
	{"control", "socket", CONFIG_ABSOLUTE, AT(control.socket), "/run/punchd/punchd.sock", 0, 0,
		false, "where punchctl asks"},
	{"control", "group", CONFIG_TEXT, AT(control.group), "punchd", 0, 0, false,
		"may read and act; root always may"},
	{"log", "level", CONFIG_LEVEL, AT(log.level), "info", 0, 0, true,
		"error, warning, info or debug"},
};
const size_t config_keys_count = sizeof config_keys / sizeof config_keys[0];

static const struct {
	const char *name;
	int64_t limit;
} plans[] = {{"auto", 0}, {"basic", 100}, {"premium", 500}, {"enterprise", 1000}};
#define PLANS (sizeof plans / sizeof plans[0])

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

bool config_section_exists(const char *section)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		if (strcmp(config_keys[i].section, section) == 0)
			return true;
	}
	return false;
}

bool config_key_is_text(const struct config_key *k)
{
	return k->type == CONFIG_TEXT || k->type == CONFIG_URL || k->type == CONFIG_ABSOLUTE ||
		k->type == CONFIG_PREFIX || k->type == CONFIG_PROXY || k->type == CONFIG_PINS;
}

char **config_key_text(const void *values, const struct config_key *k)
{
	return (char **)((uintptr_t)values + k->offset);
}

static int64_t *number_of(const void *values, const struct config_key *k)
{
	return (int64_t *)((uintptr_t)values + k->offset);
}

/* ---- reading values */

static int check_url(const char *value)
{
	const char *host = value + strlen("https://");

	if (strncmp(value, "https://", strlen("https://")) != 0)
		return -EPROTO;
	if (strchr("/:", *host) || strpbrk(value, "@?# \\")) /* strchr finds the end, too */
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

static int parse_clock(const char *v, int64_t *ret)
{
	bool shaped = strlen(v) == 5 && strspn(v, "0123456789") == 2 && v[2] == ':' &&
		strspn(v + 3, "0123456789") == 2;

	if (!shaped || v[3] > '5')
		return -EINVAL;
	*ret = ((v[0] - '0') * 10 + v[1] - '0') * 3600 + ((v[3] - '0') * 10 + v[4] - '0') * 60;
	return 0;
}

/* By enum verdict_answer. */
static const char *const answers[] = {"hold", "forward", "park"};
#define ANSWERS ((int64_t)(sizeof answers / sizeof answers[0]))

static int parse_answer(const struct config_key *k, const char *value, int64_t *ret)
{
	for (int64_t i = 0; i < ANSWERS && i <= k->max; i++) {
		if (strcmp(value, answers[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* By enum direction_rule. */
static const char *const directions[] = {"alternate", "check_in", "check_out", "hold"};
#define DIRECTIONS ((int64_t)(sizeof directions / sizeof directions[0]))

static int parse_direction(const char *value, int64_t *ret)
{
	for (int64_t i = 0; i < DIRECTIONS; i++) {
		if (strcmp(value, directions[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* By enum doubt_rule. */
static const char *const doubts[] = {"resend", "hold"};

static int parse_doubt(const char *value, int64_t *ret)
{
	*ret = strcmp(value, doubts[DOUBT_HOLD]) == 0 ? DOUBT_HOLD : DOUBT_RESEND;
	return strcmp(value, doubts[*ret]) == 0 ? 0 : -EINVAL;
}

static int parse_level(const char *value, int64_t *ret)
{
	enum log_level level;
	int r = log_level_parse(value, &level);

	if (r == 0)
		*ret = (int64_t)level;
	return r;
}

/* Empty is no limit. An offset can lead out of the years that RFC 3339 can write. */
static int parse_time(const char *value, int64_t *ret)
{
	struct civil c;

	*ret = INT64_MIN;
	if (value[0] == '\0')
		return 0;
	if (time_parse_rfc3339(value, ret) < 0)
		return -EINVAL;
	time_to_civil(*ret, &c);
	return c.year >= 0 && c.year <= 9999 ? 0 : -ERANGE;
}

static int parse_number(const struct config_key *k, const char *value, int64_t *ret)
{
	switch (k->type) {
	case CONFIG_PLAN: return parse_plan(value, ret);
	case CONFIG_INT: return units_parse_int(value, ret);
	case CONFIG_DURATION: return units_parse_duration(value, ret);
	case CONFIG_SIZE: return units_parse_size(value, ret);
	case CONFIG_BOOL: return parse_bool(value, ret);
	case CONFIG_CLOCK: return parse_clock(value, ret);
	case CONFIG_TIME: return parse_time(value, ret);
	case CONFIG_LEVEL: return parse_level(value, ret);
	case CONFIG_ANSWER: return parse_answer(k, value, ret);
	case CONFIG_DIRECTION: return parse_direction(value, ret);
	case CONFIG_DOUBT: return parse_doubt(value, ret);
	case CONFIG_TEXT:
	case CONFIG_URL:
	case CONFIG_ABSOLUTE:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS: break;
	}
	return -EINVAL;
}

/* A time and a level have no range of numbers. */
static bool in_range(const struct config_key *k, int64_t number)
{
	return k->max == 0 || (number >= k->min && number <= k->max);
}

/* Texts go into topics, JSON and log lines: UTF-8 without control characters. */
static int check_text(const struct config_key *k, const char *value)
{
	if (!utf8_valid(value))
		return -EINVAL;
	for (const char *s = value; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return -EINVAL;
	}
	if (k->type == CONFIG_URL)
		return check_url(value);
	if (k->type == CONFIG_ABSOLUTE)
		return value[0] == '/' ? 0 : -EINVAL;
	if (k->type == CONFIG_PREFIX)
		return strpbrk(value, "+#") || value[0] == '$' ? -EINVAL : 0;
	if (k->type == CONFIG_PROXY)
		return config_proxy_sound(value) ? 0 : -EINVAL;
	if (k->type == CONFIG_PINS)
		return config_pins_sound(value) ? 0 : -EINVAL;
	return 0;
}

static int set_text(void *values, const struct config_key *k, const char *value)
{
	int r = check_text(k, value);
	char *copy;

	if (r < 0)
		return r;
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*config_key_text(values, k));
	*config_key_text(values, k) = copy;
	return 0;
}

int config_key_set(void *values, const struct config_key *k, const char *value)
{
	int64_t number;
	int r;

	if (config_key_is_text(k))
		return set_text(values, k, value);
	r = parse_number(k, value, &number);
	if (r < 0)
		return r;
	if (!in_range(k, number))
		return -ERANGE;
	*number_of(values, k) = number;
	return 0;
}

/* ---- printing values */

static void print_level(int64_t value, struct buf *out)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};

	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		int64_t number;

		if (parse_level(levels[i], &number) == 0 && number == value)
			buf_add_str(out, levels[i]);
	}
}

static void print_number(const struct config_key *k, int64_t value, struct buf *out)
{
	char text[TIME_TEXT_SIZE + UNITS_TEXT_SIZE];

	switch (k->type) {
	case CONFIG_DURATION: buf_add_str(out, units_format_duration(value, text)); break;
	case CONFIG_SIZE: buf_add_str(out, units_format_size(value, text)); break;
	case CONFIG_BOOL: buf_add_str(out, value ? "yes" : "no"); break;
	case CONFIG_CLOCK:
		buf_addf(out, "%02d:%02d", (int)(value / 3600), (int)(value / 60 % 60));
		break;
	case CONFIG_TIME:
		if (value != INT64_MIN)
			buf_add_str(out, time_format_utc(value, -1, text));
		break;
	case CONFIG_LEVEL: print_level(value, out); break;
	case CONFIG_ANSWER: buf_add_str(out, answers[value]); break;
	case CONFIG_DIRECTION: buf_add_str(out, directions[value]); break;
	case CONFIG_DOUBT: buf_add_str(out, doubts[value]); break;
	case CONFIG_PLAN:
		if (value == 0) {
			buf_add_str(out, "auto");
			break;
		}
		/* fall through */
	case CONFIG_INT:
	case CONFIG_TEXT:
	case CONFIG_URL:
	case CONFIG_ABSOLUTE:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS: buf_addf(out, "%lld", (long long)value); break;
	}
}

void config_key_print(const void *values, const struct config_key *k, struct buf *out)
{
	if (k->type == CONFIG_PROXY)
		config_proxy_print(*config_key_text(values, k), out);
	else if (config_key_is_text(k))
		buf_add_str(out, *config_key_text(values, k));
	else
		print_number(k, *number_of(values, k), out);
}

static void describe_range(
	const struct config_key *k, const char *what, const char *example, struct buf *out)
{
	buf_addf(out, "%s from ", what);
	print_number(k, k->min, out);
	buf_add_str(out, " to ");
	print_number(k, k->max, out);
	buf_add_str(out, example);
}

void config_key_describe(const struct config_key *k, struct buf *out)
{
	switch (k->type) {
	case CONFIG_URL: buf_add_str(out, "a URL that begins with https:// and a host"); break;
	case CONFIG_PLAN:
		buf_add_str(out, "auto, basic, premium, enterprise or 1 to ");
		print_number(k, k->max, out);
		break;
	case CONFIG_INT: describe_range(k, "a number", "", out); break;
	case CONFIG_DURATION:
		describe_range(k, "a duration", ", as 500ms 30s 5m 6h 90d", out);
		break;
	case CONFIG_SIZE: describe_range(k, "a size", ", as 64K 10M 2G", out); break;
	case CONFIG_BOOL: buf_add_str(out, "yes or no"); break;
	case CONFIG_CLOCK: buf_add_str(out, "a time of day, as 04:00"); break;
	case CONFIG_TIME:
		buf_add_str(out, "a time with its offset, as 2026-02-01T08:00:00+02:00");
		break;
	case CONFIG_LEVEL: buf_add_str(out, "error, warning, info or debug"); break;
	case CONFIG_ANSWER:
		buf_add_str(
			out, k->max < VERDICT_PARK ? "hold or forward" : "hold, park or forward");
		break;
	case CONFIG_DIRECTION: buf_add_str(out, "alternate, check_in, check_out or hold"); break;
	case CONFIG_DOUBT: buf_add_str(out, "resend or hold"); break;
	case CONFIG_ABSOLUTE: buf_add_str(out, "an absolute path"); break;
	case CONFIG_PREFIX:
		buf_add_str(out, "a topic's beginning, without + and # and no leading $");
		break;
	case CONFIG_PROXY:
		buf_add_str(out,
			"none or a proxy, as http://proxy.example:3128 (also https, socks5, "
			"socks5h), with what is special in its user and password as %XX");
		break;
	case CONFIG_PINS:
		buf_add_str(out, "sha256// and the base64 of 32 bytes, one or several");
		break;
	case CONFIG_TEXT: buf_add_str(out, "a text in UTF-8 without control characters"); break;
	}
}

void config_key_swap(struct config *a, struct config *b, const struct config_key *k)
{
	if (config_key_is_text(k)) {
		char *text = *config_key_text(a, k);

		*config_key_text(a, k) = *config_key_text(b, k);
		*config_key_text(b, k) = text;
	} else {
		int64_t number = *number_of(a, k);

		*number_of(a, k) = *number_of(b, k);
		*number_of(b, k) = number;
	}
}

bool config_key_same(const struct config *a, const struct config *b, const struct config_key *k)
{
	if (config_key_is_text(k))
		return strcmp(*config_key_text(a, k), *config_key_text(b, k)) == 0;
	return *number_of(a, k) == *number_of(b, k);
}
