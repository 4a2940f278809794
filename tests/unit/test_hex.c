/* base/hex: both ways, and what is none. */
#include "unit.h"

#include <errno.h>

#include "base/hex.h"

static void test_round_trip(void **state)
{
	uint8_t bytes[256], back[256];
	char text[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	assert_ptr_equal(hex_encode(bytes, sizeof bytes, text), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(hex_decode(text, back, sizeof back), 256);
	assert_memory_equal(bytes, back, 256);
	assert_string_equal(hex_encode(bytes, 0, text), "");
}

static void test_decode(void **state)
{
	static const char *const odd[] = {
		"0", "000", "0g", "g0", " 00", "00 ", "0x00", "/0", ":0", "@0", "G0", "`0", "0/"};
	uint8_t back[2];

	(void)state;
	assert_int_equal(hex_decode("AbcD", back, 2), 2);
	assert_int_equal(back[0], 0xab);
	assert_int_equal(back[1], 0xcd);
	assert_int_equal(hex_decode("", back, 2), 0);
	assert_int_equal(hex_decode("000000", back, 2), -E2BIG);
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_int_equal(hex_decode(odd[i], back, 2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
