/* What comes from punch-terminal's table: --help, and a part of its man page (inpage.h). */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "inpage.h"
#include "terminal/options_table.h"
#include "unit.h"

static void test_man_page_is_in_step(void **state)
{
	(void)state;
	inpage_assert("man/punch-terminal.1", INPAGE_MAN " options", options_man);
}

static void test_help_names_everything(void **state)
{
	char *help = inpage_printed(options_help);

	(void)state;
	for (const struct option_row *row = option_rows; row < option_rows + OPTION_ROWS; row++) {
		char line[64];

		assert_non_null(row->name);
		snprintf(line, sizeof line, "\n  --%s ", row->name);
		assert_non_null(strstr(help, line));
		assert_non_null(strstr(help, row->help));
		if (row->preset)
			assert_non_null(strstr(help, row->preset));
	}
	free(help);
}

/* What is told to count where an option is not given does count then. */
static void test_presets_are_those_in_force(void **state)
{
	char name[] = "punch-terminal", *argv[] = {name, NULL};
	struct options bare, said;

	(void)state;
	assert_int_equal(options_parse(1, argv, &bare), OPTIONS_RUN);
	for (const struct option_row *row = option_rows; row < option_rows + OPTION_ROWS; row++) {
		char option[128], *with[] = {name, option, NULL};
		bool by_itself = row->kind != KIND_LIST &&
			row->at != offsetof(struct options, terminals) &&
			row->at != offsetof(struct options, users_count) &&
			row->at != offsetof(struct options, step_ms);

		if (!row->preset || !by_itself)
			continue;
		snprintf(option, sizeof option, "--%s=%s", row->name, row->preset);
		optind = 0;
		assert_int_equal(options_parse(2, with, &said), OPTIONS_RUN);
		if (row->kind == KIND_TEXT) {
			assert_string_equal(said.host, bare.host);
			assert_string_equal(said.user_format, bare.user_format);
		} else {
			assert_memory_equal((char *)&said + row->at, (char *)&bare + row->at,
				row->kind == KIND_TYPES ? sizeof said.types : sizeof(int64_t));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_page_is_in_step),
		cmocka_unit_test(test_help_names_everything),
		cmocka_unit_test(test_presets_are_those_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
