#include "broker.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "edge/mqtt.h"
#include "gateway.h"
#include "laws.h"
#include "terminal.h"

#define REFUSED_US   (5 * MS)
#define SWALLOWED_US (20 * SECOND) /* edge/mqtt.c gives up then */
#define BURST_MAX    1000
#define SAVE_SOON_US SECOND /* autosave_interval 1 */

struct message {
	int users; /* lists that hold it */
	char *topic, *payload;
	size_t length;
	int *taps, count;
};

struct list {
	struct message **at;
	size_t count, size;
};

/* The gateway's session, as a broker has it in memory or on its disk. */
struct session {
	bool there;
	struct list flight; /* sent, and not acknowledged */
	struct list queue;
};

static struct {
	bool up, swallows, dirty;
	struct session now, saved;
	struct event *save;
	struct chance chance;
} broker;

/* Something that the gateway publishes, until it is written. */
struct outgoing {
	struct outgoing *next;
	char *topic, *payload;
	size_t length;
};

/* The gateway's end of the link. */
struct mqtt {
	struct mqtt_events on;
	bool connected, away, careful, in_burst;
	size_t given;       /* of the flight, handed over on this connection */
	size_t redone;      /* of the flight, those that come again: with DUP */
	struct event *next; /* connecting, or a burst */
	struct outgoing *out, **out_end;
	int64_t heard_us, heard_before_us;
};
static struct mqtt *link;

static void pump(void);

/* ---- lists of messages */

static void list_add(struct list *l, struct message *m)
{
	if (l->count == l->size) {
		l->size = l->size ? l->size * 2 : 16;
		l->at = realloc(l->at, l->size * sizeof(struct message *));
		assert(l->at);
	}
	m->users++;
	l->at[l->count++] = m;
}

static void message_drop(struct message *m)
{
	if (--m->users > 0)
		return;
	free(m->topic);
	free(m->payload);
	free(m->taps);
	free(m);
}

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		message_drop(l->at[i]);
	l->count = 0;
}

static void list_remove_first(struct list *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		message_drop(l->at[i]);
	l->count -= n;
	memmove(l->at, l->at + n, l->count * sizeof(struct message *));
}

static void list_copy(struct list *to, const struct list *from)
{
	list_clear(to);
	for (size_t i = 0; i < from->count; i++)
		list_add(to, from->at[i]);
}

static void session_copy(struct session *to, const struct session *from)
{
	to->there = from->there;
	list_copy(&to->flight, &from->flight);
	list_copy(&to->queue, &from->queue);
}

static void session_clear(struct session *s)
{
	s->there = false;
	list_clear(&s->flight);
	list_clear(&s->queue);
}

/* ---- its memory and its disk */

static void on_save(void *arg)
{
	(void)arg;
	broker.save = NULL;
	broker.dirty = false;
	session_copy(&broker.saved, &broker.now);
}

static void changed(void)
{
	int64_t us = world.plan->autosave_us ? world.plan->autosave_us : SAVE_SOON_US;

	if (!broker.save)
		broker.save = world_in(us, on_save, NULL);
}

static void free_list(struct list *l)
{
	list_clear(l);
	free(l->at);
	*l = (struct list){.count = 0};
}

void broker_begin(void)
{
	memset(&broker, 0, sizeof broker);
	broker.up = true;
	chance_init(&broker.chance, world.plan->seed, "broker", 0);
}

void broker_end(void)
{
	free_list(&broker.now.flight);
	free_list(&broker.now.queue);
	free_list(&broker.saved.flight);
	free_list(&broker.saved.queue);
}

bool broker_is_up(void)
{
	return broker.up;
}

size_t broker_waiting(void)
{
	return broker.now.flight.count + broker.now.queue.count;
}

bool broker_publish(const char *topic, const char *payload, const int *numbers, int count)
{
	struct message *m;

	if (!broker.up)
		return false;
	if (!broker.now.there)
		return true; /* nobody has subscribed: acknowledged and gone */
	if ((int64_t)broker.now.queue.count >= world.plan->broker_queue) {
		tell("the broker's queue is full: it drops what it acknowledges");
		return true;
	}
	m = calloc(1, sizeof *m);
	assert(m);
	m->topic = strdup(topic);
	m->payload = strdup(payload);
	m->length = strlen(payload);
	m->taps = calloc((size_t)count + 1, sizeof(int));
	assert(m->topic && m->payload && m->taps);
	if (count > 0)
		memcpy(m->taps, numbers, (size_t)count * sizeof(int));
	m->count = count;
	list_add(&broker.now.queue, m);
	changed();
	pump();
	return true;
}

