/*
 * What comes from the vocabulary: help, and the parts of the man page and of the bash completion
 * that lie in the tree. With PUNCHD_PAGES=write in the environment these parts are written anew.
 */
#include "ctl/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "unit.h"

/* What a page prints; freed by the caller. */
static char *printed(void (*page)(FILE *out))
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	page(out);
	fclose(out);
	return text;
}

static void read_tree(const char *name, char path[static 4096], struct buf *text)
{
	const char *root = getenv("PUNCHD_SRCDIR");

	snprintf(path, 4096, "%s/%s", root ? root : "..", name);
	buf_init(text, 1 << 20);
	assert_int_equal(file_read(path, text, NULL), 0);
}

/* The lines between those that hold `begin:` and `end` behind the mark; offsets of the first and of
 * the end's. */
static void find_part(const char *text, const char *mark, size_t *ret_from, size_t *ret_to)
{
	char begin[64], end[64];
	const char *from, *to;

	snprintf(begin, sizeof begin, "%s begin: ", mark);
	snprintf(end, sizeof end, "\n%s end\n", mark);
	from = strstr(text, begin);
	assert_non_null(from);
	from = strchr(from, '\n');
	to = strstr(from, end);
	assert_non_null(to);
	*ret_from = (size_t)(from + 1 - text);
	*ret_to = (size_t)(to + 1 - text);
}

static void write_part(const char *path, const char *text, size_t from, size_t to, const char *part)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out, "%.*s%s%s", (int)from, text, part, text + to);
	assert_int_equal(fclose(out), 0);
}

static void assert_in_step(const char *name, const char *mark, void (*page)(FILE *out))
{
	const char *wish = getenv("PUNCHD_PAGES");
	char path[4096], *part = printed(page);
	size_t from, to, n = strlen(part);
	struct buf text;

	read_tree(name, path, &text);
	find_part(text.data, mark, &from, &to);
	if (wish && strcmp(wish, "write") == 0)
		write_part(path, text.data, from, to, part);
	else if (to - from != n || memcmp(text.data + from, part, n) != 0)
		fail_msg("%s is not what the vocabulary says; PUNCHD_PAGES=write mends it", name);
	buf_done(&text);
	free(part);
}

static void test_man_page_is_in_step(void **state)
{
	(void)state;
	assert_in_step("man/punchctl.1", ".\\\"", pages_man);
}

static void test_completion_is_in_step(void **state)
{
	(void)state;
	assert_in_step("etc/completion/punchctl.bash", "#", pages_completion);
}

static void test_help_names_everything(void **state)
{
	char *help = printed(pages_help);

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
		char *help = printed(show_command);
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
