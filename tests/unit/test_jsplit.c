/* base/jsplit: elements by brackets, quotes and commas alone. */
#include "unit.h"

#include <errno.h>

#include "base/jsplit.h"

#define MAX 4

static struct jspan spans[MAX];

/* The elements, each between bars. */
static void assert_split(const char *json, const char *wanted)
{
	char found[256] = "|";
	int n = jsplit(json, strlen(json), spans, MAX);

	assert_true(n >= 0 && n <= MAX);
	for (int i = 0; i < n; i++) {
		size_t used = strlen(found);

		snprintf(found + used, sizeof found - used, "%.*s|", (int)spans[i].length,
			json + spans[i].at);
	}
	assert_string_equal(found, wanted);
}

static void test_elements(void **state)
{
	(void)state;
	assert_split("[]", "|");
	assert_split(" [ \n ] \t", "|");
	assert_split("[1]", "|1|");
	assert_split("[ 1 , 2\t,\r\n3 ]", "|1|2|3|");
	assert_split("[{\"a\":[1,2]},[3,{}],\"x\"]", "|{\"a\":[1,2]}|[3,{}]|\"x\"|");
}

static void test_texts_hide_what_is_in_them(void **state)
{
	(void)state;
	assert_split("[\"a,]\",\"\\\"\",\"\\\\\",\"[{\"]", "|\"a,]\"|\"\\\"\"|\"\\\\\"|\"[{\"|");
}

static void test_what_is_no_json_keeps_its_place(void **state)
{
	(void)state;
	assert_split("[1,,2]", "|1||2|");
	assert_split("[1,]", "|1||");
	assert_split("[,]", "|||");
	assert_split("[x y,{1 2],\"\xff\"]", "|x y|{1 2]|\"\xff\"|");
}

static void test_no_array(void **state)
{
	static const char *const rows[] = {"", " ", "{}", "1", "\"[]\"", "[", "[1", "[1,", "[\"]",
		"[\"\\", "[1]]", "[1] 2", "[1},", "[[1]", "x[1]", "]"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(jsplit(rows[i], strlen(rows[i]), spans, MAX), -EINVAL);
	assert_int_equal(jsplit("[1\0]", 4, spans, MAX), 1);
	assert_int_equal(spans[0].length, 2);
}

static void test_more_than_there_is_room_for(void **state)
{
	(void)state;
	spans[1].at = 77;
	assert_int_equal(jsplit("[1,2,3]", 7, spans, 1), 3);
	assert_int_equal(spans[0].at, 1);
	assert_int_equal(spans[1].at, 77);
}

static void test_depth(void **state)
{
	(void)state;
	assert_false(jsplit_deeper("[[1],[2],{}]", 12, 2));
	assert_true(jsplit_deeper("[[1],[[]]]", 10, 2));
	assert_false(jsplit_deeper("[\"[[[\"]", 7, 1));
	assert_false(jsplit_deeper("]]][[[", 6, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_texts_hide_what_is_in_them),
		cmocka_unit_test(test_what_is_no_json_keeps_its_place),
		cmocka_unit_test(test_no_array),
		cmocka_unit_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("jsplit", tests, NULL, NULL);
}
