/* Publish a file's bytes once, as they are: for payloads that no terminal would send. */
#ifndef PUNCHD_TERMINAL_RAW_H
#define PUNCHD_TERMINAL_RAW_H

#include "terminal/options.h"

/* Returns the exit code: 0 the broker has it (with QoS 0: it was written), 1 not. */
int raw_run(const struct options *o, const char *password);

#endif
