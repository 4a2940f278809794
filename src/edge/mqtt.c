#include "edge/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "edge/resolve.h"

/* A burst ends when the socket is dry, or here: one commit must not grow without end, nor what is
 * kept in memory for it, nor the first message of it wait for ever. */
#define BURST_MESSAGES 1000
#define BURST_BYTES    (256 * 1024)
#define BURST_US       (100 * 1000)

#define CONNECT_MS 20000 /* from the first SYN to the last SUBACK */
#define TICK_MS    1000  /* keep-alive is looked at this often */
#define WORDS_MAX  256

enum phase {
	PHASE_IDLE,       /* away, or waiting for the next try */
	PHASE_RESOLVING,  /* the host's name is looked up */
	PHASE_CONNECTING, /* TCP and CONNECT are under way */
	PHASE_ACCEPTED,   /* CONNACK came; SUBACK is due */
	PHASE_READY,
};

struct mqtt {
	struct loop *loop;
	struct mqtt_events on;
	char *host, *client_id, *username, *password, *will_topic, *will_payload;
	char **topics;
	int topic_count;
	int port, keepalive_s;

	enum phase phase;
	struct resolve *resolve;
	unsigned turn;            /* which of the name's addresses is tried */
	char address[NI_MAXHOST]; /* that one */
	struct mosquitto *client; /* a fresh one for each connection: no state of an old one */
	struct loop_watch *watch;
	struct loop_timer *retry, *deadline, *tick;

	bool reached; /* TCP is there */

	bool careful, away;
	bool in_burst;
	int burst_count;
	size_t burst_bytes;
	bool dup;                /* of the message whose callback comes next */
	int64_t heard_us;        /* monotonic */
	int64_t heard_before_us; /* the same when this connection began */

	/* Why the connection is going, noted in a callback, acted on when libmosquitto has returned. */
	bool troubled;
	enum mqtt_trouble trouble;
	char words[WORDS_MAX];
};

static void start(struct mqtt *m);

/* ---- going down */

static void __attribute__((format(printf, 3, 4)))
note_trouble(struct mqtt *m, enum mqtt_trouble trouble, const char *format, ...)
{
	va_list ap;

	if (m->troubled)
		return;
	m->troubled = true;
	m->trouble = trouble;
	va_start(ap, format);
	vsnprintf(m->words, sizeof m->words, format, ap);
	va_end(ap);
}

/* Cut the connection. What libmosquitto still has to write, acknowledgements too, dies with it. */
static void cut(struct mqtt *m)
{
	resolve_cancel(m->resolve);
	m->resolve = NULL;
	loop_watch_free(m->watch);
	m->watch = NULL;
	loop_timer_stop(m->deadline);
	loop_timer_stop(m->tick);
	if (m->client) {
		int fd = mosquitto_socket(m->client);

		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
		mosquitto_destroy(m->client);
		m->client = NULL;
	}
	m->phase = PHASE_IDLE;
}

static void go_down(struct mqtt *m)
{
	/* Perhaps the broker listens on another of its addresses. */
	if (m->phase == PHASE_CONNECTING)
		m->turn++;
	cut(m);
	if (!m->away)
		loop_timer_set(m->retry, m->on.retry_ms(m->on.arg));
	m->on.down(m->on.arg, m->trouble, m->words);
}

static void down(struct mqtt *m, enum mqtt_trouble trouble, const char *words)
{
	m->troubled = false;
	note_trouble(m, trouble, "%s", words);
	go_down(m);
}

/* ---- what libmosquitto tells, from inside its calls */

static void on_connack(struct mosquitto *client, void *arg, int code, int flags)
{
	struct mqtt *m = arg;

	(void)client;
	switch (code) {
	case 0: break;
	case 4:
	case 5: note_trouble(m, MQTT_BAD_LOGIN, "%s", mosquitto_connack_string(code)); return;
	default: note_trouble(m, MQTT_NOT_ALLOWED, "%s", mosquitto_connack_string(code)); return;
	}
	m->phase = PHASE_ACCEPTED;
	m->on.connected(m->on.arg, flags & 1);
	if (mosquitto_subscribe_multiple(m->client, NULL, m->topic_count, m->topics, 1, 0, NULL) !=
		MOSQ_ERR_SUCCESS)
		note_trouble(m, MQTT_NOT_SUBSCRIBED, "the subscription could not be sent");
}

static void on_suback(
	struct mosquitto *client, void *arg, int mid, int count, const int *granted_qos)
{
	struct mqtt *m = arg;

	(void)client;
	(void)mid;
	for (int i = 0; i < count; i++) {
		if (granted_qos[i] > 2)
			note_trouble(m, MQTT_NOT_SUBSCRIBED, "refused: %s",
				i < m->topic_count ? m->topics[i] : "?");
	}
	if (m->troubled || m->phase == PHASE_READY)
		return;
	m->phase = PHASE_READY;
	loop_timer_stop(m->deadline);
	m->on.subscribed(m->on.arg);
}

