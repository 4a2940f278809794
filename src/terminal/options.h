/* The command line, by the table of options_table.h. */
#ifndef PUNCHD_TERMINAL_OPTIONS_H
#define PUNCHD_TERMINAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_BATCH_MAX 100 /* what one message may hold: att/v1 */

enum options_types {
	OPTIONS_TYPES_ALTERNATE,
	OPTIONS_TYPES_CHECK_IN,
	OPTIONS_TYPES_CHECK_OUT,
	OPTIONS_TYPES_NONE,
};

/* An option that may be given several times. */
struct options_list {
	const char **items;
	size_t count;
};

/* The texts belong to argv. */
struct options {
	/* the broker */
	const char *host;
	int64_t port;
	const char *username; /* NULL none; `%s` in it stands for the serial */
	const char *password_file;
	const char *ca_file;
	const char *prefix;
	int64_t keepalive_ms;
	int64_t qos;
	/* the terminals */
	int64_t terminals; /* 0: as many as there are serials */
	struct options_list serials;
	const char *keep;
	int64_t window;
	int64_t resend_ms;
	bool no_ack;
	bool retain;
	bool counter_reset;
	/* the punches */
	int64_t count;       /* of each terminal; 0: no end */
	int64_t interval_us; /* between two punches of a terminal; 0: as fast as acks allow */
	int64_t batch;
	struct options_list users;
	const char *users_file;
	int64_t users_count;
	const char *user_format;
	enum options_types types;
	bool no_time;
	bool has_start;
	int64_t start_s; /* UTC, seconds since 1970 */
	int64_t step_ms;
	int64_t time_offset_ms; /* how far the terminals' clocks are off; later: positive */
	int64_t utc_offset_s;   /* the offset that times are written with */
	/* the run */
	const char *journal;
	int64_t timeout_ms; /* 0: none */
	const char *raw_file;
	const char *topic;
	bool quiet;
	bool verbose;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE, /* --help or --version has been answered */
	OPTIONS_BAD,  /* what is wrong is on stderr */
};

enum options_result options_parse(int argc, char **argv, struct options *ret_options);
void options_done(struct options *o);

#endif
