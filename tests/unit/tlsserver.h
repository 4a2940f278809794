/*
 * A TLS server inside a test, on an ephemeral port of 127.0.0.1: a script function plays each
 * connection in a thread of its own, well or badly. It counts what it sees; so "once on the wire"
 * is what the other end says, not what we believe.
 */
#ifndef PUNCHD_TESTS_TLSSERVER_H
#define PUNCHD_TESTS_TLSSERVER_H

#include <stdbool.h>
#include <stddef.h>

/* --- certificates, made when asked for */

enum tls_flaw { TLS_SOUND, TLS_EXPIRED, TLS_NOT_YET_VALID, TLS_OTHER_HOST };

struct tls_ca;

struct tls_ca *tls_ca_new(const char *name);
void tls_ca_free(struct tls_ca *ca);

/* Its certificate as PEM into a new file. */
void tls_ca_write(const struct tls_ca *ca, const char *path);

/* The same as DIR/HASH.0, as OpenSSL looks it up. */
void tls_ca_write_hashed(const struct tls_ca *ca, const char *dir);

/* --- the server */

struct tls_server;
struct tls_conn;

typedef void tls_script(struct tls_conn *c);

struct tls_server_settings {
	const struct tls_ca *ca; /* NULL: plain TCP */
	enum tls_flaw flaw;
	bool only_old_tls; /* up to 1.1 */
	bool only_tls12;
	bool http2;       /* choose h2 where it is offered */
	const char *host; /* of the loopback; NULL: 127.0.0.1 */
	tls_script *script;
};

struct tls_server *tls_server_new(const struct tls_server_settings *settings);

/* Break off all connections, end all threads. */
void tls_server_free(struct tls_server *s);

int tls_server_port(const struct tls_server *s);

/* `sha256//…` of its public key, as it is pinned. */
#define TLS_PIN_SIZE 64
void tls_server_pin(const struct tls_server *s, char ret[static TLS_PIN_SIZE]);

int tls_server_connections(struct tls_server *s); /* so far */
int tls_server_open(struct tls_server *s);        /* now */
int tls_server_most_at_once(struct tls_server *s);
int tls_server_resumed(struct tls_server *s); /* connections that took up an earlier session */
int tls_server_requests(struct tls_server *s);

/* How many requests contained a text. */
int tls_server_count(struct tls_server *s, const char *text);

/* The last request, whole; freed by the caller. */
char *tls_server_last(struct tls_server *s);

/* --- for scripts */

/* Which connection this is, from 1. */
int tls_conn_number(const struct tls_conn *c);

/* Read a request with its body, and count it. Whether one came. */
bool tls_conn_read(struct tls_conn *c);

/* Exactly n bytes; whether they came. Not counted. */
bool tls_conn_read_bytes(struct tls_conn *c, void *ret, size_t n);

/* Count and keep what the script read itself. */
void tls_conn_note(struct tls_conn *c, const char *text);

/* Whether the other end still listens. */
bool tls_conn_write(struct tls_conn *c, const void *bytes, size_t n);
bool tls_conn_say(struct tls_conn *c, const char *text);

/* Tell that nothing more comes, as TLS wants it (RFC 8446 §6.1); else the end just breaks off. */
void tls_conn_close(struct tls_conn *c);

/* The connection will end by a reset. */
void tls_conn_will_reset(struct tls_conn *c);

/* Wait until the other end closes, or the server is freed, or ms have passed (-1: without end).
 * Whether the time has passed. */
bool tls_conn_wait(struct tls_conn *c, int ms);

/* Carry bytes to and from a port of 127.0.0.1 until either end closes. */
void tls_conn_tunnel(struct tls_conn *c, int port);

#endif
