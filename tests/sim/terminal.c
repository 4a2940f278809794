#include "terminal.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "broker.h"
#include "chance.h"
#include "plan.h"
#include "world.h"

#define RESEND_US    (90 * SECOND)
#define BATCH_MAX    100
#define BATCH_FROM   4 /* so many waiting ones are sent as arrays */
#define WINDOW       300
#define PAYLOAD_MAX_ ((size_t)64 * 1024)

struct person people[PLAN_PEOPLE_MAX];
struct terminal terminals[PLAN_TERMINALS_MAX];
struct tap *taps;
int tap_count;
int noise_count;
static int tap_size;
static struct chance chances[PLAN_PEOPLE_MAX], terminal_chances[PLAN_TERMINALS_MAX];
static struct event *resend[PLAN_TERMINALS_MAX];
static char emails[PLAN_PEOPLE_MAX][32];

static void terminal_send(struct terminal *t);

/* ---- what a terminal writes */

static void write_time(const struct terminal *t, int64_t time_s, char *to, size_t size)
{
	char text[TIME_TEXT_SIZE];
	int zone = t->zone_min;

	if (zone == 0) {
		snprintf(to, size, "%s", time_format_utc(time_s, -1, text));
		return;
	}
	time_format_utc(time_s + zone * 60, -1, text);
	text[strlen(text) - 1] = '\0'; /* its Z */
	snprintf(to, size, "%s%c%02d:%02d", text, zone < 0 ? '-' : '+', abs(zone) / 60,
		abs(zone) % 60);
}

static void write_record(struct buf *to, const struct tap *tap, bool live)
{
	static const char *const ways[] = {"", ",\"type\":\"check_in\"", ",\"type\":\"check_out\""};

	buf_addf(to, "{\"id\":\"%s\",\"user\":\"%s\"", tap->id, tap->user);
	if (tap->kind)
		buf_addf(to, ",\"user_kind\":\"%s\"", tap->kind);
	if (tap->time[0])
		buf_addf(to, ",\"time\":\"%s\"", tap->time);
	buf_addf(to, "%s,\"method\":\"fingerprint\",\"live\":%s}", ways[tap->way],
		live ? "true" : "false");
}

/* ---- sending */

static void note_sent(struct terminal *t, struct tap *tap)
{
	tap->sent_us = world.now_us;
	if (t->trusting)
		tap->kept = false;
}

/* Publish these taps in one message. Returns whether the broker took it. */
static bool publish(struct terminal *t, const int *numbers, int n, bool live)
{
	char topic[64];
	struct buf text;
	bool took;

	buf_init(&text, PAYLOAD_MAX_);
	buf_add_str(&text, n > 1 ? "[" : "");
	for (int i = 0; i < n; i++) {
		buf_add_str(&text, i ? "," : "");
		write_record(&text, &taps[numbers[i]], live);
	}
	buf_add_str(&text, n > 1 ? "]" : "");
	assert(buf_error(&text) == 0);
	snprintf(topic, sizeof topic, "att/v1/%s/punch", t->serial);
	took = broker_publish(topic, text.data, numbers, n);
	buf_done(&text);
	for (int i = 0; took && i < n; i++)
		note_sent(t, &taps[numbers[i]]);
	return took;
}

static void on_resend(void *arg)
{
	struct terminal *t = arg;

	resend[t->number] = NULL;
	terminal_send(t);
}

/* What is due: never sent, or so long ago that its ack must be lost. */
static int collect(const struct terminal *t, int *numbers, int max, bool *ret_more)
{
	int n = 0, under_way = 0;

	*ret_more = false;
	for (int i = 0; i < tap_count; i++) {
		const struct tap *tap = &taps[i];

		if (!tap->kept || tap->terminal != t)
			continue;
		*ret_more = true;
		if (tap->sent_us && world.now_us - tap->sent_us < RESEND_US)
			under_way++;
		else if (n < max && under_way < WINDOW)
			numbers[n++] = i;
	}
	return n;
}

