/*
 * Time zones by IANA name, from the system's TZif files (RFC 9636); glibc has no call that takes
 * a zone. Reads the 64-bit data and, behind its last transition, the POSIX TZ string of the footer.
 *
 * A zone is immutable once loaded and may be shared.
 */
#ifndef PUNCHD_BASE_ZONE_H
#define PUNCHD_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/*
 * Load a zone by name ("Europe/Berlin") from $TZDIR, else /usr/share/zoneinfo. "UTC" needs no
 * file. NULL or "" is the system's zone: /etc/localtime, UTC where there is none.
 * Returns 0, -ENOENT (no such zone), -EINVAL (a name that could leave the folder: "..", a leading
 * slash, odd bytes), -EBADMSG (a file that is no TZif, is damaged, or counts leap seconds as those
 * under right/ do: POSIX time has none), -ENOMEM, or what reading the file gave.
 */
int zone_load(const char *name, struct zone **ret_zone);

/* The same from bytes in memory; for tests and fuzzing. */
int zone_parse(const void *bytes, size_t n, struct zone **ret_zone);

void zone_free(struct zone *z);

/* Seconds east of UTC that hold at a point of time. Behind 36 million years all is as then. */
int32_t zone_offset_at(const struct zone *z, int64_t unix_s);

/* What a local time may mean. */
enum zone_fit {
	ZONE_UNIQUE,  /* exactly one point of time */
	ZONE_SKIPPED, /* none: the clocks jumped over it; *ret takes the offset before the change */
	ZONE_TWICE,   /* two: *ret is the earlier */
};

/* The point of time of a local time (seconds since 1970 as if it were UTC). */
enum zone_fit zone_to_unix(const struct zone *z, int64_t local_s, int64_t *ret_unix_s);

#endif
