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

/* What becomes of a punch whose person or device cannot be used as it is ([punches]). The numbers
 * are those of core/config_keys.c. */
enum verdict_answer { VERDICT_HOLD, VERDICT_FORWARD, VERDICT_PARK };

struct verdict_settings {
	int64_t max_age_s;
	int64_t max_future_s;
	int64_t accept_from_s; /* INT64_MIN: no such limit */
	enum verdict_answer unknown_user;
	enum verdict_answer unknown_device;
	enum verdict_answer inactive_device; /* not VERDICT_PARK */
};

struct verdict_context {
	const struct verdict_settings *settings;
	const struct directory *directory;
	const struct links *links;
	const char *serial; /* the terminal's serial_number in the cloud */
	int64_t now_us;     /* wall clock */
	/* Whether the lists were ever read whole: before that, who is not in them is only held. */
	bool users_listed, devices_listed;
};

/*
 * Judge a punch that is queued, held, or new: sets state, reason, time_s, type, type_from, user_id
 * and device_id. Its identity, its receipt and what was sent stay as they are, and so does what a
 * person has set; what a person has released is not held for what that lifts (JUDGING.md §8).
 * Not for a frozen one: that is asserted.
 */
void verdict_judge(const struct verdict_context *context, struct punch *p);

/* Parked as it came: for what could not be read. */
void verdict_park(struct punch *p, int reason, const char *message);

#endif