/*
 * The DUP flag is in no public structure of libmosquitto (2.0.11 to 2.1), but in the debug line
 * that it logs in the same call, ahead of on_message: "Client ID received PUBLISH (d1, q1, …".
 */
static void on_log(struct mosquitto *client, void *arg, int level, const char *line)
{
	static const char mark[] = " received PUBLISH (d";
	struct mqtt *m = arg;
	const char *at;

	(void)client;
	if (level != MOSQ_LOG_DEBUG)
		return;
	at = strstr(line, mark);
	if (at)
		m->dup = at[sizeof mark - 1] == '1';
}

static void on_message(struct mosquitto *client, void *arg, const struct mosquitto_message *message)
{
	struct mqtt *m = arg;
	const struct mqtt_message out = {
		.topic = message->topic,
		.payload = message->payloadlen > 0 ? message->payload : "",
		.length = (size_t)message->payloadlen,
		.retained = message->retain,
		.dup = m->dup,
		.qos = message->qos,
	};

	(void)client;
	m->dup = false;
	m->burst_count++;
	m->burst_bytes += out.length;
	m->on.message(m->on.arg, &out);
}

static void on_disconnect(struct mosquitto *client, void *arg, int code)
{
	struct mqtt *m = arg;

	(void)client;
	if (code == MOSQ_ERR_KEEPALIVE)
		note_trouble(m, MQTT_LOST, "no answer to a ping");
	else
		note_trouble(m, MQTT_LOST, "%s", code ? mosquitto_strerror(code) : "closed");
}

/* ---- reading and writing */

/* Whether the connection stands after a call of libmosquitto with this result. */
static bool stands(struct mqtt *m, int result)
{
	if (result == MOSQ_ERR_ERRNO)
		note_trouble(m, MQTT_LOST, "%s", strerror(errno));
	else if (result != MOSQ_ERR_SUCCESS)
		note_trouble(m, MQTT_LOST, "%s", mosquitto_strerror(result));
	else if (mosquitto_socket(m->client) < 0)
		note_trouble(m, MQTT_LOST, "closed");
	return !m->troubled;
}

static void arm(struct mqtt *m)
{
	/* That TCP is there shows by the socket taking bytes; CONNECT goes out then. Asked for longer
	 * than that, a broker which says nothing would keep us busy. */
	bool write = !m->reached || mosquitto_want_write(m->client);

	if (loop_watch_set(m->watch, LOOP_READ | (write ? LOOP_WRITE : 0)) < 0)
		note_trouble(m, MQTT_LOST, "the event loop refuses the socket");
}

/* Write what is queued, as far as the socket takes it. */
static void write_out(struct mqtt *m)
{
	if (stands(m, mosquitto_loop_write(m->client, 1)))
		arm(m);
	if (m->troubled)
		go_down(m);
}

static bool dry(struct mqtt *m)
{
	struct pollfd p = {.fd = mosquitto_socket(m->client), .events = POLLIN};

	return p.fd < 0 || poll(&p, 1, 0) <= 0;
}

/* libmosquitto handles one packet a call, whatever it is asked for (2.0.11). */
static void read_burst(struct mqtt *m)
{
	int64_t until_us = loop_now(m->loop).mono_us + BURST_US;
	int most = m->careful ? 1 : BURST_MESSAGES;

	m->in_burst = true;
	m->burst_count = 0;
	m->burst_bytes = 0;
	m->heard_us = until_us - BURST_US;
	while (stands(m, mosquitto_loop_read(m->client, 1)) && m->burst_count < most &&
		m->burst_bytes < BURST_BYTES && !dry(m) && loop_now(m->loop).mono_us < until_us)
		;
	m->in_burst = false;
}

/*
 * The heart of the guarantee: read, make durable, and only then write. A connection that broke
 * while it was read has brought messages all the same: they are stored, and come again.
 */
static void on_readable(struct mqtt *m)
{
	read_burst(m);
	if (m->on.drained(m->on.arg) < 0) {
		down(m, MQTT_DROPPED, "what came could not be stored");
		return;
	}
	if (m->troubled) {
		go_down(m);
		return;
	}
	write_out(m);
	if (m->phase >= PHASE_ACCEPTED)
		m->on.acknowledged(m->on.arg);
}

/* The end of a TCP connection's making: its error is only to be had from the socket. */
static bool tcp_failed(struct mqtt *m)
{
	char words[WORDS_MAX];
	int error = 0;
	socklen_t size = sizeof error;

	getsockopt(mosquitto_socket(m->client), SOL_SOCKET, SO_ERROR, &error, &size);
	if (error == 0)
		return false;
	snprintf(words, sizeof words, "%.200s: %s", m->address, strerror(error));
	down(m, error == ECONNREFUSED ? MQTT_REFUSED : MQTT_UNREACHABLE, words);
	return true;
}

