#include "ctl/pages.h"

#include "base/mdoc.h"

#define LINE_MAX_COLUMNS 78

/* ---- help */

static const char *usage_of(const struct command *c, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "punchctl %s%s%s%s", c->name, c->argument ? " " : "",
		c->argument ? c->argument : "", c->options[0] ? " [OPTION]…" : "");
	return ret_text;
}

void pages_usage(FILE *out, const struct command *command)
{
	char text[128];

	if (command)
		fprintf(out, "usage: %s\n       punchctl %s --help tells more\n",
			usage_of(command, text, sizeof text), command->name);
	else
		fputs("usage: punchctl [--socket PATH] [--json] COMMAND\n"
		      "       punchctl --help lists the commands\n",
			out);
}

/* A text of ASCII, broken into lines; so many columns of the first are taken, and are left free in
 * the others. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
	size_t column = indent;
	const char *gap = "";

	while (*text) {
		size_t n = strcspn(text, " ");

		if (*gap && column + 1 + n > LINE_MAX_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			gap = "";
		}
		column += (size_t)fprintf(out, "%s%.*s", gap, (int)n, text);
		gap = " ";
		text += n + (text[n] == ' ');
	}
	fputs("\n", out);
}

static void print_option(FILE *out, enum option o)
{
	const struct option_row *row = &ctl_options[o];
	char left[40];

	snprintf(left, sizeof left, "--%s%s%s", row->name, row->argument ? " " : "",
		row->argument ? row->argument : "");
	print_wrapped(out, row->about, (size_t)fprintf(out, "  %-18s ", left));
}

static void print_common_options(FILE *out)
{
	for (int o = OPTION_NONE + 1; o < OPTION_FIRST_OWN; o++)
		print_option(out, (enum option)o);
}

void pages_help(FILE *out)
{
	fputs("usage: punchctl [--socket PATH] [--json] COMMAND\n"
	      "Ask a running punchd, or tell it what to do.\n\nCommands:\n",
		out);
	for (const struct command *c = ctl_commands; c->name; c++) {
		char left[40];

		snprintf(left, sizeof left, "%s%s%s", c->name, c->argument ? " " : "",
			c->argument ? c->argument : "");
		fprintf(out, "  %-18s %s\n", left, c->about);
	}
	fputs("\nOptions, before or behind the command:\n", out);
	print_common_options(out);
	fputs("\nExit status: 0 done, 1 refused or not found, 2 wrong usage,\n"
	      "3 punchd is not reachable.\n",
		out);
}

void pages_help_command(FILE *out, const struct command *command)
{
	char text[128];

	fprintf(out, "usage: %s\n", usage_of(command, text, sizeof text));
	print_wrapped(out, command->text, 0);
	fputs("\n", out);
	for (const enum option *o = command->options; *o; o++)
		print_option(out, *o);
	print_common_options(out);
}

/* ---- the man page */

static void man_option(FILE *out, enum option o)
{
	const struct option_row *row = &ctl_options[o];

	mdoc_option(out, row->name, row->argument);
	mdoc_text(out, row->about);
}

static void man_command(FILE *out, const struct command *c)
{
	fprintf(out, ".It Ic %s%s", c->name, c->argument ? " Ar " : "");
	mdoc_word(out, c->argument ? c->argument : "");
	fputs("\n", out);
	mdoc_text(out, c->about);
	mdoc_text(out, c->text);
	if (c->options[0])
		fputs(".Bl -tag -width Ds\n", out);
	for (const enum option *o = c->options; *o; o++)
		man_option(out, *o);
	if (c->options[0])
		fputs(".El\n", out);
}

void pages_man(FILE *out)
{
	fputs("Every command takes these options, before or behind it:\n.Bl -tag -width Ds\n", out);
	for (int o = OPTION_NONE + 1; o < OPTION_FIRST_OWN; o++)
		man_option(out, (enum option)o);
	fputs(".El\n.Sh COMMANDS\n.Bl -tag -width Ds\n", out);
	for (const struct command *c = ctl_commands; c->name; c++)
		man_command(out, c);
	fputs(".El\n", out);
}

/* ---- bash completion */

static const char *values_of(const struct option_row *row)
{
	switch (row->kind) {
	case KIND_FLAG: return NULL;
	case KIND_WORD:
	case KIND_HINT: return row->words;
	case KIND_PATH: return "FILE";
	case KIND_TEXT:
	case KIND_NUMBER:
	case KIND_DURATION:
	case KIND_FROM:
	case KIND_TO: return "";
	}
	return "";
}

static void completion_commands(FILE *out)
{
	fputs("_punchctl_commands='", out);
	for (const struct command *c = ctl_commands; c->name; c++)
		fprintf(out, "%s%s", c == ctl_commands ? "" : " ", c->name);
	fputs("'\n_punchctl_options='", out);
	for (int o = OPTION_NONE + 1; o < OPTION_FIRST_OWN; o++)
		fprintf(out, "%s--%s", o == OPTION_NONE + 1 ? "" : " ", ctl_options[o].name);
	fputs("'\n", out);
}

void pages_completion(FILE *out)
{
	completion_commands(out);
	fputs("_punchctl_options_of() {\n\tcase $1 in\n", out);
	for (const struct command *c = ctl_commands; c->name; c++) {
		if (!c->options[0])
			continue;
		fprintf(out, "\t%s) echo '", c->name);
		for (const enum option *o = c->options; *o; o++)
			fprintf(out, "%s--%s", o == c->options ? "" : " ", ctl_options[*o].name);
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n}\n# Fails where an option takes no value.\n_punchctl_values_of() {\n"
	      "\tcase $1 in\n",
		out);
	for (int o = OPTION_NONE + 1; o < OPTIONS_; o++) {
		const char *values = values_of(&ctl_options[o]);

		if (values)
			fprintf(out, "\t--%s) echo '%s' ;;\n", ctl_options[o].name, values);
	}
	fputs("\t*) return 1 ;;\n\tesac\n}\n", out);
}
