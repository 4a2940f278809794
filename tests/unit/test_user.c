/* core/user: how the names that terminals give to people are compared. */
#include "unit.h"

#include <errno.h>

#include "core/user.h"

static void test_normalise(void **state)
{
	static const struct {
		enum user_kind kind;
		const char *text, *wanted;
	} rows[] = {
		{USER_PIN, " 1001\t", "1001"},
		{USER_PIN, "0010", "0010"},
		{USER_PIN, "a B", "a B"},
		{USER_ID, "\nusr_aB1 ", "usr_aB1"},
		{USER_SLOT, "7", "7"},
		{USER_CARD, "04:a1-b2 c3", "04A1B2C3"},
		{USER_CARD, "04a1b2c3", "04A1B2C3"},
		{USER_CARD, "0004", "0004"},
		{USER_EMAIL, " John.Doe@Example.ORG ", "john.doe@example.org"},
		{USER_EMAIL, "J\xc3\x96RG@x.de", "j\xc3\x96rg@x.de"},
		{USER_PHONE, "+91 (98765) 432-10", "+919876543210"},
		{USER_PHONE, "0091 98.765/43210", "+919876543210"},
		{USER_PHONE, "098765", "098765"},
		{USER_PHONE, "00", "00"},
	};
	char got[USER_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(user_normalise(rows[i].kind, rows[i].text, got), 0);
		assert_string_equal(got, rows[i].wanted);
		/* once more changes nothing */
		assert_int_equal(user_normalise(rows[i].kind, rows[i].wanted, got), 0);
		assert_string_equal(got, rows[i].wanted);
	}
}

static void test_nothing_left(void **state)
{
	char got[USER_MAX + 1];

	(void)state;
	assert_int_equal(user_normalise(USER_PIN, "", got), -EINVAL);
	assert_int_equal(user_normalise(USER_PIN, " \t\r\n\f\v", got), -EINVAL);
	assert_int_equal(user_normalise(USER_CARD, ":- :", got), -EINVAL);
	assert_int_equal(user_normalise(USER_PHONE, "()-./", got), -EINVAL);
}

static void test_longest(void **state)
{
	char text[USER_MAX + 4], got[USER_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	text[USER_MAX] = '\0';
	assert_int_equal(user_normalise(USER_PIN, text, got), 0);
	assert_string_equal(got, text);
	text[USER_MAX] = 'x';
	text[USER_MAX + 1] = '\0';
	assert_int_equal(user_normalise(USER_PIN, text, got), -E2BIG);
	text[5] = ' ';
	assert_int_equal(user_normalise(USER_CARD, text, got), 0);
}

static void test_guess(void **state)
{
	(void)state;
	assert_int_equal(user_kind_guess("usr_1"), USER_ID);
	assert_int_equal(user_kind_guess(" usr_1"), USER_ID);
	assert_int_equal(user_kind_guess("USR_1"), USER_PIN);
	assert_int_equal(user_kind_guess("xusr_1"), USER_PIN);
	assert_int_equal(user_kind_guess("1001"), USER_PIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
