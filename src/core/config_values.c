/* Values of settings: from text, to text, and what they look like in words. */
#include <errno.h>

#include "base/log.h"
#include "base/netaddr.h"
#include "base/time.h"
#include "base/units.h"
#include "base/utf8.h"
#include "core/calendar.h"
#include "core/config_keys.h"
#include "core/config_road.h"
#include "core/rules.h"
#include "core/verdict.h"

/* ---- words */

static const char *const plans[] = {"auto", "basic", "premium", "enterprise"};
static const int64_t plan_limits[] = {0, 100, 500, 1000};
static const char *const bools[] = {"yes", "no"};
static const char *const levels[] = {"error", "warning", "info", "debug"};
/* By the enums verdict_answer, direction_rule and doubt_rule. */
static const char *const answers[] = {"hold", "forward", "park"};
static const char *const directions[] = {"alternate", "check_in", "check_out", "hold"};
static const char *const doubts[] = {"resend", "hold"};

#define COUNT(words) (sizeof(words) / sizeof(words)[0])

const char *const *config_key_words(const struct config_key *k, size_t *ret_count)
{
	switch (k->type) {
	case CONFIG_PLAN: *ret_count = COUNT(plans); return plans;
	case CONFIG_BOOL: *ret_count = COUNT(bools); return bools;
	case CONFIG_LEVEL: *ret_count = COUNT(levels); return levels;
	case CONFIG_ANSWER: *ret_count = (size_t)k->max + 1; return answers;
	case CONFIG_DIRECTION: *ret_count = COUNT(directions); return directions;
	case CONFIG_DOUBT: *ret_count = COUNT(doubts); return doubts;
	case CONFIG_INT:
	case CONFIG_WEEK:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_CLOCK:
	case CONFIG_TIME:
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_HOST:
	case CONFIG_URL:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS:
	case CONFIG_LISTEN:
	case CONFIG_HEADER:
	case CONFIG_HOLIDAYS: break;
	}
	*ret_count = 0;
	return NULL;
}

/* The word's place in the list, or -EINVAL. */
static int find_word(const struct config_key *k, const char *value)
{
	size_t n;
	const char *const *words = config_key_words(k, &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], value) == 0)
			return (int)i;
	}
	return -EINVAL;
}

/* ---- what kind of value */

bool config_key_is_text(const struct config_key *k)
{
	return k->type >= CONFIG_TEXT;
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

static int parse_plan(const struct config_key *k, const char *value, int64_t *ret)
{
	int word = find_word(k, value);

	if (word >= 0) {
		*ret = plan_limits[word];
		return 0;
	}
	return units_parse_int(value, ret) < 0 || *ret < 1 ? -EINVAL : 0;
}

static int parse_word(const struct config_key *k, const char *value, int64_t *ret)
{
	int word = find_word(k, value);

	*ret = word;
	return word < 0 ? word : 0;
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
	case CONFIG_PLAN: return parse_plan(k, value, ret);
	case CONFIG_INT: return units_parse_int(value, ret);
	case CONFIG_DURATION: return units_parse_duration(value, ret);
	case CONFIG_SIZE: return units_parse_size(value, ret);
	case CONFIG_CLOCK: return parse_clock(value, ret);
	case CONFIG_TIME: return parse_time(value, ret);
	case CONFIG_LEVEL: return parse_level(value, ret);
	case CONFIG_BOOL:
		*ret = strcmp(value, bools[0]) == 0;
		return find_word(k, value) < 0 ? -EINVAL : 0;
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT: return parse_word(k, value, ret);
	case CONFIG_WEEK: return calendar_parse_week(value, ret);
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_HOST:
	case CONFIG_URL:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS:
	case CONFIG_LISTEN:
	case CONFIG_HEADER:
	case CONFIG_HOLIDAYS: break;
	}
	return -EINVAL;
}

/* A time and a level have no range of numbers. */
static bool in_range(const struct config_key *k, int64_t number)
{
	return k->max == 0 || (number >= k->min && number <= k->max);
}

