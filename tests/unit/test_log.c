/* base/log: one line an event, whatever the values hold. */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"

static char text[16384];
static FILE *stream;

static int begin(void **state)
{
	(void)state;
	memset(text, 0, sizeof text);
	stream = fmemopen(text, sizeof text, "w");
	log_set_stream(stream);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_set_stream(NULL);
	log_set_level(LOG_LEVEL_INFO);
	fclose(stream);
	return 0;
}

static void test_line(void **state)
{
	const char *none = NULL;

	(void)state;
	log_info("token", "what happened", LOG_S("s", "plain"), LOG_I("i", -5), LOG_S("n", none),
		LOG_B("b", "abcdef", 3));
	assert_string_equal(text, "token: what happened s=plain i=-5 n=- b=abc\n");
}

static void test_without_fields(void **state)
{
	(void)state;
	log_error("a", "b");
	log_warn("c", "d");
	assert_string_equal(text, "a: b\nc: d\n");
}

static void test_values_cannot_forge_a_line(void **state)
{
	(void)state;
	log_info("t", "m", LOG_S("a", "x\nt: m2"), LOG_S("b", "a b=\"c\\\""), LOG_S("c", ""),
		LOG_S("e", "f=g"), LOG_B("d", "\0\x7f\x1b[0m", 6));
	assert_string_equal(text,
		"t: m a=\"x\\x0at: m2\" b=\"a b=\\\"c\\\\\\\"\" c=\"\" e=\"f=g\" "
		"d=\"\\x00\\x7f\\x1b[0m\"\n");
}

/* journald hides lines that are not UTF-8 or hold control characters. */
static void test_utf8(void **state)
{
	(void)state;
	log_info("t", "m", LOG_S("a", "J\xc3\xb6rg \xe2\x82\xac"), LOG_S("b", "\xff\xc3"),
		LOG_S("c",
			"\xc2\x9b"
			"31m"),
		LOG_B("d", "\xc2\x9b", 1), LOG_S("e", "\xc2\xa9"));
	assert_string_equal(text,
		"t: m a=\"J\xc3\xb6rg \xe2\x82\xac\" b=\"\\xff\\xc3\" "
		"c=\"\\xc2\\x9b31m\" d=\"\\xc2\" e=\"\xc2\xa9\"\n");
}

static void test_long_values_are_cut(void **state)
{
	char value[301], wanted[400];

	(void)state;
	memset(value, 'x', sizeof value);
	value[300] = '\0';
	log_info("t", "m", LOG_S("v", value), LOG_B("w", value, 256));
	snprintf(wanted, sizeof wanted, "t: m v=%.256s[300 bytes] w=", value);
	assert_memory_equal(text, wanted, strlen(wanted));
	assert_null(strstr(text, "[256 bytes]"));
}

static void test_no_character_is_torn(void **state)
{
	char value[300];

	(void)state;
	memset(value, 'x', sizeof value);
	memcpy(value + 254, "\xe2\x82\xac", 3);
	log_info("t", "m", LOG_B("v", value, sizeof value));
	assert_non_null(strstr(text, "x[300 bytes]"));
	assert_null(strchr(text, '\\'));
	assert_null(strchr(text, '\xe2'));
}

/* Bytes that are no text at all: four marks for each, and an end to it. */
static void test_a_line_has_a_cap(void **state)
{
	char value[256];
	const char *newline;

	(void)state;
	memset(value, 0x80, sizeof value);
	log_info("t", "m", LOG_B("a", value, 256), LOG_B("b", value, 256), LOG_B("c", value, 256),
		LOG_B("d", value, 256), LOG_B("e", value, 256));
	newline = strchr(text, '\n');
	assert_non_null(newline);
	assert_in_range(newline - text, 4000, 4096);
	assert_int_equal(newline[1], '\0');
}

static void test_level(void **state)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	enum log_level level;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		rewind(stream);
		memset(text, 0, sizeof text);
		assert_int_equal(log_level_parse(names[i], &level), 0);
		log_set_level(level);
		log_error("e", "m");
		log_warn("w", "m");
		log_info("i", "m");
		log_debug("d", "m");
		assert_int_equal(strlen(text), 5 * (i + 1));
	}
	assert_int_equal(log_level_parse("Info", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
}

/* Under systemd a line begins with its priority; only where it goes to the journal. */
static void test_priority_for_the_journal(void **state)
{
	char file[] = "/tmp/punchd-log-XXXXXX", line[64] = "";
	int fd = mkstemp(file), saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(fd >= 0 && saved >= 0);
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_warn("to", "the stream");
	log_set_stream(NULL);
	dup2(fd, STDERR_FILENO);
	log_warn("to", "the journal");
	dup2(saved, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	assert_true(pread(fd, line, sizeof line - 1, 0) > 0);
	assert_string_equal(line, "<4>to: the journal\n");
	assert_string_equal(text, "to: the stream\n");
	close(fd);
	close(saved);
	unlink(file);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_line),
		CASE(test_without_fields),
		CASE(test_values_cannot_forge_a_line),
		CASE(test_utf8),
		CASE(test_long_values_are_cut),
		CASE(test_no_character_is_torn),
		CASE(test_a_line_has_a_cap),
		CASE(test_level),
		CASE(test_priority_for_the_journal),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
