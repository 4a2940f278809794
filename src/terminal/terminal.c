#include "terminal/terminal.h"

#include <errno.h>
#include <sys/random.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "terminal/link.h"
#include "terminal/names.h"
#include "terminal/notes.h"
#include "terminal/shelf.h"

#define STORAGE          100000 /* records a terminal can hold; a full one takes no more punches */
#define RETRY_MIN        200    /* ms */
#define RETRY_MAX        5000
#define STATUS_US        (30 * CLOCK_US_PER_S)
#define STAGGER_US       1000 /* between two terminals' attempts: a broker's backlog is short */
#define RESEND_DOUBLINGS 4

#define NEVER INT64_MAX

struct terminal {
	struct terminal_env *env;
	int64_t number;
	struct names names;
	struct link *link;
	struct event *alarm;
	struct shelf shelf;
	int64_t made; /* in its life; its ids are these numbers */

	int64_t clock_off_ms; /* what its clock shows minus the true time */
	int64_t next_punch_us;
	int64_t next_connect_us;
	int64_t next_resend_us;
	struct backoff retry;
	int64_t stated_pending; /* as the last status said */
	int64_t stated_us;
	bool connecting, connected_before;
	bool dirty; /* waits for terminal_flush */
	bool hurry; /* send what waits, a whole batch or not */
	bool done, full_told;
};

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

static bool all_made(const struct terminal *t)
{
	return t->env->options->count > 0 && t->made >= t->env->options->count;
}

static int64_t clock_ms(const struct terminal *t)
{
	return clock_now().wall_us / 1000 + t->clock_off_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void mark_dirty(struct terminal *t)
{
	t->dirty = true;
	t->env->dirty(t->env->arg);
}

/* ---- making punches */

static int make_one(struct terminal *t)
{
	char id[MAKE_ID_SIZE];
	struct record *r = shelf_add(&t->shelf, SHELF_FRESH, make_id(t->made, id),
		make_punch(t->env->make, t->number, t->made, clock_ms(t)));
	int error;

	if (!r)
		return -ENOMEM;
	error = keep_add(t->env->keep, t->names.serial, t->made + 1, r->id, r->body, &r->row);
	if (error < 0)
		return error;
	t->made++;
	t->env->tally.sent++;
	note_punch(t->env->journal, "sent", t->names.serial, r->body);
	mark_dirty(t);
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

	while (r == 0 && !all_made(t)) {
		if (o->interval_us > 0 ? t->next_punch_us > now_us : shelf_total(&t->shelf) >= room)
			break;
		if (!full(t))
			r = make_one(t);
		t->next_punch_us += o->interval_us;
	}
	return r;
}

/* ---- sending */

/* The records from first on, at most count, as one message: an object, or an array. */
static int publish(struct terminal *t, struct record *first, int64_t count)
{
	const struct options *o = t->env->options;
	struct record *r = first;
	struct buf b;
	int mid = 0, error;

	buf_init(&b, 1 << 20);
	if (o->batch > 1)
		buf_add_char(&b, '[');
	for (int64_t i = 0; i < count; i++, r = TAILQ_NEXT(r, entry)) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, r->body);
	}
	if (o->batch > 1)
		buf_add_char(&b, ']');
	error = buf_error(&b);
	if (error == 0)
		error = link_publish(
			t->link, t->names.punch, b.data, b.len, (int)o->qos, o->retain, &mid);
	buf_done(&b);
	r = first;
	for (int64_t i = 0; error == 0 && i < count; i++, r = TAILQ_NEXT(r, entry)) {
		t->env->tally.resent += r->sent_before;
		r->sent_before = true;
		r->tries++;
		r->sent_us = clock_now().mono_us;
		r->mid = mid;
	}
	return error;
}

