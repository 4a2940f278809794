#include "tlsserver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

/* A test's own trouble ends the test. */
#define MUST(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

/* --- certificates */

struct tls_ca {
	EVP_PKEY *key;
	X509 *certificate;
};

static void set_name(X509_NAME *name, const char *text)
{
	MUST(X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0));
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	MUST(extension);
	MUST(X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *new_certificate(EVP_PKEY *key, const char *name, long from_s, long to_s)
{
	static long serial;
	X509 *x = X509_new();

	MUST(x);
	MUST(X509_set_version(x, 2));
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	MUST(X509_gmtime_adj(X509_getm_notBefore(x), from_s));
	MUST(X509_gmtime_adj(X509_getm_notAfter(x), to_s));
	MUST(X509_set_pubkey(x, key));
	set_name(X509_get_subject_name(x), name);
	return x;
}

struct tls_ca *tls_ca_new(const char *name)
{
	struct tls_ca *ca = calloc(1, sizeof *ca);

	MUST(ca);
	ca->key = EVP_EC_gen("P-256");
	MUST(ca->key);
	ca->certificate = new_certificate(ca->key, name, -86400, 86400);
	MUST(X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate)));
	add_extension(ca->certificate, NID_basic_constraints, "critical,CA:TRUE");
	MUST(X509_sign(ca->certificate, ca->key, EVP_sha256()));
	return ca;
}

void tls_ca_free(struct tls_ca *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
	free(ca);
}

void tls_ca_write(const struct tls_ca *ca, const char *path)
{
	FILE *f = fopen(path, "w");

	MUST(f);
	MUST(PEM_write_X509(f, ca->certificate));
	MUST(fclose(f) == 0);
}

void tls_ca_write_hashed(const struct tls_ca *ca, const char *dir)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%08lx.0", dir, X509_subject_name_hash(ca->certificate));
	tls_ca_write(ca, path);
}

static void set_leaf(SSL_CTX *ssl, const struct tls_ca *ca, enum tls_flaw flaw)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;

	MUST(key);
	x = new_certificate(key, "leaf", flaw == TLS_NOT_YET_VALID ? 3600 : -7200,
		flaw == TLS_EXPIRED ? -3600 : 86400);
	MUST(X509_set_issuer_name(x, X509_get_subject_name(ca->certificate)));
	add_extension(x, NID_subject_alt_name,
		flaw == TLS_OTHER_HOST ? "DNS:other.example" : "DNS:localhost,IP:127.0.0.1");
	MUST(X509_sign(x, ca->key, EVP_sha256()));
	MUST(SSL_CTX_use_certificate(ssl, x));
	MUST(SSL_CTX_use_PrivateKey(ssl, key));
	X509_free(x);
	EVP_PKEY_free(key);
}

/* --- the server */

#define CONNS_MAX    64
#define REQUESTS_MAX 512

struct tls_conn {
	struct tls_server *server;
	pthread_t thread;
	int number;
	int fd;
	SSL *ssl; /* NULL: plain */
	bool will_reset;
};

