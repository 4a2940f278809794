/* What comes from punch-report-pdf's table: --help, and a part of its man page (inpage.h). */
#include <stdlib.h>
#include <string.h>

#include "inpage.h"
#include "report/options_table.h"
#include "unit.h"

static void test_man_page_is_in_step(void **state)
{
	(void)state;
	inpage_assert("man/punch-report-pdf.1", INPAGE_MAN " options", options_man);
}

static void test_help_names_everything(void **state)
{
	char *help = inpage_printed(options_help);

	(void)state;
	for (int i = 0; i < OPT_COUNT; i++) {
		char option[64];

		assert_non_null(option_specs[i].name);
		snprintf(option, sizeof option, " --%s ", option_specs[i].name);
		assert_non_null(strstr(help, option));
		assert_non_null(strstr(help, option_specs[i].help));
		if (option_specs[i].preset)
			assert_non_null(strstr(help, option_specs[i].preset));
	}
	free(help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_page_is_in_step),
		cmocka_unit_test(test_help_names_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