/* How many of the waiting records make the next message; 0: none yet. */
static int64_t next_group(const struct terminal *t)
{
	const struct options *o = t->env->options;
	int64_t room = o->window - shelf_count(&t->shelf, SHELF_FLYING);

	if (shelf_count(&t->shelf, SHELF_WAITING) == 0 || room <= 0)
		return 0;
	if (shelf_count(&t->shelf, SHELF_WAITING) >= o->batch)
		return o->batch;
	/* An incomplete batch goes when there will be no more, and when there was a time without a
	 * connection, as a terminal empties its memory then. */
	return t->hurry || all_made(t) ? shelf_count(&t->shelf, SHELF_WAITING) : 0;
}

static void send_waiting(struct terminal *t)
{
	int64_t n;

	while (link_is_up(t->link) && (n = next_group(t)) > 0) {
		if (publish(t, shelf_first(&t->shelf, SHELF_WAITING), n) < 0)
			return;
		shelf_launch(&t->shelf, n);
		if (t->next_resend_us == NEVER)
			t->next_resend_us = clock_now().mono_us + t->env->options->resend_ms * 1000;
	}
	if (shelf_count(&t->shelf, SHELF_WAITING) == 0)
		t->hurry = false;
}

/* The wait doubles, or a gateway that is slower than it would be drowned by what is sent again. */
static int64_t resend_at_us(const struct terminal *t, const struct record *r)
{
	int doublings = r->tries - 1 < RESEND_DOUBLINGS ? r->tries - 1 : RESEND_DOUBLINGS;

	return r->sent_us + (t->env->options->resend_ms * 1000 << doublings);
}

/* How many records from r on are overdue together, up to a batch. */
static int64_t overdue(const struct terminal *t, const struct record *r, int64_t now_us)
{
	int64_t n = 0;

	for (; r && n < t->env->options->batch && resend_at_us(t, r) <= now_us;
		r = TAILQ_NEXT(r, entry))
		n++;
	return n;
}

static void resend_due(struct terminal *t, int64_t now_us)
{
	struct record *r = shelf_first(&t->shelf, SHELF_FLYING);

	if (now_us < t->next_resend_us)
		return;
	t->next_resend_us = NEVER;
	while (r) {
		int64_t n = overdue(t, r, now_us);

		if (n > 0 && publish(t, r, n) < 0)
			return;
		for (n = n ? n : 1; n > 0; n--) {
			t->next_resend_us = earlier(t->next_resend_us, resend_at_us(t, r));
			r = TAILQ_NEXT(r, entry);
		}
	}
}

void terminal_flush(struct terminal *t)
{
	if (!t->dirty)
		return;
	t->dirty = false;
	shelf_settle(&t->shelf);
	send_waiting(t);
	step(t);
}

/* ---- what ends a record */

static void check_done(struct terminal *t)
{
	if (t->done || !all_made(t) || shelf_total(&t->shelf) > 0)
		return;
	t->done = true;
	t->env->done(t->env->arg);
}

static void end_record(struct terminal *t, struct record *r)
{
	int error = keep_del(t->env->keep, r->row);

	shelf_remove(&t->shelf, r);
	t->env->tally.acked++;
	t->full_told = false;
	mark_dirty(t);
	if (error < 0)
		t->env->broken(t->env->arg, error);
}

/* Whether this terminal has ever used the id: its ids are its numbers. */
static bool own_id(const struct terminal *t, const char *id)
{
	char same[MAKE_ID_SIZE];
	int64_t n;

	return units_parse_int(id, &n) == 0 && n >= 1 && n <= t->made &&
		strcmp(make_id(n - 1, same), id) == 0;
}

/* An ack that ends nothing: one for a record sent twice, or one that should not be. */
static void take_odd_ack(struct terminal *t, const struct reply_ack *ack)
{
	if (own_id(t, ack->id)) {
		t->env->tally.late++;
		note_ack(t->env->journal, "late", t->names.serial, ack);
		return;
	}
	t->env->tally.strange++;
	note_ack(t->env->journal, "strange", t->names.serial, ack);
	log_warn("ack_strange", "an ack for a punch that was never made",
		LOG_S("serial", t->names.serial), LOG_S("id", ack->id));
}

