/*
 * Judging a punch: queued, or held and why (JUDGING.md §2, §3, §7). A function of stored facts, the
 * directory, settings and the time handed in; no side effects, so judging again is the ordinary
 * case.
 */
#ifndef PUNCHD_CORE_VERDICT_H
#define PUNCHD_CORE_VERDICT_H

#include "core/directory.h"
#include "core/links.h"
#include "core/punch.h"

struct verdict_settings {
	int64_t max_age_s;
	int64_t max_future_s;
	int64_t accept_from_s; /* INT64_MIN: no such limit */
};

struct verdict_context {
	const struct verdict_settings *settings;
	const struct directory *directory;
	const struct links *links;
	const char *serial; /* the terminal's serial_number in the cloud */
	int64_t now_us;     /* wall clock */
};

/*
 * Judge a punch that is queued, held, or new: sets state, reason, time_s, type, type_from, user_id
 * and device_id. Its identity, its receipt and what was sent stay as they are.
 * Not for a frozen one: that is asserted.
 */
void verdict_judge(const struct verdict_context *context, struct punch *p);

/* Parked as it came: for what could not be read. */
void verdict_park(struct punch *p, int reason, const char *message);

#endif
