/* base/mdoc: plain words as the source of a man page. */
#include "base/mdoc.h"

#include <stdlib.h>

#include "unit.h"

static char *printed;

static FILE *open_page(void)
{
	static size_t size;

	return open_memstream(&printed, &size);
}

static void assert_text(const char *text, const char *want)
{
	FILE *out = open_page();

	mdoc_text(out, text);
	fclose(out);
	assert_string_equal(printed, want);
	free(printed);
}

static void assert_option(const char *name, const char *argument, const char *want)
{
	FILE *out = open_page();

	mdoc_option(out, name, argument);
	fclose(out);
	assert_string_equal(printed, want);
	free(printed);
}

static void test_sentences(void **state)
{
	(void)state;
	assert_text("one line", "One line.\n");
	assert_text("One. Two, e.g this. Three.", "One.\nTwo, e.g this.\nThree.\n");
	assert_text("0: all", "0: all.\n");
	assert_text(".5 is small", "\\&.5 is small.\n");
	assert_text("so. 'Tis so", "So.\n\\&'Tis so.\n");
}

static void test_long_sentences_are_broken(void **state)
{
	const char *a =
		"aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaa";

	(void)state;
	assert_int_equal(strlen(a), 78);
	assert_text(
		"bbbbbbbbb aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaa "
		"c",
		"Bbbbbbbbb aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaa\n"
		"c.\n");
}

static void test_what_troff_would_obey(void **state)
{
	(void)state;
	assert_text("with --wait, re-sent as -1", "With \\-\\-wait, re-sent as \\-1.\n");
	assert_text("a\\b and ID\xe2\x80\xa6 of \xc3\xa4 \xf0\x9f\x98\x80",
		"A\\eb and ID\\[u2026] of \\[u00E4] \\[u1F600].\n");
}

static void test_options(void **state)
{
	(void)state;
	assert_option("wait", NULL, ".It Fl -wait\n");
	assert_option("dry-run", "KIND:VALUE", ".It Fl -dry-run Ar kind:value\n");
	assert_option("devices", "SERIAL,\xe2\x80\xa6", ".It Fl -devices Ar serial,\\[u2026]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_long_sentences_are_broken),
		cmocka_unit_test(test_what_troff_would_obey),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
