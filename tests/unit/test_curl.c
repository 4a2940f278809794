/* api/curl against a server that plays well and badly: fates, and how often a request is sent. */
#include "unit.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curlrig.h"

/* --- a libcurl whose timers do nothing */

static bool libcurl_forgets;

CURLMcode __real_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int what, int *running);
CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int what, int *running);

CURLMcode __wrap_curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int what, int *running)
{
	if (libcurl_forgets)
		return CURLM_OK;
	return __real_curl_multi_socket_action(multi, fd, what, running);
}

/* --- scripts */

#define OK_ANSWER "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"

static void answer_all(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c, OK_ANSWER);
}

static void answer_with_headers(struct tls_conn *c)
{
	char line[400];
	int n = snprintf(line, sizeof line, "X-RateLimit-Reset: ");

	tls_conn_read(c);
	tls_conn_say(c,
		"HTTP/1.1 103 Early Hints\r\nX-RateLimit-Limit: 1\r\nRetry-After: 2\r\n\r\n"
		"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"Content-Type: application/json\r\nx-ratelimit-remaining:   42  \r\n");
	memset(line + n, '9', 200);
	snprintf(line + n + 200, sizeof line - (size_t)n - 200, "\r\n");
	tls_conn_say(c, line);
	tls_conn_say(c,
		"Transfer-Encoding: chunked\r\nTrailer: X-RateLimit-Limit\r\n\r\n"
		"2\r\n{}\r\n0\r\nX-RateLimit-Limit: 7\r\n\r\n");
	tls_conn_wait(c, -1);
}

static void read_and_break_off(struct tls_conn *c)
{
	tls_conn_read(c);
}

static void break_off_second(struct tls_conn *c)
{
	if (tls_conn_read(c))
		tls_conn_say(c, OK_ANSWER);
	tls_conn_read(c);
}

static void answer_one_and_close(struct tls_conn *c)
{
	if (tls_conn_read(c))
		tls_conn_say(c, OK_ANSWER);
}

static void stall(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, -1);
}

static void answer_without_end(struct tls_conn *c)
{
	char chunk[1024];

	memset(chunk, 'x', sizeof chunk);
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 200 OK\r\n\r\n");
	while (tls_conn_write(c, chunk, sizeof chunk))
		;
}

static void redirect(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c,
		"HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\n"
		"Content-Length: 0\r\n\r\n");
	tls_conn_read(c);
}

static void talk_nonsense(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "220 mail.example.com ESMTP\r\n");
}

static void drip_headers(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 200 OK\r\n");
	while (tls_conn_wait(c, 10) && tls_conn_say(c, "X-Drop: 1\r\n"))
		;
}

static void cut_off(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"data\":{");
}

static void half_headers(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 201 Created\r\nContent-Le");
}

/* Such words were enough for libcurl 7.88 to say that all is well. */
static void interim_and_half_headers(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\n");
}

static void status_alone(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 201 Created\r\n");
	tls_conn_close(c);
}

static void reset_within_request(struct tls_conn *c)
{
	char some[20 + 1] = "";

	tls_conn_read_bytes(c, some, sizeof some - 1);
	tls_conn_note(c, some);
	tls_conn_will_reset(c);
}

static void reset_after_request(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_will_reset(c);
}

static void reset_within_answer(struct tls_conn *c)
{
	cut_off(c);
	tls_conn_will_reset(c);
}

/* The answer is whole, and what comes of the connection then is nothing to it. */
static void reset_after_answer(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, OK_ANSWER);
	tls_conn_read(c);
	tls_conn_will_reset(c);
}

/* --- answers */

static void test_request_as_sent(void **state)
{
	struct seen seen;
	char *text;

	(void)state;
	rig_play(answer_all);
	seen = rig_one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 201);
	assert_int_equal(seen.body_length, 2);
	assert_false(seen.body_cut);
	text = tls_server_last(rig.server);
	assert_int_equal(strncmp(text, "POST /v1/attendance HTTP/1.1\r\n", 30), 0);
	assert_non_null(strstr(text, "\r\nAuthorization: Bearer " KEY "\r\n"));
	assert_non_null(strstr(text, "\r\nIdempotency-Key: one\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(text, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(text, "\r\nUser-Agent: punchd/test\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n{\"user_id\":\"usr_1\"}"));
	assert_null(strstr(text, "Expect"));
	free(text);
}

static void test_get(void **state)
{
	struct api_request request = {
		.method = API_GET,
		.url = rig.url,
		.authorization = "Bearer " KEY,
		.answer_max = 100,
	};
	struct seen seen = {.calls = 0};
	char *text;

	(void)state;
	rig_play(answer_all);
	assert_int_equal(rig.transport->submit(rig.transport, &request, rig_on_answered, &seen), 0);
	rig_run_until(1);
	free(seen.body);
	text = tls_server_last(rig.server);
	assert_int_equal(strncmp(text, "GET /v1/attendance HTTP/1.1\r\n", 29), 0);
	assert_null(strstr(text, "Idempotency-Key"));
	assert_null(strstr(text, "Content-Type"));
	free(text);
}

