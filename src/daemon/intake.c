#include "daemon/intake.h"

#include <errno.h>

#include "core/identity.h"
#include "daemon/intake_private.h"

#define SCHEME "att/v1/"
/* The waiting messages have come when it is so long quiet. */
#define LINK_QUIET_US (1 * CLOCK_US_PER_S)
/* Heard this recently, a message cannot have waited long. */
#define LINK_KNOWN_US (60 * CLOCK_US_PER_S)
#define LOG_EVERY_US  (60 * CLOCK_US_PER_S)
#define LOG_BURST     20

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

bool intake_set_serial(struct intake *in, struct arrival *a)
{
	size_t n;
	const char *serial = serial_of(in, a->m->topic, "punch", &n);

	if (!serial) {
		serial = serial_of(in, a->m->topic, "status", &n);
		a->is_status = serial != NULL;
	}
	set_serial(a, serial ? serial : "?", serial ? n : 1);
	return serial ? in->context->profiles.native : intake_set_family(in, a);
}

/* ---- one message */

static int take_records(struct intake *in, struct arrival *a)
{
	struct payload_record record;
	struct payload payload;
	bool punch = false;
	int r = 0;

	payload_init(&payload, a->m->payload, a->m->length);
	while (r == 0 && (r = payload_next(&payload, &record)) > 0) {
		if (!a->sound_serial && record.kind != PAYLOAD_TOO_LARGE) {
			record.kind = PAYLOAD_MALFORMED;
			record.fault = "the topic's serial is no name of 1 to 64 bytes";
		}
		punch = punch || record.kind == PAYLOAD_PUNCH;
		r = intake_record(in, a, &payload, &record);
	}
	terminals_saw(in->terminals, a->serial, a->at, punch, a->m->retained);
	return r;
}

static int park_too_large(struct intake *in, struct arrival *a)
{
	const struct payload none = {.count = 0};
	struct payload_record record = {
		.kind = PAYLOAD_TOO_LARGE, .whole = true, .fault = "more than max_payload"};

	return intake_record(in, a, &none, &record);
}

static int take_status(struct intake *in, struct arrival *a)
{
	if (a->sound_serial)
		terminals_status(in->terminals, a->serial, a->m->payload, a->m->length, a->at,
			a->m->retained);
	return 0;
}

int intake_take(struct intake *in, struct arrival *a)
{
	int r = identity_sha256(a->m->payload, a->m->length, a->sha256);

	if (r == 0)
		r = intake_is_crasher(in, a);
	if (r == 1) {
		if (!a->is_status)
			store_tally(in->context->store)->duplicate++;
		return 0;
	}
	if (r < 0)
		return r;
	if ((int64_t)a->m->length > in->context->config.mqtt.max_payload)
		return a->is_status ? 0 : park_too_large(in, a);
	if (a->topic)
		return intake_take_profiled(in, a);
	return a->is_status ? take_status(in, a) : take_records(in, a);
}

void intake_arrive(struct intake *in, struct arrival *a, const struct mqtt_message *m)
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

	if (in->error < 0)
		return;
	intake_arrive(in, &a, m);
	/* An empty message on a topic takes back what was retained there. */
	if (!intake_set_serial(in, &a) || (m->length == 0 && !a.is_status))
		return;
	in->error = in->guard->careful ? intake_take_carefully(in, &a) : intake_take(in, &a);
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
	if (r == 0)
		r = in->letters.error;
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
		letters_clear(&in->letters);
		in->once_count = in->once_durable;
		in->on.ended(in->on.arg, false);
		return context_store_failed(in->context, r, "storing punches");
	}
	in->once_durable = in->once_count;
	acks_flush(&in->acks, send_ack, in);
	letters_flush(&in->letters, in->on.publish, in->on.arg);
	in->on.ended(in->on.arg, true);
	return 0;
}

/* ---- life */

int intake_new(struct context *context, struct judging *judging, struct guard *guard,
	struct terminals *terminals, const struct intake_events *events, struct intake **ret_intake)
{
	struct intake *in = calloc(1, sizeof *in);
	const char *prefix = context->config.mqtt.topic_prefix;
	int r;

	if (!in)
		return -ENOMEM;
	*in = (struct intake){.context = context,
		.judging = judging,
		.guard = guard,
		.terminals = terminals,
		.on = *events};
	bucket_init(&in->log_bucket, LOG_EVERY_US / LOG_BURST, LOG_BURST);
	acks_init(&in->acks);
	in->prefix = strdup(prefix);
	r = in->prefix ? intake_reload(in) : -ENOMEM;
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
	letters_done(&in->letters);
	profile_set_topics_free(in->topics);
	free(in);
}

int intake_reload(struct intake *in)
{
	char **topics = profile_set_topics(&in->context->profiles, in->prefix);

	if (!topics)
		return -ENOMEM;
	profile_set_topics_free(in->topics);
	in->topics = topics;
	return 0;
}

const char *const *intake_topics(const struct intake *in)
{
	return (const char *const *)in->topics;
}

void intake_connected(struct intake *in, int64_t heard_us)
{
	int64_t now_us = loop_now(in->context->loop).mono_us;

	in->link_quiet = false;
	in->last_us = in->connected_us = now_us;
	in->link_known = heard_us != 0 && now_us - heard_us <= LINK_KNOWN_US;
}
