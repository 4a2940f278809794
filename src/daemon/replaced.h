/*
 * The alarm store_replaced: after a salvage people must know what was saved and what was not. It
 * stands for a week, and on while a punch is still held as restored.
 */
#ifndef PUNCHD_DAEMON_REPLACED_H
#define PUNCHD_DAEMON_REPLACED_H

#include "daemon/context.h"

struct replaced {
	int64_t at_s; /* 0: never, or over */
	int64_t saved, lost;
	int64_t looked_us; /* monotonic: when it was last asked whether any is restored */
};

/* Read what the store knows. Returns 0 or a store error. */
int replaced_load(struct replaced *r, struct context *c);

/* Once a second. */
void replaced_look(struct replaced *r, struct context *c);

#endif