struct tls_server {
	struct tls_server_settings settings;
	SSL_CTX *ssl;
	int listener, port;
	int stop[2]; /* a pipe: readable once the server ends */
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows */
	struct tls_conn conns[CONNS_MAX];
	int count, open, most_open, resumed;
	char *requests[REQUESTS_MAX];
	int request_count;
};

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
	const unsigned char *in, unsigned in_length, void *arg)
{
	static const unsigned char h2[] = "\x02h2", http1[] = "\x08http/1.1";
	const struct tls_server *s = arg;
	unsigned char *chosen;
	int r;

	(void)ssl;
	r = s->settings.http2
		? SSL_select_next_proto(&chosen, out_length, h2, sizeof h2 - 1, in, in_length)
		: SSL_select_next_proto(
			  &chosen, out_length, http1, sizeof http1 - 1, in, in_length);
	*out = chosen;
	return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void make_ssl(struct tls_server *s)
{
	s->ssl = SSL_CTX_new(TLS_server_method());
	MUST(s->ssl);
	set_leaf(s->ssl, s->settings.ca, s->settings.flaw);
	SSL_CTX_set_alpn_select_cb(s->ssl, choose_protocol, s);
	if (s->settings.only_tls12)
		MUST(SSL_CTX_set_max_proto_version(s->ssl, TLS1_2_VERSION));
	if (s->settings.only_old_tls) {
		MUST(SSL_CTX_set_cipher_list(s->ssl, "ALL:@SECLEVEL=0"));
		MUST(SSL_CTX_set_min_proto_version(s->ssl, TLS1_VERSION));
		MUST(SSL_CTX_set_max_proto_version(s->ssl, TLS1_1_VERSION));
	}
}

static void note_resumed(struct tls_conn *c)
{
	pthread_mutex_lock(&c->server->lock);
	c->server->resumed += c->ssl && SSL_session_reused(c->ssl);
	pthread_mutex_unlock(&c->server->lock);
}

static void *play_conn(void *arg)
{
	struct tls_conn *c = arg;
	struct tls_server *s = c->server;
	int on = 1;

	MUST(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
	if (s->ssl) {
		c->ssl = SSL_new(s->ssl);
		MUST(c->ssl);
		MUST(SSL_set_fd(c->ssl, c->fd));
	}
	if (!c->ssl || SSL_accept(c->ssl) == 1) {
		note_resumed(c);
		s->settings.script(c);
	}
	SSL_free(c->ssl);
	pthread_mutex_lock(&s->lock);
	s->open--;
	if (!c->will_reset)
		shutdown(c->fd, SHUT_RDWR); /* it would send a FIN */
	close(c->fd);
	c->fd = -1;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void *accept_conns(void *arg)
{
	struct tls_server *s = arg;
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct tls_conn *c;

		pthread_mutex_lock(&s->lock);
		MUST(s->count < CONNS_MAX);
		c = &s->conns[s->count++];
		*c = (struct tls_conn){.server = s, .number = s->count, .fd = fd};
		s->open++;
		if (s->open > s->most_open)
			s->most_open = s->open;
		MUST(pthread_create(&c->thread, NULL, play_conn, c) == 0);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

struct tls_server *tls_server_new(const struct tls_server_settings *settings)
{
	struct tls_server *s = calloc(1, sizeof *s);

	MUST(s);
	s->settings = *settings;
	if (settings->ca)
		make_ssl(s);
	s->listener = loopback_listen(
		settings->host ? settings->host : "127.0.0.1", 0, CONNS_MAX, &s->port);
	MUST(s->listener >= 0);
	MUST(pipe(s->stop) == 0);
	MUST(pthread_mutex_init(&s->lock, NULL) == 0);
	MUST(pthread_create(&s->thread, NULL, accept_conns, s) == 0);
	return s;
}

void tls_server_free(struct tls_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->stop[1]);
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < s->count; i++)
		if (s->conns[i].fd >= 0)
			shutdown(s->conns[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < s->count; i++)
		pthread_join(s->conns[i].thread, NULL);
	close(s->stop[0]);
	for (int i = 0; i < s->request_count; i++)
		free(s->requests[i]);
	pthread_mutex_destroy(&s->lock);
	SSL_CTX_free(s->ssl);
	free(s);
}

int tls_server_port(const struct tls_server *s)
{
	return s->port;
}

void tls_server_pin(const struct tls_server *s, char ret[static TLS_PIN_SIZE])
{
	EVP_PKEY *key = X509_get0_pubkey(SSL_CTX_get0_certificate(s->ssl));
	unsigned char *der = NULL, hash[32];
	int n = i2d_PUBKEY(key, &der);

	MUST(n > 0);
	MUST(EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL) == 1);
	memcpy(ret, "sha256//", 8);
	EVP_EncodeBlock((unsigned char *)ret + 8, hash, sizeof hash);
	OPENSSL_free(der);
}

static int read_count(struct tls_server *s, const int *count)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = *count;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int tls_server_connections(struct tls_server *s)
{
	return read_count(s, &s->count);
}

int tls_server_open(struct tls_server *s)
{
	return read_count(s, &s->open);
}

int tls_server_most_at_once(struct tls_server *s)
{
	return read_count(s, &s->most_open);
}

int tls_server_resumed(struct tls_server *s)
{
	return read_count(s, &s->resumed);
}

int tls_server_requests(struct tls_server *s)
{
	return read_count(s, &s->request_count);
}

int tls_server_count(struct tls_server *s, const char *text)
{
	int n = 0;

	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < s->request_count; i++)
		n += strstr(s->requests[i], text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return n;
}

char *tls_server_last(struct tls_server *s)
{
	char *text;

	pthread_mutex_lock(&s->lock);
	text = strdup(s->request_count ? s->requests[s->request_count - 1] : "");
	pthread_mutex_unlock(&s->lock);
	return text;
}

/* --- for scripts */

int tls_conn_number(const struct tls_conn *c)
{
	return c->number;
}

static ssize_t read_some(struct tls_conn *c, void *bytes, size_t n)
{
	return c->ssl ? SSL_read(c->ssl, bytes, (int)n) : read(c->fd, bytes, n);
}

bool tls_conn_read_bytes(struct tls_conn *c, void *ret, size_t n)
{
	unsigned char *at = ret;

	while (n > 0) {
		ssize_t got = read_some(c, at, n);

		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

void tls_conn_note(struct tls_conn *c, const char *text)
{
	struct tls_server *s = c->server;

	pthread_mutex_lock(&s->lock);
	MUST(s->request_count < REQUESTS_MAX);
	s->requests[s->request_count] = strdup(text);
	MUST(s->requests[s->request_count]);
	s->request_count++;
	pthread_mutex_unlock(&s->lock);
}

static size_t body_length(const char *head)
{
	const char *line = strcasestr(head, "\r\nContent-Length:");

	return line ? strtoul(line + 17, NULL, 10) : 0;
}

bool tls_conn_read(struct tls_conn *c)
{
	char text[16384];
	size_t n = 0, body;

	do {
		MUST(n + 1 < sizeof text);
		if (!tls_conn_read_bytes(c, text + n, 1))
			return false;
		text[++n] = '\0';
	} while (n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4) != 0);
	body = body_length(text);
	MUST(n + body < sizeof text);
	if (!tls_conn_read_bytes(c, text + n, body))
		return false;
	text[n + body] = '\0';
	tls_conn_note(c, text);
	return true;
}

bool tls_conn_write(struct tls_conn *c, const void *bytes, size_t n)
{
	if (c->ssl)
		return SSL_write(c->ssl, bytes, (int)n) == (int)n;
	return send(c->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

bool tls_conn_say(struct tls_conn *c, const char *text)
{
	return tls_conn_write(c, text, strlen(text));
}

void tls_conn_close(struct tls_conn *c)
{
	if (c->ssl)
		SSL_shutdown(c->ssl);
}

void tls_conn_will_reset(struct tls_conn *c)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	MUST(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	c->will_reset = true;
}

bool tls_conn_wait(struct tls_conn *c, int ms)
{
	struct pollfd fds[] = {{.fd = c->fd, .events = POLLRDHUP}, {.fd = c->server->stop[0]}};

	return poll(fds, 2, ms) == 0;
}

/* --- tunnels */

void tls_conn_tunnel(struct tls_conn *c, int port)
{
	struct pollfd fds[] = {
		{.fd = c->fd, .events = POLLIN},
		{.fd = loopback_connect("127.0.0.1", port), .events = POLLIN},
	};
	char bytes[16384];
	bool open = fds[1].fd >= 0;

	while (open && poll(fds, 2, -1) > 0) {
		ssize_t n = 0;

		if (fds[1].revents) {
			n = read(fds[1].fd, bytes, sizeof bytes);
			open = n > 0 && tls_conn_write(c, bytes, (size_t)n);
		}
		if (!open || !fds[0].revents)
			continue;
		do {
			n = read_some(c, bytes, sizeof bytes);
			open = n > 0 && send(fds[1].fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
		} while (open && c->ssl && SSL_pending(c->ssl) > 0);
	}
	close(fds[1].fd);
}
