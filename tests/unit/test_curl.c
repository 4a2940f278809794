/* api/curl against a server that plays well and badly: fates, and how often a request is sent. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/curl.h"
#include "base/clock.h"
#include "tlsserver.h"

#define KEY      "sk_live_SECRET"
#define SHORT_MS 250   /* where the time-out is what is tried */
#define LONG_MS  20000 /* where it must not be */

/* --- a loop of poll(2) */

static struct pollfd fds[64];
static nfds_t fd_count;
static int64_t due_us; /* of the timer; -1: none */
static bool loop_is_broken;
static struct api_transport *transport;

static int loop_watch(void *arg, int fd, int events)
{
	nfds_t i = 0;

	(void)arg;
	if (loop_is_broken)
		return -EIO;
	while (i < fd_count && fds[i].fd != fd)
		i++;
	if (events == 0) {
		if (i < fd_count)
			fds[i] = fds[--fd_count];
		return 0;
	}
	assert_true(i < 64);
	if (i == fd_count)
		fd_count++;
	fds[i] = (struct pollfd){.fd = fd,
		.events = (short)((events & API_FD_IN ? POLLIN : 0) |
			(events & API_FD_OUT ? POLLOUT : 0))};
	return 0;
}

static int loop_timer(void *arg, int64_t delay_ms)
{
	(void)arg;
	due_us = delay_ms < 0 ? -1 : clock_now().mono_us + delay_ms * 1000;
	return 0;
}

static void tell_ready(void)
{
	struct pollfd ready[64];
	nfds_t n = fd_count;

	memcpy(ready, fds, sizeof ready);
	for (nfds_t i = 0; i < n; i++) {
		short what = ready[i].revents;

		if (what)
			api_curl_on_fd(transport, ready[i].fd,
				(what & (POLLIN | POLLHUP | POLLERR) ? API_FD_IN : 0) |
					(what & POLLOUT ? API_FD_OUT : 0));
	}
}

static void loop_once(void)
{
	int64_t left_us = due_us < 0 ? INT64_MAX : due_us - clock_now().mono_us;
	int wait_ms = left_us <= 0 ? 0 : left_us > 100000 ? 100 : (int)(left_us / 1000) + 1;

	poll(fds, fd_count, wait_ms);
	if (due_us >= 0 && clock_now().mono_us >= due_us) {
		due_us = -1;
		api_curl_on_timer(transport);
	} else {
		tell_ready();
	}
}

/* --- requests */

struct seen {
	int calls;
	enum api_fate fate;
	int status;
	struct api_headers headers;
	char *body;
	size_t body_length;
	bool body_cut;
	char trouble[512];
	struct seen *then; /* sent from inside the callback */
	const char *url;
};

static int done_count;
static struct tls_ca *ca;
static char dir[] = "/tmp/test_curl.XXXXXX";
static char ca_path[64];
static struct tls_server *server;
static char url[128];

static void submit(struct seen *seen, const char *idempotency_key);

static void on_answered(void *arg, const struct api_answer *answer)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->fate = answer->fate;
	seen->status = answer->status;
	seen->headers = answer->headers;
	seen->body = strndup(answer->body, answer->body_length);
	seen->body_length = answer->body_length;
	seen->body_cut = answer->body_cut;
	snprintf(seen->trouble, sizeof seen->trouble, "%s", answer->trouble ? answer->trouble : "");
	assert_null(strstr(seen->trouble, "SECRET"));
	if (answer->fate != API_FATE_ANSWERED)
		assert_true(seen->trouble[0] != '\0');
	done_count++;
	if (seen->then)
		submit(seen->then, "then");
}

static void submit_to(const char *to, struct seen *seen, const char *idempotency_key)
{
	struct api_request request = {
		.method = API_POST,
		.url = to,
		.authorization = "Bearer " KEY,
		.idempotency_key = idempotency_key,
		.body = "{\"user_id\":\"usr_1\"}",
		.body_length = 19,
		.answer_max = 65536,
	};
	int calls = seen->calls;

	assert_int_equal(transport->submit(transport, &request, on_answered, seen), 0);
	assert_int_equal(seen->calls, calls); /* never from inside */
}

