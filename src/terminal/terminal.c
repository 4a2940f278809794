#include "terminal/terminal_private.h"

#include <errno.h>
#include <sys/random.h>

#include "base/log.h"
#include "terminal/notes.h"

#define STORAGE    100000 /* records a terminal can hold; a full one takes no more punches */
#define RETRY_MIN  200    /* ms */
#define RETRY_MAX  5000
#define STATUS_US  (30 * CLOCK_US_PER_S)
#define STAGGER_US 1000 /* between two terminals' attempts: a broker's backlog is short */

static void step(struct terminal *t);

/* ---- small things */

int64_t terminal_unacked(const struct terminal *t)
{
	return shelf_total(&t->shelf);
}

const char *terminal_serial(const struct terminal *t)
{
	return t->names.serial;
}

bool terminal_all_made(const struct terminal *t)
{
	return t->env->options->count > 0 && t->made >= t->env->options->count;
}

int64_t terminal_clock_ms(const struct terminal *t)
{
	return clock_now().wall_us / 1000 + t->clock_off_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void terminal_mark_dirty(struct terminal *t)
{
	t->dirty = true;
	t->env->dirty(t->env->arg);
}

/* ---- making punches */

static int make_one(struct terminal *t)
{
	char id[MAKE_ID_SIZE];
	struct record *r = shelf_add(&t->shelf, SHELF_FRESH, make_id(t->made, id),
		make_punch(t->env->make, t->number, t->made, terminal_clock_ms(t)));
	int error;

	if (!r)
		return -ENOMEM;
	error = keep_add(t->env->keep, t->names.serial, t->made + 1, r->id, r->body, &r->row);
	if (error < 0)
		return error;
	t->made++;
	t->env->tally.sent++;
	note_punch(t->env->journal, "sent", t->names.serial, r->body);
	terminal_mark_dirty(t);
	return 0;
}

static bool full(struct terminal *t)
{
	if (shelf_total(&t->shelf) < STORAGE)
		return false;
	if (!t->full_told)
		log_warn("terminal_full", "no room for more punches: nothing is acknowledged",
			LOG_S("serial", t->names.serial));
	t->full_told = true;
	return true;
}

/* With a rate people punch whatever the network does, and at a full terminal in vain; without one
 * the acks set the pace. */
static int make_due(struct terminal *t, int64_t now_us)
{
	const struct options *o = t->env->options;
	int64_t room = o->window > o->batch ? o->window : o->batch;
	int r = 0;

	while (r == 0 && !terminal_all_made(t)) {
		if (o->interval_us > 0 ? t->next_punch_us > now_us : shelf_total(&t->shelf) >= room)
			break;
		if (!full(t))
			r = make_one(t);
		t->next_punch_us += o->interval_us;
	}
	return r;
}

/* ---- durable now */

void terminal_flush(struct terminal *t)
{
	if (!t->dirty)
		return;
	t->dirty = false;
	shelf_settle(&t->shelf);
	terminal_send_waiting(t);
	step(t);
}

static void check_done(struct terminal *t)
{
	if (t->done || !terminal_all_made(t) || shelf_total(&t->shelf) > 0)
		return;
	t->done = true;
	t->env->done(t->env->arg);
}

/* ---- the connection */

static void state_status(struct terminal *t, bool online)
{
	char text[128];
	int mid, n;

	n = snprintf(text, sizeof text, "{\"online\":%s,\"pending\":%lld,\"fw\":\"%s\"}",
		online ? "true" : "false", (long long)shelf_total(&t->shelf), PACKAGE_VERSION);
	if (link_publish(t->link, t->names.status, text, (size_t)n, 1, true, &mid) == 0) {
		t->stated_pending = shelf_total(&t->shelf);
		t->stated_us = clock_now().mono_us;
	}
}

static void on_message(void *arg, const char *topic, const void *payload, size_t length)
{
	struct terminal *t = arg;

	terminal_take_message(t, topic, payload, length);
	terminal_send_waiting(t);
	step(t);
}

static void on_published(void *arg, int mid)
{
	terminal_take_puback(arg, mid);
}

static void on_up(void *arg)
{
	struct terminal *t = arg;

	log_debug("connected", "the broker has us", LOG_S("serial", t->names.serial));
	t->env->tally.reconnects += t->connected_before;
	t->connected_before = true;
	t->connecting = false;
	t->hurry = true;
	backoff_reset(&t->retry);
	state_status(t, true);
	terminal_send_waiting(t);
	step(t);
}

/* What was sent on the lost connection waits again, ahead of what was not. */
static void on_down(void *arg, const char *words)
{
	struct terminal *t = arg;
	uint64_t random = 0;

	shelf_land(&t->shelf);
	t->next_resend_us = TERMINAL_NEVER;
	t->connecting = false;
	/* Only spreads the attempts: without randomness they are merely less spread. */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	t->next_connect_us = clock_now().mono_us + t->number * STAGGER_US +
		backoff_next_ms(&t->retry, random) * 1000;
	t->env->trouble(t->env->arg, t->names.serial, words);
	step(t);
}

static void connect_due(struct terminal *t, int64_t now_us)
{
	if (t->connecting || link_is_up(t->link) || now_us < t->next_connect_us)
		return;
	t->connecting = true;
	link_connect(t->link);
}

void terminal_tick(struct terminal *t)
{
	link_tick(t->link);
	if (link_is_up(t->link) && t->stated_pending != shelf_total(&t->shelf) &&
		clock_now().mono_us - t->stated_us > STATUS_US)
		state_status(t, true);
}

/* ---- the one alarm clock */

static void set_alarm(struct terminal *t, int64_t now_us)
{
	int64_t at_us = TERMINAL_NEVER, delay_us;

	if (t->env->options->interval_us > 0 && !terminal_all_made(t))
		at_us = earlier(at_us, t->next_punch_us);
	if (link_is_up(t->link))
		at_us = earlier(at_us, t->next_resend_us);
	else if (!t->connecting)
		at_us = earlier(at_us, t->next_connect_us);
	if (at_us == TERMINAL_NEVER) {
		event_del(t->alarm);
		return;
	}
	delay_us = at_us > now_us ? at_us - now_us : 0;
	event_add(t->alarm,
		&(struct timeval){
			.tv_sec = delay_us / CLOCK_US_PER_S, .tv_usec = delay_us % CLOCK_US_PER_S});
}

static void step(struct terminal *t)
{
	int64_t now_us = clock_now().mono_us;
	int r = make_due(t, now_us);

	if (r < 0) {
		t->env->broken(t->env->arg, r);
		return;
	}
	if (link_is_up(t->link))
		terminal_resend_due(t, now_us);
	else
		connect_due(t, now_us);
	set_alarm(t, now_us);
	check_done(t);
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step(arg);
}

/* ---- birth and death */

static struct link *new_link(struct terminal *t)
{
	const struct options *o = t->env->options;
	const struct link_settings settings = {
		.host = o->host,
		.port = (int)o->port,
		.keepalive_s = (int)(o->keepalive_ms / 1000),
		.username = t->names.username[0] ? t->names.username : NULL,
		.password = t->env->password,
		.ca_file = o->ca_file,
		.client_id = t->names.serial,
		.will_topic = t->names.status,
		.will_payload = "{\"online\":false}",
		.topics = {t->names.ack, t->names.cmd},
	};
	const struct link_events on = {
		.arg = t,
		.up = on_up,
		.down = on_down,
		.message = on_message,
		.published = on_published,
	};

	return link_new(t->env->base, &settings, &on);
}

int terminal_new(struct terminal_env *env, int64_t number, const char *serial,
	struct terminal **ret_terminal)
{
	struct terminal *t = calloc(1, sizeof *t);
	int r;

	if (!t)
		return -ENOMEM;
	*t = (struct terminal){.env = env,
		.number = number,
		.clock_off_ms = env->options->time_offset_ms,
		.next_resend_us = TERMINAL_NEVER};
	shelf_init(&t->shelf);
	backoff_init(&t->retry, RETRY_MIN, RETRY_MAX);
	r = names_init(&t->names, env->options->prefix, serial, env->options->username);
	if (r == 0)
		r = keep_made(env->keep, serial, &t->made);
	if (r == 0) {
		t->link = new_link(t);
		t->alarm = evtimer_new(env->base, on_alarm, t);
		r = t->link && t->alarm ? 0 : -ENOMEM;
	}
	if (r < 0) {
		terminal_free(t);
		return r;
	}
	*ret_terminal = t;
	return 0;
}

void terminal_free(struct terminal *t)
{
	if (!t)
		return;
	link_free(t->link);
	if (t->alarm)
		event_free(t->alarm);
	shelf_done(&t->shelf);
	free(t);
}

int terminal_adopt(struct terminal *t, int64_t row, const char *id, const char *body)
{
	struct record *r = shelf_add(&t->shelf, SHELF_WAITING, id, strdup(body));

	if (!r)
		return -ENOMEM;
	r->row = row;
	r->sent_before = true;
	t->env->tally.sent++;
	t->env->tally.kept++;
	note_punch(t->env->journal, "kept", t->names.serial, body);
	return 0;
}

int terminal_reset_counter(struct terminal *t)
{
	if (shelf_total(&t->shelf) > 0)
		return -EBUSY;
	t->made = 0;
	return keep_reset(t->env->keep, t->names.serial);
}

void terminal_start(struct terminal *t)
{
	const struct options *o = t->env->options;
	int64_t now_us = clock_now().mono_us;

	t->next_connect_us = now_us + t->number * STAGGER_US;
	/* Spread evenly over one interval: people do not punch in step. */
	t->next_punch_us = now_us + o->interval_us * t->number / t->env->make->terminals;
	step(t);
}

void terminal_stop(struct terminal *t, int64_t until_us)
{
	event_del(t->alarm);
	if (link_is_up(t->link))
		state_status(t, false);
	link_close(t->link, until_us);
}
