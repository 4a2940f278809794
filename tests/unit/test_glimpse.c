/* api/glimpse: the record's id in an answer that was cut off. */
#include "unit.h"

#include <stdbool.h>

#include "api/glimpse.h"

static const char whole[] = "{\"data\":{\"id\":\"att_0000000001\",\"user_id\":\"usr_1\"}}";

static bool sees(const char *json, size_t n, const char *wanted)
{
	char id[32] = "untouched";
	bool found = glimpse_id(json, n, id, sizeof id);

	if (found)
		assert_string_equal(id, wanted);
	return found;
}

/* Wherever it was cut: all of the id, or none. */
static void test_every_cut(void **state)
{
	size_t end = strlen("{\"data\":{\"id\":\"att_0000000001\"");

	(void)state;
	for (size_t n = 0; n <= strlen(whole); n++)
		assert_int_equal(sees(whole, n, "att_0000000001"), n >= end);
}

static void test_shapes(void **state)
{
	static const struct {
		const char *json;
		bool found;
	} rows[] = {
		{" {\n \"data\" : { \"user_id\": \"usr_1\",\t\"id\": \"att_7\" , \"ty", true},
		{"{\"data\":{\"id\":\"usr_7\",", false},
		{"{\"data\":{\"id\":\"att_\",", false},
		{"{\"data\":{\"id\":\"att_ 7\",", false},
		{"{\"data\":{\"id\":\"att_\xff\",", false},
		{"{\"data\":{\"id\":7,\"x\":\"att_7\"", false},
		{"{\"data\":{\"user\":{\"id\":\"att_7\"", false},
		{"{\"data\":{\"x\":\"\\\"\",\"id\":\"att_7\"", false},
		{"{\"data\":{\"x\":\"a\nb\",\"id\":\"att_7\"", false},
		{"{\"data\":[{\"id\":\"att_7\"", false},
		{"{\"error\":{\"id\":\"att_7\"", false},
		{"{\"id\":\"att_7\"", false},
		{"{\"data\":{\"id\":\"att_345678901234567890123456789\"", true},
		{"{\"data\":{\"id\":\"att_3456789012345678901234567890123\"", false},
		{"<html>{\"data\":{\"id\":\"att_7\"", false},
		{"{\"data\":{}", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char id[32];

		assert_int_equal(glimpse_id(rows[i].json, strlen(rows[i].json), id, sizeof id),
			rows[i].found);
	}
	assert_true(sees(rows[0].json, strlen(rows[0].json), "att_7"));
	assert_false(sees("\0{\"data\":{\"id\":\"att_7\"", 22, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests_name("glimpse", tests, NULL, NULL);
}
