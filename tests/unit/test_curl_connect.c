/* api/curl until a connection stands: names, addresses of both families, SYNs that are lost, TLS
 * that stalls. Each ends at its own deadline, nothing has left, and the loop never waits. */
#include "unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curlrig.h"
#include "loopback.h"

#define EVER_MS 3600000 /* a time-out for the whole request that no test lives to see */

/* --- a resolver of our own, in front of the C library's */

typedef int resolver(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hangs;               /* every look-up of a name under .example, until it is unset */
	int waiting;              /* look-ups that do hang */
	const char *localhost[2]; /* what that is, in this order */
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Should all else fail it ends by itself, so that a loop that waits for it fails and does not hang. */
static void hang(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&names.lock);
	names.waiting++;
	while (names.hangs && pthread_cond_timedwait(&names.changed, &names.lock, &until) == 0)
		;
	names.waiting--;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.lock);
}

static int both_of_localhost(
	resolver *real, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct addrinfo **end = ret;
	int r = 0;

	*ret = NULL;
	for (size_t i = 0; r == 0 && i < COUNT(names.localhost); i++) {
		r = real(names.localhost[i], service, hints, end);
		while (r == 0 && *end)
			end = &(*end)->ai_next;
	}
	return r;
}

int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	resolver *real;
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	size_t n = strlen(name);

	memcpy(&real, &symbol, sizeof real);
	if (n > 8 && strcmp(name + n - 8, ".example") == 0) {
		hang();
		return EAI_NONAME;
	}
	if (names.localhost[0] && strcmp(name, "localhost") == 0)
		return both_of_localhost(real, service, hints, ret);
	return real(name, service, hints, ret);
}

static int look_ups_that_hang(void)
{
	int n;

	pthread_mutex_lock(&names.lock);
	n = names.waiting;
	pthread_mutex_unlock(&names.lock);
	return n;
}

static void let_names_hang(void)
{
	pthread_mutex_lock(&names.lock);
	names.hangs = true;
	pthread_mutex_unlock(&names.lock);
}

static void end_look_ups(void)
{
	pthread_mutex_lock(&names.lock);
	names.hangs = false;
	pthread_cond_broadcast(&names.changed);
	while (names.waiting > 0)
		pthread_cond_wait(&names.changed, &names.lock);
	pthread_mutex_unlock(&names.lock);
}

/* --- what the cases share */

static void answer_all(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
}

static void answer_late(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, 4 * SHORT_MS);
	tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
	tls_conn_wait(c, -1);
}

static void stall_at_once(struct tls_conn *c)
{
	tls_conn_wait(c, -1);
}

/* To whoever wants to begin with TLS. */
static void greet(struct tls_conn *c)
{
	tls_conn_say(c, "220 mail.example.com ESMTP\r\n");
	tls_conn_wait(c, -1);
}

static void break_off(struct tls_conn *c)
{
	(void)c;
}

/* Only until the connection stands is there little time. */
static void hurry(void)
{
	rig_new_transport_with((struct api_curl_settings){
		.timeout_ms = EVER_MS,
		.connect_timeout_ms = SHORT_MS,
	});
}

static struct seen one_to(const char *to)
{
	struct seen seen = {.calls = 0};

	rig_submit_to(to, &seen, "one");
	rig_run_until(rig.done_count + 1);
	free(seen.body);
	return seen;
}

static void check_never_left_to(const char *to)
{
	assert_int_equal(one_to(to).fate, API_FATE_NEVER_LEFT);
}

static const char *url_of(const char *host, int port)
{
	static char url[128];

	snprintf(url, sizeof url, "https://%s:%d/v1/attendance", host, port);
	return url;
}

static int end(void **state)
{
	int r;

	end_look_ups();
	r = rig_end(state);
	names.localhost[0] = names.localhost[1] = NULL;
	return r;
}

/* --- names */

/* A label of over 63 bytes is no name: nobody needs to be asked. */
static void test_name_is_not_known(void **state)
{
	char to[128];

	(void)state;
	hurry();
	snprintf(to, sizeof to, "https://%070d.invalid/v1", 1);
	check_never_left_to(to);
	check_never_left_to("https://no.such.host.example/v1");
}

