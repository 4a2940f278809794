#include "daemon/intake.h"

#include <errno.h>

#include "base/bucket.h"
#include "base/log.h"
#include "core/identity.h"
#include "core/payload.h"
#include "daemon/acks.h"
#include "store/store_guard.h"
#include "store/store_punch.h"

#define SCHEME           "att/v1/"
#define MALFORMED_MAX    1000 /* parked ones a terminal (JUDGING.md §10) */
#define TIMELESS_SAME_US (24 * 3600 * CLOCK_US_PER_S)
#define LINK_QUIET_US \
	(1 * CLOCK_US_PER_S) /* the waiting messages have come when it is so long quiet */
#define LINK_KNOWN_US \
	(60 * CLOCK_US_PER_S) /* heard this recently, a message cannot have waited long */
#define LOG_EVERY_US (60 * CLOCK_US_PER_S)
#define LOG_BURST    20

struct intake {
	struct context *context;
	struct guard *guard;
	struct terminals *terminals;
	struct intake_events on;
	char *prefix;
	char *topics[3];

	struct acks acks;
	int error;         /* of this burst: what follows it is not even looked at */
	int64_t counter;   /* messages that brought punches without a time, ever */
	bool counter_rose; /* in this burst */

	bool link_quiet; /* since connecting: what comes now has not waited at the broker */
	bool link_known; /* the broker was heard just before */
	int64_t last_us; /* monotonic: connected, or a message */

	struct bucket log_bucket; /* strangers decide how many lines there are */
};

/* The message being taken apart. */
struct arrival {
	const struct mqtt_message *m;
	char serial[TERMINAL_MAX + 1];
	bool sound_serial;
	struct moment at;
	uint8_t sha256[32];
	bool waited; /* nobody knows for how long it was on its way */
	bool counted;
};

/* ---- topics */

/* The level between `att/v1/` and `/what`, or NULL. *ret_length: its bytes. */
static const char *serial_of(
	const struct intake *in, const char *topic, const char *what, size_t *ret_length)
{
	size_t prefix = strlen(in->prefix);
	const char *at, *slash;

	if (strncmp(topic, in->prefix, prefix) != 0 ||
		strncmp(topic + prefix, SCHEME, strlen(SCHEME)) != 0)
		return NULL;
	at = topic + prefix + strlen(SCHEME);
	slash = strchr(at, '/');
	if (!slash || strcmp(slash + 1, what) != 0)
		return NULL;
	*ret_length = (size_t)(slash - at);
	return at;
}

static bool is_sound(const char *serial, size_t n)
{
	if (n < 1 || n > TERMINAL_MAX || serial[0] == '$')
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)serial[i] < ' ' || serial[i] == 0x7f)
			return false;
	}
	return true;
}

static void set_serial(struct arrival *a, const char *serial, size_t n)
{
	char whole[TERMINAL_MAX * 4];

	a->sound_serial = is_sound(serial, n);
	snprintf(whole, sizeof whole, "%.*s", n < sizeof whole ? (int)n : (int)sizeof whole - 1,
		serial);
	punch_text_cut(a->serial, sizeof a->serial, whole);
}

/* ---- one record */

static bool may_log(struct intake *in, const struct arrival *a)
{
	return bucket_take(&in->log_bucket, a->at.mono_us);
}

static void ack(struct intake *in, const struct arrival *a, const struct punch *p, bool duplicate)
{
	const struct dir_user *user = NULL;
	char reason[REASON_TEXT_SIZE];

	if (!a->sound_serial || p->record_id[0] == '\0')
		return;
	if (in->context->config.punches.greet && p->user_id[0])
		user = directory_user(&in->context->directory, p->user_id);
	acks_add(&in->acks, a->serial, p->record_id,
		duplicate ? "duplicate" : punch_state_name(p->state),
		duplicate ? "" : punch_reason_name(p->reason, reason), user ? user->name : "");
}

static void refuse(struct intake *in, const struct arrival *a, const char *why)
{
	store_tally(in->context->store)->refused++;
	if (may_log(in, a))
		log_warn("refused", why, LOG_S("terminal", a->serial));
}

