/* ctl/links_csv: a file of links in and out, faults by line. */
#include "ctl/links_csv.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/doc.h"
#include "unit.h"

static struct links_csv csv;
static char *copy;

static void read_text(const char *text)
{
	copy = strdup(text);
	assert_non_null(copy);
	assert_int_equal(links_csv_read(&csv, copy, strlen(copy)), 0);
}

static void done(void)
{
	links_csv_done(&csv);
	free(copy);
}

static void assert_row(size_t i, const char *value, const char *user_id, const char *device)
{
	const json_t *link = json_array_get(csv.links, i);

	assert_string_equal(doc_text(link, "value"), value);
	assert_string_equal(doc_text(link, "user_id"), user_id);
	assert_string_equal(doc_text(link, "device"), device);
}

static void test_columns_in_any_order(void **state)
{
	(void)state;
	read_text("\xef\xbb\xbfuser_id,device,kind,value\r\nusr_1,,pin,1\r\n\r\n"
		  "\"usr_2\",S1,slot,\"7,8\"\r\n");
	assert_int_equal(csv.faults, 0);
	assert_int_equal(json_array_size(csv.links), 2);
	assert_row(0, "1", "usr_1", "");
	assert_row(1, "7,8", "usr_2", "S1");
	assert_int_equal(csv.lines[0], 2);
	assert_int_equal(csv.lines[1], 4);
	done();
	read_text("kind,value,user_id\n");
	assert_int_equal(csv.faults, 0);
	assert_int_equal(json_array_size(csv.links), 0);
	done();
}

static void assert_told(const char *text, const char *told)
{
	read_text(text);
	if (strncmp(csv.told.data, told, strlen(told)) != 0)
		fail_msg("%s: told %s, not %s", text, csv.told.data, told);
	assert_true(csv.faults > 0);
	done();
}

static void test_faults_by_line(void **state)
{
	(void)state;
	assert_told("", "1: the file is empty");
	assert_told("\n\n", "1: the file is empty");
	assert_told("kind,value\npin,1\n", "1: this column is missing: \"user_id\"");
	assert_told("kind,value,user_id,kind\n", "1: this column is there twice: \"kind\"");
	assert_told("kind,value,user_id,name\n", "1: there is no column \"name\"");
	assert_told("kind,value,user_id, device\n", "1: there is no column \" device\"");
	assert_told("\"\n", "1: a quote is opened");
	assert_told("kind,value,user_id\n\npin,1\n", "3: there are 2 fields, and 3 columns");
	assert_told("kind,value,user_id\npin,1,usr_1\npin,2\",usr_1\npin,3\n",
		"3: a quote stands within a field that does not begin with one\n"
		"4: there are 2 fields, and 3 columns in the first line\n");
}

static void test_the_daemons_faults_find_their_lines(void **state)
{
	(void)state;
	read_text("kind,value,user_id\n\npin,\"a\nb\",usr_1\npin,2,usr_1\n");
	links_csv_tell(&csv, 0, 0, "first");
	links_csv_tell(&csv, 1, 0, "second");
	assert_string_equal(csv.told.data, "3: first\n5: second\n");
	done();
}

static void test_not_all_of_them_are_told(void **state)
{
	size_t lines = 0;

	(void)state;
	read_text("kind,value,user_id\npin,1,usr_1\n");
	for (int i = 0; i < 3000; i++)
		links_csv_tell(&csv, 0, 0, "bad");
	for (const char *p = csv.told.data; *p; p++)
		lines += *p == '\n';
	assert_int_equal(csv.faults, 3000);
	assert_int_equal(lines, 1001);
	done();
}

/* What was written reads as what it was, whatever stands in it. */
static void test_out_and_in_again(void **state)
{
	json_t *links = json_pack("[{s:s, s:s, s:n, s:s, s:s}, {s:s, s:s, s:s, s:s, s:s}]", "kind",
		"pin", "value", "a,\"b\"\r\n", "device", "user_id", "usr_1", "note", "", "kind",
		"slot", "value", " 7 ", "device", "S,1", "user_id", "usr_2", "note", "say \"x\"");
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	links_csv_write(&out, links);
	assert_int_equal(strncmp(out.data, "kind,value,user_id,device,note\r\n", 32), 0);
	read_text(out.data);
	assert_int_equal(csv.faults, 0);
	assert_row(0, "a,\"b\"\r\n", "usr_1", "");
	assert_row(1, " 7 ", "usr_2", "S,1");
	assert_string_equal(doc_text(json_array_get(csv.links, 1), "note"), "say \"x\"");
	done();
	buf_done(&out);
	json_decref(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_in_any_order),
		cmocka_unit_test(test_faults_by_line),
		cmocka_unit_test(test_the_daemons_faults_find_their_lines),
		cmocka_unit_test(test_not_all_of_them_are_told),
		cmocka_unit_test(test_out_and_in_again),
	};

	return cmocka_run_group_tests_name("links_csv", tests, NULL, NULL);
}
