/*
 * What a gateway sends to a terminal: acks and commands of att/v1, read with their limits checked.
 */
#ifndef PUNCHD_TERMINAL_REPLY_H
#define PUNCHD_TERMINAL_REPLY_H

#include <stddef.h>
#include <stdint.h>

#define REPLY_ACKS_MAX 100

/* The texts live during the callback. reason and name are "" where there is none. */
struct reply_ack {
	const char *id;
	const char *status;
	const char *reason;
	const char *name;
};

enum reply_status {
	REPLY_QUEUED,
	REPLY_DUPLICATE,
	REPLY_HELD,
	REPLY_PARKED,
	REPLY_SUPPRESSED,
	REPLY_OTHER, /* delivered, discarded, or a word that the protocol does not know */
	REPLY_STATUS_COUNT,
};

enum reply_status reply_status_parse(const char *word);

/*
 * Call on for each ack, in order, once the whole message has been found good.
 * Returns 0, or -EBADMSG: no JSON, other types, no id or status, over 100 entries.
 */
int reply_read_acks(const void *payload, size_t length,
	void (*on)(void *arg, const struct reply_ack *ack), void *arg);

struct reply_command {
	char id[65];
	char op[65];
	int64_t time_s; /* of set_time */
};

/* Returns 0, -EBADMSG (no command), or -EOPNOTSUPP (an op that is not known; id and op are set). */
int reply_read_command(const void *payload, size_t length, struct reply_command *ret_command);

#endif