/* libcurl 7.88 waits for its resolver's thread where a transfer ends before it. */
static void test_name_server_is_silent(void **state)
{
	struct seen seen[3] = {{.calls = 0}};

	(void)state;
	hurry();
	let_names_hang();
	for (int i = 0; i < 3; i++)
		rig_submit_to("https://api.example/v1", &seen[i], "one");
	rig_run_until(3);
	assert_in_range(look_ups_that_hang(), 1, 3); /* it is we who gave up */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seen[i].fate, API_FATE_NEVER_LEFT);
		free(seen[i].body);
	}
}

static void test_others_go_on_while_a_name_is_looked_up(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	rig_play(answer_all);
	let_names_hang();
	rig_submit_to("https://api.example/v1", &seen, "waits");
	while (look_ups_that_hang() == 0)
		rig_run_once();
	for (int i = 0; i < 5; i++)
		assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(look_ups_that_hang(), 1);
	end_look_ups();
	rig_run_until(rig.done_count + 1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
}

static void test_free_while_a_name_is_looked_up(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	hurry();
	let_names_hang();
	rig_submit_to("https://api.example/v1", &seen, "one");
	while (look_ups_that_hang() == 0)
		rig_run_once();
	rig.transport->free(rig.transport);
	rig.transport = NULL;
	assert_int_equal(look_ups_that_hang(), 1);
	assert_int_equal(rig.fd_count, 0);
}

/* --- addresses */

static void test_refused(void **state)
{
	(void)state;
	rig_play(answer_all);
	tls_server_free(rig.server);
	rig.server = NULL;
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
}

/* Linux has no route for TCP to a group of many. */
static void test_unreachable(void **state)
{
	(void)state;
	hurry();
	check_never_left_to("https://224.0.0.1/v1");
}

static void test_no_answer_to_a_syn(void **state)
{
	struct loopback_hole hole;

	(void)state;
	hurry();
	assert_true(loopback_hole_open(&hole, "127.0.0.1", 0));
	check_never_left_to(url_of("127.0.0.1", hole.port));
	loopback_hole_close(&hole);
}

/* They wait for what the first will find; when it finds nobody, they do not wait for ever. */
static void test_several_that_find_nobody(void **state)
{
	struct seen seen[6] = {{.calls = 0}};
	struct loopback_hole hole;

	(void)state;
	hurry();
	assert_true(loopback_hole_open(&hole, "127.0.0.1", 0));
	for (int i = 0; i < 6; i++)
		rig_submit_to(url_of("127.0.0.1", hole.port), &seen[i], "one");
	rig_run_until(6);
	loopback_hole_close(&hole);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(seen[i].fate, API_FATE_NEVER_LEFT);
		free(seen[i].body);
	}
}

/* --- two families */

static void skip_without_ipv6(void)
{
	if (loopback_has_ipv6())
		return;
	print_message("skipped: there is no IPv6 on the loopback\n");
	skip();
}

static void play_on(const char *host)
{
	const struct tls_server_settings settings = {
		.ca = rig.ca, .host = host, .script = answer_all};

	rig_serve(&settings);
	rig_new_transport(EVER_MS, 4, rig.ca_path);
}

static struct seen one_to_localhost(const char *first, const char *second)
{
	names.localhost[0] = first;
	names.localhost[1] = second;
	return one_to(url_of("localhost", tls_server_port(rig.server)));
}

static void test_one_family_refuses(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};

	(void)state;
	skip_without_ipv6();
	for (size_t i = 0; i < COUNT(hosts); i++) {
		play_on(hosts[i]);
		assert_int_equal(one_to_localhost("::1", "127.0.0.1").fate, API_FATE_ANSWERED);
		play_on(hosts[i]);
		assert_int_equal(one_to_localhost("127.0.0.1", "::1").fate, API_FATE_ANSWERED);
	}
}

static void check_beside_a_black_hole(const char *black, const char *good)
{
	struct loopback_hole hole;

	play_on(good);
	assert_true(loopback_hole_open(&hole, black, tls_server_port(rig.server)));
	rig_new_transport_with((struct api_curl_settings){
		.timeout_ms = EVER_MS,
		.connect_timeout_ms = 8 * SHORT_MS,
	});
	assert_int_equal(one_to_localhost(black, good).fate, API_FATE_ANSWERED);
	loopback_hole_close(&hole);
}

