/* base/netaddr: addresses in numbers. */
#include "unit.h"

#include "base/netaddr.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text, *address; /* NULL: none */
		bool loopback;
	} rows[] = {
		{"127.0.0.1:8481", "127.0.0.1", true},
		{"127.9.9.9:1", "127.9.9.9", true},
		{"0.0.0.0:65535", "0.0.0.0", false},
		{"192.0.2.7:443", "192.0.2.7", false},
		{"[::1]:8481", "::1", true},
		{"[::]:8481", "::", false},
		{"[2001:db8::7]:8481", "2001:db8::7", false},
		{"[::ffff:127.0.0.1]:8481", "127.0.0.1", true},
		{"[::ffff:192.0.2.7]:8481", "192.0.2.7", false},
		{"", NULL, false},
		{":8481", NULL, false},
		{"127.0.0.1", NULL, false},
		{"127.0.0.1:", NULL, false},
		{"127.0.0.1:0", NULL, false},
		{"127.0.0.1:65536", NULL, false},
		{"127.0.0.1:-1", NULL, false},
		{"127.0.0.1:8481x", NULL, false},
		{"127.0.0.1:8481 ", NULL, false},
		{"127.1:8481", NULL, false},
		{"localhost:8481", NULL, false},
		{"::1:8481", NULL, false},
		{"[::1]", NULL, false},
		{"[]:8481", NULL, false},
		{"[127.0.0.1]:8481", NULL, false},
		{"[fe80::1%lo]:8481", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sockaddr_storage a;
		char text[NETADDR_TEXT_SIZE];
		socklen_t size;
		int r = netaddr_parse(rows[i].text, &a, &size);

		assert_int_equal(r == 0, rows[i].address != NULL);
		if (r < 0)
			continue;
		assert_string_equal(netaddr_print(&a, text), rows[i].address);
		assert_int_equal(netaddr_is_loopback(&a), rows[i].loopback);
	}
}

static uint64_t household(const char *text)
{
	struct sockaddr_storage a;
	socklen_t size;

	assert_int_equal(netaddr_parse(text, &a, &size), 0);
	return netaddr_household(&a);
}

static void test_household(void **state)
{
	struct sockaddr_storage none = {.ss_family = AF_UNIX};
	char text[NETADDR_TEXT_SIZE];

	(void)state;
	assert_true(household("192.0.2.7:1") == household("192.0.2.7:2"));
	assert_true(household("192.0.2.7:1") == household("[::ffff:192.0.2.7]:1"));
	assert_true(household("192.0.2.7:1") != household("192.0.2.8:1"));
	assert_true(household("[2001:db8::1]:1") == household("[2001:db8::2:3]:1"));
	assert_true(household("[2001:db8::1]:1") != household("[2001:db8:0:1::1]:1"));
	assert_false(netaddr_is_loopback(&none));
	assert_string_equal(netaddr_print(&none, text), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_household),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
