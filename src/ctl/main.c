/* punchctl: what an operator asks or tells a running punchd; punchctl(1). */
#include "ctl/ctl.h"

int main(int argc, char **argv)
{
	return ctl_run(argc, argv);
}