static void terminal_send(struct terminal *t)
{
	int numbers[BATCH_MAX], n;
	bool more;

	if (!t->connected || t->away)
		return;
	while ((n = collect(t, numbers, BATCH_MAX, &more)) > 0) {
		bool took = true;

		if (n >= BATCH_FROM)
			took = publish(t, numbers, n, false);
		for (int i = 0; n < BATCH_FROM && i < n && took; i++)
			took = publish(t, &numbers[i], 1, taps[numbers[i]].live);
		if (!took)
			return;
	}
	if (more && !resend[t->number])
		resend[t->number] = world_in(RESEND_US, on_resend, t);
}

/* ---- being told to forget */

static void forget(struct terminal *t, const char *id)
{
	/* The oldest first: a counter that began again may have given the id twice. */
	for (int i = 0; i < tap_count; i++) {
		if (taps[i].kept && taps[i].terminal == t && taps[i].sent_us &&
			strcmp(taps[i].id, id) == 0) {
			taps[i].kept = false;
			return;
		}
	}
}

static void take_acks(struct terminal *t, const char *payload)
{
	json_t *root = json_loads(payload, 0, NULL), *entry;
	size_t i;

	json_array_foreach(json_object_get(root, "acks"), i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "id"));

		if (id)
			forget(t, id);
	}
	json_decref(root);
}

struct arriving {
	struct terminal *terminal;
	char *payload;
};

static void on_arriving(void *arg)
{
	struct arriving *a = arg;

	if (a->terminal->connected)
		take_acks(a->terminal, a->payload);
	free(a->payload);
	free(a);
}

void terminals_publish(const char *topic, const char *payload)
{
	for (int i = 0; i < world.plan->terminals; i++) {
		struct terminal *t = &terminals[i];
		char own[64];
		struct arriving *a;

		snprintf(own, sizeof own, "att/v1/%s/ack", t->serial);
		if (strcmp(own, topic) != 0 || !t->connected)
			continue;
		a = calloc(1, sizeof *a);
		assert(a);
		a->terminal = t;
		a->payload = strdup(payload);
		assert(a->payload);
		world_in(chance_from(&terminal_chances[i], 2, 40) * MS, on_arriving, a);
	}
}

/* ---- its link to the broker */

static void again(struct terminal *t)
{
	for (int i = 0; i < tap_count; i++) {
		if (taps[i].kept && taps[i].terminal == t)
			taps[i].sent_us = 0;
	}
	terminal_send(t);
}

static void on_connect(void *arg)
{
	struct terminal *t = arg;

	if (t->connected || t->away || !broker_is_up())
		return;
	t->connected = true;
	again(t);
}

static void connect_soon(struct terminal *t)
{
	world_in(chance_from(&terminal_chances[t->number], 100, 20000) * MS, on_connect, t);
}

void terminals_broker_is_down(void)
{
	for (int i = 0; i < world.plan->terminals; i++)
		terminals[i].connected = false;
}

void terminals_broker_is_up(void)
{
	for (int i = 0; i < world.plan->terminals; i++)
		connect_soon(&terminals[i]);
}

void terminal_set_away(int number, bool away)
{
	struct terminal *t = &terminals[number];

	t->away = away;
	tell("terminal %s is %s the network", t->serial, away ? "off" : "back on");
	if (away)
		t->connected = false;
	else
		connect_soon(t);
}

void terminal_set_clock(int number, int64_t off_us)
{
	terminals[number].clock_off_us = off_us;
	tell("the clock of terminal %s is off by %+lld s", terminals[number].serial,
		(long long)(off_us / SECOND));
}

void terminal_reset_counter(int number)
{
	terminals[number].counter = 0;
	tell("terminal %s counts its records from 1 again", terminals[number].serial);
}

void terminal_noise(int number, int64_t which)
{
	static const char *const texts[] = {"hello", "{}", "[1,2,3]", "{\"id\":7}",
		"{\"id\":\"n%d\",\"user\":\"usr_000001\",\"time\":\"yesterday\"}",
		"{\"id\":\"n%d\",\"user\":\"usr_000001\",\"time\":\"2026-03-02T08:00:00\"}",
		"[{\"id\":\"n%d\"}]", "\"\"", "null"};
	struct terminal *t = &terminals[number];
	char topic[64], text[160];

	if (!t->connected)
		return;
	snprintf(topic, sizeof topic, "att/v1/%s/punch", t->serial);
	snprintf(text, sizeof text, "%s", texts[(size_t)which % (sizeof texts / sizeof texts[0])]);
	tell("terminal %s sends %s", t->serial, text);
	if (broker_publish(topic, text, NULL, 0))
		noise_count++;
}

