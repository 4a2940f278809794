/* punch-sandbox's command line, by the table of options_table.h. */
#ifndef PUNCHD_SANDBOX_OPTIONS_H
#define PUNCHD_SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/keys.h"
#include "sandbox/report.h"

#define OPTIONS_LIST_MAX  64
#define OPTIONS_USERS_MAX 1000000
#define OPTIONS_PLAN_MAX  1000000
#define OPTIONS_KEY       "sandbox-key" /* where none is given and DIR is new */

struct options_list {
	const char *items[OPTIONS_LIST_MAX];
	size_t count;
};

/* Texts point into argv, but for host, data_dir and the rules' zone. */
struct options {
	char host[256]; /* without brackets */
	uint16_t port;  /* 0: any free one */
	char *data_dir; /* owned */
	int64_t plan;   /* requests a window; 0: no limit */
	int64_t window_ms;
	enum keys_counting counting;
	int64_t idempotency_life_ms; /* 0: without end */
	struct options_list keys, read_keys, attendance_keys, names, faults, schedules;
	int64_t users;       /* -1: not given */
	const char *devices; /* NULL: not given */
	const char *webhook; /* NULL: none */
	const char *webhook_ca;
	const char *webhook_secret_file;
	int64_t webhook_parallel, webhook_tries;
	struct report_rules rules; /* zone: owned */
	const char *pdf_program;   /* NULL: the usual one */
	const char *record;        /* NULL: nothing is recorded */
	uint64_t seed;
	bool verbose;
};

/*
 * Read the command line.
 * Returns 0 to run; 1: help or version was printed, exit 0; -EINVAL: complained on stderr, exit 2;
 * -ENOMEM.
 */
int options_parse(struct options *o, int argc, char **argv);
void options_done(struct options *o);

#endif
