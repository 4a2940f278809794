#include "report/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "report/options_table.h"

static enum options_result bad(const char *what, const char *value)
{
	fprintf(stderr, "punch-report-pdf: %s%s\nsee punch-report-pdf --help\n", what, value);
	return OPTIONS_BAD;
}

static const struct pdf_paper *find_paper(const char *name)
{
	for (const struct pdf_paper *paper = pdf_papers; paper->name; paper++) {
		if (strcmp(paper->name, name) == 0)
			return paper;
	}
	return NULL;
}

static enum options_result take(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPT_OUTPUT:
		o->output = value;
		return *value ? OPTIONS_RUN : bad("--output takes the name of a file", "");
	case OPT_PAPER:
		o->paper = find_paper(value);
		return o->paper ? OPTIONS_RUN : bad("--paper takes a4 or letter, not ", value);
	case OPT_HELP: options_help(stdout); return OPTIONS_DONE;
	case OPT_VERSION: puts("punch-report-pdf " PACKAGE_VERSION); return OPTIONS_DONE;
	}
	return OPTIONS_BAD;
}

enum options_result options_parse(int argc, char **argv, struct options *ret)
{
	struct option table[OPT_COUNT + 1] = {0};
	enum options_result result = OPTIONS_RUN;
	int c, index;

	*ret = (struct options){.paper = &pdf_papers[0]};
	for (int i = 0; i < OPT_COUNT; i++)
		table[i] = (struct option){.name = option_specs[i].name,
			.has_arg = option_specs[i].value ? required_argument : no_argument};
	while (result == OPTIONS_RUN && (c = getopt_long(argc, argv, "o:", table, &index)) != -1) {
		if (c == '?')
			return bad("these options are not understood", "");
		result = take(ret, c == 'o' ? OPT_OUTPUT : index, optarg);
	}
	if (result == OPTIONS_RUN && optind < argc)
		return bad("the report is read from standard input; what is ", argv[optind]);
	return result;
}