static void on_socket(void *arg, int events)
{
	struct mqtt *m = arg;

	if (!m->reached && tcp_failed(m))
		return;
	m->reached = true;
	if (events & LOOP_READ)
		on_readable(m);
	else
		write_out(m);
}

/* ---- connecting */

static void on_tick(void *arg)
{
	struct mqtt *m = arg;

	loop_timer_set(m->tick, TICK_MS);
	if (m->phase < PHASE_ACCEPTED)
		return;
	if (stands(m, mosquitto_loop_misc(m->client)))
		write_out(m);
	else
		go_down(m);
}

static void on_deadline(void *arg)
{
	struct mqtt *m = arg;

	if (m->phase == PHASE_RESOLVING)
		down(m, MQTT_NO_NAME, "the name server does not answer");
	else if (!m->reached)
		down(m, MQTT_UNREACHABLE, m->address);
	else
		down(m, MQTT_SILENT, m->address);
}

static void on_retry(void *arg)
{
	start(arg);
}

static struct mosquitto *client_new(struct mqtt *m)
{
	struct mosquitto *client = mosquitto_new(m->client_id, false, m);

	if (!client)
		return NULL;
	/* From here on nothing is written but by mosquitto_loop_write. */
	if (mosquitto_threaded_set(client, true) != MOSQ_ERR_SUCCESS ||
		mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311) !=
			MOSQ_ERR_SUCCESS ||
		mosquitto_username_pw_set(client, m->username, m->password) != MOSQ_ERR_SUCCESS ||
		mosquitto_will_set(client, m->will_topic, (int)strlen(m->will_payload),
			m->will_payload, 1, true) != MOSQ_ERR_SUCCESS) {
		mosquitto_destroy(client);
		return NULL;
	}
	mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_with_flags_callback_set(client, on_connack);
	mosquitto_subscribe_callback_set(client, on_suback);
	mosquitto_message_callback_set(client, on_message);
	mosquitto_disconnect_callback_set(client, on_disconnect);
	mosquitto_log_callback_set(client, on_log);
	return client;
}

static void connect_to(struct mqtt *m)
{
	int r;

	m->troubled = false;
	m->phase = PHASE_CONNECTING;
	m->reached = false;
	m->heard_before_us = m->heard_us;
	m->client = client_new(m);
	if (!m->client) {
		down(m, MQTT_LOST, "out of memory");
		return;
	}
	r = mosquitto_connect_async(m->client, m->address, m->port, m->keepalive_s);
	if (!stands(m, r == MOSQ_ERR_CONN_PENDING ? MOSQ_ERR_SUCCESS : r)) {
		m->trouble = MQTT_UNREACHABLE;
		go_down(m);
		return;
	}
	m->watch = loop_watch_new(m->loop, mosquitto_socket(m->client), on_socket, m);
	if (!m->watch) {
		down(m, MQTT_LOST, "out of memory");
		return;
	}
	loop_timer_set(m->tick, TICK_MS);
	arm(m);
	if (m->troubled)
		go_down(m);
}

static void on_resolved(void *arg, const char *address, const char *words)
{
	struct mqtt *m = arg;

	m->resolve = NULL;
	if (!address) {
		down(m, MQTT_NO_NAME, words);
		return;
	}
	snprintf(m->address, sizeof m->address, "%s", address);
	connect_to(m);
}

static void start(struct mqtt *m)
{
	loop_timer_stop(m->retry);
	if (m->away || m->phase != PHASE_IDLE)
		return;
	m->phase = PHASE_RESOLVING;
	loop_timer_set(m->deadline, CONNECT_MS);
	if (resolve_start(m->loop, m->host, m->turn, on_resolved, m, &m->resolve) < 0)
		down(m, MQTT_LOST, "out of memory");
}

/* ---- the public face */

static void free_topics(char **topics)
{
	for (int i = 0; topics && topics[i]; i++)
		free(topics[i]);
	free(topics);
}

/* Checked copies. Returns how many there are, -ENOMEM or -EINVAL. */
static int copy_topics(const char *const *topics, char ***ret_topics)
{
	int count = 0;
	char **copy;

	while (topics[count]) {
		if (mosquitto_sub_topic_check(topics[count++]) != MOSQ_ERR_SUCCESS)
			return -EINVAL;
	}
	copy = calloc((size_t)count + 1, sizeof *copy);
	for (int i = 0; copy && i < count; i++) {
		copy[i] = strdup(topics[i]);
		if (!copy[i]) {
			free_topics(copy);
			return -ENOMEM;
		}
	}
	*ret_topics = copy;
	return copy ? count : -ENOMEM;
}

