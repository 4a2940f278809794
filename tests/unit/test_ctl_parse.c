/* What may be said to punchctl, and what is refused as wrong usage. */
#include "ctl/parse.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define NOW_S     1800000000
#define WORDS_MAX 32

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* Usage is told on stderr, which is not what is tested here. */
static int parse_quietly(int argc, char **argv, struct ctl *ctl)
{
	int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY), r;

	dup2(nowhere, STDERR_FILENO);
	r = parse_arguments(argc, argv, ctl);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(nowhere);
	return r;
}

/* A line of words separated by blanks; `''` is an empty one. What argv points to lives on. */
static int parse(const char *line, struct ctl *ctl)
{
	static char words[4096];
	char *argv[WORDS_MAX] = {(char *)"punchctl"}, *rest = words, *word;
	int argc = 1;

	snprintf(words, sizeof words, "%s", line);
	while ((word = strsep(&rest, " "))) {
		if (word[0])
			argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	*ctl = (struct ctl){.times.now_s = NOW_S};
	return parse_quietly(argc, argv, ctl);
}

static void assert_usage(const char *line)
{
	struct ctl ctl;

	if (parse(line, &ctl) != CTL_USAGE)
		fail_msg("taken: punchctl %s", line);
}

static void test_options_stand_on_both_sides(void **state)
{
	static const char *const lines[] = {"--json --socket S status", "status --json --socket S",
		"--json status --socket=S", "--socket=S status --json",
		"status --socket X --socket S --json"};
	struct ctl ctl;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_int_equal(parse(lines[i], &ctl), CTL_DONE);
		assert_string_equal(ctl.command->name, "status");
		assert_non_null(ctl.text[OPTION_JSON]);
		assert_string_equal(ctl.text[OPTION_SOCKET], "S");
		assert_null(ctl.arguments[0]);
	}
}

static void test_values_are_read(void **state)
{
	struct ctl ctl;

	(void)state;
	zone("UTC");
	assert_int_equal(
		parse("punches --limit 0 --from 2h --to 2026-02-01 --state held --user=a=b "
		      "--reason api_418 --timeout 1500ms",
			&ctl),
		CTL_DONE);
	assert_int_equal(ctl.number[OPTION_LIMIT], 0);
	assert_int_equal(ctl.number[OPTION_FROM], NOW_S - 7200);
	assert_int_equal(ctl.number[OPTION_TO], 1769990400); /* 2026-02-02T00:00:00Z */
	assert_string_equal(ctl.text[OPTION_STATE], "held");
	assert_string_equal(ctl.text[OPTION_USER], "a=b");
	assert_string_equal(ctl.text[OPTION_REASON], "api_418");
	assert_int_equal(ctl.number[OPTION_TIMEOUT], 1500);
	assert_int_equal(parse("watch --interval 10ms --count 3", &ctl), CTL_DONE);
	assert_int_equal(ctl.number[OPTION_INTERVAL], 10);
	assert_int_equal(ctl.number[OPTION_COUNT], 3);
	assert_null(ctl.text[OPTION_LIMIT]);
}

/* --utc says what a date is, wherever it stands. */
static void test_utc_reads_dates(void **state)
{
	struct ctl ctl;

	(void)state;
	zone("Asia/Tokyo");
	assert_int_equal(parse("punches --from 2026-02-01 --utc", &ctl), CTL_DONE);
	assert_int_equal(ctl.number[OPTION_FROM], 1769904000);
	assert_int_equal(parse("punches --from 2026-02-01", &ctl), CTL_DONE);
	assert_int_equal(ctl.number[OPTION_FROM], 1769904000 - 9 * 3600);
	zone("UTC");
}

/* Some commands need two words, some may have them. */
static void test_arguments(void **state)
{
	struct ctl ctl;

	(void)state;
	assert_int_equal(parse("link pin:1 --note why usr_1", &ctl), CTL_DONE);
	assert_string_equal(ctl.arguments[0], "pin:1");
	assert_string_equal(ctl.arguments[1], "usr_1");
	assert_int_equal(parse("links", &ctl), CTL_DONE);
	assert_null(ctl.arguments[0]);
	assert_int_equal(parse("links export", &ctl), CTL_DONE);
	assert_null(ctl.arguments[1]);
	assert_usage("link");
	assert_usage("link pin:1");
	assert_usage("link pin:1 usr_1 usr_2");
	assert_usage("link pin:1 ''");
	assert_usage("links import FILE FILE");
}

static void test_two_dashes_end_options(void **state)
{
	struct ctl ctl;

	(void)state;
	assert_int_equal(parse("trace -- --json", &ctl), CTL_DONE);
	assert_string_equal(ctl.arguments[0], "--json");
	assert_null(ctl.text[OPTION_JSON]);
	assert_int_equal(parse("-- status", &ctl), CTL_DONE);
	assert_string_equal(ctl.command->name, "status");
}

/* Help and version need no more than themselves. */
static void test_help_and_version(void **state)
{
	struct ctl ctl;

	(void)state;
	assert_int_equal(parse("--help", &ctl), CTL_DONE);
	assert_null(ctl.command);
	assert_int_equal(parse("-h", &ctl), CTL_DONE);
	assert_non_null(ctl.text[OPTION_HELP]);
	assert_int_equal(parse("-V", &ctl), CTL_DONE);
	assert_non_null(ctl.text[OPTION_VERSION]);
	assert_int_equal(parse("trace --help", &ctl), CTL_DONE);
	assert_string_equal(ctl.command->name, "trace");
	assert_int_equal(parse("punches --limit much --help", &ctl), CTL_DONE);
}

static void test_wrong_usage(void **state)
{
	static const char *const lines[] = {
		"",
		"--json",
		"nothing",
		"''",
		"status more",
		"trace",
		"trace ''",
		"trace a b",
		"trace \xff",
		"status --limit 5",
		"--limit 5 punches",
		"status --nothing",
		"status -x",
		"status -",
		"status --json=yes",
		"status --socket",
		"status --socket ''",
		"status --socket=",
		"punches --limit -1",
		"punches --limit 5x",
		"punches --limit 99999999999999999999",
		"punches --state gone",
		"punches --state ''",
		"punches --state hel",
		"punches --user ''",
		"punches --user \xc3",
		"punches --from soon",
		"punches --reason ''",
		"watch --interval 9ms",
		"watch --interval 1h1s",
		"watch --interval 2h",
		"watch --interval 5",
		"watch --count 0",
		"status --timeout 0",
		"status --timeout 25h",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_usage(lines[i]);
}

static void test_what_is_too_long(void **state)
{
	char line[600] = "punches --user ";
	struct ctl ctl;

	(void)state;
	memset(line + 15, 'x', 512);
	assert_int_equal(parse(line, &ctl), CTL_DONE);
	line[15 + 512] = 'x';
	assert_usage(line);
	memcpy(line, "trace          ", 15);
	assert_usage(line);
	line[15 + 512] = '\0';
	assert_int_equal(parse(line, &ctl), CTL_DONE);
}

static void test_no_name_at_all(void **state)
{
	char *argv[] = {NULL};
	struct ctl ctl = {.times.now_s = NOW_S};

	(void)state;
	assert_int_equal(parse_quietly(0, argv, &ctl), CTL_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_stand_on_both_sides),
		cmocka_unit_test(test_values_are_read),
		cmocka_unit_test(test_utc_reads_dates),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_two_dashes_end_options),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_what_is_too_long),
		cmocka_unit_test(test_no_name_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
