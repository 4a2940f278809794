#include "terminal/link.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define CONNECT_US (20 * CLOCK_US_PER_S) /* from the first SYN to the last SUBACK */
#define TURN_READS 1000                  /* packets in one turn, so that others get theirs */
#define INFLIGHT   20000                 /* the owner's window is what limits */

struct link {
	struct event_base *base;
	struct link_events on;
	char *host, *username, *password, *ca_file, *client_id, *will_topic, *will_payload;
	char *topics[3];
	int port, keepalive_s;

	struct mosquitto *client; /* NULL: not connected, nor about to be */
	struct event *socket;  /* one for both ways: libevent warns where one of two is taken off a
				* socket that libmosquitto has closed */
	short watched;         /* EV_READ, EV_WRITE */
	struct event *verdict; /* brings down what failed inside link_connect */
	bool tcp_up, up;
	int64_t deadline_us;
	bool failed; /* noted inside a callback, acted on when libmosquitto has returned */
	char words[160];
};

/* ---- going down */

static void __attribute__((format(printf, 2, 3))) fail(struct link *l, const char *format, ...)
{
	va_list ap;

	if (l->failed)
		return;
	l->failed = true;
	va_start(ap, format);
	vsnprintf(l->words, sizeof l->words, format, ap);
	va_end(ap);
}

static void on_socket(evutil_socket_t fd, short what, void *arg);

/* Wait for these, or with 0 for nothing. Returns whether it will. */
static bool watch(struct link *l, short what)
{
	if (what == l->watched)
		return true;
	if (l->socket)
		event_free(l->socket);
	l->socket = NULL;
	l->watched = what;
	if (what == 0)
		return true;
	l->socket = event_new(
		l->base, mosquitto_socket(l->client), (short)(what | EV_PERSIST), on_socket, l);
	return l->socket && event_add(l->socket, NULL) == 0;
}

static void cut(struct link *l)
{
	watch(l, 0);
	event_del(l->verdict);
	if (l->client) {
		int fd = mosquitto_socket(l->client);

		if (fd >= 0)
			shutdown(fd, SHUT_RDWR);
		mosquitto_destroy(l->client);
	}
	l->client = NULL;
	l->tcp_up = l->up = false;
}

/* Tell the owner where the connection has failed. Returns whether it stands. */
static bool settle(struct link *l)
{
	if (!l->failed)
		return true;
	cut(l);
	l->on.down(l->on.arg, l->words);
	return false;
}

static void check(struct link *l, int code)
{
	if (code == MOSQ_ERR_ERRNO)
		fail(l, "%s", strerror(errno));
	else if (code != MOSQ_ERR_SUCCESS)
		fail(l, "%s", mosquitto_strerror(code));
	else if (mosquitto_socket(l->client) < 0)
		fail(l, "the broker closed the connection");
}

/* ---- what libmosquitto tells, from inside its calls */

static void on_connack(struct mosquitto *client, void *arg, int code)
{
	struct link *l = arg;

	if (code == 4 || code == 5) {
		fail(l, "the broker refuses the user name or password");
		return;
	}
	if (code != 0) {
		fail(l, "the broker refuses us: %s", mosquitto_connack_string(code));
		return;
	}
	if (!l->topics[0]) {
		l->up = true;
		l->on.up(l->on.arg);
	} else if (mosquitto_subscribe_multiple(
			   client, NULL, l->topics[1] ? 2 : 1, l->topics, 1, 0, NULL) != 0) {
		fail(l, "the subscription could not be sent");
	}
}

static void on_suback(struct mosquitto *client, void *arg, int mid, int count, const int *granted)
{
	struct link *l = arg;

	(void)client;
	(void)mid;
	for (int i = 0; i < count; i++) {
		if (granted[i] > 2)
			fail(l, "the broker refuses the subscription of %s",
				i < 2 && l->topics[i] ? l->topics[i] : "?");
	}
	if (l->failed)
		return;
	l->up = true;
	l->on.up(l->on.arg);
}

static void on_message(struct mosquitto *client, void *arg, const struct mosquitto_message *m)
{
	struct link *l = arg;

	(void)client;
	l->on.message(
		l->on.arg, m->topic, m->payloadlen > 0 ? m->payload : "", (size_t)m->payloadlen);
}

static void on_publish(struct mosquitto *client, void *arg, int mid)
{
	struct link *l = arg;

	(void)client;
	l->on.published(l->on.arg, mid);
}

static void on_disconnect(struct mosquitto *client, void *arg, int code)
{
	struct link *l = arg;

	(void)client;
	if (code == MOSQ_ERR_KEEPALIVE)
		fail(l, "the broker does not answer");
	else
		fail(l, "the broker closed the connection");
}

/* ---- the socket */

static void arm(struct link *l)
{
	bool write = !l->tcp_up || mosquitto_want_write(l->client);

	if (!watch(l, (short)(EV_READ | (write ? EV_WRITE : 0))))
		fail(l, "the event loop refuses the socket");
}

static void write_out(struct link *l)
{
	if (!l->failed)
		check(l, mosquitto_loop_write(l->client, 1));
	if (!l->failed)
		arm(l);
}

