/* base/csv: RFC 4180, strictly; every fault with the line on which its row begins. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

#define SIZE 4096

/* All rows as text: fields in brackets, `!LINE` for a fault. */
static const char *read_n(const char *bytes, size_t n)
{
	static char out[SIZE];
	char *copy = malloc(n + 1);
	struct csv c;
	size_t at = 0;
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	copy[n] = 'x'; /* nothing may depend on it */
	csv_init(&c, copy, n);
	out[0] = '\0';
	while ((r = csv_next(&c)) != 0) {
		at += (size_t)snprintf(out + at, SIZE - at, r < 0 ? "!%ld" : "%ld", c.line);
		for (int i = 0; r > 0 && i < c.count; i++)
			at += (size_t)snprintf(out + at, SIZE - at, "[%s]", c.fields[i]);
		assert_int_equal(r < 0, c.fault != NULL);
		assert_true(r == 1 || r == -EINVAL);
		at += (size_t)snprintf(out + at, SIZE - at, " ");
	}
	free(copy);
	return out;
}

static const char *rows(const char *text)
{
	return read_n(text, strlen(text));
}

static void test_rows(void **state)
{
	(void)state;
	assert_string_equal(rows(""), "");
	assert_string_equal(rows("a"), "1[a] ");
	assert_string_equal(rows("a,b\nc,d\n"), "1[a][b] 2[c][d] ");
	assert_string_equal(rows("a,b\r\nc,d"), "1[a][b] 2[c][d] ");
	assert_string_equal(rows(",\n,a,\n"), "1[][] 2[][a][] ");
	assert_string_equal(rows("a,"), "1[a][] ");
	assert_string_equal(rows(" a , b "), "1[ a ][ b ] ");
	assert_string_equal(rows("\n\r\na\n\n\nb\n"), "3[a] 6[b] ");
	assert_string_equal(rows("\xef\xbb\xbf"
				 "a,b\n"),
		"1[a][b] ");
}

static void test_quotes(void **state)
{
	(void)state;
	assert_string_equal(rows("\"a\",\"b,c\"\n"), "1[a][b,c] ");
	assert_string_equal(rows("\"a\"\"b\",\"\"\"\",\"\"\n"), "1[a\"b][\"][] ");
	assert_string_equal(rows("\"a\nb\r\nc\",d\ne"), "1[a\nb\r\nc][d] 4[e] ");
	assert_string_equal(rows("\"a\""), "1[a] ");
}

/* One that is at fault says so, and its neighbours are read. */
static void test_faults(void **state)
{
	(void)state;
	assert_string_equal(rows("a\nb\"c,d\ne"), "1[a] !2 3[e] ");
	assert_string_equal(rows("a\n\"b\"c,d\ne"), "1[a] !2 3[e] ");
	assert_string_equal(rows("a\n\"b\" ,d\ne"), "1[a] !2 3[e] ");
	assert_string_equal(rows("a\nb\rc\nd"), "1[a] !2 3[d] ");
	assert_string_equal(rows("a\r"), "!1 ");
	assert_string_equal(rows("a\n\"b\nc\nd"), "1[a] !2 ");
	assert_string_equal(rows("\""), "!1 ");
	assert_string_equal(rows("\xff\na\n\xc3,b\n"), "!1 2[a] !3 ");
	assert_string_equal(read_n("a\0b\nc", 5), "!1 2[c] ");
	assert_string_equal(read_n("\"\0\",b\nc", 7), "!1 2[c] ");
}

static void test_as_many_fields_as_there_is_room_for(void **state)
{
	(void)state;
	assert_string_equal(rows(",,,,,,,,,,,,,,,"), "1[][][][][][][][][][][][][][][][] ");
	assert_string_equal(rows(",,,,,,,,,,,,,,,,\na"), "!1 2[a] ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_as_many_fields_as_there_is_room_for),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
