/* base/jget: there and right, not there, there and wrong. */
#include "unit.h"

#include <errno.h>

#include "base/jget.h"

static json_t *object;

static int load(void **state)
{
	(void)state;
	object = json_loads("{\"s\":\"abc\",\"e\":\"\",\"n\":7,\"f\":1.5,\"t\":true,\"no\":false,"
			    "\"null\":null,\"z\":\"a\\u0000b\",\"big\":9223372036854775807}",
		JSON_ALLOW_NUL, NULL);
	return object ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(object);
	return 0;
}

static void test_str(void **state)
{
	const char *text = "before";

	(void)state;
	assert_int_equal(jget_str(object, "none", 0, 9, &text), 0);
	assert_int_equal(jget_str(object, "n", 0, 9, &text), -EINVAL);
	assert_int_equal(jget_str(object, "null", 0, 9, &text), -EINVAL);
	assert_int_equal(jget_str(object, "s", 4, 9, &text), -EINVAL);
	assert_int_equal(jget_str(object, "s", 0, 2, &text), -EINVAL);
	assert_int_equal(jget_str(object, "z", 0, 9, &text), -EINVAL);
	assert_string_equal(text, "before");
	assert_int_equal(jget_str(object, "s", 3, 3, &text), 1);
	assert_string_equal(text, "abc");
	assert_int_equal(jget_str(object, "e", 0, 3, &text), 1);
	assert_string_equal(text, "");
	assert_int_equal(jget_str(object, "e", 1, 3, &text), -EINVAL);
	assert_int_equal(jget_str(NULL, "s", 0, 9, &text), 0);
}

static void test_bool(void **state)
{
	bool value = false;

	(void)state;
	assert_int_equal(jget_bool(object, "t", &value), 1);
	assert_true(value);
	assert_int_equal(jget_bool(object, "none", &value), 0);
	assert_int_equal(jget_bool(object, "n", &value), -EINVAL);
	assert_true(value);
	assert_int_equal(jget_bool(object, "no", &value), 1);
	assert_false(value);
}

static void test_int(void **state)
{
	int64_t value = -1;

	(void)state;
	assert_int_equal(jget_int(object, "none", 0, 9, &value), 0);
	assert_int_equal(jget_int(object, "f", 0, 9, &value), -EINVAL);
	assert_int_equal(jget_int(object, "s", 0, 9, &value), -EINVAL);
	assert_int_equal(jget_int(object, "n", 8, 9, &value), -EINVAL);
	assert_int_equal(jget_int(object, "n", 0, 6, &value), -EINVAL);
	assert_int_equal(value, -1);
	assert_int_equal(jget_int(object, "n", 7, 7, &value), 1);
	assert_int_equal(value, 7);
	assert_int_equal(jget_int(object, "big", INT64_MIN, INT64_MAX, &value), 1);
	assert_int_equal(value, INT64_MAX);
}

static void test_str_or_empty(void **state)
{
	(void)state;
	assert_string_equal(jget_str_or_empty(object, "s"), "abc");
	assert_string_equal(jget_str_or_empty(object, "none"), "");
	assert_string_equal(jget_str_or_empty(object, "n"), "");
	assert_string_equal(jget_str_or_empty(NULL, "n"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_str_or_empty),
	};

	return cmocka_run_group_tests_name("jget", tests, load, unload);
}
