#include "daemon/replaced.h"

#include "base/time.h"
#include "store/store_punch.h"
#include "store/store_salvage.h"

#define SHOWN_S       (7 * 86400)
#define LOOK_EVERY_US (60 * CLOCK_US_PER_S)

int replaced_load(struct replaced *r, struct context *c)
{
	int error = store_meta_get(c->store, STORE_META_REPLACED_AT, 0, &r->at_s);

	if (error == 0)
		error = store_meta_get(c->store, STORE_META_REPLACED_SAVED, 0, &r->saved);
	if (error == 0)
		error = store_meta_get(c->store, STORE_META_REPLACED_LOST, 0, &r->lost);
	return error;
}

static int one_found(void *arg, const struct punch *p)
{
	(void)arg;
	(void)p;
	return 0;
}

static bool any_restored(struct context *c)
{
	const struct store_filter filter = {.state = PUNCH_HELD,
		.reason = REASON_RESTORED,
		.from_s = INT64_MIN,
		.to_s = INT64_MAX,
		.limit = 1};
	int64_t next;

	return store_punch_list(c->store, &filter, one_found, NULL, &next) != 0;
}

static void forget(struct replaced *r, struct context *c)
{
	int error = store_begin(c->store);

	if (error == 0)
		error = store_meta_set(c->store, STORE_META_REPLACED_AT, 0);
	if (error == 0)
		error = store_commit(c->store);
	if (error < 0) {
		store_rollback(c->store);
		return;
	}
	r->at_s = 0;
}

void replaced_look(struct replaced *r, struct context *c)
{
	struct moment now = loop_now(c->loop);
	char at[TIME_TEXT_SIZE], lost[64];

	if (r->at_s != 0 && now.wall_us / CLOCK_US_PER_S - r->at_s > SHOWN_S &&
		now.mono_us - r->looked_us > LOOK_EVERY_US) {
		r->looked_us = now.mono_us;
		if (!any_restored(c))
			forget(r, c);
	}
	if (r->lost < 0)
		snprintf(lost, sizeof lost, "nobody can tell how many were not");
	else
		snprintf(lost, sizeof lost, "%lld are known to be lost", (long long)r->lost);
	alarms_set(&c->alarms, ALARM_STORE_REPLACED, r->at_s != 0,
		"the store was damaged and replaced at %s: %lld punches were saved, %s; what was "
		"not "
		"sent yet is held as restored until a person has looked at it, and the damaged "
		"file "
		"lies beside the store as .damaged-…",
		time_format_utc(r->at_s, -1, at), (long long)r->saved, lost);
}
