/* Whatever a stranger writes, a terminal obeys none of it, and columns are counted as it draws them. */
#include "ctl/text.h"

#include <jansson.h>
#include <string.h>

#include "unit.h"

static void assert_safe(const char *bytes, size_t n, const char *should)
{
	struct buf out;

	buf_init(&out, 4096);
	text_add_safe(&out, bytes, n);
	assert_string_equal(out.data, should);
	buf_done(&out);
}

static void test_hostile_text_becomes_visible(void **state)
{
	static const struct {
		const char *bytes, *should;
	} cases[] = {
		{"Alice", "Alice"},
		{"\033[2J\033]0;owned\007", "\\x1b[2J\\x1b]0;owned\\x07"},
		{"a\nb\rc\td", "a\\nb\\rc\\td"},
		{"\x7f", "\\x7f"},
		/* C1 controls, which many terminals obey like escapes: CSI and OSC */
		{"\xc2\x9b"
		 "31m\xc2\x9d",
			"\\u009b31m\\u009d"},
		/* turning the direction: overrides, isolates, marks; line ends */
		{"\xe2\x80\xae"
		 "evil",
			"\\u202eevil"},
		{"\xe2\x80\xa8\xe2\x81\xa6", "\\u2028\\u2066"},
		{"\xef\xbb\xbf", "\\ufeff"},
		{"\xf3\xa0\x81\x81", "\\U000e0041"},
		/* not UTF-8: lone, overlong, a surrogate, past the end, cut off */
		{"\xff\xc0\xaf", "\\xff\\xc0\\xaf"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"ab\xe2\x82", "ab\\xe2\\x82"},
		/* unassigned, so of unknown width */
		{"\xf3\xb0\x80", "\\xf3\\xb0\\x80"},
		/* names as they are: joiners are part of how some are written */
		{"\xe2\x80\x8c", "\xe2\x80\x8c"},
		{"\xd8\xa7\xd9\x84 \xe7\x8e\x8b \xc3\x85",
			"\xd8\xa7\xd9\x84 \xe7\x8e\x8b \xc3\x85"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_safe(cases[i].bytes, strlen(cases[i].bytes), cases[i].should);
	assert_safe("a\0b", 3, "a\\x00b");
}

/* Every code point: what is let through takes at least no column of its own, and is no control. */
static void test_of_every_character_nothing_obeyed_is_left(void **state)
{
	(void)state;
	for (unsigned c = 1; c <= 0x10ffff; c++) {
		char bytes[5] = "";
		struct buf out;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		if (c < 0x80)
			bytes[0] = (char)c;
		else if (c < 0x800)
			snprintf(bytes, sizeof bytes, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 63));
		else if (c < 0x10000)
			snprintf(bytes, sizeof bytes, "%c%c%c", 0xe0 | c >> 12,
				0x80 | (c >> 6 & 63), 0x80 | (c & 63));
		else
			snprintf(bytes, sizeof bytes, "%c%c%c%c", 0xf0 | c >> 18,
				0x80 | (c >> 12 & 63), 0x80 | (c >> 6 & 63), 0x80 | (c & 63));
		buf_init(&out, 64);
		text_add_safe(&out, bytes, strlen(bytes));
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
			(c >= 0x2066 && c <= 0x2069))
			assert_int_equal(out.data[0], '\\');
		for (const char *p = out.data; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		/* Read again it stays: an escape is not escaped anew. */
		assert_safe(out.data, out.len, out.data);
		buf_done(&out);
	}
}

static void test_columns(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{"", 0},
		{"abc", 3},
		{"\xc3\x85ngstr\xc3\xb6m", 8},
		{"\xe7\x8e\x8b\xe4\xbc\x9f", 4},             /* two wide letters */
		{"e\xcc\x81", 1},                            /* e and a combining accent */
		{"\xe0\xa4\x86\xe0\xa4\xb6\xe0\xa4\xbe", 3}, /* as wcwidth has Devanagari */
		{"a\xe2\x80\x8d", 1},                        /* a joiner takes none */
		{"\xf0\x9f\x98\x80", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(text_width(cases[i].text, strlen(cases[i].text)), cases[i].width);
}

static void assert_fit(const char *text, size_t max, size_t bytes, size_t width)
{
	size_t is;

	assert_int_equal(text_fit(text, strlen(text), max, &is), bytes);
	assert_int_equal(is, width);
}

static void test_what_fits(void **state)
{
	(void)state;
	assert_fit("abc", 2, 2, 2);
	assert_fit("abc", 3, 3, 3);
	assert_fit("abc", 0, 0, 0);
	/* A wide letter is not cut in two. */
	assert_fit("\xe7\x8e\x8b\xe4\xbc\x9f", 3, 3, 2);
	assert_fit("\xe7\x8e\x8b\xe4\xbc\x9f", 1, 0, 0);
	/* An accent stays with its letter. */
	assert_fit("e\xcc\x81z", 1, 3, 1);
}

static void test_json_stays_the_same_document(void **state)
{
	static const char json[] =
		"{\"a\":\"\xc2\x9b"
		"31m \xe2\x80\xae \xf3\xa0\x81\x81 \\u001b \xc3\x85\x7f\",\n\t\"b\":[1]}";
	struct buf out;
	json_t *before, *after;

	(void)state;
	buf_init(&out, 4096);
	text_add_json(&out, json, sizeof json - 1);
	assert_null(strstr(out.data, "\xc2\x9b"));
	assert_null(strstr(out.data, "\xe2\x80\xae"));
	assert_null(strchr(out.data, 0x7f));
	assert_non_null(
		strstr(out.data, "\\u009b31m \\u202e \\udb40\\udc41 \\u001b \xc3\x85\\u007f"));
	before = json_loads(json, 0, NULL);
	after = json_loads(out.data, 0, NULL);
	assert_non_null(before);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	buf_done(&out);
}

static int setup(void **state)
{
	(void)state;
	text_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_becomes_visible),
		cmocka_unit_test(test_of_every_character_nothing_obeyed_is_left),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_what_fits),
		cmocka_unit_test(test_json_stays_the_same_document),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
