#include "base/log.h"
#include "sandbox/sandbox.h"

int main(int argc, char **argv)
{
	struct options options;
	int r = options_parse(&options, argc, argv);

	if (r == 0) {
		if (options.verbose)
			log_set_level(LOG_LEVEL_DEBUG);
		r = sandbox_run(&options);
	} else {
		r = r < 0 ? 2 : 0;
	}
	options_done(&options);
	return r;
}