static int copy_settings(struct mqtt *m, const struct mqtt_settings *s)
{
	m->port = s->port;
	m->keepalive_s = s->keepalive_s;
	m->host = strdup(s->host);
	m->client_id = strdup(s->client_id);
	m->username = s->username[0] ? strdup(s->username) : NULL;
	m->password = s->password ? strdup(s->password) : NULL;
	m->will_topic = strdup(s->will_topic);
	m->will_payload = strdup(s->will_payload);
	if (!m->host || !m->client_id || (s->username[0] && !m->username) ||
		(s->password && !m->password) || !m->will_topic || !m->will_payload)
		return -ENOMEM;
	if (mosquitto_pub_topic_check(s->will_topic) != MOSQ_ERR_SUCCESS)
		return -EINVAL;
	m->topic_count = copy_topics(s->topics, &m->topics);
	return m->topic_count < 0 ? m->topic_count : 0;
}

static void forget_password(struct mqtt *m)
{
	if (m->password)
		explicit_bzero(m->password, strlen(m->password));
	free(m->password);
	m->password = NULL;
}

int mqtt_new(struct loop *l, const struct mqtt_settings *settings, const struct mqtt_events *events,
	struct mqtt **ret_mqtt)
{
	struct mqtt *m = calloc(1, sizeof *m);
	int r;

	if (!m)
		return -ENOMEM;
	mosquitto_lib_init();
	*m = (struct mqtt){.loop = l, .on = *events};
	r = copy_settings(m, settings);
	if (r == 0) {
		m->retry = loop_timer_new(l, on_retry, m);
		m->deadline = loop_timer_new(l, on_deadline, m);
		m->tick = loop_timer_new(l, on_tick, m);
		r = m->retry && m->deadline && m->tick ? 0 : -ENOMEM;
	}
	if (r < 0) {
		mqtt_free(m);
		return r;
	}
	loop_timer_set(m->retry, 0);
	*ret_mqtt = m;
	return 0;
}

void mqtt_free(struct mqtt *m)
{
	if (!m)
		return;
	if (m->phase >= PHASE_ACCEPTED) {
		mosquitto_disconnect(m->client);
		mosquitto_loop_write(m->client, 1);
	}
	if (m->deadline && m->tick)
		cut(m);
	loop_timer_free(m->retry);
	loop_timer_free(m->deadline);
	loop_timer_free(m->tick);
	free_topics(m->topics);
	free(m->host);
	free(m->client_id);
	free(m->username);
	forget_password(m);
	free(m->will_topic);
	free(m->will_payload);
	free(m);
	mosquitto_lib_cleanup();
}

int mqtt_set_password(struct mqtt *m, const char *password)
{
	forget_password(m);
	m->password = password ? strdup(password) : NULL;
	return password && !m->password ? -ENOMEM : 0;
}

static bool lists_topic(char *const *topics, const char *topic)
{
	while (*topics && strcmp(*topics, topic) != 0)
		topics++;
	return *topics != NULL;
}

int mqtt_set_topics(struct mqtt *m, const char *const *topics)
{
	char **before = m->topics, **now;
	int count = copy_topics(topics, &now);

	if (count < 0)
		return count;
	m->topics = now;
	m->topic_count = count;
	if (m->phase >= PHASE_ACCEPTED && !m->troubled) {
		for (int i = 0; before[i]; i++) {
			if (!lists_topic(now, before[i]))
				mosquitto_unsubscribe(m->client, NULL, before[i]);
		}
		mosquitto_subscribe_multiple(m->client, NULL, count, now, 1, 0, NULL);
		if (!m->in_burst && m->watch)
			arm(m);
	}
	free_topics(before);
	return 0;
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
	loop_timer_stop(m->retry);
	if (away)
		cut(m);
	else
		start(m);
}

int mqtt_publish(
	struct mqtt *m, const char *topic, const void *payload, size_t length, int qos, bool retain)
{
	int r;

	if (m->phase < PHASE_ACCEPTED || m->troubled)
		return -ENOTCONN;
	r = mosquitto_publish(m->client, NULL, topic, (int)length, payload, qos, retain);
	if (r == MOSQ_ERR_SUCCESS && !m->in_burst && m->watch)
		arm(m);
	switch (r) {
	case MOSQ_ERR_SUCCESS: return 0;
	case MOSQ_ERR_NOMEM: return -ENOMEM;
	case MOSQ_ERR_NO_CONN: return -ENOTCONN;
	default: return -EINVAL;
	}
}

bool mqtt_connected(const struct mqtt *m)
{
	return m->phase == PHASE_READY;
}

int64_t mqtt_heard_before_us(const struct mqtt *m)
{
	return m->heard_before_us;
}
