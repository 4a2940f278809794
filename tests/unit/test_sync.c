/* api/sync: calls that wait by themselves, against a server in the same process. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "curlrig.h"

static struct api_sync *api;

static int begin(tls_script *script, int64_t timeout_ms, const char *key)
{
	const struct tls_server_settings server = {.ca = rig.ca, .script = script};
	struct api_settings settings = {.max_in_flight = 1};
	struct api_curl_settings network = {.ca_file = rig.ca_path, .timeout_ms = timeout_ms};
	char base[64];

	if (!rig.server)
		rig_serve(&server);
	snprintf(base, sizeof base, "https://127.0.0.1:%d/v1", tls_server_port(rig.server));
	settings.base_url = base;
	return api_sync_new(&settings, &network, key, &api);
}

static int end(void **state)
{
	api_sync_free(api);
	api = NULL;
	return rig_end(state);
}

/* --- scripts */

static void say(struct tls_conn *c, const char *status, const char *headers, const char *body)
{
	char text[1024];

	snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
		headers, strlen(body), body);
	tls_conn_say(c, text);
}

static void answer_each(struct tls_conn *c)
{
	static const char *const bodies[] = {
		"{\"data\":[{\"id\":\"usr_1\"}],\"meta\":{\"total\":7}}",
		"{\"data\":[]}",
		"{\"data\":{\"id\":\"att_1\"}}",
		"{\"data\":{\"id\":\"usr_2\"}}",
	};

	for (size_t i = 0; tls_conn_read(c); i++)
		say(c, "200 OK", "Content-Type: text/csv\r\n", i < 4 ? bodies[i] : "a,b\r\n");
}

static void answer_csv(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c,
		"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 10\r\n\r\na,b\r\n");
	tls_conn_wait(c, 50);
	tls_conn_say(c, "c,d\r\n");
	tls_conn_wait(c, -1);
}

static void refuse(struct tls_conn *c)
{
	while (tls_conn_read(c))
		say(c, "422 No", "",
			"{\"error\":{\"code\":\"bad\",\"message\":\"so not\",\"param\":\"type\"}}");
}

static void stall(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, -1);
}

static void limit(struct tls_conn *c)
{
	while (tls_conn_read(c))
		say(c, "429 Later", "Retry-After: 1\r\n", "");
}

/* --- cases */

static const struct api_attendance punch = {
	.user_id = "usr_1", .device_id = "dev_1", .type = "check_in", .key = "k"};
static const struct api_new_user someone = {
	.name = "A", .email = "a@example.com", .phone = "+919876543210", .key = "u"};
static const struct api_report_query january = {
	.start_date = "2023-01-01", .end_date = "2023-01-31", .format = API_FORMAT_CSV};

static void test_each_call(void **state)
{
	const struct api_reply *reply;

	(void)state;
	assert_int_equal(begin(answer_each, LONG_MS, KEY), 0);
	assert_int_equal(api_sync_users_list(api, 0, 5, &reply), 0);
	assert_int_equal(reply->outcome, API_DONE);
	assert_int_equal(json_array_size(reply->data), 1); /* it outlives its callback */
	assert_int_equal(json_integer_value(json_object_get(reply->meta, "total")), 7);
	assert_int_equal(tls_server_count(rig.server, "GET /v1/users?offset=5 HTTP"), 1);
	assert_int_equal(api_sync_devices_list(api, &reply), 0);
	assert_int_equal(json_array_size(reply->data), 0);
	assert_int_equal(api_sync_attendance_create(api, &punch, &reply), 0);
	assert_string_equal(reply->id, "att_1");
	assert_int_equal(tls_server_count(rig.server, "\"timestamp\""), 0);
	assert_int_equal(api_sync_user_create(api, &someone, &reply), 0);
	assert_string_equal(reply->id, "usr_2");
	assert_int_equal(tls_server_count(rig.server, "User-Agent: punch-api\r\n"), 4);
}

static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	size_t *came = arg;

	(void)data;
	*came += length;
	return API_TAKE_PAUSE; /* whom nobody would resume */
}