/* Insert, with all that hangs on it. ack_it: it has an id, and what is kept of it is whole. */
static int add(struct intake *in, const struct arrival *a, struct punch *p,
	const struct store_raw *raw, bool ack_it)
{
	struct store *s = in->context->store;
	int r;

	if (p->state == PUNCH_QUEUED)
		in->on.claim(in->on.arg, p);
	r = store_punch_add(s, p, raw);
	if (r == -EDQUOT) {
		refuse(in, a,
			"there are too many names of terminals already: strangers make them up");
		return 0;
	}
	if (r < 0)
		return r;
	if (r == 0) {
		store_tally(s)->duplicate++;
	} else if (p->state == PUNCH_QUEUED) {
		in->on.added(in->on.arg, p);
	}
	if (ack_it)
		ack(in, a, p, r == 0);
	return 0;
}

/* A punch with a record id and no time: is it one that came before? Returns 1, 0, or an error. */
static int same_timeless(struct intake *in, const struct arrival *a, struct punch *p,
	uint8_t ret_key[static IDENTITY_SIZE], bool *ret_before)
{
	struct context *c = in->context;
	int r = identity_timeless(p, ret_key);
	struct punch old;
	int64_t seq;

	*ret_before = false;
	if (r < 0)
		return r;
	seq = store_timeless_get(c->store, ret_key);
	if (seq <= 0)
		return (int)seq;
	r = store_punch_get(c->store, seq, &old);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret_before = true;
	if (a->m->dup)
		return 1;
	if (old.boot == p->boot)
		return p->mono_us - old.mono_us <= TIMELESS_SAME_US;
	return (old.flags & FLAG_TRUSTED) && (p->flags & FLAG_TRUSTED) &&
		p->received_us - old.received_us <= TIMELESS_SAME_US;
}

/* A punch without a time of its own (JUDGING.md §1, §2). */
static int take_timeless(struct intake *in, struct arrival *a, struct payload_record *record)
{
	struct context *c = in->context;
	struct punch *p = &record->punch;
	struct identity_arrival arrival = {
		.received_us = p->received_us, .boot_id = c->boot_id, .index = record->index};
	uint8_t key[IDENTITY_SIZE];
	bool before;
	int r;

	if (a->m->retained) {
		store_tally(c->store)->ignored++;
		return 0;
	}
	r = same_timeless(in, a, p, key, &before);
	if (r < 0)
		return r;
	if (r == 1) {
		store_tally(c->store)->duplicate++;
		ack(in, a, p, true);
		return 0;
	}
	if (!a->counted)
		in->counter++;
	a->counted = true;
	in->counter_rose = true;
	arrival.counter = in->counter;
	/* The same id again after a day may be the old punch, or a counter that began anew. */
	if (a->waited || before)
		p->flags |= FLAG_WAITED;
	r = identity_of_punch(p, &arrival);
	if (r < 0)
		return r;
	context_judge(c, p);
	r = add(in, a, p, NULL, true);
	return r < 0 || p->seq == 0 ? r : store_timeless_set(c->store, key, p->seq);
}

static bool is_stranger(const struct context *c, const struct punch *p)
{
	return c->devices_pass_ms != 0 && !directory_device(&c->directory, p->terminal);
}

static int take_punch(struct intake *in, struct arrival *a, struct payload_record *record)
{
	struct context *c = in->context;
	struct punch *p = &record->punch;
	int r;

	if (c->disk_tight && is_stranger(c, p)) {
		refuse(in, a,
			"the disk is nearly full, and this terminal is no known device: not "
			"stored, "
			"it keeps its punches");
		return 0;
	}
	if (p->time_sent[0] == '\0')
		return take_timeless(in, a, record);
	r = identity_of_punch(p, NULL);
	if (r < 0)
		return r;
	if (record->kind == PAYLOAD_BAD_TIME)
		verdict_park(p, REASON_BAD_TIME, record->fault);
	else
		context_judge(c, p);
	return add(in, a, p, NULL, true);
}

/* Whether one more of what cannot be read may be kept. Returns 1, 0 (refused), or an error. */
static int may_keep_malformed(struct intake *in, const struct arrival *a)
{
	int64_t n;

	if (in->context->disk_tight) {
		refuse(in, a,
			"the disk is nearly full: a message that cannot be read was not kept");
		return 0;
	}
	n = store_malformed_count(in->context->store, a->serial);
	if (n < 0)
		return (int)n;
	if (n < MALFORMED_MAX)
		return 1;
	refuse(in, a,
		"1000 messages of this terminal that cannot be read wait for a person already: "
		"not kept");
	return 0;
}

