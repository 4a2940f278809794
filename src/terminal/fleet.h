/*
 * All terminals of a process, from the options to the line at the end.
 *
 * Everything that happens in a turn of the loop is made durable together: the lines of acks, one
 * commit of the keep, the lines of new punches, and only then are new punches sent.
 */
#ifndef PUNCHD_TERMINAL_FLEET_H
#define PUNCHD_TERMINAL_FLEET_H

#include "terminal/options.h"
#include "terminal/people.h"

/*
 * Play until all is acknowledged, --timeout, SIGTERM or SIGINT, and print the summary.
 * password may be NULL. Returns the exit code: 0 nothing is unacknowledged, 1 something is or the
 * run broke, 2 the options cannot be followed; the reason is on stderr.
 */
int fleet_run(const struct options *o, const struct people *people, const char *password);

#endif