static enum api_take on_unwanted(void *arg, const char *data, size_t length)
{
	on_chunk(arg, data, length);
	return API_TAKE_STOP;
}

static void test_report(void **state)
{
	const struct api_reply *reply;
	size_t came = 0;

	(void)state;
	alarm(60); /* who pauses would wait without end */
	assert_int_equal(begin(answer_csv, LONG_MS, KEY), 0);
	assert_int_equal(api_sync_report_get(api, &january, on_chunk, &came, &reply), 0);
	assert_int_equal(reply->outcome, API_DONE);
	assert_int_equal(came, 10);
	assert_int_equal(api_sync_report_get(api, &january, on_unwanted, &came, &reply), 0);
	assert_int_equal(reply->outcome, API_CANCELLED);
	alarm(0);
}

static void test_refusal(void **state)
{
	struct api_attendance bad = punch;
	const struct api_reply *reply;

	(void)state;
	assert_int_equal(begin(refuse, LONG_MS, KEY), 0);
	assert_int_equal(api_sync_attendance_create(api, &punch, &reply), 0);
	assert_int_equal(reply->outcome, API_REFUSED);
	assert_string_equal(reply->code, "bad");
	assert_string_equal(reply->message, "so not");
	assert_string_equal(reply->param, "type");
	bad.type = "\xff";
	assert_int_equal(api_sync_attendance_create(api, &bad, &reply), -EINVAL);
}

static void test_lost(void **state)
{
	const struct api_reply *reply;

	(void)state;
	assert_int_equal(begin(stall, SHORT_MS, KEY), 0);
	assert_int_equal(api_sync_devices_list(api, &reply), 0);
	assert_int_equal(reply->outcome, API_LOST);
}

static void test_waits_for_room(void **state)
{
	const struct api_reply *reply;

	(void)state;
	assert_int_equal(begin(limit, LONG_MS, KEY), 0);
	assert_int_equal(api_sync_room(api, API_CALL_USERS, -1), 0);
	assert_int_equal(api_sync_users_list(api, 1, 0, &reply), 0);
	assert_int_equal(reply->outcome, API_RATE_LIMITED);
	assert_int_equal(api_sync_room(api, API_CALL_USERS, 10), -ETIMEDOUT);
	assert_int_equal(api_sync_room(api, API_CALL_USERS, -1), 0);
}

static void test_settings_that_will_not_do(void **state)
{
	const struct api_settings http = {.base_url = "http://127.0.0.1/v1"};
	const struct api_settings https = {.base_url = "https://127.0.0.1/v1"};
	const struct api_curl_settings none = {0}, missing = {.ca_file = "/nonexistent"};

	(void)state;
	assert_int_equal(api_sync_new(&http, &none, KEY, &api), -EINVAL);
	assert_int_equal(api_sync_new(&https, &missing, KEY, &api), -ENOENT);
	assert_int_equal(api_sync_new(&https, &none, "a b", &api), -EINVAL);
	assert_null(api);
}

static void test_without_a_key(void **state)
{
	const struct api_reply *reply;
	struct api_status status;

	(void)state;
	assert_int_equal(begin(refuse, LONG_MS, NULL), 0);
	assert_int_equal(api_sync_devices_list(api, &reply), 0);
	assert_int_equal(reply->outcome, API_UNAUTHORIZED);
	assert_int_equal(tls_server_connections(rig.server), 0);
	assert_int_equal(api_client_set_key(api_sync_client(api), KEY), 0);
	assert_int_equal(api_sync_devices_list(api, &reply), 0);
	assert_int_equal(reply->outcome, API_REFUSED);
	api_client_status(api_sync_client(api), &status);
	assert_int_equal(status.sent, 1);
}

#define CASE(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_each_call),
		CASE(test_report),
		CASE(test_refusal),
		CASE(test_lost),
		CASE(test_waits_for_room),
		CASE(test_settings_that_will_not_do),
		CASE(test_without_a_key),
	};

	return cmocka_run_group_tests_name("sync", tests, rig_begin_group, rig_end_group);
}
