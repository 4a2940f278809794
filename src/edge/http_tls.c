/* Certificates of edge/http_tcp.h. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "edge/http_private.h"
#include "edge/http_tcp.h"

struct http_tls {
	SSL_CTX *ctx;
};

struct ssl_st *http_tls_session(const struct http_tls *tls)
{
	return SSL_new(tls->ctx);
}

/* OpenSSL's own words on its last error. */
static const char *ssl_words(void)
{
	unsigned long error = ERR_peek_last_error();
	const char *words = ERR_reason_error_string(error);

	return words ? words : "it cannot be read";
}

static int load(SSL_CTX *ctx, const char *cert_file, const char *key_file,
	char words[static HTTP_TLS_WORDS_MAX])
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1)
		snprintf(words, HTTP_TLS_WORDS_MAX, "%.200s: no certificate: %s", cert_file,
			ssl_words());
	else if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
		snprintf(words, HTTP_TLS_WORDS_MAX, "%.200s: no key of %.200s: %s", key_file,
			cert_file, ssl_words());
	else
		return 0;
	ERR_clear_error();
	return -EINVAL;
}

/* A key with a pass phrase would be asked for at the terminal. */
static int no_phrase(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

int http_tls_load(const char *cert_file, const char *key_file, struct http_tls **ret_tls,
	char ret_words[static HTTP_TLS_WORDS_MAX])
{
	struct http_tls *tls = calloc(1, sizeof *tls);
	int r;

	snprintf(ret_words, HTTP_TLS_WORDS_MAX, "out of memory");
	if (tls)
		tls->ctx = SSL_CTX_new(TLS_server_method());
	if (!tls || !tls->ctx) {
		http_tls_free(tls);
		return -ENOMEM;
	}
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_default_passwd_cb(tls->ctx, no_phrase);
	r = load(tls->ctx, cert_file, key_file, ret_words);
	if (r < 0) {
		http_tls_free(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

void http_tls_free(struct http_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}
