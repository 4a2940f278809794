/*
 * What comes from the vocabulary: help, and the parts of the man page and of the bash completion
 * that lie in the tree (inpage.h).
 */
#include "ctl/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "inpage.h"
#include "unit.h"

static void test_man_page_is_in_step(void **state)
{
	(void)state;
	inpage_assert("man/punchctl.1", INPAGE_MAN, pages_man);
}

static void test_completion_is_in_step(void **state)
{
	(void)state;
	inpage_assert("etc/completion/punchctl.bash", "#", pages_completion);
}

static void test_help_names_everything(void **state)
{
	char *help = inpage_printed(pages_help);

	(void)state;
	for (const struct command *c = ctl_commands; c->name; c++) {
		char line[64];

		snprintf(line, sizeof line, "\n  %s ", c->name);
		assert_non_null(strstr(help, line));
		assert_non_null(strstr(help, c->about));
	}
	for (int o = OPTION_NONE + 1; o < OPTION_FIRST_OWN; o++) {
		char line[64];

		snprintf(line, sizeof line, "\n  --%s ", ctl_options[o].name);
		assert_non_null(strstr(help, line));
	}
	free(help);
}

static const struct command *shown;

static void show_command(FILE *out)
{
	pages_help_command(out, shown);
}

/* Lines made one again, with single blanks. */
static void join(struct buf *out, const char *lines)
{
	for (const char *p = lines; *p; p++) {
		char last = out->len > 0 ? out->data[out->len - 1] : '\n';

		if (*p != '\n' && *p != ' ')
			buf_add_char(out, *p);
		else if (last != ' ')
			buf_add_char(out, ' ');
	}
}

/* A command's help has its text whole, however its lines are broken, and lines fit a terminal. */
static void test_help_of_a_command(void **state)
{
	(void)state;
	for (shown = ctl_commands; shown->name; shown++) {
		char *help = inpage_printed(show_command);
		struct buf text;

		for (const char *at = help; *at; at += strcspn(at, "\n") + 1)
			assert_true(strcspn(at, "\n") < 80);
		buf_init(&text, 65536);
		join(&text, help);
		assert_non_null(strstr(text.data, shown->text));
		for (const enum option *o = shown->options; *o; o++)
			assert_non_null(strstr(text.data, ctl_options[*o].about));
		buf_done(&text);
		free(help);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_man_page_is_in_step),
		cmocka_unit_test(test_completion_is_in_step),
		cmocka_unit_test(test_help_names_everything),
		cmocka_unit_test(test_help_of_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
