/*
 * The doctor's notebook: a line a check, gathered and shown at the end. The checks themselves are
 * in doctor_status.c (what punchd says of itself), doctor_devices.c (devices, and who is to be created)
 * and cmd_doctor.c (the rest).
 */
#ifndef PUNCHD_CTL_DOCTOR_H
#define PUNCHD_CTL_DOCTOR_H

#include "ctl/ctl.h"

enum result { RESULT_OK, RESULT_WARN, RESULT_FAIL };

struct doctor {
	struct ctl *ctl;
	const json_t *status; /* borrowed; NULL: punchd was not reached */
	struct table table;
	json_t *checks; /* owned */
	json_t *told;   /* owned: codes of alarms that a check has shown */
	enum result worst;
};

/* Write down a check: its name, how it came out, what to do (not shown where it is ok; NULL: nothing),
 * and what was found. */
void doctor_note(struct doctor *d, const char *name, enum result result, const char *advice,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The message of an alarm that stands, which is now told; NULL: it does not. */
const char *doctor_alarm(struct doctor *d, const char *code);

/* Everything that the status document tells. */
void doctor_look_at_status(struct doctor *d);

void doctor_look_at_devices(struct doctor *d);
void doctor_look_at_new_users(struct doctor *d);

#endif
