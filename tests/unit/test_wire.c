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
	r = wire_devices_url("https://h/v1", &url);
	check_text(r, url, "https://h/v1/devices");
	r = wire_authorization("k", &url);
	check_text(r, url, "Bearer k");
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
		cmocka_unit_test(test_body_of_what_is_no_text),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_base_urls),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_endless_base),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