/* Park what cannot be read, with topic and bytes. */
static int park(struct intake *in, struct arrival *a, const struct payload *payload,
	const struct payload_record *record, int reason)
{
	struct punch p = record->punch;
	char kept[PAYLOAD_RAW_MAX];
	struct store_raw raw = {.topic = a->m->topic,
		.bytes = kept,
		.full_length = (int64_t)a->m->length,
		.sha256 = a->sha256};
	bool whole_kept;
	int r = may_keep_malformed(in, a);

	if (r <= 0)
		return r;
	if (may_log(in, a))
		log_warn("malformed", "a message that is no punch is parked with its bytes",
			LOG_S("terminal", a->serial), LOG_S("fault", record->fault),
			LOG_S("topic", a->m->topic), LOG_I("bytes", (int64_t)a->m->length));
	r = identity_of_malformed(
		a->m->topic, a->sha256, record->whole ? 0 : record->index, p.identity);
	if (r < 0)
		return r;
	raw.length = payload_raw(payload, record, a->m->payload, a->m->length, kept, &whole_kept);
	verdict_park(&p, reason, record->fault);
	return add(in, a, &p, &raw, whole_kept);
}

static int take_record(struct intake *in, struct arrival *a, const struct payload *payload,
	struct payload_record *record)
{
	struct punch *p = &record->punch;

	punch_text_set(p->terminal, sizeof p->terminal, a->serial);
	p->received_us = a->at.wall_us;
	p->mono_us = a->at.mono_us;
	p->boot = in->context->boot;
	if (in->context->clock.trusted)
		p->flags |= FLAG_TRUSTED;
	switch (record->kind) {
	case PAYLOAD_PUNCH:
	case PAYLOAD_BAD_TIME: return take_punch(in, a, record);
	case PAYLOAD_MALFORMED: return park(in, a, payload, record, REASON_MALFORMED);
	case PAYLOAD_TOO_LARGE: return park(in, a, payload, record, REASON_TOO_LARGE);
	}
	return 0;
}

/* ---- one message */

static int take_records(struct intake *in, struct arrival *a)
{
	struct payload_record record;
	struct payload payload;
	bool punch = false;
	int r;

	payload_init(&payload, a->m->payload, a->m->length, &r);
	while (r == 0 && payload_next(&payload, &record)) {
		if (!a->sound_serial && record.kind != PAYLOAD_TOO_LARGE) {
			record.kind = PAYLOAD_MALFORMED;
			record.fault = "the topic's serial is no name of 1 to 64 bytes";
		}
		punch = punch || record.kind == PAYLOAD_PUNCH;
		r = take_record(in, a, &payload, &record);
	}
	payload_done(&payload);
	terminals_saw(in->terminals, a->serial, a->at.wall_us, punch, a->m->retained);
	return r;
}

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
	return r < 0 ? r : park(in, a, &none, &record, REASON_CRASHED);
}

/* Whether this message is one that is known to crash. Returns 1, 0, or an error. */
static int is_known_crasher(struct intake *in, struct arrival *a)
{
	uint8_t identity[IDENTITY_SIZE];
	int r;

	if (!guard_knows_any(in->guard))
		return 0;
	r = identity_of_malformed(a->m->topic, a->sha256, 0, identity);
	return r < 0 ? r : guard_knows(in->guard, identity);
}

static int take(struct intake *in, struct arrival *a)
{
	int r = identity_sha256(a->m->payload, a->m->length, a->sha256);

	if (r == 0)
		r = is_known_crasher(in, a);
	if (r == 1) {
		store_tally(in->context->store)->duplicate++;
		return 0;
	}
	return r < 0 ? r : take_records(in, a);
}

/* Careful: the message is on disk before it is looked at. */
static int take_carefully(struct intake *in, struct arrival *a)
{
	struct store *s = in->context->store;
	int64_t id = store_guard_add(
		s, a->m->topic, a->m->payload, a->m->length, a->m->retained, a->m->dup);
	int r = id < 0 ? (int)id : store_commit(s);

	if (r == 0)
		r = take(in, a);
	return r < 0 ? r : store_guard_del(s, id);
}

static void arrive(struct intake *in, struct arrival *a, const struct mqtt_message *m)
{
	*a = (struct arrival){.m = m, .at = loop_now(in->context->loop)};
	if (a->at.mono_us - in->last_us >= LINK_QUIET_US)
		in->link_quiet = true;
	in->last_us = a->at.mono_us;
	a->waited = !in->link_quiet && !in->link_known;
}

