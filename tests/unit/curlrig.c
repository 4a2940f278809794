#include "unit.h"

#include "curlrig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct rig rig;

/* --- the loop */

static short poll_events(int events)
{
	return (short)((events & API_FD_IN ? POLLIN : 0) | (events & API_FD_OUT ? POLLOUT : 0));
}

static int loop_watch(void *arg, int fd, int events)
{
	nfds_t i = 0;

	(void)arg;
	if (rig.loop_is_broken)
		return -EIO;
	while (i < rig.fd_count && rig.fds[i].fd != fd)
		i++;
	if (events == 0) {
		if (i < rig.fd_count)
			rig.fds[i] = rig.fds[--rig.fd_count];
		return 0;
	}
	assert_true(i < 64);
	if (i == rig.fd_count)
		rig.fd_count++;
	rig.fds[i] = (struct pollfd){.fd = fd, .events = poll_events(events)};
	return 0;
}

static int loop_timer(void *arg, int64_t delay_ms)
{
	(void)arg;
	rig.due_us = delay_ms < 0 ? -1 : clock_now().mono_us + delay_ms * 1000;
	return 0;
}

const struct api_loop rig_loop = {.watch = loop_watch, .timer = loop_timer};

/* A callback may change what is watched: what was ready is looked at in a copy. */
static void tell_ready(void)
{
	struct pollfd ready[64];
	nfds_t n = rig.fd_count;

	memcpy(ready, rig.fds, sizeof ready);
	for (nfds_t i = 0; i < n; i++) {
		short what = ready[i].revents;

		if (what)
			api_curl_on_fd(rig.transport, ready[i].fd,
				(what & (POLLIN | POLLHUP | POLLERR) ? API_FD_IN : 0) |
					(what & POLLOUT ? API_FD_OUT : 0));
	}
}

void rig_run_once(void)
{
	int64_t left_us = rig.due_us < 0 ? INT64_MAX : rig.due_us - clock_now().mono_us;
	int wait_ms = left_us <= 0 ? 0 : left_us > 100000 ? 100 : (int)(left_us / 1000) + 1;

	poll(rig.fds, rig.fd_count, wait_ms);
	if (rig.due_us >= 0 && clock_now().mono_us >= rig.due_us) {
		rig.due_us = -1;
		api_curl_on_timer(rig.transport);
	} else {
		tell_ready();
	}
}

void rig_run_until(int count)
{
	int64_t end_us = clock_now().mono_us + 30 * CLOCK_US_PER_S;

	while (rig.done_count < count) {
		assert_true(clock_now().mono_us < end_us);
		rig_run_once();
	}
}

/* --- requests */

void rig_on_answered(void *arg, const struct api_answer *answer)
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
	rig.done_count++;
	if (seen->then)
		rig_submit(seen->then, "then");
}

void rig_submit_to(const char *url, struct seen *seen, const char *idempotency_key)
{
	struct api_request request = {
		.method = API_POST,
		.url = url,
		.authorization = "Bearer " KEY,
		.idempotency_key = idempotency_key,
		.body = "{\"user_id\":\"usr_1\"}",
		.body_length = 19,
		.answer_max = 65536,
	};
	int calls = seen->calls;

	assert_int_equal(rig.transport->submit(rig.transport, &request, rig_on_answered, seen), 0);
	assert_int_equal(seen->calls, calls); /* never from inside */
}

void rig_submit(struct seen *seen, const char *idempotency_key)
{
	rig_submit_to(rig.url, seen, idempotency_key);
}

struct seen rig_one(void)
{
	struct seen seen = {.calls = 0};

	rig_submit(&seen, "one");
	rig_run_until(rig.done_count + 1);
	assert_int_equal(seen.calls, 1);
	free(seen.body);
	seen.body = NULL;
	return seen;
}

/* --- before and after */

static void replace_transport(const struct api_curl_settings *settings)
{
	if (rig.transport)
		rig.transport->free(rig.transport);
	rig.fd_count = 0;
	rig.due_us = -1;
	rig.done_count = 0;
	rig.loop_is_broken = false;
	assert_int_equal(api_curl_new(settings, &rig_loop, &rig.transport), 0);
}

void rig_new_transport(int64_t timeout_ms, int max_connections, const char *ca_file)
{
	const struct api_curl_settings settings = {
		.ca_file = ca_file,
		.timeout_ms = timeout_ms,
		.max_connections = max_connections,
		.user_agent = "punchd/test",
	};

	replace_transport(&settings);
}

void rig_new_transport_with(struct api_curl_settings settings)
{
	if (!settings.ca_file && !settings.ca_dir)
		settings.ca_file = rig.ca_path;
	settings.timeout_ms = settings.timeout_ms ? settings.timeout_ms : LONG_MS;
	settings.max_connections = settings.max_connections ? settings.max_connections : 4;
	settings.user_agent = "punchd/test";
	replace_transport(&settings);
}

void rig_serve(const struct tls_server_settings *settings)
{
	if (rig.server)
		tls_server_free(rig.server);
	rig.server = tls_server_new(settings);
	snprintf(rig.url, sizeof rig.url, "https://127.0.0.1:%d/v1/attendance",
		tls_server_port(rig.server));
}

void rig_play(tls_script *script)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = script};

	rig_serve(&settings);
	rig_new_transport(LONG_MS, 4, rig.ca_path);
}

int rig_end(void **state)
{
	(void)state;
	if (rig.transport)
		rig.transport->free(rig.transport);
	if (rig.server)
		tls_server_free(rig.server);
	rig.transport = NULL;
	rig.server = NULL;
	return 0;
}

int rig_begin_group(void **state)
{
	static const char *const proxies[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
		unsetenv(proxies[i]);
	snprintf(rig.dir, sizeof rig.dir, "/tmp/punchd_curl.XXXXXX");
	if (!mkdtemp(rig.dir))
		return -1;
	snprintf(rig.ca_path, sizeof rig.ca_path, "%s/ca.pem", rig.dir);
	rig.ca = tls_ca_new("test CA");
	tls_ca_write(rig.ca, rig.ca_path);
	return 0;
}

int rig_end_group(void **state)
{
	char command[80];

	(void)state;
	tls_ca_free(rig.ca);
	snprintf(command, sizeof command, "rm -r %s", rig.dir);
	return system(command);
}
