#include "sandbox/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define RENEW_DAYS   30
#define CA_YEARS     20
#define SERVER_DAYS  825 /* what the strictest clients accept */
#define PATH_SIZE    4096
#define SAN_MAX      8192
#define ALWAYS_NAMED 3

static const char *const always_named[ALWAYS_NAMED] = {"127.0.0.1", "::1", "localhost"};

/* A certificate with its key. */
struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

struct tls_work {
	const char *dir;
	const char *const *names;
	size_t count;
	struct pair ca, server;
};

static int fail(const char *what, const char *path)
{
	char words[256] = "-";
	unsigned long code = ERR_get_error();

	if (code)
		ERR_error_string_n(code, words, sizeof words);
	log_error("tls", what, LOG_S("path", path), LOG_S("words", words));
	ERR_clear_error();
	return -EIO;
}

static void pair_done(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	*p = (struct pair){0};
}

/* ---- files */

static void path_of(const struct tls_work *w, const char *name, char ret_path[static PATH_SIZE])
{
	snprintf(ret_path, PATH_SIZE, "%s/%s", w->dir, name);
}

/* Read NAME.pem and NAME.key; what cannot be read stays NULL. */
static void pair_read(const struct tls_work *w, const char *name, struct pair *ret)
{
	char path[PATH_SIZE], file[64];
	FILE *in;

	*ret = (struct pair){0};
	snprintf(file, sizeof file, "%s.pem", name);
	path_of(w, file, path);
	in = fopen(path, "re");
	if (in) {
		ret->cert = PEM_read_X509(in, NULL, NULL, NULL);
		fclose(in);
	}
	snprintf(file, sizeof file, "%s.key", name);
	path_of(w, file, path);
	in = fopen(path, "re");
	if (in) {
		ret->key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
		fclose(in);
	}
	ERR_clear_error();
}

/* Written beside and renamed: a kill leaves the old file or the new one. */
static int write_file(
	const struct tls_work *w, const char *name, mode_t mode, X509 *cert, EVP_PKEY *key)
{
	char path[PATH_SIZE], part[PATH_SIZE + 8];
	FILE *out = NULL;
	bool ok;
	int fd;

	path_of(w, name, path);
	snprintf(part, sizeof part, "%s.part", path);
	unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out) {
		if (fd >= 0)
			close(fd);
		return fail("the file cannot be written", path);
	}
	ok = cert ? PEM_write_X509(out, cert)
		  : PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	ok = fclose(out) == 0 && ok;
	return ok && rename(part, path) == 0 ? 0 : fail("the file cannot be written", path);
}

static int pair_write(const struct tls_work *w, const char *name, const struct pair *p)
{
	char file[64];
	int r;

	snprintf(file, sizeof file, "%s.key", name);
	r = write_file(w, file, 0600, NULL, p->key);
	snprintf(file, sizeof file, "%s.pem", name);
	return r < 0 ? r : write_file(w, file, 0644, p->cert, NULL);
}

/* ---- making */

static bool set_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[16];
	BIGNUM *number;
	bool ok;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof bytes, NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok;
}

/* Valid from long ago: a client whose clock lags (a Pi without a clock battery) can still talk. */
static bool set_validity(X509 *cert, int days)
{
	return ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z") &&
		X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL);
}

/* A key and a certificate for it with all that CA and server have in common. */
static bool pair_start(struct pair *p, const char *common_name, int days)
{
	X509_NAME *name;

	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();
	if (!p->key || !p->cert)
		return false;
	name = X509_get_subject_name(p->cert);
	return X509_set_version(p->cert, X509_VERSION_3) && set_serial(p->cert) &&
		set_validity(p->cert, days) && X509_set_pubkey(p->cert, p->key) &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0);
}

static int make_ca(struct tls_work *w)
{
	X509 *cert;

	pair_done(&w->ca);
	if (!pair_start(&w->ca, "punch-sandbox test CA", CA_YEARS * 365))
		return fail("the CA cannot be made", "ca.pem");
	cert = w->ca.cert;
	if (!X509_set_issuer_name(cert, X509_get_subject_name(cert)) ||
		!set_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		!set_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		!set_extension(cert, cert, NID_subject_key_identifier, "hash") ||
		!X509_sign(cert, w->ca.key, EVP_sha256()))
		return fail("the CA cannot be made", "ca.pem");
	return pair_write(w, "ca", &w->ca);
}

