/* The daemon as a library: what main does with its arguments. */
#ifndef PUNCHD_DAEMON_PUNCHD_H
#define PUNCHD_DAEMON_PUNCHD_H

#define PUNCHD_CONFIG "/etc/punchd/punchd.conf"

enum punchd_exit {
	PUNCHD_EXIT_OK = 0,
	PUNCHD_EXIT_FAILED = 1, /* could not start, or had to stop */
	PUNCHD_EXIT_USAGE = 2,
	PUNCHD_EXIT_CONFIG = 78, /* EX_CONFIG of sysexits.h */
};

/* Run until SIGTERM or SIGINT. Returns an exit code. */
int punchd_run(const char *config_file);

/* Check the settings; faults go to stderr. Returns 0 or 1. */
int punchd_check(const char *config_file);

/* Print the settings in force to stdout; faults go to stderr. Returns an exit code. */
int punchd_print(const char *config_file);

/* Print how many punches of a store are not settled: queued, held or parked; no daemon may be using
 * it. Returns an exit code, failed with words on stderr where that cannot be told. */
int punchd_unsettled(const char *path);

#endif