int terminals_keep(void)
{
	int n = 0;

	for (int i = 0; i < tap_count; i++)
		n += taps[i].kept;
	return n;
}

const char *terminal_device_id(const struct terminal *t, int n, char ret[static 24])
{
	snprintf(ret, 24, "dev_%04d%.*s", t->number + 1, n - 1, "bcdefgh");
	return ret;
}

/* ---- people */

static void take_email(struct person *p, const char *email)
{
	memmove(p->emails + 1, p->emails, (PEOPLE_EMAILS - 1) * sizeof p->emails[0]);
	p->emails[0] = email;
}

void people_swap_emails(int a, int b)
{
	struct person *p = &people[a], *q = &people[b];
	const char *of_p = p->emails[0];

	if (p == q || p->known_us > world.began_us || q->known_us > world.began_us ||
		p->gone_us != INT64_MAX || q->gone_us != INT64_MAX ||
		p->emails[PEOPLE_EMAILS - 1] || q->emails[PEOPLE_EMAILS - 1])
		return;
	take_email(p, q->emails[0]);
	take_email(q, of_p);
	tell("%s has %s now, %s %s", p->id, p->emails[0], q->id, q->emails[0]);
}

bool person_was(const struct person *p, const struct tap *tap)
{
	for (int i = 0; i < PEOPLE_EMAILS && p->emails[i]; i++) {
		if (strcmp(p->emails[i], tap->user) == 0)
			return true;
	}
	return strcmp(p->id, tap->user) == 0 || strcmp(p->phone, tap->user) == 0 ||
		(tap->kind && strcmp(tap->kind, "pin") == 0 && strcmp(p->pin, tap->user) == 0);
}

static void name_user(struct tap *tap, struct chance *c)
{
	const struct person *p = tap->person;
	int64_t roll = chance_below(c, 100);

	tap->kind = NULL;
	if (p->pin[0]) {
		snprintf(tap->user, sizeof tap->user, "%s", p->pin);
		tap->kind = "pin";
	} else if (roll < 86) {
		snprintf(tap->user, sizeof tap->user, "%s", p->id);
		tap->kind = roll < 20 ? "id" : NULL;
	} else if (roll < 94) {
		snprintf(tap->user, sizeof tap->user, "%s", p->emails[0]);
		tap->kind = "email";
	} else {
		snprintf(tap->user, sizeof tap->user, "%s", p->phone);
		tap->kind = "phone";
	}
}

static void make_tap(struct person *p, struct terminal *t, enum way way)
{
	struct chance *c = &chances[p->number];
	struct tap *tap;

	if (tap_count == tap_size) {
		tap_size = tap_size ? tap_size * 2 : 1024;
		taps = realloc(taps, (size_t)tap_size * sizeof *taps);
		assert(taps);
	}
	tap = &taps[tap_count];
	*tap = (struct tap){.number = tap_count,
		.terminal = t,
		.person = p,
		.at_us = world.now_us,
		.time_s = (world.now_us + t->clock_off_us) / SECOND,
		.way = t->wayless ? WAY_NONE : way,
		.live = true,
		.kept = true};
	tap_count++;
	snprintf(tap->id, sizeof tap->id, "%06lld", (long long)++t->counter);
	if (!t->timeless)
		write_time(t, tap->time_s, tap->time, sizeof tap->time);
	name_user(tap, c);
	tell("%s taps at %s, %s: record %s%s%s", p->id, t->serial, way == WAY_IN ? "in" : "out",
		tap->id, tap->time[0] ? " at " : "", tap->time);
	terminal_send(t);
}

struct intention {
	struct person *person;
	enum way way;
};

static struct terminal *choose(struct person *p)
{
	struct chance *c = &chances[p->number];
	int n = world.plan->terminals;

	return &terminals[chance_of(c, 800) ? p->number % n : (int)chance_below(c, n)];
}

