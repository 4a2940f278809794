/* Which mosquitto settings lose punches, and which file says so. */
#include "ctl/brokerconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

struct folder {
	char path[64];
	char conf[128];
};

static void put(const struct folder *f, const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", f->path, name);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	char sub[128];

	snprintf(f->path, sizeof f->path, "/tmp/punchctl-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->conf, sizeof f->conf, "%s/mosquitto.conf", f->path);
	snprintf(sub, sizeof sub, "%s/conf.d", f->path);
	assert_int_equal(mkdir(sub, 0700), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"mosquitto.conf", "conf.d/a.conf", "conf.d/B.conf",
		"conf.d/off.conf.bak", "conf.d/deep", "conf.d"};
	struct folder *f = *state;

	for (size_t i = 0; i < COUNT(names); i++) {
		char path[256];

		snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
		remove(path);
	}
	rmdir(f->path);
	free(f);
	return 0;
}

/* Faults as `bad name` and `warn name`, in order. */
static void note(void *arg, bool bad, const char *words)
{
	buf_addf(arg, "%s %.*s;", bad ? "bad" : "warn", (int)strcspn(words, " "), words);
}

static void assert_faults(const struct folder *f, const char *text, const char *should)
{
	char words[BROKER_WORDS_MAX] = "";
	struct brokerconf conf;
	struct buf faults;
	int n, expected = 0;

	put(f, "mosquitto.conf", text);
	assert_int_equal(brokerconf_read(&conf, f->conf, words), 0);
	buf_init(&faults, 4096);
	n = brokerconf_judge(&conf, note, &faults);
	assert_string_equal(faults.data, should);
	for (const char *p = should; *p; p++)
		expected += *p == ';';
	assert_int_equal(n, expected);
	buf_done(&faults);
}

#define GOOD \
	"persistence true\nautosave_on_changes true\nautosave_interval 1\n" \
	"max_queued_messages 500000\nmax_inflight_messages 1000\nupgrade_outgoing_qos true\n"

static void test_mosquittos_defaults_lose_punches(void **state)
{
	assert_faults(*state, "",
		"bad persistence;bad max_queued_messages;warn max_inflight_messages;"
		"warn upgrade_outgoing_qos;");
	/* as Debian ships it */
	assert_faults(*state, "persistence true\n",
		"bad max_queued_messages;warn max_inflight_messages;bad autosave_interval;"
		"warn upgrade_outgoing_qos;");
}

/* Beside what Debian's own mosquitto.conf sets. */
static void test_what_we_ship_is_good(void **state)
{
	const char *root = getenv("PUNCHD_SRCDIR");
	char text[4096], words[BROKER_WORDS_MAX] = "";
	struct folder *f = *state;
	struct brokerconf conf;
	struct buf faults;

	snprintf(text, sizeof text, "persistence true\ninclude_dir %s/etc/mosquitto\n",
		root ? root : "..");
	put(f, "mosquitto.conf", text);
	buf_init(&faults, 4096);
	assert_int_equal(brokerconf_read(&conf, f->conf, words), 0);
	assert_int_equal(brokerconf_judge(&conf, note, &faults), 0);
	assert_true(conf.set[BROKER_PERSISTENCE]);
	assert_false(conf.set[BROKER_PER_LISTENER_SETTINGS]);
	buf_done(&faults);
}

static void test_each_fault(void **state)
{
	static const struct {
		const char *line, *faults;
	} cases[] = {
		{"", ""},
		{"persistence false\n", "bad persistence;"},
		{"persistence 1\n", ""},
		{"per_listener_settings true\n", "bad per_listener_settings;"},
		{"per_listener_settings false\n", ""},
		/* 0 is no limit here, but 2.0.16 drops everything then */
		{"max_queued_messages 0\n", "bad max_queued_messages;"},
		{"max_queued_messages 9999\n", "bad max_queued_messages;"},
		{"max_queued_messages 10000\n", ""},
		{"max_queued_bytes 16777215\n", "bad max_queued_bytes;"},
		{"max_queued_bytes 16777216\n", ""},
		{"max_queued_bytes 0\n", ""},
		{"message_size_limit 4194303\n", "bad message_size_limit;"},
		{"message_size_limit 4194304\n", ""},
		{"message_size_limit 0\n", ""},
		{"max_packet_size 65536\n", "warn max_packet_size;"},
		{"max_packet_size 5242880\n", ""},
		{"persistent_client_expiration 7d\n", "bad persistent_client_expiration;"},
		{"max_inflight_messages 20\n", "warn max_inflight_messages;"},
		{"max_inflight_messages 0\n", ""},
		{"upgrade_outgoing_qos false\n", "warn upgrade_outgoing_qos;"},
		{"upgrade_outgoing_qos false\nqueue_qos0_messages true\n", ""},
		/* saved: at its end alone, by seconds, by changes */
		{"autosave_interval 0\n", "bad autosave_interval;"},
		{"autosave_interval 2\n", "warn autosave_interval;"},
		{"autosave_interval 101\n", "bad autosave_interval;"},
		{"autosave_on_changes false\nautosave_interval 60\n", ""},
		{"autosave_on_changes false\nautosave_interval 61\n", "bad autosave_interval;"},
		/* said once where nothing is saved anyway */
		{"persistence false\nautosave_interval 0\n", "bad persistence;"},
		/* the last one counts */
		{"persistence false\npersistence true\n", ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[1024];

		snprintf(text, sizeof text, "%s%s", GOOD, cases[i].line);
		assert_faults(*state, text, cases[i].faults);
	}
}

static void test_lines_as_mosquitto_reads_them(void **state)
{
	assert_faults(*state, GOOD "#persistence false\n", "");
	assert_faults(*state, GOOD "persistence \t false \r\n", "bad persistence;");
	assert_faults(*state, GOOD "persistence false", "bad persistence;");
	assert_faults(*state, GOOD "persistence\n\nlistener 1883 127.0.0.1\n", "bad persistence;");
	assert_faults(*state, GOOD "persistence_location /persistence false\n", "");
}

/* Of its folder: what ends in .conf, in the order of bytes, behind the file itself. */
static void test_include_dir(void **state)
{
	struct folder *f = *state;
	char text[1024];

	snprintf(text, sizeof text, "include_dir %s/conf.d\n" GOOD, f->path);
	assert_faults(f, text, "");
	put(f, "conf.d/a.conf", "max_queued_messages 1000\n");
	put(f, "conf.d/off.conf.bak", "persistence false\n");
	assert_faults(f, text, "bad max_queued_messages;");
	put(f, "conf.d/B.conf", "max_queued_messages 0\npersistence false\n");
	put(f, "conf.d/a.conf", "max_queued_messages 20000\ninclude_dir /nowhere\n");
	assert_faults(f, text, "bad persistence;");
}

static void test_what_cannot_be_read(void **state)
{
	struct folder *f = *state;
	char words[BROKER_WORDS_MAX] = "", text[256];
	struct brokerconf conf;

	assert_int_equal(brokerconf_read(&conf, f->conf, words), -ENOENT);
	assert_non_null(strstr(words, "mosquitto.conf: No such file"));
	assert_int_equal(brokerconf_read(&conf, f->path, words), -EINVAL);
	snprintf(text, sizeof text, "include_dir %s/none\n", f->path);
	put(f, "mosquitto.conf", text);
	assert_int_equal(brokerconf_read(&conf, f->conf, words), -ENOENT);
	assert_non_null(strstr(words, "/none: "));
	snprintf(text, sizeof text, "include_dir %s/conf.d\n", f->path);
	put(f, "mosquitto.conf", text);
	snprintf(text, sizeof text, "%s/conf.d/a.conf", f->path);
	assert_int_equal(symlink("/nowhere", text), 0);
	assert_int_equal(brokerconf_read(&conf, f->conf, words), -ENOENT);
	assert_non_null(strstr(words, "a.conf: "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mosquittos_defaults_lose_punches),
		TEST(test_what_we_ship_is_good),
		TEST(test_each_fault),
		TEST(test_lines_as_mosquitto_reads_them),
		TEST(test_include_dir),
		TEST(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
