/*
 * One terminal's MQTT 3.1.1 connection: libmosquitto on libevent, one attempt at a time.
 *
 * Each attempt is a fresh client with a clean session, as with a terminal that was switched on: no
 * message of an earlier connection comes back by itself, the terminal sends its records again. When
 * to try again is the owner's business.
 */
#ifndef PUNCHD_TERMINAL_LINK_H
#define PUNCHD_TERMINAL_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The texts are copied where they must outlive link_new: all of them. */
struct link_settings {
	const char *host;
	int port;
	int keepalive_s;
	const char *username; /* NULL none */
	const char *password; /* NULL none */
	const char *ca_file;  /* NULL: no TLS */
	const char *client_id;
	const char *will_topic; /* NULL none */
	const char *will_payload;
	const char *topics[3]; /* to subscribe with QoS 1, ends with NULL */
};

struct link_events {
	void *arg;
	/* The broker has us and all subscriptions. */
	void (*up)(void *arg);
	/* The connection is gone or never was; words are for the log. Not after link_close. */
	void (*down)(void *arg, const char *words);
	void (*message)(void *arg, const char *topic, const void *payload, size_t length);
	/* The broker has this message (QoS 0: the socket has). */
	void (*published)(void *arg, int mid);
};

struct link;

/* NULL: no memory. */
struct link *link_new(struct event_base *base, const struct link_settings *settings,
	const struct link_events *on);

/* Say nothing and free. Not from inside a callback. */
void link_free(struct link *l);

/* Start an attempt; up or down follows, never from inside this call. */
void link_connect(struct link *l);

/*
 * Queue a message; it is written when the loop runs. *ret_mid is what published will tell.
 * Returns 0, -ENOTCONN, -EINVAL (libmosquitto refuses it) or -ENOMEM.
 */
int link_publish(struct link *l, const char *topic, const void *payload, size_t length, int qos,
	bool retain, int *ret_mid);

/* Keep-alive and time-outs; once a second. */
void link_tick(struct link *l);

bool link_is_up(const struct link *l);

/* Write what is queued and say goodbye, so that the will is not sent. Waits for the broker, at most
 * until that monotonic time. down is not called. */
void link_close(struct link *l, int64_t until_us);

#endif
