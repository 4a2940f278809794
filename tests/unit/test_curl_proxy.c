/* api/curl through proxies: who is asked, what a proxy gets to see, and what comes of one that does
 * not let us through. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curlrig.h"

/* The server is rig.server; this is what stands before it. */
static struct tls_server *proxy;

static void answer_all(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
}

/* --- proxies */

static void let_through(struct tls_conn *c)
{
	if (!tls_conn_read(c))
		return;
	tls_conn_say(c, "HTTP/1.1 200 Connection established\r\n\r\n");
	tls_conn_tunnel(c, tls_server_port(rig.server));
}

/* RFC 1928: no login, and a name that the proxy is to look up. */
static void let_through_socks(struct tls_conn *c)
{
	unsigned char head[5], methods[256], name[257];

	if (!tls_conn_read_bytes(c, head, 2) || !tls_conn_read_bytes(c, methods, head[1]))
		return;
	tls_conn_write(c, "\x05\x00", 2);
	if (!tls_conn_read_bytes(c, head, 5) || head[3] != 3 ||
		!tls_conn_read_bytes(c, name, head[4] + 2u))
		return;
	name[head[4]] = '\0';
	tls_conn_note(c, (char *)name);
	tls_conn_write(c, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", 10);
	tls_conn_tunnel(c, tls_server_port(rig.server));
}

static void forbid(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
}

static void ask_for_a_login(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c,
			"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
			"Content-Length: 0\r\n\r\n");
}

static void hang_up(struct tls_conn *c)
{
	tls_conn_read(c);
}

static void talk_nonsense(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "220 mail.example.com ESMTP\r\n");
}

/* --- what the cases share */

static void stand_before(tls_script *script, const struct tls_ca *ca)
{
	const struct tls_server_settings settings = {.ca = ca, .script = script};

	proxy = tls_server_new(&settings);
}

/* Its URL: valid until the next call. */
static const char *proxy_url(const char *format)
{
	static char url[128];

	snprintf(url, sizeof url, "%s127.0.0.1:%d", format, tls_server_port(proxy));
	return url;
}

static struct seen one_to(const char *to)
{
	struct seen seen = {.calls = 0};

	rig_submit_to(to, &seen, "one");
	rig_run_until(rig.done_count + 1);
	free(seen.body);
	return seen;
}

/* What the proxy was told last: never what is the API's. */
static void check_told(const char *words)
{
	char *text = tls_server_last(proxy);

	assert_non_null(strstr(text, words));
	assert_null(strstr(text, KEY));
	assert_null(strstr(text, "\r\nAuthorization"));
	assert_null(strstr(text, "Idempotency-Key"));
	free(text);
}

static int end(void **state)
{
	int r = rig_end(state); /* first: the proxy ends with its tunnels */

	if (proxy)
		tls_server_free(proxy);
	proxy = NULL;
	unsetenv("https_proxy");
	unsetenv("no_proxy");
	return r;
}

/* --- cases */

static void test_proxy_of_the_settings(void **state)
{
	(void)state;
	rig_play(answer_all);
	stand_before(let_through, NULL);
	rig_new_transport_with(
		(struct api_curl_settings){.proxy = proxy_url("http://us%40er:SECRET@")});
	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_requests(proxy), 1); /* the tunnel is kept */
	assert_int_equal(tls_server_requests(rig.server), 3);
	assert_int_equal(tls_server_count(rig.server, "Proxy-"), 0);
	check_told("\r\nProxy-Authorization: Basic dXNAZXI6U0VDUkVU\r\n");
}

static void test_proxy_that_speaks_tls(void **state)
{
	(void)state;
	rig_play(answer_all);
	stand_before(let_through, rig.ca);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("https://")});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	check_told("CONNECT 127.0.0.1:");
}

static void test_proxy_of_an_unknown_ca(void **state)
{
	struct tls_ca *other = tls_ca_new("another CA");

	(void)state;
	rig_play(answer_all);
	stand_before(let_through, other);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("https://")});
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(proxy), 0);
	tls_ca_free(other);
}

/* The name is looked up by the proxy: nobody here knows it. */
static void test_socks_proxy(void **state)
{
	char to[64];

	(void)state;
	rig_play(answer_all);
	stand_before(let_through_socks, NULL);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("socks5h://")});
	snprintf(to, sizeof to, "https://localhost:%d/v1", tls_server_port(rig.server));
	assert_int_equal(one_to(to).fate, API_FATE_ANSWERED);
	check_told("localhost");
}

static void test_proxy_of_the_environment(void **state)
{
	(void)state;
	rig_play(answer_all);
	stand_before(let_through, NULL);
	setenv("https_proxy", proxy_url("http://"), 1);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	check_told("CONNECT 127.0.0.1:");
	/* the settings win */
	rig_new_transport_with((struct api_curl_settings){.proxy = ""});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_requests(proxy), 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("http://")});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_requests(proxy), 2);
}

/* It counts for both. */
static void test_no_proxy(void **state)
{
	(void)state;
	rig_play(answer_all);
	stand_before(forbid, NULL);
	setenv("no_proxy", "example.com,127.0.0.1", 1);
	setenv("https_proxy", proxy_url("http://"), 1);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("http://")});
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(proxy), 0);
}

/* No byte of the request leaves us before the proxy has said yes. */
static void test_proxies_that_do_not_let_us_through(void **state)
{
	tls_script *const scripts[] = {forbid, ask_for_a_login, hang_up, talk_nonsense};

	(void)state;
	rig_play(answer_all);
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct seen seen;

		stand_before(scripts[i], NULL);
		rig_new_transport_with(
			(struct api_curl_settings){.proxy = proxy_url("http://user:SECRET@")});
		seen = one_to("https://api.example.com/v1/attendance");
		assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
		check_told("CONNECT api.example.com:443 ");
		tls_server_free(proxy);
		proxy = NULL;
	}
}

static void test_proxy_is_not_there(void **state)
{
	(void)state;
	rig_play(answer_all);
	stand_before(let_through, NULL);
	rig_new_transport_with((struct api_curl_settings){.proxy = proxy_url("http://u:SECRET@")});
	tls_server_free(proxy);
	proxy = NULL;
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
	rig_new_transport_with((struct api_curl_settings){.proxy = "http://u:SECRET@x..invalid:1"});
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
}

/* libcurl would repeat it, with the password, in its error: the rig looks for that word. */
static void test_proxy_of_the_environment_is_none(void **state)
{
	static const char *const none[] = {
		"ftp://u:SECRET@127.0.0.1", "http://u:SECRET@[x]:y", "http://u:SECRET@127.0.0.1:x"};

	(void)state;
	rig_play(answer_all);
	for (size_t i = 0; i < COUNT(none); i++) {
		setenv("https_proxy", none[i], 1);
		assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
	}
}

#define PROXY_CASE(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROXY_CASE(test_proxy_of_the_settings),
		PROXY_CASE(test_proxy_that_speaks_tls),
		PROXY_CASE(test_proxy_of_an_unknown_ca),
		PROXY_CASE(test_socks_proxy),
		PROXY_CASE(test_proxy_of_the_environment),
		PROXY_CASE(test_no_proxy),
		PROXY_CASE(test_proxies_that_do_not_let_us_through),
		PROXY_CASE(test_proxy_is_not_there),
		PROXY_CASE(test_proxy_of_the_environment_is_none),
	};

	return cmocka_run_group_tests_name("curl_proxy", tests, rig_begin_group, rig_end_group);
}
