/*
 * The broker: one MQTT 3.1.1 connection, kept up for ever, and the rule when it may acknowledge.
 *
 * libmosquitto queues the PUBACK of a QoS 1 message before it calls back (2.0.11 to 2.1), and after
 * mosquitto_threaded_set(true) it writes nothing until mosquitto_loop_write is called. So messages
 * are read until the socket is dry or a cap is reached, on_drained makes them durable in one
 * commit, and only then is anything written. Where on_drained says no, the socket is dropped with
 * all queued acknowledgements, and the broker delivers again. Between reading and writing nothing
 * returns to the loop.
 */
#ifndef PUNCHD_EDGE_MQTT_H
#define PUNCHD_EDGE_MQTT_H

#include <stdbool.h>
#include <stddef.h>

#include "edge/loop.h"

struct mqtt;

/* The texts are copied. */
struct mqtt_settings {
	const char *host;
	int port;
	const char *client_id;
	const char *username; /* "" none */
	const char *password; /* NULL none */
	int keepalive_s;
	const char *will_topic;
	const char *will_payload;
	const char *const *topics; /* filters to subscribe, ends with NULL; QoS 1 */
};

/* Valid only during the callback. */
struct mqtt_message {
	const char *topic;
	const void *payload;
	size_t length;
	bool retained;
	bool dup;
	int qos;
};

/* Why there is no connection; the text is for the log and tells what to do. */
enum mqtt_trouble {
	MQTT_NO_NAME,        /* the host's name was not found */
	MQTT_REFUSED,        /* nobody listens there */
	MQTT_UNREACHABLE,    /* no route, or no answer */
	MQTT_SILENT,         /* connected, but no MQTT answer in time */
	MQTT_BAD_LOGIN,      /* user name or password refused */
	MQTT_NOT_ALLOWED,    /* client id or access refused */
	MQTT_NOT_SUBSCRIBED, /* the broker refused a subscription */
	MQTT_LOST,           /* the connection broke */
	MQTT_DROPPED,        /* we dropped it: what came could not be stored */
};

struct mqtt_events {
	void *arg;
	/* The broker took us in; messages may come from now on, subscribing is under way.
	 * session_present: it remembers us. */
	void (*connected)(void *arg, bool session_present);
	/* It has all our subscriptions: the link is up. */
	void (*subscribed)(void *arg);
	/* It is gone, or could not be reached; tried again by itself. words: for the log. */
	void (*down)(void *arg, enum mqtt_trouble trouble, const char *words);
	/* One message; anything may be published from here, it is written after drained. */
	void (*message)(void *arg, const struct mqtt_message *m);
	/* Make durable what came. < 0: it is not; the link is dropped. */
	int (*drained)(void *arg);
	/* Written out: what came is acknowledged. For work that can wait until then. */
	void (*acknowledged)(void *arg);
	/* How many milliseconds until the next try after a failure. */
	int64_t (*retry_ms)(void *arg);
};

/* Start connecting. Returns 0, -ENOMEM or -EINVAL. */
int mqtt_new(struct loop *l, const struct mqtt_settings *settings, const struct mqtt_events *events,
	struct mqtt **ret_mqtt);

/* Say goodbye in order (the will is not sent) and free. Never blocks on the broker. */
void mqtt_free(struct mqtt *m);

/* Another password, from the next connection on; NULL none. Returns 0 or -ENOMEM. */
int mqtt_set_password(struct mqtt *m, const char *password);

/* Other filters from now on: what is gone is unsubscribed where there is a link. Returns 0, -ENOMEM, or
 * -EINVAL (no filter); then the old ones stay. */
int mqtt_set_topics(struct mqtt *m, const char *const *topics);

/* One message a burst from now on (true), or as many as the socket and the caps give. */
void mqtt_set_careful(struct mqtt *m, bool careful);

/* Stay away from the broker (true), or come back (false). While away nothing is read; the link is
 * cut without a goodbye, so that the broker sends our will. From no callback but down. */
void mqtt_set_away(struct mqtt *m, bool away);

/* Queue a message; QoS 0 or 1. Written with the next burst's acknowledgements or at once.
 * Returns 0, -ENOTCONN, -EINVAL (a topic that cannot be), or -ENOMEM. */
int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t length, int qos,
	bool retain);

/* Whether the broker has us and all our subscriptions. */
bool mqtt_connected(const struct mqtt *m);

/* When the broker was last heard before the present connection, monotonic; 0: never. */
int64_t mqtt_heard_before_us(const struct mqtt *m);

#endif