static void submit(struct seen *seen, const char *idempotency_key)
{
	submit_to(url, seen, idempotency_key);
}

/* Run until so many have ended. */
static void run_until(int count)
{
	int64_t end_us = clock_now().mono_us + 30 * CLOCK_US_PER_S;

	while (done_count < count) {
		assert_true(clock_now().mono_us < end_us);
		loop_once();
	}
}

static struct seen one(void)
{
	struct seen seen = {.calls = 0};

	submit(&seen, "one");
	run_until(done_count + 1);
	assert_int_equal(seen.calls, 1);
	free(seen.body);
	seen.body = NULL;
	return seen;
}

/* --- before and after each */

static void new_transport(int64_t timeout_ms, int max_connections, const char *ca_file)
{
	const struct api_loop loop = {.watch = loop_watch, .timer = loop_timer};
	const struct api_curl_settings settings = {
		.ca_file = ca_file,
		.timeout_ms = timeout_ms,
		.max_connections = max_connections,
		.user_agent = "punchd/test",
	};

	if (transport)
		transport->free(transport);
	fd_count = 0;
	due_us = -1;
	done_count = 0;
	loop_is_broken = false;
	assert_int_equal(api_curl_new(&settings, &loop, &transport), 0);
}

static void serve(const struct tls_server_settings *settings)
{
	if (server)
		tls_server_free(server);
	server = tls_server_new(settings);
	snprintf(url, sizeof url, "%s://127.0.0.1:%d/v1/attendance", "https",
		tls_server_port(server));
}

static void play(tls_script *script)
{
	const struct tls_server_settings settings = {.ca = ca, .script = script};

	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
}

static int end(void **state)
{
	(void)state;
	if (transport)
		transport->free(transport);
	if (server)
		tls_server_free(server);
	transport = NULL;
	server = NULL;
	return 0;
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

static void stall_at_once(struct tls_conn *c)
{
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

/* To whoever wants to begin with TLS. */
static void greet(struct tls_conn *c)
{
	tls_conn_say(c, "220 mail.example.com ESMTP\r\n");
	tls_conn_wait(c, -1);
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

static void refuse_proxy(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
}

/* --- answers */

static void test_request_as_sent(void **state)
{
	struct seen seen;
	char *text;

	(void)state;
	play(answer_all);
	seen = one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 201);
	assert_int_equal(seen.body_length, 2);
	assert_false(seen.body_cut);
	text = tls_server_last(server);
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
		.url = url,
		.authorization = "Bearer " KEY,
		.answer_max = 100,
	};
	struct seen seen = {.calls = 0};
	char *text;

	(void)state;
	play(answer_all);
	assert_int_equal(transport->submit(transport, &request, on_answered, &seen), 0);
	run_until(1);
	free(seen.body);
	text = tls_server_last(server);
	assert_int_equal(strncmp(text, "GET /v1/attendance HTTP/1.1\r\n", 29), 0);
	assert_null(strstr(text, "Idempotency-Key"));
	assert_null(strstr(text, "Content-Type"));
	free(text);
}

static void test_headers(void **state)
{
	struct seen seen;

	(void)state;
	play(answer_with_headers);
	seen = one();
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
	play(answer_all);
	for (int i = 0; i < 5; i++)
		assert_int_equal(one().fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_connections(server), 1);
	assert_int_equal(tls_server_requests(server), 5);
}

static void test_connections_are_capped(void **state)
{
	struct seen seen[20] = {{.calls = 0}};

	(void)state;
	play(answer_all);
	new_transport(LONG_MS, 2, ca_path);
	for (int i = 0; i < 20; i++)
		submit(&seen[i], "many");
	run_until(20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(seen[i].calls, 1);
		assert_int_equal(seen[i].fate, API_FATE_ANSWERED);
		free(seen[i].body);
	}
	assert_in_range(tls_server_most_at_once(server), 1, 2);
	assert_int_equal(tls_server_requests(server), 20);
}

static void test_callback_may_submit(void **state)
{
	struct seen second = {.calls = 0}, first = {.then = &second};

	(void)state;
	play(answer_all);
	submit(&first, "first");
	run_until(2);
	assert_int_equal(second.fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_count(server, "Idempotency-Key: then"), 1);
	free(first.body);
	free(second.body);
}

static void test_huge_answer_is_cut(void **state)
{
	struct seen seen;

	(void)state;
	play(answer_without_end);
	seen = one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 200);
	assert_true(seen.body_cut);
	assert_int_equal(seen.body_length, 65536);
}

