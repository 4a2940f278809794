/*
 * Which settings are in force: when they were read, whether newer ones were refused, and which wait for
 * a restart. `systemctl reload` tells none of that: it is in the log, and stands in the status document.
 */
#ifndef PUNCHD_DAEMON_INFORCE_H
#define PUNCHD_DAEMON_INFORCE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

#define INFORCE_FAULT_MAX   1024
#define INFORCE_RESTART_MAX 2048

struct inforce {
	const char *file;                  /* the main one; not owned */
	int64_t read_us;                   /* wall clock: when those in force were read */
	int64_t refused_us;                /* when newer ones were refused; 0: they were not */
	int faults;                        /* in those */
	char fault[INFORCE_FAULT_MAX];     /* the first of them */
	char restart[INFORCE_RESTART_MAX]; /* keys as config_restart_keys tells them */
	uint64_t seen;                     /* of the files when they were last read */
};

/* The files are about to be read. */
void inforce_look(struct inforce *f, const char *file);

/* They were good and are in force but for the keys that need a restart, or had faults. */
void inforce_taken(struct inforce *f, int64_t now_us, const struct buf *restart);
void inforce_refused(struct inforce *f, int64_t now_us, const struct buf *faults);

/* The keys that wait for a restart, a list of texts, a new reference; NULL: no memory. */
json_t *inforce_restart_keys(const struct inforce *f);

/* `{"file","read","refused","faults","fault","changed","restart_keys"}`, a new reference. changed: the
 * files are others than those that were read. */
json_t *inforce_json(const struct inforce *f);

#endif