static bool is_address(const char *name)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);

	ASN1_OCTET_STRING_free(address);
	ERR_clear_error();
	return address != NULL;
}

/* Every name that the certificate must hold, one after the other; NULL at the end. */
static const char *name_at(const struct tls_work *w, size_t i)
{
	if (i < ALWAYS_NAMED)
		return always_named[i];
	return i - ALWAYS_NAMED < w->count ? w->names[i - ALWAYS_NAMED] : NULL;
}

static bool set_names(const struct tls_work *w, X509 *cert)
{
	struct buf text;
	const char *name;
	bool ok;

	buf_init(&text, SAN_MAX);
	for (size_t i = 0; (name = name_at(w, i)); i++)
		buf_addf(&text, "%s%s:%s", i ? "," : "", is_address(name) ? "IP" : "DNS", name);
	ok = buf_error(&text) == 0 &&
		set_extension(cert, w->ca.cert, NID_subject_alt_name, text.data);
	buf_done(&text);
	return ok;
}

static int make_server(struct tls_work *w)
{
	X509 *cert, *ca = w->ca.cert;

	pair_done(&w->server);
	if (!pair_start(&w->server, "punch-sandbox", SERVER_DAYS))
		return fail("the certificate cannot be made", "server.pem");
	cert = w->server.cert;
	if (!X509_set_issuer_name(cert, X509_get_subject_name(ca)) ||
		!set_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") ||
		!set_extension(cert, ca, NID_key_usage, "critical,digitalSignature") ||
		!set_extension(cert, ca, NID_ext_key_usage, "serverAuth") ||
		!set_extension(cert, ca, NID_subject_key_identifier, "hash") ||
		!set_extension(cert, ca, NID_authority_key_identifier, "keyid") ||
		!set_names(w, cert) || !X509_sign(cert, w->ca.key, EVP_sha256()))
		return fail("the certificate cannot be made", "server.pem");
	return pair_write(w, "server", &w->server);
}

/* ---- checking what is there */

static bool pair_lasts(const struct pair *p)
{
	time_t then = clock_now().wall_us / CLOCK_US_PER_S + RENEW_DAYS * 86400;

	return p->cert && p->key && X509_check_private_key(p->cert, p->key) == 1 &&
		X509_cmp_time(X509_get0_notAfter(p->cert), &then) > 0;
}

static bool server_fits(const struct tls_work *w)
{
	X509 *cert = w->server.cert;
	const char *name;

	if (!pair_lasts(&w->server) || X509_verify(cert, w->ca.key) != 1)
		return false;
	for (size_t i = 0; (name = name_at(w, i)); i++) {
		if (is_address(name) ? X509_check_ip_asc(cert, name, 0) != 1
				     : X509_check_host(cert, name, 0, 0, NULL) != 1)
			return false;
	}
	return true;
}

static int prepare_pairs(struct tls_work *w)
{
	int r = 0;

	pair_read(w, "ca", &w->ca);
	if (!pair_lasts(&w->ca))
		r = make_ca(w);
	if (r < 0)
		return r;
	pair_read(w, "server", &w->server);
	if (!server_fits(w))
		r = make_server(w);
	ERR_clear_error();
	return r;
}

static int make_context(const struct tls_work *w, SSL_CTX **ret_ctx)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
		SSL_CTX_use_certificate(ctx, w->server.cert) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, w->server.key) != 1) {
		SSL_CTX_free(ctx);
		return fail("the certificate cannot be used", "server.pem");
	}
	*ret_ctx = ctx;
	return 0;
}

int tls_prepare(const char *dir, const char *const *names, size_t count, SSL_CTX **ret_ctx)
{
	struct tls_work w = {.dir = dir, .names = names, .count = count};
	int r = prepare_pairs(&w);

	if (r == 0)
		r = make_context(&w, ret_ctx);
	pair_done(&w.ca);
	pair_done(&w.server);
	return r;
}
