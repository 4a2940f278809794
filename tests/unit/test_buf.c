/* base/buf: growth, the cap to the byte, and the first failure that sticks. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"

static void test_empty_is_a_string(void **state)
{
	struct buf b;
	char *stolen;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(b.data, "");
	buf_add(&b, "x", 0);
	buf_clear(&b);
	assert_int_equal(b.size, 0);
	stolen = buf_steal(&b);
	assert_string_equal(stolen, "");
	free(stolen);
	buf_done(&b);
	buf_done(&b);
}

static void test_grows_and_stays_a_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 0; i < 20000; i++) {
		buf_add_char(&b, (char)('a' + i % 26));
		assert_int_equal(b.data[b.len], '\0');
	}
	buf_add_str(&b, "-tail");
	buf_addf(&b, "%s=%d", "n", 7);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len, 20008);
	assert_string_equal(b.data + 20000, "-tailn=7");
	assert_int_equal(b.data[19999], 'a' + 19999 % 26);
	buf_done(&b);
	assert_int_equal(b.cap, 100000);
}

static void test_cap_to_the_byte(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_add(&b, "12345678", 8);
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal(b.data, "12345678");
	buf_add_char(&b, '9');
	assert_int_equal(buf_error(&b), -E2BIG);
	assert_string_equal(b.data, "12345678");
	buf_clear(&b);
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal(b.data, "");
	buf_addf(&b, "%d", 12345678);
	assert_int_equal(buf_error(&b), 0);
	buf_clear(&b);
	buf_addf(&b, "%d", 123456789);
	assert_int_equal(buf_error(&b), -E2BIG);
	buf_done(&b);
}

static void test_first_failure_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_add_str(&b, "ab");
	buf_add_str(&b, "cde");
	buf_add_str(&b, "f");
	buf_addf(&b, "%c", 'g');
	assert_string_equal(b.data, "ab");
	assert_null(buf_steal(&b));
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len, 0);
	buf_add_str(&b, "more");
	assert_string_equal(b.data, "more");
	buf_done(&b);
}

static void test_steal_hands_over(void **state)
{
	struct buf b;
	char *stolen;

	(void)state;
	buf_init(&b, 100);
	buf_add(&b, "a\0b", 3);
	stolen = buf_steal(&b);
	assert_memory_equal(stolen, "a\0b", 4);
	free(stolen);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

/* What printf cannot write must not just be missing. */
static void test_unprintable(void **state)
{
	static const wchar_t beyond[] = {0x7fffffff, 0};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_addf(&b, "%ls", beyond);
	assert_int_equal(buf_error(&b), -E2BIG);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_is_a_string),
		cmocka_unit_test(test_grows_and_stays_a_string),
		cmocka_unit_test(test_cap_to_the_byte),
		cmocka_unit_test(test_first_failure_sticks),
		cmocka_unit_test(test_steal_hands_over),
		cmocka_unit_test(test_unprintable),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