static void test_headers(void **state)
{
	struct seen seen;

	(void)state;
	rig_play(answer_with_headers);
	seen = rig_one();
	assert_int_equal(seen.status, 200);
	assert_string_equal(seen.headers.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(seen.headers.content_type, "application/json");
	assert_string_equal(seen.headers.remaining, "42");
	assert_string_equal(seen.headers.reset, "");       /* too long */
	assert_string_equal(seen.headers.limit, "");       /* in a hint and a trailer only */
	assert_string_equal(seen.headers.retry_after, ""); /* in a hint only */
}

static void test_connection_is_kept(void **state)
{
	(void)state;
	rig_play(answer_all);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(rig.server), 1);
	assert_int_equal(tls_server_requests(rig.server), 5);
}

static void test_connections_are_capped(void **state)
{
	struct seen seen[20] = {{.calls = 0}};

	(void)state;
	rig_play(answer_all);
	rig_new_transport(LONG_MS, 2, rig.ca_path);
	for (int i = 0; i < 20; i++)
		rig_submit(&seen[i], "many");
	rig_run_until(20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(seen[i].calls, 1);
		assert_int_equal(seen[i].fate, API_FATE_ANSWERED);
		free(seen[i].body);
	}
	assert_in_range(tls_server_most_at_once(rig.server), 1, 2);
	assert_int_equal(tls_server_requests(rig.server), 20);
}

static void test_callback_may_submit(void **state)
{
	struct seen second = {.calls = 0}, first = {.then = &second};

	(void)state;
	rig_play(answer_all);
	rig_submit(&first, "first");
	rig_run_until(2);
	assert_int_equal(second.fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_count(rig.server, "Idempotency-Key: then"), 1);
	free(first.body);
	free(second.body);
}

static void test_huge_answer_is_cut(void **state)
{
	struct seen seen;

	(void)state;
	rig_play(answer_without_end);
	seen = rig_one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 200);
	assert_true(seen.body_cut);
	assert_int_equal(seen.body_length, 65536);
}

static void test_redirect_is_not_followed(void **state)
{
	struct seen seen;

	(void)state;
	rig_play(redirect);
	seen = rig_one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 307);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

/* --- lost */

static void check_lost(tls_script *script, int64_t timeout_ms)
{
	struct seen seen;

	rig_play(script);
	rig_new_transport(timeout_ms, 4, rig.ca_path);
	seen = rig_one();
	assert_int_equal(seen.fate, API_FATE_LOST);
	assert_int_equal(seen.status, 0);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

static void test_lost_break_off(void **state)
{
	(void)state;
	check_lost(read_and_break_off, LONG_MS);
}

static void test_lost_stall(void **state)
{
	(void)state;
	check_lost(stall, SHORT_MS);
}

/* libcurl 7.88 loses a time-out now and then: here it loses them all. */
static void test_timeout_that_libcurl_forgets(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	rig_play(stall);
	rig_new_transport(SHORT_MS, 4, rig.ca_path);
	rig_submit(&seen, "one");
	while (tls_server_requests(rig.server) == 0)
		rig_run_once();
	libcurl_forgets = true;
	rig_run_until(1);
	libcurl_forgets = false;
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_LOST);
}

static void test_lost_nonsense(void **state)
{
	(void)state;
	check_lost(talk_nonsense, LONG_MS);
}

static void test_lost_drip(void **state)
{
	(void)state;
	check_lost(drip_headers, SHORT_MS);
}

static void test_lost_cut_off(void **state)
{
	(void)state;
	check_lost(cut_off, LONG_MS);
}

static void test_lost_half_headers(void **state)
{
	(void)state;
	check_lost(half_headers, LONG_MS);
	check_lost(interim_and_half_headers, LONG_MS);
	check_lost(status_alone, LONG_MS);
}

static void test_lost_reset(void **state)
{
	(void)state;
	check_lost(reset_within_request, LONG_MS);
	check_lost(reset_after_request, LONG_MS);
	check_lost(reset_within_answer, LONG_MS);
}

static void test_reset_after_the_answer(void **state)
{
	(void)state;
	rig_play(reset_after_answer);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 2);
}

/* libcurl 7.88 sends a POST again by itself when a kept connection breaks before the answer. */
static void test_kept_connection_breaks_under_a_request(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	rig_play(break_off_second);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	rig_submit(&seen, "broken");
	rig_run_until(2);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_LOST);
	assert_int_equal(tls_server_count(rig.server, "Idempotency-Key: broken"), 1);
}

/* The server closes after each answer, without a word; the next POST goes out into that. Whatever
 * the race brings, it is seen once at the most. */