/* ---- the link: up and down */

static void connect_later(void);

static void forget_out(struct mqtt *m)
{
	while (m->out) {
		struct outgoing *o = m->out;

		m->out = o->next;
		free(o->topic);
		free(o->payload);
		free(o);
	}
	m->out_end = &m->out;
}

static void down(struct mqtt *m, enum mqtt_trouble trouble, const char *words)
{
	world_cancel(m->next);
	m->next = NULL;
	m->connected = false;
	forget_out(m);
	if (!gateway_lives())
		return;
	if (!m->away)
		connect_later();
	m->on.down(m->on.arg, trouble, words);
}

static void on_swallowed(void *arg)
{
	(void)arg;
	link->next = NULL;
	if (gateway_lives())
		down(link, MQTT_SILENT, "no MQTT answer in time");
}

static void on_connect(void *arg)
{
	struct mqtt *m = link;
	bool present;

	(void)arg;
	m->next = NULL;
	if (!gateway_lives() || m->away)
		return;
	if (broker.swallows) {
		m->next = world_in(SWALLOWED_US, on_swallowed, NULL);
		return;
	}
	if (!broker.up) {
		down(m, MQTT_REFUSED, "Connection refused");
		return;
	}
	present = broker.now.there;
	broker.now.there = true;
	changed();
	m->connected = true;
	m->given = 0;
	m->redone = broker.now.flight.count;
	m->heard_before_us = m->heard_us;
	tell("the gateway is connected to the broker, %zu messages wait", broker_waiting());
	m->on.connected(m->on.arg, present);
	if (gateway_lives() && m->connected)
		m->on.subscribed(m->on.arg);
	if (gateway_lives() && m->connected)
		pump();
}

static void connect_later(void)
{
	int64_t wait_ms = link->on.retry_ms(link->on.arg);

	link->next = world_in(
		wait_ms * MS + chance_from(&broker.chance, 2, 60) * MS, on_connect, NULL);
}

void broker_cut_link(void)
{
	if (link && link->connected)
		down(link, MQTT_LOST, "Connection reset by peer");
}

void broker_take_over(enum intruder what)
{
	static const char *const deeds[] = {"goes again", "wipes its session", "takes what waits"};

	if (!broker.up)
		return;
	tell("another client comes with the gateway's id and %s", deeds[what]);
	broker_cut_link();
	if (what == INTRUDER_PASSES)
		return;
	session_clear(&broker.now);
	broker.now.there = what == INTRUDER_TAKES;
	changed();
}

void broker_black_hole(bool swallowed)
{
	broker.swallows = swallowed;
	if (swallowed)
		broker_cut_link();
}

void broker_stop(bool killed)
{
	if (!broker.up)
		return;
	tell("the broker %s", killed ? "is killed" : "is stopped");
	if (!killed)
		on_save(NULL);
	world_cancel(broker.save);
	broker.save = NULL;
	broker.up = false;
	broker_cut_link();
	terminals_broker_is_down();
}

void broker_start(bool with_memory)
{
	if (broker.up)
		return;
	if (with_memory)
		session_copy(&broker.now, &broker.saved);
	else
		session_clear(&broker.now);
	session_copy(&broker.saved, &broker.now);
	broker.up = true;
	tell("the broker is up, %s, with %zu messages",
		with_memory ? "with what it saved" : "without its memory", broker_waiting());
	terminals_broker_is_up();
}

/* ---- the link: bursts */

/* The acknowledgements of a terminal, as they leave the gateway. */
static void leaves(const struct outgoing *o)
{
	laws_published(o->topic, o->payload, o->length);
	terminals_publish(o->topic, o->payload);
}

static void write_out(struct mqtt *m, size_t first)
{
	size_t done = first;

	while (done < m->given && gateway_at(POINT_WRITING))
		laws_puback(broker.now.flight.at[done]->taps, broker.now.flight.at[done]->count),
			done++;
	if (done > first) {
		/* All before `first` were acknowledged with their own bursts. */
		assert(first == 0);
		list_remove_first(&broker.now.flight, done);
		m->given -= done;
		m->redone = m->redone > done ? m->redone - done : 0;
		changed();
	}
	while (m->out && gateway_lives()) {
		struct outgoing *o = m->out;

		m->out = o->next;
		if (!m->out)
			m->out_end = &m->out;
		leaves(o);
		free(o->topic);
		free(o->payload);
		free(o);
	}
	gateway_at(POINT_WRITTEN);
}