void intake_message(struct intake *in, const struct mqtt_message *m)
{
	struct arrival a;
	const char *serial;
	size_t n;

	if (in->error < 0)
		return;
	arrive(in, &a, m);
	serial = serial_of(in, m->topic, "status", &n);
	if (serial) {
		set_serial(&a, serial, n);
		if (a.sound_serial)
			terminals_status(in->terminals, a.serial, m->payload, m->length,
				a.at.wall_us, m->retained);
		return;
	}
	serial = serial_of(in, m->topic, "punch", &n);
	/* An empty message on a topic takes back what was retained there. */
	if (!serial || m->length == 0)
		return;
	set_serial(&a, serial, n);
	in->error = in->guard->careful ? take_carefully(in, &a) : take(in, &a);
}

static void send_ack(void *arg, const char *serial, const char *payload, size_t length)
{
	struct intake *in = arg;
	char topic[512];

	snprintf(topic, sizeof topic, "%s" SCHEME "%s/ack", in->prefix, serial);
	in->on.publish(in->on.arg, topic, payload, length);
}

static int commit(struct intake *in)
{
	struct context *c = in->context;
	int r = in->error;

	if (r == 0)
		r = in->acks.error;
	if (r == 0 && c->stopping)
		r = -EIO;
	if (r == 0 && c->disk_low && store_in_transaction(c->store))
		r = -ENOSPC;
	if (r == 0 && in->counter_rose)
		r = store_meta_set(c->store, "timeless_counter", in->counter);
	if (r == 0 && store_in_transaction(c->store))
		r = in->on.join(in->on.arg);
	return r < 0 ? r : store_commit(c->store);
}

int intake_flush(struct intake *in)
{
	struct store *s = in->context->store;
	int r = commit(in);

	in->error = 0;
	in->counter_rose = false;
	if (r < 0) {
		store_rollback(s);
		acks_clear(&in->acks);
		in->on.ended(in->on.arg, false);
		return context_store_failed(in->context, r, "storing punches");
	}
	acks_flush(&in->acks, send_ack, in);
	in->on.ended(in->on.arg, true);
	return 0;
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
	const char *serial;
	size_t n;
	int r = 0;

	arrive(in, &a, &m);
	a.waited = true;
	serial = serial_of(in, m.topic, "punch", &n);
	set_serial(&a, serial ? serial : "?", serial ? n : 1);
	if (g->parses < GUARD_PARSES_MAX) {
		r = store_guard_raise(s, g->id);
		if (r == 0)
			r = store_commit(s);
		if (r == 0)
			r = take(in, &a);
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

/* ---- life */

int intake_new(struct context *context, struct guard *guard, struct terminals *terminals,
	const struct intake_events *events, struct intake **ret_intake)
{
	struct intake *in = calloc(1, sizeof *in);
	const char *prefix = context->config.mqtt.topic_prefix;
	int r;

	if (!in)
		return -ENOMEM;
	*in = (struct intake){
		.context = context, .guard = guard, .terminals = terminals, .on = *events};
	bucket_init(&in->log_bucket, LOG_EVERY_US / LOG_BURST, LOG_BURST);
	acks_init(&in->acks);
	in->prefix = strdup(prefix);
	if (asprintf(&in->topics[0], "%s" SCHEME "+/punch", prefix) < 0)
		in->topics[0] = NULL;
	if (asprintf(&in->topics[1], "%s" SCHEME "+/status", prefix) < 0)
		in->topics[1] = NULL;
	r = in->prefix && in->topics[0] && in->topics[1] ? 0 : -ENOMEM;
	if (r == 0)
		r = store_meta_get(context->store, "timeless_counter", 0, &in->counter);
	if (r < 0) {
		intake_free(in);
		return r;
	}
	*ret_intake = in;
	return 0;
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	acks_done(&in->acks);
	free(in->prefix);
	free(in->topics[0]);
	free(in->topics[1]);
	free(in);
}

const char *const *intake_topics(const struct intake *in)
{
	return (const char *const *)in->topics;
}

void intake_connected(struct intake *in, int64_t heard_us)
{
	int64_t now_us = loop_now(in->context->loop).mono_us;

	in->link_quiet = false;
	in->last_us = now_us;
	in->link_known = heard_us != 0 && now_us - heard_us <= LINK_KNOWN_US;
}
