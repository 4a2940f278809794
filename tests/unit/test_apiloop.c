/* edge/apiloop: a client, the transport and the event loop together, against a server. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "curlrig.h"
#include "edge/apiloop.h"

struct party {
	struct loop *loop;
	struct apiloop *apiloop;
	struct api_client *client;
	int wanted, done;
	enum api_outcome outcome;
	char id[64];
};

static const struct api_attendance punch = {
	.user_id = "usr_1",
	.device_id = "dev_1",
	.type = "check_in",
	.timestamp = "2023-01-15T10:30:00Z",
	.key = "00112233",
};

static void answer_done(struct tls_conn *c)
{
	while (tls_conn_read(c))
		tls_conn_say(c,
			"HTTP/1.1 201 Created\r\nContent-Length: 23\r\n\r\n"
			"{\"data\":{\"id\":\"att_7\"}}");
}

static void stall(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, -1);
}

static struct api_moment party_now(void *arg)
{
	return api_moment_of(loop_now(((struct party *)arg)->loop));
}

static uint64_t party_random(void *arg)
{
	return loop_random(((struct party *)arg)->loop);
}

static void on_done(void *arg, const struct api_reply *reply)
{
	struct party *p = arg;

	p->outcome = reply->outcome;
	snprintf(p->id, sizeof p->id, "%s", reply->id);
	if (++p->done == p->wanted)
		loop_stop(p->loop, 0);
}

static void begin(struct party *p, tls_script *script, int64_t timeout_ms)
{
	const struct tls_server_settings server = {.ca = rig.ca, .script = script};
	const struct api_curl_settings settings = {
		.ca_file = rig.ca_path,
		.timeout_ms = timeout_ms,
		.max_connections = 4,
		.user_agent = "punchd/test",
	};
	const struct api_world world = {.arg = p, .now = party_now, .random = party_random};
	char base_url[64];
	struct api_settings api = {
		.base_url = base_url,
		.max_in_flight = 8,
		.retry_min_ms = 1000,
		.retry_max_ms = 60000,
		.auth_retry_ms = 300000,
	};

	*p = (struct party){.loop = loop_new()};
	rig_serve(&server);
	snprintf(base_url, sizeof base_url, "https://127.0.0.1:%d/v1", tls_server_port(rig.server));
	assert_non_null(p->loop);
	assert_int_equal(apiloop_new(p->loop, &settings, &p->apiloop), 0);
	assert_int_equal(
		api_client_new(&api, &world, apiloop_transport(p->apiloop), &p->client), 0);
	assert_int_equal(api_client_set_key(p->client, "sk_live_0"), 0);
}

static void end(struct party *p)
{
	api_client_free(p->client);
	apiloop_free(p->apiloop);
	loop_free(p->loop);
}

static void send_and_run(struct party *p, int count)
{
	p->wanted = p->done + count;
	for (int i = 0; i < count; i++)
		assert_int_equal(api_attendance_create(p->client, &punch, on_done, p), 0);
	assert_int_equal(loop_run(p->loop), 0);
}

static void test_punches(void **state)
{
	struct party p;

	(void)state;
	begin(&p, answer_done, LONG_MS);
	send_and_run(&p, 1);
	assert_int_equal(p.outcome, API_DONE);
	assert_string_equal(p.id, "att_7");
	send_and_run(&p, 30);
	assert_int_equal(tls_server_requests(rig.server), 31);
	assert_in_range(tls_server_most_at_once(rig.server), 1, 4);
	end(&p);
}

static void test_time_out(void **state)
{
	struct party p;

	(void)state;
	begin(&p, stall, SHORT_MS);
	send_and_run(&p, 1);
	assert_int_equal(p.outcome, API_LOST);
	end(&p);
}

static void test_no_key(void **state)
{
	struct party p;

	(void)state;
	begin(&p, answer_done, LONG_MS);
	api_client_set_key(p.client, NULL);
	send_and_run(&p, 1);
	assert_int_equal(p.outcome, API_UNAUTHORIZED);
	assert_int_equal(tls_server_connections(rig.server), 0);
	end(&p);
}

static void test_end_while_one_runs(void **state)
{
	struct party p;

	(void)state;
	begin(&p, answer_done, LONG_MS);
	send_and_run(&p, 1); /* a connection is kept, so something is watched */
	p.wanted = -1;
	assert_int_equal(api_attendance_create(p.client, &punch, on_done, &p), 0);
	api_client_free(p.client);
	p.client = NULL;
	assert_int_equal(p.done, 2);
	assert_int_equal(p.outcome, API_CANCELLED);
	end(&p);
}

static void test_ca_file_is_missing(void **state)
{
	const struct api_curl_settings settings = {
		.ca_file = "/nonexistent/ca.pem",
		.timeout_ms = LONG_MS,
		.max_connections = 4,
		.user_agent = "punchd/test",
	};
	struct apiloop *none = NULL;
	struct loop *loop = loop_new();

	(void)state;
	assert_int_equal(apiloop_new(loop, &settings, &none), -ENOENT);
	assert_null(none);
	apiloop_free(NULL);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_punches),
		RIG_CASE(test_time_out),
		RIG_CASE(test_no_key),
		RIG_CASE(test_end_while_one_runs),
		RIG_CASE(test_ca_file_is_missing),
	};

	return cmocka_run_group_tests_name("apiloop", tests, rig_begin_group, rig_end_group);
}
