/* api/wire: bodies that stay the same bytes, URLs, and what a header may carry. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/wire.h"

static void check_text(int r, char *text, const char *expected)
{
	assert_int_equal(r, 0);
	assert_string_equal(text, expected);
	free(text);
}

static void test_body(void **state)
{
	struct api_attendance a = {
		.user_id = "usr_1\"\n",
		.device_id = "dev_ä",
		.type = "check_in",
		.timestamp = "2023-01-15T10:30:00Z",
	};
	char *body;
	int r = wire_attendance_body(&a, &body);

	(void)state;
	check_text(r, body,
		"{\"user_id\":\"usr_1\\\"\\n\",\"device_id\":\"dev_ä\",\"type\":\"check_in\","
		"\"timestamp\":\"2023-01-15T10:30:00Z\"}");
}

/* The server's now is no text of ours. */
static void test_body_without_a_time(void **state)
{
	struct api_attendance a = {.user_id = "u", .device_id = "d", .type = "check_out"};
	char *body;
	int r = wire_attendance_body(&a, &body);

	(void)state;
	check_text(r, body, "{\"user_id\":\"u\",\"device_id\":\"d\",\"type\":\"check_out\"}");
}

static void test_body_of_what_is_no_text(void **state)
{
	struct api_attendance a = {
		.user_id = "usr_1",
		.device_id = "dev_\xff",
		.type = "check_in",
		.timestamp = "2023-01-15T10:30:00Z",
	};
	char *body;

	(void)state;
	assert_int_equal(wire_attendance_body(&a, &body), -EINVAL);
}

static void test_urls(void **state)
{
	char *url;
	int r = wire_attendance_url("https://h/v1", &url);

	(void)state;
	check_text(r, url, "https://h/v1/attendance");
	r = wire_users_url("https://h/v1", 100, 9000000000, &url);
	check_text(r, url, "https://h/v1/users?limit=100&offset=9000000000");
	r = wire_users_url("https://h/v1", 0, 0, &url);
	check_text(r, url, "https://h/v1/users?offset=0");
	r = wire_devices_url("https://h/v1", &url);
	check_text(r, url, "https://h/v1/devices");
	r = wire_authorization("k", &url);
	check_text(r, url, "Bearer k");
}

static void test_user_body(void **state)
{
	struct api_new_user u = {
		.name = "Zoë \"Z\" Ng", .email = "z@example.com", .phone = "+919876543210"};
	char *text;
	int r = wire_user_body(&u, &text);

	(void)state;
	check_text(r, text,
		"{\"name\":\"Zoë \\\"Z\\\" Ng\",\"email\":\"z@example.com\","
		"\"phone\":\"+919876543210\"}");
	u.department = "";
	r = wire_user_body(&u, &text);
	check_text(r, text,
		"{\"name\":\"Zoë \\\"Z\\\" Ng\",\"email\":\"z@example.com\","
		"\"phone\":\"+919876543210\",\"department\":\"\"}");
	u.department = "\xff";
	assert_int_equal(wire_user_body(&u, &text), -EINVAL);
	r = wire_user_url("https://h/v1", &text);
	check_text(r, text, "https://h/v1/users");
}

static void test_report_url(void **state)
{
	struct api_report_query q = {.start_date = "2023-01-01", .end_date = "2023-01-31"};
	char *url;
	int r = wire_report_url("https://h/v1", &q, &url);

	(void)state;
	check_text(r, url,
		"https://h/v1/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"
		"&format=json");
	q.user_id = "usr_~.-_a";
	q.department = "R&D=\xe4\xba\xba +#%";
	q.format = API_FORMAT_PDF;
	r = wire_report_url("https://h/v1", &q, &url);
	check_text(r, url,
		"https://h/v1/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"
		"&user_id=usr_~.-_a&department=R%26D%3D%E4%BA%BA%20%2B%23%25&format=pdf");
	q.department = "\xff";
	assert_int_equal(wire_report_url("https://h/v1", &q, &url), -EINVAL);
}

static void test_formats(void **state)
{
	(void)state;
	assert_string_equal(api_format_name(API_FORMAT_JSON), "json");
	assert_string_equal(api_format_name(API_FORMAT_CSV), "csv");
	assert_string_equal(api_format_name(API_FORMAT_PDF), "pdf");
	assert_string_equal(api_format_name((enum api_format)9), "unknown");
	assert_string_equal(wire_report_accept(API_FORMAT_JSON), "application/json");
	assert_string_equal(wire_report_accept(API_FORMAT_CSV), "text/csv, application/json");
	assert_string_equal(
		wire_report_accept(API_FORMAT_PDF), "application/pdf, application/json");
	assert_string_equal(wire_report_accept((enum api_format)9), "application/json");
}

static void test_base_urls(void **state)
{
	(void)state;
	assert_true(wire_base_url_sound("https://api.example.com/v1"));
	assert_true(wire_base_url_sound("HTTPS://localhost:8443"));
	assert_true(wire_base_url_sound("https://[::1]:8443/v1"));
	assert_false(wire_base_url_sound("http://api.example.com/v1"));
	assert_false(wire_base_url_sound("api.example.com"));
	assert_false(wire_base_url_sound(""));
	assert_false(wire_base_url_sound("https://"));
	assert_false(wire_base_url_sound("https:///v1"));
	assert_false(wire_base_url_sound("https://:8443/v1"));
	assert_false(wire_base_url_sound("https://h/v1/"));
	assert_false(wire_base_url_sound("https://user:word@h/v1"));
	assert_false(wire_base_url_sound("https://h/v1?a=b"));
	assert_false(wire_base_url_sound("https://h/v1#a"));
	assert_false(wire_base_url_sound("https://h/v 1"));
	assert_false(wire_base_url_sound("https://h/v1\r\nX: y"));
	assert_false(wire_base_url_sound("https://h\xc3\xa4/v1"));
}

static void test_tokens(void **state)
{
	char *longest = calloc(1, 4098);

	(void)state;
	assert_true(wire_token_sound("sk_live_0123/+=~"));
	assert_false(wire_token_sound(""));
	assert_false(wire_token_sound("a b"));
	assert_false(wire_token_sound("a\r\nX-Evil: b"));
	assert_false(wire_token_sound("a\x7f"));
	assert_false(wire_token_sound("\xc3\xa4"));
	memset(longest, 'k', 4096);
	assert_true(wire_token_sound(longest));
	longest[4096] = 'k';
	assert_false(wire_token_sound(longest));
	free(longest);
}

/* A URL that outgrows every sense is an error, not a shorter one. */
static void test_endless_base(void **state)
{
	char *base = calloc(1, 20000), *url;

	(void)state;
	memset(base, 'h', 19999);
	assert_int_equal(wire_devices_url(base, &url), -EINVAL);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_without_a_time),
		cmocka_unit_test(test_body_of_what_is_no_text),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_user_body),
		cmocka_unit_test(test_report_url),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_base_urls),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_endless_base),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
