/* core/punch: the words for states, reasons, types; texts that fit. */
#include "unit.h"

#include <errno.h>

#include "core/punch.h"

/* The numbers are on people's disks and the words in people's scripts: neither may ever change. */
static void test_states(void **state)
{
	static const struct {
		int number;
		const char *name;
		bool settled;
	} rows[] = {{0, "queued", false}, {1, "held", false}, {2, "delivered", true},
		{3, "suppressed", true}, {4, "parked", false}, {5, "discarded", true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum punch_state back = PUNCH_QUEUED;

		assert_string_equal(
			punch_state_name((enum punch_state)rows[i].number), rows[i].name);
		assert_int_equal(punch_state_parse(rows[i].name, &back), 0);
		assert_int_equal(back, rows[i].number);
		assert_int_equal(punch_settled(back), rows[i].settled);
	}
	assert_int_equal(COUNT(rows), PUNCH_STATES);
	assert_int_equal(punch_state_parse("Queued", &(enum punch_state){0}), -EINVAL);
	assert_int_equal(punch_state_parse("", &(enum punch_state){0}), -EINVAL);
}

static void test_reasons(void **state)
{
	static const struct {
		int number;
		const char *name;
	} rows[] = {{1, "restored"}, {2, "no_time"}, {3, "before_start"}, {4, "stale"},
		{5, "future_time"}, {6, "unknown_device"}, {7, "inactive_device"},
		{8, "unknown_user"}, {9, "no_direction"}, {10, "in_doubt"}, {20, "double_tap"},
		{30, "malformed"}, {31, "bad_time"}, {32, "too_large"}, {33, "crashed"},
		{40, "exported"}, {1400, "api_400"}, {1599, "api_599"}, {1100, "api_100"}};
	char text[REASON_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int back = -1;

		assert_string_equal(punch_reason_name(rows[i].number, text), rows[i].name);
		assert_int_equal(punch_reason_parse(rows[i].name, &back), 0);
		assert_int_equal(back, rows[i].number);
	}
	assert_string_equal(punch_reason_name(REASON_NONE, text), "");
	assert_string_equal(punch_reason_name(999, text), "");
}

static void test_reasons_that_are_none(void **state)
{
	static const char *const odd[] = {"", "api_", "api_99", "api_600", "api_4x0", "api_-400",
		"api", "API_400", "stale ", "api_99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++)
		assert_int_equal(punch_reason_parse(odd[i], &(int){0}), -EINVAL);
}

static void test_types_and_kinds(void **state)
{
	static const char *const kinds[] = {"id", "pin", "card", "slot", "email", "phone"};
	enum punch_type type = TYPE_NONE;
	enum user_kind kind = USER_ID;

	(void)state;
	assert_int_equal(punch_type_parse("check_in", &type), 0);
	assert_int_equal(type, 1);
	assert_int_equal(punch_type_parse("check_out", &type), 0);
	assert_int_equal(type, 2);
	assert_int_equal(punch_type_parse("", &type), -EINVAL);
	assert_int_equal(punch_type_parse("in", &type), -EINVAL);
	assert_string_equal(punch_type_name(TYPE_NONE), "");
	assert_string_equal(punch_type_name(TYPE_CHECK_OUT), "check_out");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		assert_string_equal(user_kind_name((enum user_kind)i), kinds[i]);
		assert_int_equal(user_kind_parse(kinds[i], &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_int_equal(user_kind_parse("face", &kind), -EINVAL);
	assert_string_equal(type_from_name(FROM_NOBODY), "");
	assert_string_equal(type_from_name(FROM_TERMINAL), "terminal");
	assert_string_equal(type_from_name(FROM_SETTING), "setting");
	assert_string_equal(type_from_name(FROM_ALTERNATE), "alternate");
	assert_string_equal(type_from_name(FROM_PERSON), "person");
}

static void test_text_set_takes_all_or_nothing(void **state)
{
	char to[4] = "old";

	(void)state;
	assert_int_equal(punch_text_set(to, sizeof to, "abc"), 0);
	assert_string_equal(to, "abc");
	assert_int_equal(punch_text_set(to, sizeof to, "abcd"), -E2BIG);
	assert_string_equal(to, "");
}

static void test_text_cut_tears_no_character(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {{"", ""}, {"abcdef", "abcdef"}, {"abcdefg", "abcdefg"}, {"abcdefgh", "abcdefg"},
		{"abcde\xc3\xa4", "abcde\xc3\xa4"}, {"abcdef\xc3\xa4", "abcdef"},
		{"abcde\xe2\x82\xac", "abcde"}, {"abcd\xf0\x9f\x98\x80", "abcd"},
		{"abc\xf0\x9f\x98\x80x", "abc\xf0\x9f\x98\x80"},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80", ""}};
	char to[8];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		punch_text_cut(to, sizeof to, rows[i].text);
		assert_string_equal(to, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reasons_that_are_none),
		cmocka_unit_test(test_types_and_kinds),
		cmocka_unit_test(test_text_set_takes_all_or_nothing),
		cmocka_unit_test(test_text_cut_tears_no_character),
	};

	return cmocka_run_group_tests_name("punch", tests, NULL, NULL);
}