/* An IPv4 or IPv6 address, or a name; no URL and no port. */
static bool is_host(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char hex[] = "0123456789abcdefABCDEF:.";
	size_t n = strspn(value, hex);
	const char *colon = strchr(value, ':');

	if (colon) /* behind an address there may be a zone, as in fe80::1%eth0 */
		return strchr(colon + 1, ':') &&
			(value[n] == '\0' || (value[n] == '%' && value[n + 1]));
	while (*value && (strchr(letters, *value) || strchr("0123456789-._", *value)))
		value++;
	return *value == '\0';
}

static bool is_listen(const char *value)
{
	struct sockaddr_storage address;
	socklen_t size;

	return value[0] == '\0' || netaddr_parse(value, &address, &size) == 0;
}

/* RFC 9110, a token. */
static bool is_header(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789!#$%&'*+-.^_`|~";

	return value[0] && value[strspn(value, letters)] == '\0';
}

static int check_kind(const struct config_key *k, const char *value)
{
	switch (k->type) {
	case CONFIG_URL: return config_url_sound(value) ? 0 : -EINVAL;
	case CONFIG_NAME: return strpbrk(value, "/+#") ? -EINVAL : 0;
	case CONFIG_HOST: return value[0] && is_host(value) ? 0 : -EINVAL;
	case CONFIG_ABSOLUTE: return value[0] == '/' ? 0 : -EINVAL;
	case CONFIG_FILE:
	case CONFIG_SECRET: return value[0] == '/' || value[0] == '\0' ? 0 : -EINVAL;
	case CONFIG_PREFIX: return strpbrk(value, "+#") || value[0] == '$' ? -EINVAL : 0;
	case CONFIG_PROXY: return config_proxy_sound(value) ? 0 : -EINVAL;
	case CONFIG_PINS: return config_pins_sound(value) ? 0 : -EINVAL;
	case CONFIG_LISTEN: return is_listen(value) ? 0 : -EINVAL;
	case CONFIG_HEADER: return is_header(value) ? 0 : -EINVAL;
	case CONFIG_HOLIDAYS: return calendar_holidays_sound(value) ? 0 : -EINVAL;
	case CONFIG_PLAN:
	case CONFIG_BOOL:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT:
	case CONFIG_WEEK:
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_CLOCK:
	case CONFIG_TIME:
	case CONFIG_TEXT: break;
	}
	return 0;
}

bool config_text_is_clean(const char *text)
{
	for (const char *s = text; *s; s++) {
		unsigned char c = (unsigned char)*s;

		/* behind this lead byte: U+0080 to U+009F */
		if (c < ' ' || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0))
			return false;
	}
	return utf8_valid(text);
}

static int check_text(const struct config_key *k, const char *value)
{
	return config_text_is_clean(value) ? check_kind(k, value) : -EINVAL;
}

/* Returns as config_key_set; the number is only of a key that has one. */
static int parse(const struct config_key *k, const char *value, int64_t *ret_number)
{
	int r;

	if (config_key_is_text(k))
		return check_text(k, value);
	r = parse_number(k, value, ret_number);
	return r < 0 ? r : in_range(k, *ret_number) ? 0 : -ERANGE;
}

bool config_key_takes(const struct config_key *k, const char *value)
{
	int64_t number;

	return parse(k, value, &number) == 0;
}

static int set_text(void *values, const struct config_key *k, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*config_key_text(values, k));
	*config_key_text(values, k) = copy;
	return 0;
}

int config_key_set(void *values, const struct config_key *k, const char *value)
{
	int64_t number = 0;
	int r = parse(k, value, &number);

	if (r < 0)
		return r;
	if (config_key_is_text(k))
		return set_text(values, k, value);
	*number_of(values, k) = number;
	return 0;
}

/* ---- printing values */

