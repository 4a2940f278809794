/* Messages that ended the daemon, and how it finds out which (daemon/guard.h). */
#include <errno.h>

#include "base/log.h"
#include "core/identity.h"
#include "daemon/intake_private.h"
#include "store/store_guard.h"

/* Park, unparsed, a message that has crashed the daemon. */
static int park_crashed(struct intake *in, struct arrival *a)
{
	struct payload_record record = {.kind = PAYLOAD_MALFORMED,
		.whole = true,
		.fault = "the daemon ended twice while it was reading this message"};
	struct payload none = {.count = 0};
	uint8_t identity[IDENTITY_SIZE];
	int r = identity_of_malformed(a->m->topic, a->sha256, 0, identity);

	if (r == 0)
		r = guard_learn(in->guard, identity);
	punch_text_set(record.punch.terminal, sizeof record.punch.terminal, a->serial);
	record.punch.received_us = a->at.wall_us;
	record.punch.mono_us = a->at.mono_us;
	record.punch.boot = in->context->boot;
	return r < 0 ? r : intake_park(in, a, &none, &record, REASON_CRASHED);
}

/* Whether this message is one that is known to crash. Returns 1, 0, or an error. */
int intake_is_crasher(struct intake *in, struct arrival *a)
{
	uint8_t identity[IDENTITY_SIZE];
	int r;

	if (!guard_knows_any(in->guard))
		return 0;
	r = identity_of_malformed(a->m->topic, a->sha256, 0, identity);
	return r < 0 ? r : guard_knows(in->guard, identity);
}

/* Careful: the message is on disk before it is looked at. */
int intake_take_carefully(struct intake *in, struct arrival *a)
{
	struct store *s = in->context->store;
	int64_t id = store_guard_add(
		s, a->m->topic, a->m->payload, a->m->length, a->m->retained, a->m->dup);
	int r = id < 0 ? (int)id : store_commit(s);

	if (r == 0)
		r = intake_take(in, a);
	return r < 0 ? r : store_guard_del(s, id);
}

/* ---- what an earlier run left */

static int recover_one(struct intake *in, const struct store_guarded *g)
{
	const struct mqtt_message m = {.topic = g->topic,
		.payload = g->payload,
		.length = g->length,
		.retained = g->retained,
		.dup = true,
		.qos = 1};
	struct store *s = in->context->store;
	struct arrival a;
	int r = 0;

	intake_arrive(in, &a, &m);
	a.waited = true;
	/* Its profile is gone since: nobody can tell what it was. */
	if (!intake_set_serial(in, &a))
		return store_guard_del(s, g->id);
	if (g->parses < GUARD_PARSES_MAX) {
		r = store_guard_raise(s, g->id);
		if (r == 0)
			r = store_commit(s);
		if (r == 0)
			r = intake_take(in, &a);
	} else {
		log_error("crashed",
			"a message ended the daemon twice: it is parked and not read any more; "
			"please report it",
			LOG_S("terminal", a.serial), LOG_S("topic", m.topic));
		r = identity_sha256(m.payload, m.length, a.sha256);
		if (r == 0)
			r = park_crashed(in, &a);
	}
	return r < 0 ? r : store_guard_del(s, g->id);
}

int intake_recover(struct intake *in)
{
	struct store_guarded g;
	int r;

	while ((r = store_guard_first(in->context->store, &g)) > 0) {
		in->error = recover_one(in, &g);
		store_guarded_done(&g);
		r = intake_flush(in);
		if (r < 0)
			return r;
	}
	return r;
}
