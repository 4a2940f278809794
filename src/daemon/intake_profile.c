/* Messages of terminals that speak in a way of their own (core/profile.h). */
#include <errno.h>

#include "base/log.h"
#include "base/time.h"
#include "core/identity.h"
#include "core/profile_set.h"
#include "daemon/intake_private.h"

#define LETTER_MAX ((size_t)256 * 1024)

static struct profile_facts facts_now(struct intake *in, const struct arrival *a)
{
	return (struct profile_facts){
		.random = {loop_random(in->context->loop), loop_random(in->context->loop)},
		.now_s = a->at.wall_us / CLOCK_US_PER_S,
		.zone = in->context->zone,
		.device = "",
		.record_id = "",
	};
}

/* Queue what is to be published, but nothing that would come back to us or to another profile. */
static void send_letter(void *arg, const char *topic, const char *payload, size_t length)
{
	struct intake *in = arg;
	char whole[PROFILE_TEXT_SIZE * 2];

	if (profile_set_hears(&in->context->profiles, topic)) {
		if (bucket_take(&in->log_bucket, loop_now(in->context->loop).mono_us))
			log_warn("profile",
				"a profile's message was not published: the gateway listens on "
				"that topic itself",
				LOG_S("topic", topic));
		return;
	}
	snprintf(whole, sizeof whole, "%s%s", in->prefix, topic);
	letters_add(&in->letters, whole, payload, length);
}

/* ---- once */

/* Whether this message, byte for byte, has had its acknowledgement; if not, it has from now on, once
 * the burst is on disk. Returns 1, 0 or -ENOMEM. */
static int acked_before(struct intake *in, const struct arrival *a)
{
	uint8_t key[IDENTITY_SIZE];
	int r = identity_of_malformed(a->m->topic, a->sha256, 0, key);

	if (r < 0)
		return r;
	for (size_t i = 0; i < INTAKE_ONCE_MAX && i < in->once_count; i++) {
		if (memcmp(in->once[i], key, sizeof key) == 0)
			return 1;
	}
	memcpy(in->once[in->once_count++ % INTAKE_ONCE_MAX], key, sizeof key);
	return 0;
}

/* ---- acknowledgements */

static int ack(struct intake *in, struct arrival *a, unsigned outcomes)
{
	struct profile_reading *reading = a->reading;
	const struct profile *p = reading->profile;
	struct profile_facts f = facts_now(in, a);
	struct buf topic, payload;
	int r = 0;

	f.view = &reading->view;
	f.device = reading->device;
	f.zone = context_rules(in->context, reading->device).zone;
	f.record_id = reading->record_id;
	f.count = (int64_t)reading->count;
	if (!profile_ack_wanted(p, &f, outcomes))
		return 0;
	if (p->ack.once && (r = acked_before(in, a)) != 0)
		return r < 0 ? r : 0;
	buf_init(&topic, PROFILE_TEXT_SIZE);
	buf_init(&payload, LETTER_MAX);
	r = profile_topic_fill(p->ack.letter.topic, &f, &topic);
	if (r == 0)
		r = profile_payload_fill(&p->ack.letter, &f, &payload);
	if (r == 0)
		send_letter(in, topic.data, payload.data, payload.len);
	buf_done(&topic);
	buf_done(&payload);
	return r == -ENOMEM ? r : 0;
}

/* ---- punches */

static int take_record(struct intake *in, struct arrival *a, struct payload_record *record)
{
	bool known = a->reading->device[0] != '\0';
	bool punch = record->kind == PAYLOAD_PUNCH;
	int r;

	punch_text_set(a->serial, sizeof a->serial, record->punch.terminal);
	a->outcome = record->kind == PAYLOAD_IGNORED ? OUTCOME_REJECTED : 0;
	r = intake_record(in, a, NULL, record);
	if (r == 0 && known) {
		terminals_saw(in->terminals, a->serial, a->at, punch, a->m->retained);
		terminals_family(in->terminals, a->serial, a->reading->profile->name);
	}
	if (r == 0 && a->reading->profile->ack.each_record)
		r = ack(in, a, a->outcome);
	return r;
}

static int take_records(struct intake *in, struct arrival *a)
{
	struct payload_record record;
	unsigned outcomes = 0;
	int r = 0;

	while (r == 0 && (r = profile_reading_next(a->reading, &record)) > 0) {
		r = take_record(in, a, &record);
		outcomes |= a->outcome;
	}
	if (r == 0 && !a->reading->profile->ack.each_record)
		r = ack(in, a, outcomes);
	return r;
}

static const struct zone *zone_of(void *arg, const char *terminal)
{
	return context_rules(arg, terminal).zone;
}