/* What most broken IPv6 looks like: the packets just vanish. */
static void test_one_family_is_a_black_hole(void **state)
{
	(void)state;
	skip_without_ipv6();
	check_beside_a_black_hole("::1", "127.0.0.1");
	check_beside_a_black_hole("127.0.0.1", "::1");
}

/* One server of several is down: they share the time. */
static void test_one_address_of_a_family_is_a_black_hole(void **state)
{
	(void)state;
	check_beside_a_black_hole("127.0.0.2", "127.0.0.1");
}

/* --- TLS */

static void play_plain(tls_script *script)
{
	const struct tls_server_settings settings = {.script = script};

	rig_serve(&settings);
	hurry();
}

static void test_tls_is_too_old(void **state)
{
	const struct tls_server_settings settings = {
		.ca = rig.ca,
		.only_old_tls = true,
		.script = answer_all,
	};

	(void)state;
	rig_serve(&settings);
	hurry();
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(rig.server), 0);
}

static void test_no_tls(void **state)
{
	(void)state;
	play_plain(greet);
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
}

static void test_tls_stalls(void **state)
{
	(void)state;
	play_plain(stall_at_once);
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
}

static void test_reset_before_tls(void **state)
{
	(void)state;
	play_plain(break_off);
	assert_int_equal(rig_one().fate, API_FATE_NEVER_LEFT);
}

static void test_proxy_stalls(void **state)
{
	char proxy[64];

	(void)state;
	play_plain(stall_at_once);
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", tls_server_port(rig.server));
	rig_new_transport_with((struct api_curl_settings){
		.timeout_ms = EVER_MS,
		.connect_timeout_ms = SHORT_MS,
		.proxy = proxy,
	});
	check_never_left_to("https://api.invalid/v1");
}

/* The time for connecting is none for answering. */
static void test_answer_is_slow(void **state)
{
	(void)state;
	rig_play(answer_late);
	hurry();
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
}

/* --- sockets */

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Whatever goes wrong, nothing of it stays. */
static void test_no_socket_is_left(void **state)
{
	struct loopback_hole hole;
	int before;

	(void)state;
	play_plain(break_off);
	assert_true(loopback_hole_open(&hole, "127.0.0.1", 0));
	rig_new_transport(SHORT_MS, 4, rig.ca_path);
	rig_one();
	before = count_descriptors();
	for (int i = 0; i < 10; i++) {
		rig_one();
		check_never_left_to("https://127.0.0.1:1/v1");
		check_never_left_to("https://224.0.0.1/v1");
		check_never_left_to("https://none.example/v1");
	}
	check_never_left_to(url_of("127.0.0.1", hole.port));
	while (count_descriptors() > before) /* the server's end, in threads of its own */
		rig_run_once();
	assert_int_equal(rig.fd_count, 0);
	loopback_hole_close(&hole);
}

#define CONNECT_CASE(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONNECT_CASE(test_name_is_not_known),
		CONNECT_CASE(test_name_server_is_silent),
		CONNECT_CASE(test_others_go_on_while_a_name_is_looked_up),
		CONNECT_CASE(test_free_while_a_name_is_looked_up),
		CONNECT_CASE(test_refused),
		CONNECT_CASE(test_unreachable),
		CONNECT_CASE(test_no_answer_to_a_syn),
		CONNECT_CASE(test_several_that_find_nobody),
		CONNECT_CASE(test_one_family_refuses),
		CONNECT_CASE(test_one_family_is_a_black_hole),
		CONNECT_CASE(test_one_address_of_a_family_is_a_black_hole),
		CONNECT_CASE(test_tls_is_too_old),
		CONNECT_CASE(test_no_tls),
		CONNECT_CASE(test_tls_stalls),
		CONNECT_CASE(test_reset_before_tls),
		CONNECT_CASE(test_proxy_stalls),
		CONNECT_CASE(test_answer_is_slow),
		CONNECT_CASE(test_no_socket_is_left),
	};

	return cmocka_run_group_tests_name("curl_connect", tests, rig_begin_group, rig_end_group);
}