/* What the ack ends: a record that flies, or one that flew on the connection before. */
static struct record *find_sent(const struct terminal *t, const char *id)
{
	struct record *r;

	if (t->env->options->no_ack)
		return NULL;
	r = shelf_find(&t->shelf, SHELF_FLYING, id);
	if (!r)
		r = shelf_find(&t->shelf, SHELF_WAITING, id);
	return r && r->sent_before ? r : NULL;
}

static void on_ack(void *arg, const struct reply_ack *ack)
{
	struct terminal *t = arg;
	struct record *r = find_sent(t, ack->id);

	log_debug("ack", "the gateway has it", LOG_S("serial", t->names.serial),
		LOG_S("id", ack->id), LOG_S("status", ack->status));
	if (!r) {
		take_odd_ack(t, ack);
		return;
	}
	note_ack(t->env->journal, "ack", t->names.serial, ack);
	t->env->tally.status[reply_status_parse(ack->status)]++;
	end_record(t, r);
}

static void on_published(void *arg, int mid)
{
	static const struct reply_ack trusted = {.status = "puback", .reason = "", .name = ""};
	struct terminal *t = arg;
	struct record *r, *next;

	if (!t->env->options->no_ack)
		return;
	for (r = shelf_first(&t->shelf, SHELF_FLYING); r; r = next) {
		struct reply_ack ack = trusted;

		next = TAILQ_NEXT(r, entry);
		if (r->mid != mid)
			continue;
		ack.id = r->id;
		note_ack(t->env->journal, "ack", t->names.serial, &ack);
		t->env->tally.status[REPLY_OTHER]++;
		end_record(t, r);
	}
}

/* ---- commands */

static void set_time(struct terminal *t, const struct reply_command *command)
{
	int64_t step_ms = command->time_s * 1000 - clock_ms(t);

	t->clock_off_ms += step_ms;
	log_info("clock_set", "the gateway has set the clock", LOG_S("serial", t->names.serial),
		LOG_I("step_ms", step_ms));
	note_command(t->env->journal, t->names.serial, command, step_ms);
	mark_dirty(t);
}

static void take_command(struct terminal *t, const void *payload, size_t length)
{
	struct reply_command command;
	int r = reply_read_command(payload, length, &command);

	if (r == 0) {
		set_time(t, &command);
	} else if (r == -EOPNOTSUPP) {
		log_warn("cmd_unknown", "the gateway asks what this terminal cannot do",
			LOG_S("serial", t->names.serial), LOG_S("op", command.op));
	} else {
		t->env->tally.garbled++;
		log_warn("cmd_garbled", "a command that is none", LOG_S("serial", t->names.serial),
			LOG_B("payload", payload, length));
	}
}

static void on_message(void *arg, const char *topic, const void *payload, size_t length)
{
	struct terminal *t = arg;

	if (strcmp(topic, t->names.cmd) == 0) {
		take_command(t, payload, length);
	} else if (reply_read_acks(payload, length, on_ack, t) < 0) {
		t->env->tally.garbled++;
		log_warn("ack_garbled", "an ack that is none", LOG_S("serial", t->names.serial),
			LOG_B("payload", payload, length));
	}
	send_waiting(t);
	step(t);
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
	send_waiting(t);
	step(t);
}

/* What was sent on the lost connection waits again, ahead of what was not. */
static void on_down(void *arg, const char *words)
{
	struct terminal *t = arg;
	uint64_t random = 0;

	shelf_land(&t->shelf);
	t->next_resend_us = NEVER;
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
	int64_t at_us = NEVER, delay_us;

	if (t->env->options->interval_us > 0 && !all_made(t))
		at_us = earlier(at_us, t->next_punch_us);
	if (link_is_up(t->link))
		at_us = earlier(at_us, t->next_resend_us);
	else if (!t->connecting)
		at_us = earlier(at_us, t->next_connect_us);
	if (at_us == NEVER) {
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
		resend_due(t, now_us);
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
		.next_resend_us = NEVER};
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
