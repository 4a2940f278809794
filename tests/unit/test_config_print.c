/* core/config: what is printed of any good settings, read back, prints the same. Seeded chance. */
#include "unit.h"

#include "core/config.h"
#include "core/config_keys.h"

#define STORIES 2000

static uint64_t chance;

static uint64_t roll(uint64_t sides)
{
	/* splitmix64 */
	uint64_t z = chance += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % sides;
}

/* Pieces of which one is taken, or several are strung together; most that come of it is good. */
static const char *const texts[] = {"a", "Tor", " ", ";", "#", "=", ":", "/", "\xc3\xbc",
	"\xe6\x97\xa5", "\"", "'", "[", "]", "\\", "%", "0", "x;y", "\t", "site7/", "=;"};
static const char *const urls[] = {"https://api.example/v1", "https://[::1]:8443",
	"https://127.0.0.1:65535/a/b", "https://a", "https://a:1/;b=c"};
static const char *const proxies[] = {"none", "http://p", "https://u:p%40@p.example:443/",
	"socks5://[fd00::1]:1080", "socks5h://u@p", ""};
#define PIN   "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE="
#define PIN_2 "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA8="
static const char *const pins[] = {"", PIN, (PIN " " PIN_2)};
static const char *const hosts[] = {"b", "broker.example", "192.0.2.7", "::1", "fe80::1%eth0"};
static const char *const times[] = {"", "2026-02-01T08:00:00+02:00", "1970-01-01T00:00:00Z",
	"9999-12-31T23:59:59Z", "2024-02-29T23:59:59.999-11:30"};
static const char *const units[] = {"ms", "s", "m", "h", "d"};
static const char *const sizes[] = {"", "K", "M", "G"};

static void pick(const char *const *list, size_t n, struct buf *out)
{
	buf_add_str(out, list[roll(n)]);
}

static const char *const listens[] = {"", "127.0.0.1:8481", "[::1]:1", "0.0.0.0:65535"};
static const char *const weeks[] = {"mon tue wed thu fri", "sun", "sat sun mon"};
static const char *const holidays[] = {"", "12-25", "2026-12-25 01-01 02-29"};
static const char *const headers[] = {"X-Signature", "a", ";x", "#"};

static void add_text(struct buf *out)
{
	for (uint64_t n = roll(12); n > 0; n--)
		pick(texts, COUNT(texts), out);
}

static void add_number(const struct config_key *k, struct buf *out)
{
	static const uint64_t reaches[] = {10, 1000, 100000, UINT64_MAX};
	uint64_t span = (uint64_t)(k->max - k->min) + 1, reach = reaches[roll(COUNT(reaches))];

	buf_addf(out, "%lld", (long long)(k->min + (int64_t)roll(reach < span ? reach : span)));
}

static void add_value(const struct config_key *k, struct buf *out)
{
	size_t n;
	const char *const *words = config_key_words(k, &n);

	if (words && (k->type != CONFIG_PLAN || roll(2))) {
		pick(words, n, out);
		return;
	}
	switch (k->type) {
	case CONFIG_PLAN:
	case CONFIG_INT: add_number(k, out); break;
	case CONFIG_DURATION:
		add_number(k, out);
		pick(units, COUNT(units), out);
		break;
	case CONFIG_SIZE:
		add_number(k, out);
		pick(sizes, COUNT(sizes), out);
		break;
	case CONFIG_CLOCK: buf_addf(out, "%02d:%02d", (int)roll(24), (int)roll(60)); break;
	case CONFIG_TIME: pick(times, COUNT(times), out); break;
	case CONFIG_HOST: pick(hosts, COUNT(hosts), out); break;
	case CONFIG_URL: pick(urls, COUNT(urls), out); break;
	case CONFIG_PROXY: pick(proxies, COUNT(proxies), out); break;
	case CONFIG_PINS: pick(pins, COUNT(pins), out); break;
	case CONFIG_LISTEN: pick(listens, COUNT(listens), out); break;
	case CONFIG_HEADER: pick(headers, COUNT(headers), out); break;
	case CONFIG_WEEK: pick(weeks, COUNT(weeks), out); break;
	case CONFIG_HOLIDAYS: pick(holidays, COUNT(holidays), out); break;
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_SECRET:
		buf_add_char(out, '/');
		add_text(out);
		break;
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_PREFIX: add_text(out); break;
	case CONFIG_BOOL:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT: break;
	}
}

/* Some settings, each in a file of its own, since some are at fault; which keys were taken. */
static void add_settings(struct config *c, size_t taken[static 64])
{
	struct buf line, faults;

	buf_init(&line, 4096);
	buf_init(&faults, 65536);
	for (size_t i = 0; i < config_keys_count + CONFIG_TERMINAL_KEYS; i++) {
		const struct config_key *k = i < config_keys_count
			? &config_keys[i]
			: &config_terminal_keys[i - config_keys_count];

		if (roll(2))
			continue;
		buf_clear(&line);
		buf_clear(&faults);
		if (i < config_keys_count)
			buf_addf(&line, "[%s]\n", k->section);
		else
			buf_addf(&line, "[terminal \"%s%d\"]\n", texts[roll(9)], (int)roll(3));
		buf_addf(&line, "%s=", k->name);
		add_value(k, &line);
		assert_int_equal(config_read(c, "f", line.data, line.len, &faults), 0);
		taken[i] += faults.len == 0;
	}
	buf_done(&line);
	buf_done(&faults);
}

/* What is printed may be read by whoever runs it: a login is not in it. */
static bool is_blanked(const struct config *c, const struct config_key *k)
{
	return k->type == CONFIG_PROXY && strchr(*config_key_text(c, k), '@');
}

static void assert_reads_back(const struct config *c)
{
	struct buf printed, again, faults;
	struct config other;

	buf_init(&printed, 65536);
	buf_init(&again, 65536);
	buf_init(&faults, 65536);
	config_print(c, &printed);
	assert_int_equal(config_init(&other), 0);
	assert_int_equal(config_read(&other, "p", printed.data, printed.len, &faults), 0);
	assert_string_equal(faults.data, "");
	config_print(&other, &again);
	assert_string_equal(again.data, printed.data);
	for (size_t i = 0; i < config_keys_count; i++) {
		if (!is_blanked(c, &config_keys[i]) && !config_key_same(c, &other, &config_keys[i]))
			fail_msg("%s in\n%s", config_keys[i].name, printed.data);
	}
	config_done(&other);
	buf_done(&printed);
	buf_done(&again);
	buf_done(&faults);
}

static void test_any_settings_read_back(void **state)
{
	size_t taken[64] = {0};

	(void)state;
	assert_true(config_keys_count + CONFIG_TERMINAL_KEYS <= COUNT(taken));
	for (uint64_t seed = 1; seed <= STORIES; seed++) {
		struct config c;

		chance = seed;
		assert_int_equal(config_init(&c), 0);
		add_settings(&c, taken);
		assert_reads_back(&c);
		config_done(&c);
	}
	/* the chance is worth something: each key was set often */
	for (size_t i = 0; i < config_keys_count + CONFIG_TERMINAL_KEYS; i++)
		assert_true(taken[i] > STORIES / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_settings_read_back),
	};

	return cmocka_run_group_tests_name("config_print", tests, NULL, NULL);
}
