/* The tables that everything else comes from. */
#include "ctl/vocabulary.h"

#include <ctype.h>
#include <string.h>

#include "unit.h"

static void test_options_are_whole(void **state)
{
	(void)state;
	for (int o = OPTION_NONE + 1; o < OPTIONS_; o++) {
		const struct option_row *row = &ctl_options[o];
		bool number = row->kind == KIND_NUMBER || row->kind == KIND_DURATION;

		assert_non_null(row->name);
		assert_true(strlen(row->name) < 16);
		/* Help and man page make a sentence of it. */
		assert_true(islower((unsigned char)row->about[0]));
		assert_int_not_equal(row->about[strlen(row->about) - 1], '.');
		assert_int_equal(row->kind == KIND_FLAG, row->argument == NULL);
		assert_int_equal(
			row->kind == KIND_WORD || row->kind == KIND_HINT, row->words != NULL);
		assert_true(number ? row->min < row->max : row->max == 0);
		for (int other = o + 1; other < OPTIONS_; other++)
			assert_string_not_equal(row->name, ctl_options[other].name);
	}
}

static void test_commands_are_whole(void **state)
{
	(void)state;
	for (const struct command *c = ctl_commands; c->name; c++) {
		assert_ptr_equal(command_find(c->name), c);
		assert_non_null(c->run);
		assert_int_equal(c->text[strlen(c->text) - 1], '.');
		for (const enum option *o = c->options; *o; o++) {
			assert_true(*o >= OPTION_FIRST_OWN && *o < OPTIONS_);
			assert_int_equal(option_find(c, ctl_options[*o].name,
						 (int)strlen(ctl_options[*o].name)),
				*o);
		}
	}
}

/* Every option is somebody's. */
static void test_no_option_is_left_over(void **state)
{
	(void)state;
	for (int option = OPTION_FIRST_OWN; option < OPTIONS_; option++) {
		bool used = false;

		for (const struct command *c = ctl_commands; c->name; c++) {
			for (const enum option *o = c->options; *o; o++)
				used = used || (int)*o == option;
		}
		assert_true(used);
	}
}

static void test_names_are_whole_words(void **state)
{
	const struct command *punches = command_find("punches"), *status = command_find("status");

	(void)state;
	assert_null(command_find("punch"));
	assert_null(command_find("punchess"));
	assert_null(command_find(""));
	assert_int_equal(option_find(punches, "state", 5), OPTION_STATE);
	assert_int_equal(option_find(punches, "state=held", 5), OPTION_STATE);
	assert_int_equal(option_find(punches, "stat", 4), OPTION_NONE);
	assert_int_equal(option_find(punches, "states", 6), OPTION_NONE);
	assert_int_equal(option_find(punches, "", 0), OPTION_NONE);
	assert_int_equal(option_find(status, "state", 5), OPTION_NONE);
	assert_int_equal(option_find(NULL, "state", 5), OPTION_NONE);
	assert_int_equal(option_find(NULL, "json", 4), OPTION_JSON);
	assert_int_equal(option_find(status, "json", 4), OPTION_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_are_whole),
		cmocka_unit_test(test_commands_are_whole),
		cmocka_unit_test(test_no_option_is_left_over),
		cmocka_unit_test(test_names_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