static void test_idle_connection_closes(void **state)
{
	(void)state;
	rig_play(answer_one_and_close);
	for (int i = 0; i < 20; i++) {
		struct seen second = {.calls = 0}, first = {.then = &second};
		int before = tls_server_count(rig.server, "Idempotency-Key: then"), sent;

		rig_submit(&first, "first");
		rig_run_until(rig.done_count + 2);
		free(first.body);
		free(second.body);
		sent = tls_server_count(rig.server, "Idempotency-Key: then") - before;
		assert_in_range(sent, 0, 1);
		if (second.fate == API_FATE_ANSWERED)
			assert_int_equal(sent, 1);
		else
			assert_int_equal(second.fate, API_FATE_LOST);
	}
}

/* --- never left */

/* It waits for a connection all its time, behind one that stalls. */
static void test_no_connection_becomes_free(void **state)
{
	struct seen first = {.calls = 0}, second = {.calls = 0};

	(void)state;
	rig_play(stall);
	rig_new_transport(SHORT_MS, 1, rig.ca_path);
	rig_submit(&first, "first");
	rig_submit(&second, "second");
	rig_run_until(2);
	free(first.body);
	free(second.body);
	assert_int_equal(first.fate, API_FATE_LOST);
	assert_int_equal(tls_server_count(rig.server, "Idempotency-Key: second"),
		second.fate == API_FATE_LOST);
}

static void test_plain_http_is_not_spoken(void **state)
{
	const struct tls_server_settings settings = {.script = answer_all};
	struct seen seen = {.calls = 0};
	char to[64];

	(void)state;
	rig_serve(&settings);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	snprintf(to, sizeof to, "%s://127.0.0.1:%d/v1", "http", tls_server_port(rig.server));
	rig_submit_to(to, &seen, "one");
	rig_run_until(1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_connections(rig.server), 0);
}

static void test_without_authorization(void **state)
{
	struct api_request request = {.method = API_POST, .url = rig.url, .answer_max = 100};
	struct seen keyless[2] = {{.calls = 0}}, other = {.calls = 0};

	(void)state;
	rig_play(answer_all);
	rig_submit(&other, "other");
	keyless[0].then = &keyless[1]; /* with authorization: from inside the callback */
	assert_int_equal(
		rig.transport->submit(rig.transport, &request, rig_on_answered, &keyless[0]), 0);
	assert_int_equal(keyless[0].calls, 0);
	rig_run_until(3);
	assert_int_equal(keyless[0].fate, API_FATE_NEVER_LEFT);
	assert_int_equal(keyless[1].fate, API_FATE_ANSWERED);
	assert_int_equal(other.fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_requests(rig.server), 2);
	free(keyless[0].body);
	free(keyless[1].body);
	free(other.body);
}

/* --- the end */

static void test_free_ends_what_runs(void **state)
{
	struct api_request keyless = {.method = API_POST, .url = rig.url, .answer_max = 100};
	struct seen seen = {.calls = 0};

	(void)state;
	rig_play(stall);
	rig_submit(&seen, "one");
	while (tls_server_requests(rig.server) == 0)
		rig_run_once();
	rig_submit(&seen, "two");
	assert_int_equal(rig.transport->submit(rig.transport, &keyless, rig_on_answered, &seen), 0);
	rig.transport->free(rig.transport);
	rig.transport = NULL;
	assert_int_equal(seen.calls, 0);
	assert_int_equal(rig.fd_count, 0); /* the loop has been told of each */
}

/* A loop that cannot watch: nothing would ever end by itself. */
static void test_loop_that_fails(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	rig_play(answer_all);
	rig.loop_is_broken = true;
	rig_submit(&seen, "one");
	rig_run_until(1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(rig.server), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_request_as_sent),
		RIG_CASE(test_get),
		RIG_CASE(test_headers),
		RIG_CASE(test_connection_is_kept),
		RIG_CASE(test_connections_are_capped),
		RIG_CASE(test_callback_may_submit),
		RIG_CASE(test_huge_answer_is_cut),
		RIG_CASE(test_redirect_is_not_followed),
		RIG_CASE(test_lost_break_off),
		RIG_CASE(test_lost_stall),
		RIG_CASE(test_timeout_that_libcurl_forgets),
		RIG_CASE(test_lost_nonsense),
		RIG_CASE(test_lost_drip),
		RIG_CASE(test_lost_cut_off),
		RIG_CASE(test_lost_half_headers),
		RIG_CASE(test_lost_reset),
		RIG_CASE(test_reset_after_the_answer),
		RIG_CASE(test_kept_connection_breaks_under_a_request),
		RIG_CASE(test_idle_connection_closes),
		RIG_CASE(test_no_connection_becomes_free),
		RIG_CASE(test_plain_http_is_not_spoken),
		RIG_CASE(test_without_authorization),
		RIG_CASE(test_free_ends_what_runs),
		RIG_CASE(test_loop_that_fails),
	};

	return cmocka_run_group_tests_name("curl", tests, rig_begin_group, rig_end_group);
}