static void test_redirect_is_not_followed(void **state)
{
	struct seen seen;

	(void)state;
	play(redirect);
	seen = one();
	assert_int_equal(seen.fate, API_FATE_ANSWERED);
	assert_int_equal(seen.status, 307);
	assert_int_equal(tls_server_requests(server), 1);
}

/* --- lost */

static void check_lost(tls_script *script, int64_t timeout_ms)
{
	struct seen seen;

	play(script);
	new_transport(timeout_ms, 4, ca_path);
	seen = one();
	assert_int_equal(seen.fate, API_FATE_LOST);
	assert_int_equal(seen.status, 0);
	assert_int_equal(tls_server_requests(server), 1);
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

/* libcurl 7.88 sends a POST again by itself when a kept connection breaks before the answer. */
static void test_kept_connection_breaks_under_a_request(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	play(break_off_second);
	assert_int_equal(one().fate, API_FATE_ANSWERED);
	submit(&seen, "broken");
	run_until(2);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_LOST);
	assert_int_equal(tls_server_count(server, "Idempotency-Key: broken"), 1);
}

/* The server closes after each answer, without a word; the next POST goes out into that. Whatever
 * the race brings, it is seen once at the most. */
static void test_idle_connection_closes(void **state)
{
	int lost = 0;

	(void)state;
	play(answer_one_and_close);
	for (int i = 0; i < 20; i++) {
		struct seen second = {.calls = 0}, first = {.then = &second};
		int before = tls_server_count(server, "Idempotency-Key: then"), sent;

		submit(&first, "first");
		run_until(done_count + 2);
		free(first.body);
		free(second.body);
		sent = tls_server_count(server, "Idempotency-Key: then") - before;
		assert_in_range(sent, 0, 1);
		if (second.fate == API_FATE_ANSWERED)
			assert_int_equal(sent, 1);
		else
			assert_int_equal(second.fate, API_FATE_LOST);
		lost += second.fate == API_FATE_LOST;
	}
	assert_in_range(lost, 0, 20);
}

/* --- never left */

static void check_never_left(void)
{
	assert_int_equal(one().fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(server), 0);
}

static void test_refused(void **state)
{
	(void)state;
	play(answer_all);
	tls_server_free(server);
	server = NULL;
	assert_int_equal(one().fate, API_FATE_NEVER_LEFT);
}

