/* api/curl between requests: what is kept, for how long, and that nothing is done meanwhile. */
#include "unit.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "curlrig.h"

#define EVER_MS 3600000

/* --- a clock that leaps, for us and for libcurl; threads of the server may read it meanwhile */

static _Atomic long leapt_s;

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int (*real)(clockid_t, struct timespec *);
	void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
	int r;

	memcpy(&real, &symbol, sizeof real);
	r = real(id, ret);
	/* libcurl 8.14 reads the raw one */
	if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW)
		ret->tv_sec += leapt_s;
	return r;
}

static void leap(long s)
{
	leapt_s += s;
}

/* --- scripts */

static void answer_all(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
}

/* The first connection holds its request back until the server ends. */
static void stall_first(struct tls_conn *c)
{
	if (tls_conn_number(c) == 1 && tls_conn_read(c))
		tls_conn_wait(c, -1);
	else
		answer_all(c);
}

/* A server that closes what is idle at once, without a word of TLS. */
static void answer_one_and_close(struct tls_conn *c)
{
	if (tls_conn_read(c))
		tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
}

/* --- what the cases share */

static void play(tls_script *script)
{
	rig_play(script);
	rig_new_transport(EVER_MS, 4, rig.ca_path);
}

/* Whether the server ever has so many connections; on the clock that does not leap. */
static bool comes_to(int open)
{
	for (int i = 0; i < 300; i++) {
		if (tls_server_open(rig.server) == open)
			return true;
		rig_run_once();
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return false;
}

/* --- cases */

static void test_idle_connection_is_closed(void **state)
{
	(void)state;
	play(answer_all);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	leap(45);
	for (int i = 0; i < 5; i++)
		rig_run_once();
	assert_int_equal(tls_server_open(rig.server), 1);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(rig.server), 1);
	leap(51);
	assert_true(comes_to(0));
	assert_true(rig.due_us < 0); /* now there is nothing to wait for */
	/* and on we go, with the session that was */
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(rig.server), 2);
	assert_int_equal(tls_server_resumed(rig.server), 1);
	leap(51);
	assert_true(comes_to(0));
}

/* While something runs, what is idle beside it is closed when the next request comes. */
static void test_idle_connection_is_not_taken_up(void **state)
{
	struct seen stalled = {.calls = 0};

	(void)state;
	play(stall_first);
	rig_submit(&stalled, "stalled");
	while (tls_server_requests(rig.server) == 0)
		rig_run_once();
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	leap(45);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(rig.server), 2);
	leap(52); /* libcurl counts whole seconds, and has to find more of them than we allow */
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(rig.server), 3);
	assert_true(comes_to(2));
	assert_int_equal(stalled.calls, 0);
}

/* The end of an idle connection is no event: nothing watches it, so nothing spins. */
static void test_server_closes_what_is_idle(void **state)
{
	(void)state;
	play(answer_one_and_close);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_true(comes_to(0));
	assert_int_equal(rig.fd_count, 0);
	assert_true(rig.due_us > clock_now().mono_us + 40 * CLOCK_US_PER_S);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
}

static void test_connections_are_kept_alive(void **state)
{
	struct seen stalled = {.calls = 0};
	socklen_t size = sizeof(int);
	int on = 0, idle_s = 0;

	(void)state;
	play(stall_first);
	rig_submit(&stalled, "stalled");
	while (tls_server_requests(rig.server) == 0)
		rig_run_once();
	assert_int_equal(rig.fd_count, 1);
	getsockopt(rig.fds[0].fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
	getsockopt(rig.fds[0].fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, &size);
	assert_int_equal(on, 1);
	assert_in_range(idle_s, 1, 59);
}

static void test_without_a_key_nothing_is_closed(void **state)
{
	struct api_request request = {.method = API_POST, .url = rig.url, .answer_max = 100};
	struct seen seen = {.calls = 0};

	(void)state;
	play(answer_all);
	assert_int_equal(rig.transport->submit(rig.transport, &request, rig_on_answered, &seen), 0);
	rig_run_until(1);
	assert_true(rig.due_us < 0);
	free(seen.body);
}

static void test_free_leaves_no_timer(void **state)
{
	(void)state;
	play(answer_all);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_true(rig.due_us >= 0);
	rig.transport->free(rig.transport);
	rig.transport = NULL;
	assert_true(rig.due_us < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_idle_connection_is_closed),
		RIG_CASE(test_idle_connection_is_not_taken_up),
		RIG_CASE(test_server_closes_what_is_idle),
		RIG_CASE(test_connections_are_kept_alive),
		RIG_CASE(test_without_a_key_nothing_is_closed),
		RIG_CASE(test_free_leaves_no_timer),
	};

	return cmocka_run_group_tests_name("curl_idle", tests, rig_begin_group, rig_end_group);
}
