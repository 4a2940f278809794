/* punchd(8): arguments only. */
#include <getopt.h>
#include <unistd.h>

#include "daemon/punchd.h"

static const char usage[] =
	"usage: punchd [-c FILE] [-t | -p]\n"
	"       punchd -u STORE\n"
	"  -c FILE        settings (default " PUNCHD_CONFIG ")\n"
	"  -t             check the settings and exit: 0 good, 1 bad\n"
	"  -p             print the settings in force and exit\n"
	"  -u, --unsettled STORE\n"
	"                 print how many of its punches are not settled and exit;\n"
	"                 no punchd may be using it\n"
	"  -V, --version  print the version and exit\n"
	"  -h, --help     print this and exit\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {"unsettled", required_argument, NULL, 'u'},
		{NULL, 0, NULL, 0}};
	const char *config_file = PUNCHD_CONFIG;
	const char *store = NULL;
	int (*act)(const char *) = punchd_run;
	int option;

	while ((option = getopt_long(argc, argv, "c:tpu:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c': config_file = optarg; break;
		case 't': act = punchd_check; break;
		case 'p': act = punchd_print; break;
		case 'u': store = optarg; break;
		case 'V': puts(PACKAGE_STRING); return PUNCHD_EXIT_OK;
		case 'h': fputs(usage, stdout); return PUNCHD_EXIT_OK;
		default: fputs(usage, stderr); return PUNCHD_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "punchd: unexpected argument %s\n%s", argv[optind], usage);
		return PUNCHD_EXIT_USAGE;
	}
	return store ? punchd_unsettled(store) : act(config_file);
}