static void on_intention(void *arg)
{
	struct intention *i = arg;
	struct chance *c = &chances[i->person->number];
	struct terminal *t = choose(i->person);

	make_tap(i->person, t, i->way);
	if (chance_of(c, 50) && !world.quiet) {
		struct intention *second = malloc(sizeof *second);

		assert(second);
		*second = *i;
		world_in(chance_from(c, 0, 40) * SECOND, on_intention, second);
	}
	free(i);
}

static void intend(struct person *p, int64_t at_us, enum way way)
{
	struct intention *i = malloc(sizeof *i);

	assert(i);
	*i = (struct intention){.person = p, .way = way};
	world_at(at_us, on_intention, i);
}

/* A day of a person: comes, may go out at noon, goes; may forget either. */
static void on_midnight(void *arg)
{
	struct person *p = arg;
	struct chance *c = &chances[p->number];
	int64_t day = (world.now_us - world.began_us) / DAY;
	int64_t in_us = world.now_us + (p->start_min + chance_from(c, -20, 20)) * MINUTE +
		chance_below(c, 60) * SECOND;
	int64_t out_us = in_us + p->hours * HOUR + chance_from(c, -30, 45) * MINUTE;

	if (world.now_us + DAY < world.until_us)
		world_in(DAY, on_midnight, p);
	if (chance_of(c, day % 7 >= 5 ? 850 : 60))
		return;
	if (!chance_of(c, 30))
		intend(p, in_us, WAY_IN);
	if (chance_of(c, 300)) {
		intend(p, in_us + 4 * HOUR, WAY_OUT);
		intend(p, in_us + 4 * HOUR + chance_from(c, 20, 60) * MINUTE, WAY_IN);
	}
	if (!chance_of(c, 60))
		intend(p, out_us, WAY_OUT);
}

static void begin_person(int i)
{
	struct person *p = &people[i];
	struct chance *c = &chances[i];

	chance_init(c, world.plan->seed, "person", (uint64_t)i);
	*p = (struct person){.number = i, .known_us = 0, .gone_us = INT64_MAX};
	snprintf(p->id, sizeof p->id, "usr_%06d", i + 1);
	snprintf(emails[i], sizeof emails[i], "person%d@example.org", i + 1);
	p->emails[0] = emails[i];
	snprintf(p->phone, sizeof p->phone, "+9198765%05d", i + 1);
	snprintf(p->name, sizeof p->name, "Person %d", i + 1);
	p->start_min = chance_of(c, 150) ? 22 * 60 : (int)chance_from(c, 6 * 60, 10 * 60);
	p->hours = (int)chance_from(c, 5, 10);
	if (chance_of(c, 150))
		p->known_us = world.began_us + chance_below(c, 5 * DAY / SECOND) * SECOND;
	else if (chance_of(c, 50))
		p->known_us = INT64_MAX;
	else if (chance_of(c, 30))
		p->gone_us = world.began_us + chance_below(c, 7 * DAY / SECOND) * SECOND;
	world_at(world.began_us, on_midnight, p);
}

static void begin_terminal(int i)
{
	static const int zones[] = {0, 60, 330, -300};
	struct terminal *t = &terminals[i];
	struct chance *c = &terminal_chances[i];

	chance_init(c, world.plan->seed, "terminal", (uint64_t)i);
	*t = (struct terminal){.number = i};
	snprintf(t->serial, sizeof t->serial, "BIO-FP-%03d", i + 1);
	t->registered = 1;
	t->zone_min = zones[chance_below(c, 4)];
	t->trusting = chance_of(c, 150);
	t->timeless = chance_of(c, 60);
	t->wayless = chance_of(c, 80);
	if (chance_of(c, 100))
		t->known_us = world.began_us + chance_below(c, 5 * DAY / SECOND) * SECOND;
	if (chance_of(c, 250))
		t->clock_off_us = chance_from(c, -600, 600) * SECOND;
	resend[i] = NULL;
	connect_soon(t);
}

void terminals_begin(void)
{
	tap_count = 0;
	noise_count = 0;
	for (int i = 0; i < world.plan->terminals; i++)
		begin_terminal(i);
	for (int i = 0; i < world.plan->people; i++)
		begin_person(i);
}

void terminals_end(void)
{
	free(taps);
	taps = NULL;
	tap_count = tap_size = 0;
}