static bool tcp_came_up(struct link *l)
{
	int error = 0;
	socklen_t size = sizeof error;

	getsockopt(mosquitto_socket(l->client), SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		fail(l, "%s", strerror(error));
	else
		l->tcp_up = true;
	return l->tcp_up;
}

/* libmosquitto takes one packet a call (2.0.11), and leaves EAGAIN in errno when there is none. */
static void read_turn(struct link *l)
{
	for (int i = 0; i < TURN_READS && !l->failed; i++) {
		errno = 0;
		check(l, mosquitto_loop_read(l->client, 1));
		if (errno == EAGAIN)
			return;
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	if (l->tcp_up || tcp_came_up(l)) {
		if (what & EV_READ)
			read_turn(l);
		write_out(l);
	}
	settle(l);
}

static void on_verdict(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle(arg);
}

/* ---- connecting */

static int set_client(struct link *l)
{
	struct mosquitto *c = l->client;
	int r = mosquitto_username_pw_set(c, l->username, l->password);

	/* Written only by mosquitto_loop_write, so that a failure shows in one place. */
	if (r == 0)
		r = mosquitto_threaded_set(c, true);
	if (r == 0 && l->will_topic)
		r = mosquitto_will_set(
			c, l->will_topic, (int)strlen(l->will_payload), l->will_payload, 1, true);
	if (r == 0 && l->ca_file)
		r = mosquitto_tls_set(c, l->ca_file, NULL, NULL, NULL, NULL);
	if (r == 0)
		r = mosquitto_int_option(c, MOSQ_OPT_SEND_MAXIMUM, INFLIGHT);
	if (r == 0)
		r = mosquitto_int_option(c, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(c, on_connack);
	mosquitto_subscribe_callback_set(c, on_suback);
	mosquitto_message_callback_set(c, on_message);
	mosquitto_publish_callback_set(c, on_publish);
	mosquitto_disconnect_callback_set(c, on_disconnect);
	return r;
}

void link_connect(struct link *l)
{
	int r;

	cut(l);
	l->failed = false;
	l->deadline_us = clock_now().mono_us + CONNECT_US;
	l->client = mosquitto_new(l->client_id, true, l);
	if (!l->client)
		fail(l, "out of memory");
	else if ((r = set_client(l)) != 0)
		fail(l, "%s%s", l->ca_file ? "TLS: " : "", mosquitto_strerror(r));
	else if ((r = mosquitto_connect_async(l->client, l->host, l->port, l->keepalive_s)) != 0)
		check(l, r);
	else
		arm(l);
	if (l->failed)
		event_add(l->verdict, &(struct timeval){0});
}

/* ---- the public face */

static char *copy(const char *text, bool *failed)
{
	char *s = text ? strdup(text) : NULL;

	*failed |= text && !s;
	return s;
}

struct link *link_new(
	struct event_base *base, const struct link_settings *s, const struct link_events *on)
{
	struct link *l = calloc(1, sizeof *l);
	bool failed = false;

	if (!l)
		return NULL;
	*l = (struct link){
		.base = base,
		.on = *on,
		.port = s->port,
		.keepalive_s = s->keepalive_s,
		.host = copy(s->host, &failed),
		.username = copy(s->username, &failed),
		.password = copy(s->password, &failed),
		.ca_file = copy(s->ca_file, &failed),
		.client_id = copy(s->client_id, &failed),
		.will_topic = copy(s->will_topic, &failed),
		.will_payload = copy(s->will_payload, &failed),
		.topics = {copy(s->topics[0], &failed), copy(s->topics[1], &failed)},
	};
	l->verdict = evtimer_new(base, on_verdict, l);
	if (failed || !l->verdict) {
		link_free(l);
		return NULL;
	}
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->verdict) {
		cut(l);
		event_free(l->verdict);
	}
	free(l->host);
	free(l->username);
	if (l->password)
		explicit_bzero(l->password, strlen(l->password));
	free(l->password);
	free(l->ca_file);
	free(l->client_id);
	free(l->will_topic);
	free(l->will_payload);
	free(l->topics[0]);
	free(l->topics[1]);
	free(l);
}

int link_publish(struct link *l, const char *topic, const void *payload, size_t length, int qos,
	bool retain, int *ret_mid)
{
	int r;

	if (!l->up || l->failed)
		return -ENOTCONN;
	r = mosquitto_publish(l->client, ret_mid, topic, (int)length, payload, qos, retain);
	switch (r) {
	case MOSQ_ERR_SUCCESS: arm(l); return 0;
	case MOSQ_ERR_NOMEM: return -ENOMEM;
	case MOSQ_ERR_NO_CONN: return -ENOTCONN;
	default: return -EINVAL;
	}
}

void link_tick(struct link *l)
{
	if (!l->client || l->failed)
		return;
	if (!l->up && clock_now().mono_us > l->deadline_us)
		fail(l, "no answer");
	else if (l->up) {
		check(l, mosquitto_loop_misc(l->client));
		write_out(l);
	}
	settle(l);
}

bool link_is_up(const struct link *l)
{
	return l->up;
}

/* Read to the end: closing a socket with something unread in it resets the connection, and the broker
 * may then never see the goodbye. */
static void drain(int fd, int64_t until_us)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[4096];
	int64_t left_us;

	shutdown(fd, SHUT_WR);
	while ((left_us = until_us - clock_now().mono_us) > 0 &&
		poll(&p, 1, (int)(left_us / 1000) + 1) == 1 && read(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
}

void link_close(struct link *l, int64_t until_us)
{
	struct pollfd p = {.events = POLLOUT};
	int fd = -1;

	watch(l, 0);
	if (l->up && !l->failed) {
		/* libmosquitto closes its own as soon as the goodbye is written. */
		fd = dup(mosquitto_socket(l->client));
		mosquitto_disconnect(l->client);
		while (mosquitto_loop_write(l->client, 1) == MOSQ_ERR_SUCCESS &&
			(p.fd = mosquitto_socket(l->client)) >= 0 &&
			mosquitto_want_write(l->client) && clock_now().mono_us < until_us)
			poll(&p, 1, 100);
	}
	if (fd >= 0)
		drain(fd, until_us);
	cut(l);
}
