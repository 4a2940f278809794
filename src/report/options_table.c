#include "report/options_table.h"

#include "base/mdoc.h"

const struct option_spec option_specs[OPT_COUNT] = {
	[OPT_OUTPUT] = {"output", 'o', "FILE", NULL, "write to this file, not to standard output",
		"It appears whole or not at all: an older one stays until the new one is on the "
		"disk."},
	[OPT_PAPER] = {"paper", 0, "a4|letter", "a4", "size of the pages, upright", NULL},
	[OPT_HELP] = {"help", 0, NULL, NULL, "show this", NULL},
	[OPT_VERSION] = {"version", 0, NULL, NULL, "show the version", NULL},
};

void options_help(FILE *out)
{
	fputs("usage: punch-report-pdf [OPTION]… < REPORT.json\n"
	      "Make a PDF of an attendance report, which is read as JSON from standard input.\n\n",
		out);
	for (const struct option_spec *o = option_specs; o < option_specs + OPT_COUNT; o++) {
		char left[40];

		if (o->letter)
			snprintf(left, sizeof left, "-%c, --%s %s", o->letter, o->name, o->value);
		else
			snprintf(left, sizeof left, "    --%s %s", o->name,
				o->value ? o->value : "");
		fprintf(out, "  %-24s %s%s%s%s\n", left, o->help, o->preset ? " [" : "",
			o->preset ? o->preset : "", o->preset ? "]" : "");
	}
}

void options_man(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct option_spec *o = option_specs; o < option_specs + OPT_COUNT; o++) {
		if (o->letter)
			fprintf(out, ".It Fl %c Ar file , Fl -%s Ar file\n", o->letter, o->name);
		else
			mdoc_option(out, o->name, o->value);
		mdoc_text(out, o->help);
		if (o->more)
			mdoc_text(out, o->more);
		mdoc_preset(out, o->preset);
	}
	fputs(".El\n", out);
}