static void print_level(int64_t value, struct buf *out)
{
	for (size_t i = 0; i < COUNT(levels); i++) {
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
	case CONFIG_BOOL: buf_add_str(out, bools[value ? 0 : 1]); break;
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
	case CONFIG_WEEK: calendar_print_week(value, out); break;
	case CONFIG_PLAN:
		if (value == 0) {
			buf_add_str(out, "auto");
			break;
		}
		/* fall through */
	case CONFIG_INT:
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_HOST:
	case CONFIG_URL:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
	case CONFIG_PREFIX:
	case CONFIG_PROXY:
	case CONFIG_PINS:
	case CONFIG_LISTEN:
	case CONFIG_HEADER:
	case CONFIG_HOLIDAYS: buf_addf(out, "%lld", (long long)value); break;
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

static void describe_words(const struct config_key *k, struct buf *out)
{
	size_t n;
	const char *const *words = config_key_words(k, &n);

	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s",
			i == 0                                        ? ""
				: i + 1 < n || k->type == CONFIG_PLAN ? ", "
								      : " or ",
			words[i]);
}

static void describe_range(const struct config_key *k, const char *what, struct buf *out)
{
	buf_add_str(out, what);
	print_number(k, k->min, out);
	buf_add_str(out, " to ");
	print_number(k, k->max, out);
}

void config_key_describe(const struct config_key *k, struct buf *out)
{
	switch (k->type) {
	case CONFIG_PLAN:
		describe_words(k, out);
		buf_addf(out, " or 1 to %lld", (long long)k->max);
		break;
	case CONFIG_BOOL:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT: describe_words(k, out); break;
	case CONFIG_INT: describe_range(k, "a number from ", out); break;
	case CONFIG_DURATION: describe_range(k, "a duration from ", out); break;
	case CONFIG_SIZE: describe_range(k, "a size from ", out); break;
	case CONFIG_CLOCK: buf_add_str(out, "a time of day from 00:00 to 23:59"); break;
	case CONFIG_TIME: buf_add_str(out, "a time with its offset"); break;
	case CONFIG_TEXT: buf_add_str(out, "a text in UTF-8 without control characters"); break;
	case CONFIG_NAME: buf_add_str(out, "a text without / + # and control characters"); break;
	case CONFIG_HOST: buf_add_str(out, "a host's name or address"); break;
	case CONFIG_URL: buf_add_str(out, "a URL that begins with https:// and a host"); break;
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET: buf_add_str(out, "an absolute path"); break;
	case CONFIG_PREFIX:
		buf_add_str(out, "a topic's beginning, without + and # and no leading $");
		break;
	case CONFIG_PROXY: buf_add_str(out, "none or a proxy's URL"); break;
	case CONFIG_PINS:
		buf_add_str(out, "sha256// and the base64 of 32 bytes, one or several");
		break;
	case CONFIG_LISTEN: buf_add_str(out, "an address in numbers and a port"); break;
	case CONFIG_HEADER: buf_add_str(out, "an HTTP header's name"); break;
	case CONFIG_WEEK: buf_add_str(out, "days out of mon tue wed thu fri sat sun"); break;
	case CONFIG_HOLIDAYS: buf_add_str(out, "a list of days"); break;
	}
}

const char *config_key_example(const struct config_key *k)
{
	switch (k->type) {
	case CONFIG_DURATION: return "500ms 30s 5m 6h 90d";
	case CONFIG_SIZE: return "64K 10M 2G";
	case CONFIG_CLOCK: return "04:00";
	case CONFIG_TIME: return "2026-02-01T08:00:00+02:00";
	case CONFIG_HOST: return "broker.example or 192.0.2.7; its port has a key of its own";
	case CONFIG_URL: return "https://api.example/v1, without login, ? and #";
	case CONFIG_PROXY:
		return "http://proxy.example:3128 (also https, socks5, socks5h), with what is "
		       "special in its user and password as %XX";
	case CONFIG_LISTEN: return "127.0.0.1:8481 or [::1]:8481";
	case CONFIG_HEADER: return "X-Webhook-Signature";
	case CONFIG_HOLIDAYS: return "2026-12-25, or 12-25 for each year; blanks between them";
	case CONFIG_PLAN:
	case CONFIG_BOOL:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT:
	case CONFIG_WEEK:
	case CONFIG_INT:
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
	case CONFIG_PREFIX:
	case CONFIG_PINS: break;
	}
	return NULL;
}

/* ---- two configs */

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
