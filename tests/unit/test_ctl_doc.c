/* Documents that are not what was expected are as good as nothing. */
#include "ctl/doc.h"

#include <string.h>

#include "unit.h"

static void test_paths(void **state)
{
	json_t *doc = json_loads(
		"{\"a\":{\"b\":{\"n\":7,\"s\":\"text\",\"t\":true,\"z\":null,\"r\":1.5}},"
		"\"l\":[1],\"nul\":\"a\\u0000b\"}",
		JSON_ALLOW_NUL, NULL);
	int64_t n;

	(void)state;
	assert_non_null(doc);
	assert_int_equal(doc_count(doc, "a.b.n"), 7);
	assert_string_equal(doc_text(doc, "a.b.s"), "text");
	assert_true(doc_true(doc, "a.b.t"));
	assert_true(json_is_array(doc_get(doc, "l")));
	assert_string_equal(doc_text(doc, "nul"), "a");
	assert_true(doc_number(doc, "a.b.n", &n));
	/* not there, null, something else, through what is no object */
	assert_null(doc_get(doc, "a.b.z"));
	assert_null(doc_get(doc, "a.x.n"));
	assert_null(doc_get(doc, "l.0"));
	assert_null(doc_get(doc, ""));
	assert_null(doc_get(doc, "a..b"));
	assert_null(doc_get(NULL, "a"));
	assert_string_equal(doc_text(doc, "a.b.n"), "");
	assert_string_equal(doc_text(NULL, "a"), "");
	assert_int_equal(doc_count(doc, "a.b.s"), 0);
	assert_false(doc_number(doc, "a.b.r", &n));
	assert_false(doc_number(doc, "a.b.z", &n));
	assert_int_equal(n, 0);
	assert_false(doc_true(doc, "a.b.n"));
	json_decref(doc);
}

/* A key longer than any of ours is none. */
static void test_long_key(void **state)
{
	char path[512];

	(void)state;
	memset(path, 'k', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_null(doc_get(NULL, path));
}

static void test_who(void **state)
{
	json_t *doc = json_pack("{s:{s:i, s:s}, s:{s:i, s:n}}", "ana", "uid", 7, "name", "ana",
		"gone", "uid", 8, "name");
	char who[DOC_WHO_SIZE];

	(void)state;
	assert_string_equal(doc_who(doc, "ana", who), "ana");
	assert_string_equal(doc_who(doc, "gone", who), "uid 8");
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_key),
		cmocka_unit_test(test_who),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
