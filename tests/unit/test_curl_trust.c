/* api/curl and whom it trusts: CAs, certificates with a flaw, pinned keys. Nothing is sent to whom it
 * does not. */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curlrig.h"

/* --- the library's call that reads a file of CAs, in front of it */

static int files_read;

int X509_STORE_load_file(X509_STORE *store, const char *file)
{
	int (*real)(X509_STORE *, const char *);
	void *symbol = dlsym(RTLD_NEXT, "X509_STORE_load_file");

	memcpy(&real, &symbol, sizeof real);
	files_read++;
	return real(store, file);
}

/* --- what the cases share */

static void answer_all(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
}

/* words: NULL, or what an operator must be told. */
static void check_never_left(const char *words)
{
	struct seen seen = rig_one();

	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(rig.server), 0);
	if (words && !strstr(seen.trouble, words))
		fail_msg("%s", seen.trouble);
}

static void serve_with(enum tls_flaw flaw)
{
	const struct tls_server_settings settings = {
		.ca = rig.ca,
		.flaw = flaw,
		.script = answer_all,
	};

	rig_serve(&settings);
}

/* --- certificates */

static void test_ca_is_not_known(void **state)
{
	(void)state;
	rig_play(answer_all);
	rig_new_transport(LONG_MS, 4, NULL);
	check_never_left("certificate");
}

static void test_certificate_is_expired(void **state)
{
	(void)state;
	serve_with(TLS_EXPIRED);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	check_never_left("certificate has expired; is this machine's clock right?");
}

static void test_certificate_is_not_yet_valid(void **state)
{
	(void)state;
	serve_with(TLS_NOT_YET_VALID);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	check_never_left("certificate is not yet valid; is this machine's clock right?");
}

static void test_certificate_is_anothers(void **state)
{
	(void)state;
	serve_with(TLS_OTHER_HOST);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	/* host name 127.0.0.1, says libcurl 7.88; ipv4 address, says 8.14 */
	check_never_left("no alternative certificate subject name matches target");
}

/* --- CAs */

/* A further CA is trusted beside the system's, not in its place. */
static void test_ca_is_added(void **state)
{
	struct tls_ca *other = tls_ca_new("another CA");
	struct tls_server_settings settings = {.ca = other, .script = answer_all};

	(void)state;
	tls_ca_write_hashed(other, rig.dir);
	rig_serve(&settings);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	check_never_left("certificate");
	rig_new_transport_with(
		(struct api_curl_settings){.ca_file = rig.ca_path, .ca_dir = rig.dir});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	settings.ca = rig.ca;
	rig_serve(&settings);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	tls_ca_free(other);
}

/* The system's bundle is long, and its directory gives the one CA that is asked for. */
static void test_ca_directory_alone(void **state)
{
	struct tls_ca *other = tls_ca_new("a CA in a directory");
	const struct tls_server_settings settings = {.ca = other, .script = answer_all};
	char hashed[80], bare[80];

	(void)state;
	snprintf(hashed, sizeof hashed, "%s/hashed", rig.dir);
	snprintf(bare, sizeof bare, "%s/bare", rig.dir);
	assert_int_equal(mkdir(hashed, 0700), 0);
	assert_int_equal(mkdir(bare, 0700), 0);
	tls_ca_write_hashed(other, hashed);
	rig_serve(&settings);
	rig_new_transport_with((struct api_curl_settings){.ca_dir = hashed});
	files_read = 0;
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(files_read, 0);
	/* nothing is in there: then the bundle, such as it is */
	rig_serve(&settings);
	rig_new_transport_with((struct api_curl_settings){.ca_dir = bare});
	check_never_left("certificate");
	assert_int_equal(files_read, 1);
	tls_ca_free(other);
}