/* A label of over 63 bytes is no name: nobody needs to be asked. */
static void test_name_is_not_known(void **state)
{
	struct seen seen = {.calls = 0};
	char to[128];

	(void)state;
	play(answer_all);
	snprintf(to, sizeof to, "https://%070d.invalid/v1", 1);
	submit_to(to, &seen, "one");
	run_until(1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
}

static void test_ca_is_not_known(void **state)
{
	(void)state;
	play(answer_all);
	new_transport(LONG_MS, 4, NULL);
	check_never_left();
}

static void test_certificate_is_expired(void **state)
{
	const struct tls_server_settings settings = {
		.ca = ca,
		.flaw = TLS_EXPIRED,
		.script = answer_all,
	};

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	check_never_left();
}

static void test_certificate_is_anothers(void **state)
{
	const struct tls_server_settings settings = {
		.ca = ca,
		.flaw = TLS_OTHER_HOST,
		.script = answer_all,
	};

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	check_never_left();
}

static void test_tls_is_too_old(void **state)
{
	const struct tls_server_settings settings = {
		.ca = ca,
		.only_old_tls = true,
		.script = answer_all,
	};

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	check_never_left();
}

static void test_no_tls(void **state)
{
	const struct tls_server_settings settings = {.script = greet};

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	check_never_left();
}

static void test_tls_stalls(void **state)
{
	const struct tls_server_settings settings = {.script = stall_at_once};

	(void)state;
	serve(&settings);
	new_transport(SHORT_MS, 4, ca_path);
	check_never_left();
}

/* It waits for a connection all its time, behind one that stalls. */
static void test_no_connection_becomes_free(void **state)
{
	struct seen first = {.calls = 0}, second = {.calls = 0};

	(void)state;
	play(stall);
	new_transport(SHORT_MS, 1, ca_path);
	submit(&first, "first");
	submit(&second, "second");
	run_until(2);
	free(first.body);
	free(second.body);
	assert_int_equal(first.fate, API_FATE_LOST);
	assert_int_equal(
		tls_server_count(server, "Idempotency-Key: second"), second.fate == API_FATE_LOST);
}

static void test_plain_http_is_not_spoken(void **state)
{
	const struct tls_server_settings settings = {.script = answer_all};
	struct seen seen = {.calls = 0};
	char to[64];

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	snprintf(to, sizeof to, "%s://127.0.0.1:%d/v1", "http", tls_server_port(server));
	submit_to(to, &seen, "one");
	run_until(1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_connections(server), 0);
}

static void test_proxy_refuses(void **state)
{
	const struct tls_server_settings settings = {.script = refuse_proxy};
	struct seen seen = {.calls = 0};
	char proxy[64], *text;

	(void)state;
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", tls_server_port(server));
	setenv("https_proxy", proxy, 1);
	submit_to("https://api.example.com/v1/attendance", &seen, "one");
	run_until(1);
	unsetenv("https_proxy");
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	text = tls_server_last(server);
	assert_int_equal(strncmp(text, "CONNECT api.example.com:443 ", 28), 0);
	assert_null(strstr(text, "SECRET"));
	assert_null(strstr(text, "Idempotency-Key"));
	free(text);
}

static void test_without_authorization(void **state)
{
	struct api_request request = {.method = API_POST, .url = url, .answer_max = 100};
	struct seen keyless[2] = {{.calls = 0}}, other = {.calls = 0};

	(void)state;
	play(answer_all);
	submit(&other, "other");
	keyless[0].then = &keyless[1]; /* with authorization: from inside the callback */
	assert_int_equal(transport->submit(transport, &request, on_answered, &keyless[0]), 0);
	assert_int_equal(keyless[0].calls, 0);
	run_until(3);
	assert_int_equal(keyless[0].fate, API_FATE_NEVER_LEFT);
	assert_int_equal(keyless[1].fate, API_FATE_ANSWERED);
	assert_int_equal(other.fate, API_FATE_ANSWERED);
	assert_int_equal(tls_server_requests(server), 2);
	free(keyless[0].body);
	free(keyless[1].body);
	free(other.body);
}

/* --- CAs */

/* A further CA is trusted beside the system's, not in its place. */
static void test_ca_is_added(void **state)
{
	const struct api_loop loop = {.watch = loop_watch, .timer = loop_timer};
	struct tls_ca *other = tls_ca_new("another CA");
	struct tls_server_settings settings = {.ca = other, .script = answer_all};
	struct api_curl_settings with_both = {
		.ca_file = ca_path,
		.ca_dir = dir,
		.timeout_ms = LONG_MS,
		.max_connections = 4,
		.user_agent = "punchd/test",
	};

	(void)state;
	tls_ca_write_hashed(other, dir);
	serve(&settings);
	new_transport(LONG_MS, 4, ca_path);
	check_never_left();
	transport->free(transport);
	assert_int_equal(api_curl_new(&with_both, &loop, &transport), 0);
	assert_int_equal(one().fate, API_FATE_ANSWERED);
	settings.ca = ca;
	serve(&settings);
	assert_int_equal(one().fate, API_FATE_ANSWERED);
	tls_ca_free(other);
}

static void test_ca_files_that_cannot_be_used(void **state)
{
	const struct api_loop loop = {.watch = loop_watch, .timer = loop_timer};
	struct api_curl_settings settings = {
		.timeout_ms = LONG_MS,
		.max_connections = 4,
		.user_agent = "punchd/test",
	};
	struct api_transport *none = NULL;
	char path[128];
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/none.pem", dir);
	settings.ca_file = path;
	assert_int_equal(api_curl_new(&settings, &loop, &none), -ENOENT);
	snprintf(path, sizeof path, "%s/empty.pem", dir);
	f = fopen(path, "w");
	fclose(f);
	assert_int_equal(api_curl_new(&settings, &loop, &none), -EINVAL);
	settings.ca_file = dir;
	assert_int_equal(api_curl_new(&settings, &loop, &none), -EINVAL);
	assert_null(none);
}

/* --- the end */

static void test_free_ends_what_runs(void **state)
{
	struct api_request keyless = {.method = API_POST, .url = url, .answer_max = 100};
	struct seen seen = {.calls = 0};

	(void)state;
	play(stall);
	submit(&seen, "one");
	while (tls_server_requests(server) == 0)
		loop_once();
	submit(&seen, "two");
	assert_int_equal(transport->submit(transport, &keyless, on_answered, &seen), 0);
	transport->free(transport);
	transport = NULL;
	assert_int_equal(seen.calls, 0);
	assert_int_equal(fd_count, 0); /* the loop has been told of each */
}

/* A loop that cannot watch: nothing would ever end by itself. */
static void test_loop_that_fails(void **state)
{
	struct seen seen = {.calls = 0};

	(void)state;
	play(answer_all);
	loop_is_broken = true;
	submit(&seen, "one");
	run_until(1);
	free(seen.body);
	assert_int_equal(seen.fate, API_FATE_NEVER_LEFT);
	assert_int_equal(tls_server_requests(server), 0);
}

#define CASE(name) cmocka_unit_test_teardown(name, end)

static int begin_group(void **state)
{
	static const char *const proxies[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
		unsetenv(proxies[i]);
	if (!mkdtemp(dir))
		return -1;
	snprintf(ca_path, sizeof ca_path, "%s/ca.pem", dir);
	ca = tls_ca_new("test CA");
	tls_ca_write(ca, ca_path);
	return 0;
}

static int end_group(void **state)
{
	char command[64];

	(void)state;
	tls_ca_free(ca);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_request_as_sent),
		CASE(test_get),
		CASE(test_headers),
		CASE(test_connection_is_kept),
		CASE(test_connections_are_capped),
		CASE(test_callback_may_submit),
		CASE(test_huge_answer_is_cut),
		CASE(test_redirect_is_not_followed),
		CASE(test_lost_break_off),
		CASE(test_lost_stall),
		CASE(test_lost_nonsense),
		CASE(test_lost_drip),
		CASE(test_lost_cut_off),
		CASE(test_kept_connection_breaks_under_a_request),
		CASE(test_idle_connection_closes),
		CASE(test_refused),
		CASE(test_name_is_not_known),
		CASE(test_ca_is_not_known),
		CASE(test_certificate_is_expired),
		CASE(test_certificate_is_anothers),
		CASE(test_tls_is_too_old),
		CASE(test_no_tls),
		CASE(test_tls_stalls),
		CASE(test_no_connection_becomes_free),
		CASE(test_plain_http_is_not_spoken),
		CASE(test_proxy_refuses),
		CASE(test_without_authorization),
		CASE(test_ca_is_added),
		CASE(test_ca_files_that_cannot_be_used),
		CASE(test_free_ends_what_runs),
		CASE(test_loop_that_fails),
	};

	return cmocka_run_group_tests_name("curl", tests, begin_group, end_group);
}
