/*
 * Devices whose status changes by itself: SERIAL=STATUS@AFTER[,STATUS@AFTER]…, each so long after
 * the start, as in BIO-FP-001=inactive@30s,active@60s.
 */
#ifndef PUNCHD_SANDBOX_SCHEDULE_H
#define PUNCHD_SANDBOX_SCHEDULE_H

#include <stddef.h>

struct sandbox;
struct schedule;

/* NULL, or what is wrong with it. */
const char *schedule_fault(const char *spec);

/* Begin with all of them; they passed schedule_fault. Returns 0 or -ENOMEM. */
int schedule_start(struct sandbox *sandbox, const char *const *specs, size_t count,
	struct schedule **ret_schedule);
/* NULL is taken. */
void schedule_free(struct schedule *s);

#endif