static void test_ca_files_that_cannot_be_used(void **state)
{
	struct api_curl_settings settings = {
		.timeout_ms = LONG_MS,
		.max_connections = 4,
		.user_agent = "punchd/test",
	};
	struct api_transport *none = NULL;
	char path[128];
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/none.pem", rig.dir);
	settings.ca_file = path;
	assert_int_equal(api_curl_new(&settings, &rig_loop, &none), -ENOENT);
	snprintf(path, sizeof path, "%s/empty.pem", rig.dir);
	f = fopen(path, "w");
	fclose(f);
	assert_int_equal(api_curl_new(&settings, &rig_loop, &none), -EINVAL);
	settings.ca_file = rig.dir;
	assert_int_equal(api_curl_new(&settings, &rig_loop, &none), -EINVAL);
	assert_null(none);
}

/* --- sessions */

static void answer_one_and_close(struct tls_conn *c)
{
	if (tls_conn_read(c))
		tls_conn_say(c,
			"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n"
			"Connection: close\r\n\r\n{}");
	tls_conn_close(c); /* OpenSSL takes up no session that broke off */
}

/* Who has found the server good once need not do so for every connection: the handshake is most of
 * what a connection costs. */
static void test_sessions_are_taken_up(void **state)
{
	(void)state;
	for (int tls12 = 0; tls12 <= 1; tls12++) {
		const struct tls_server_settings settings = {
			.ca = rig.ca, .only_tls12 = tls12, .script = answer_one_and_close};

		rig_serve(&settings);
		rig_new_transport(LONG_MS, 4, rig.ca_path);
		for (int i = 0; i < 5; i++)
			assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
		assert_int_equal(tls_server_connections(rig.server), 5);
		assert_int_equal(tls_server_resumed(rig.server), 4);
	}
}

/* --- pinned keys */

#define OTHER_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void test_key_is_pinned(void **state)
{
	char pin[TLS_PIN_SIZE], pins[2 * TLS_PIN_SIZE + 2 * sizeof OTHER_PIN];

	(void)state;
	rig_play(answer_all);
	tls_server_pin(rig.server, pin);
	rig_new_transport_with((struct api_curl_settings){.pins = pin});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	snprintf(pins, sizeof pins, " %s  %s ", OTHER_PIN, pin);
	rig_new_transport_with((struct api_curl_settings){.pins = pins});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	snprintf(pins, sizeof pins, "%s %s", pin, OTHER_PIN);
	rig_new_transport_with((struct api_curl_settings){.pins = pins});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
}

static void test_key_is_not_the_pinned_one(void **state)
{
	(void)state;
	rig_play(answer_all);
	rig_new_transport_with((struct api_curl_settings){.pins = OTHER_PIN});
	check_never_left("the server's public key is none of the pinned ones");
}

/* A pinned key stands beside the CAs, not in their place. */
static void test_pinned_key_of_a_ca_that_is_not_known(void **state)
{
	struct tls_ca *other = tls_ca_new("another CA");
	const struct tls_server_settings settings = {.ca = other, .script = answer_all};
	char pin[TLS_PIN_SIZE];

	(void)state;
	rig_serve(&settings);
	tls_server_pin(rig.server, pin);
	rig_new_transport_with((struct api_curl_settings){.pins = pin});
	check_never_left("certificate");
	tls_ca_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_ca_is_not_known),
		RIG_CASE(test_certificate_is_expired),
		RIG_CASE(test_certificate_is_not_yet_valid),
		RIG_CASE(test_certificate_is_anothers),
		RIG_CASE(test_ca_is_added),
		RIG_CASE(test_ca_directory_alone),
		RIG_CASE(test_ca_files_that_cannot_be_used),
		RIG_CASE(test_sessions_are_taken_up),
		RIG_CASE(test_key_is_pinned),
		RIG_CASE(test_key_is_not_the_pinned_one),
		RIG_CASE(test_pinned_key_of_a_ca_that_is_not_known),
	};

	return cmocka_run_group_tests_name("curl_trust", tests, rig_begin_group, rig_end_group);
}