static int take_punches(struct intake *in, struct arrival *a, const struct profile *p)
{
	struct profile_reading reading;
	int r;

	if (a->m->retained && !p->takes_retained) {
		store_tally(in->context->store)->ignored++;
		return 0;
	}
	r = profile_reading_init(
		&reading, p, a->topic, a->m->payload, a->m->length, in->context->zone);
	reading.zone_of = zone_of;
	reading.zone_arg = in->context;
	a->reading = &reading;
	if (r == 0)
		r = take_records(in, a);
	a->reading = NULL;
	profile_reading_done(&reading);
	return r;
}

/* ---- a message */

static int take_side(struct intake *in, struct arrival *a, const struct profile *p)
{
	struct profile_facts f = facts_now(in, a);
	struct profile_presence presence;
	int r = profile_presence(p, a->topic, a->m->payload, a->m->length, &presence);

	if (r > 0) {
		terminals_presence(
			in->terminals, presence.device, presence.online, a->at, a->m->retained);
		terminals_family(in->terminals, presence.device, p->name);
	}
	if (r >= 0 && !a->m->retained)
		r = profile_replies(p, a->topic, a->m->payload, a->m->length, &f, send_letter, in);
	return r < 0 ? r : 0;
}

int intake_take_profiled(struct intake *in, struct arrival *a)
{
	const struct profile_set *set = &in->context->profiles;
	const struct profile *p = profile_set_find(set, a->topic);
	int r = 0;

	for (size_t i = 0; i < set->count && r == 0; i++)
		r = take_side(in, a, set->list[i]);
	return r == 0 && p ? take_punches(in, a, p) : r;
}

/* ---- clocks */

/* Of one family. */
struct clock_round {
	struct intake *in;
	const struct profile *profile;
};

static void set_clock(void *arg, const char *serial)
{
	struct clock_round *round = arg;
	struct intake *in = round->in;
	const struct arrival now = {.at = loop_now(in->context->loop)};
	const struct profile_view nothing = {.root = NULL};
	struct profile_facts f = facts_now(in, &now);
	struct buf topic, payload;

	f.view = &nothing;
	f.device = serial;
	f.zone = context_rules(in->context, serial).zone;
	buf_init(&topic, PROFILE_TEXT_SIZE);
	buf_init(&payload, LETTER_MAX);
	if (profile_topic_fill(round->profile->clock.topic, &f, &topic) == 0 &&
		profile_payload_fill(&round->profile->clock, &f, &payload) == 0)
		send_letter(in, topic.data, payload.data, payload.len);
	buf_done(&topic);
	buf_done(&payload);
}

/* att/v1/{serial}/cmd */
static void set_native_clock(void *arg, const char *name)
{
	struct intake *in = arg;
	int64_t now_s = loop_now(in->context->loop).wall_us / CLOCK_US_PER_S;
	char topic[512], payload[128], time[TIME_TEXT_SIZE];

	snprintf(topic, sizeof topic, "att/v1/%s/cmd", name);
	snprintf(payload, sizeof payload, "{\"id\":\"c%lld\",\"op\":\"set_time\",\"time\":\"%s\"}",
		(long long)now_s, time_format_utc(now_s, -1, time));
	log_info("set_time", "a terminal's clock is off: it is told the time",
		LOG_S("terminal", name));
	send_letter(in, topic, payload, strlen(payload));
}

void intake_set_clocks(struct intake *in)
{
	const struct profile_set *set = &in->context->profiles;
	int64_t now_us = loop_now(in->context->loop).mono_us;

	/* A clock that may be wrong makes no other one right. */
	if (!in->context->clock.trusted || in->context->clock.disagrees)
		return;
	for (size_t i = 0; i < set->count; i++) {
		struct clock_round round = {.in = in, .profile = set->list[i]};

		if (round.profile->clock.topic)
			terminals_clocks(in->terminals, round.profile->name, now_us,
				round.profile->clock_every_s * CLOCK_US_PER_S, set_clock, &round);
	}
	if (set->native)
		terminals_native_clocks(in->terminals, now_us, set_native_clock, in);
	letters_flush(&in->letters, in->on.publish, in->on.arg);
}

bool intake_set_family(struct intake *in, struct arrival *a)
{
	const struct profile_set *set = &in->context->profiles;
	size_t prefix = strlen(in->prefix);
	const struct profile *p;

	if (strncmp(a->m->topic, in->prefix, prefix) != 0 ||
		!profile_set_hears(set, a->m->topic + prefix))
		return false;
	a->topic = a->m->topic + prefix;
	p = profile_set_find(set, a->topic);
	a->is_status = p == NULL;
	punch_text_set(a->serial, sizeof a->serial, p ? p->name : "?");
	return true;
}
