/* base/utf8: against the definition, code point by code point. */
#include "unit.h"

#include "base/utf8.h"

/* Encode in so many bytes, also where that is overlong or no character. */
static void encode(uint32_t code, size_t bytes, char *ret)
{
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = bytes; i-- > 1; code >>= 6)
		ret[i] = (char)(0x80 | (code & 0x3f));
	ret[0] = (char)(leads[bytes] | code);
}

static size_t wanted_bytes(uint32_t code)
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void test_every_code_point(void **state)
{
	static const uint32_t room[] = {0, 0x80, 0x800, 0x10000, 0x200000};

	(void)state;
	for (size_t bytes = 1; bytes <= 4; bytes++) {
		for (uint32_t code = 0; code < room[bytes]; code++) {
			size_t wanted = wanted_bytes(code) == bytes ? bytes : 0;
			char text[4];

			encode(code, bytes, text);
			if (utf8_length(text, 4) != wanted)
				fail_msg("U+%04X in %zu bytes", code, bytes);
			if (wanted > 1)
				assert_int_equal(utf8_length(text, wanted - 1), 0);
		}
	}
}

static void test_broken_in_the_middle(void **state)
{
	static const char *const broken[] = {"\x80", "\xbf", "\xc3(", "\xe2\x82(", "\xe2(\xac",
		"\xf0\x9f\x98(", "\xf0\x9f(\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xe2\x82",
		"ok\xc3", "\xc3\xa4\xa4"};

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++)
		assert_false(utf8_valid(broken[i]));
	assert_true(utf8_valid(""));
	assert_true(utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"));
	assert_int_equal(utf8_length("", 0), 0);
	assert_int_equal(utf8_length("", 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_broken_in_the_middle),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
