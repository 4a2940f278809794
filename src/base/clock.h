/*
 * The only reader of clocks.
 *
 * Everything else is handed a struct moment, so that tests and the simulation decide what time it
 * is. Wall time may jump and may be wrong; monotonic time only runs while this boot runs, and is
 * what durations and deadlines are reckoned on.
 */
#ifndef PUNCHD_BASE_CLOCK_H
#define PUNCHD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_US_PER_S 1000000LL

struct moment {
	int64_t wall_us; /* UTC, microseconds since 1970 */
	int64_t mono_us; /* CLOCK_MONOTONIC, microseconds since an arbitrary start of this boot */
};

struct moment clock_now(void);

/* Whether the kernel (adjtimex) or systemd-timesyncd says that the wall clock is synchronised. */
bool clock_synchronized(void);

/*
 * The kernel's id of this boot, 36 characters and NUL.
 * Returns 0, or a negative errno where /proc cannot be read.
 */
int clock_boot_id(char ret_id[static 37]);

#endif