static void hand_over(struct mqtt *m, size_t most)
{
	struct session *s = &broker.now;

	while (most > 0 && s->queue.count > 0 &&
		(int64_t)s->flight.count < world.plan->broker_flight) {
		list_add(&s->flight, s->queue.at[0]);
		list_remove_first(&s->queue, 1);
	}
	for (; most > 0 && m->given < s->flight.count; most--) {
		struct message *msg = s->flight.at[m->given];
		const struct mqtt_message out = {.topic = msg->topic,
			.payload = msg->payload,
			.length = msg->length,
			.dup = m->given < m->redone,
			.qos = 1};

		m->given++;
		m->on.message(m->on.arg, &out);
		if (!gateway_at(POINT_MESSAGE))
			return;
	}
}

static void on_burst(void *arg)
{
	struct mqtt *m = link;
	int64_t most = m->careful ? 1 : chance_from(&broker.chance, 1, BURST_MAX);

	(void)arg;
	m->next = NULL;
	if (!gateway_lives())
		return;
	m->heard_us = gateway_mono_us();
	m->in_burst = true;
	hand_over(m, (size_t)most);
	if (!gateway_at(POINT_DRAINED))
		return;
	if (m->on.drained(m->on.arg) < 0) {
		m->in_burst = false;
		down(m, MQTT_DROPPED, "what came could not be stored");
		return;
	}
	m->in_burst = false;
	if (!gateway_at(POINT_COMMITTED))
		return;
	write_out(m, 0);
	if (!gateway_lives())
		return;
	m->on.acknowledged(m->on.arg);
	if (gateway_lives() && m->connected)
		pump();
}

static void pump(void)
{
	struct session *s = &broker.now;

	if (!link || !link->connected || link->next || link->in_burst ||
		(s->queue.count == 0 && link->given >= s->flight.count))
		return;
	link->next = world_in(chance_from(&broker.chance, 1, 15) * MS, on_burst, NULL);
}

/* ---- edge/mqtt.h */

int mqtt_new(struct loop *l, const struct mqtt_settings *settings, const struct mqtt_events *events,
	struct mqtt **ret_mqtt)
{
	struct mqtt *m = calloc(1, sizeof *m);

	(void)l;
	(void)settings;
	assert(m && !link);
	m->on = *events;
	m->out_end = &m->out;
	m->next = world_in(chance_from(&broker.chance, 2, 60) * MS, on_connect, NULL);
	*ret_mqtt = link = m;
	return 0;
}

void mqtt_free(struct mqtt *m)
{
	if (!m)
		return;
	world_cancel(m->next);
	forget_out(m);
	assert(m == link);
	link = NULL;
	free(m);
}

void mqtt_set_careful(struct mqtt *m, bool careful)
{
	m->careful = careful;
}

void mqtt_set_away(struct mqtt *m, bool away)
{
	if (m->away == away)
		return;
	m->away = away;
	world_cancel(m->next);
	m->next = NULL;
	m->connected = false;
	forget_out(m);
	if (!away)
		m->next = world_in(chance_from(&broker.chance, 2, 60) * MS, on_connect, NULL);
}

int mqtt_publish(
	struct mqtt *m, const char *topic, const void *payload, size_t length, int qos, bool retain)
{
	struct outgoing *o;

	(void)qos;
	(void)retain;
	if (!m->connected || !gateway_lives())
		return -ENOTCONN;
	o = calloc(1, sizeof *o);
	assert(o);
	o->topic = strdup(topic);
	o->payload = strndup(payload, length);
	o->length = length;
	assert(o->topic && o->payload);
	*m->out_end = o;
	m->out_end = &o->next;
	if (!m->in_burst)
		write_out(m, m->given);
	return 0;
}

bool mqtt_connected(const struct mqtt *m)
{
	return m->connected;
}

int64_t mqtt_heard_before_us(const struct mqtt *m)
{
	return m->heard_before_us;
}

int mqtt_set_topics(struct mqtt *m, const char *const *topics)
{
	(void)m;
	(void)topics;
	return 0;
}

int mqtt_set_password(struct mqtt *m, const char *password)
{
	(void)m;
	(void)password;
	return 0;
}
