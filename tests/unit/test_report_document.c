/* report/document and report/words: what is a report, what is wrong with one that is none, and what its
 * completeness says to people. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "report/document.h"
#include "report/words.h"

#define PERIOD "\"start_date\":\"2023-01-01\",\"end_date\":\"2023-01-31\","
#define SUMMARY \
	"\"summary\":{\"total_users\":1,\"total_days\":31,\"working_days\":22," \
	"\"average_attendance\":95.45}"
#define DAYS \
	"\"present_days\":21,\"absent_days\":1,\"late_days\":2,\"early_departure_days\":3," \
	"\"attendance_percentage\":95.45"
#define USER  "{\"id\":\"usr_1\",\"name\":\"John\",\"department\":null,\"attendance\":{" DAYS "}}"
#define USERS ",\"users\":[" USER "]"
#define GOOD  "{" PERIOD SUMMARY USERS "}"

static char fault[DOCUMENT_FAULT];

static int read_text(const char *json, struct document *d)
{
	fault[0] = '\0';
	return document_read(json, strlen(json), d, fault);
}

static void test_bare_and_wrapped(void **state)
{
	static const char *const both[] = {GOOD, "{\"data\":" GOOD ",\"more\":[1]}"};
	struct document d;

	(void)state;
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_int_equal(read_text(both[i], &d), 0);
		assert_string_equal(d.start_date, "2023-01-01");
		assert_string_equal(d.end_date, "2023-01-31");
		assert_string_equal(d.department, "");
		assert_string_equal(d.generated_at, "");
		assert_int_equal(d.total_users, 1);
		assert_int_equal(d.total_days, 31);
		assert_int_equal(d.working_days, 22);
		assert_true(d.average == 95.45);
		assert_int_equal(d.count, 1);
		assert_string_equal(d.users[0].id, "usr_1");
		assert_string_equal(d.users[0].name, "John");
		assert_string_equal(d.users[0].department, "");
		assert_int_equal(d.users[0].present, 21);
		assert_int_equal(d.users[0].absent, 1);
		assert_int_equal(d.users[0].late, 2);
		assert_int_equal(d.users[0].early, 3);
		assert_true(d.users[0].percentage == 95.45);
		assert_false(d.completeness.told);
		document_done(&d);
	}
}

static void test_what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *json, *fault;
	} cases[] = {
		{"", "there is nothing to read: the report is expected as JSON"},
		{"<html>", "this is no JSON: line 1, column 1: '[' or '{' expected near '<'"},
		{"[]", "this is no report: it is no object"},
		{"{\"data\":[]}", "this is no report: it is no object"},
		{"[[[[[[[[[]]]]]]]]]", "this is no report: it nests deeper than 8"},
		{"{}", "start_date is no text of at most 4096 bytes"},
		{"{\"start_date\":\"2023-02-29\"}", "start_date is no day, YYYY-MM-DD"},
		{"{\"start_date\":\"2023-2-1\"}", "start_date is no day, YYYY-MM-DD"},
		{"{\"start_date\":\"2023-01-01\",\"start_date\":\"2023-01-01\"}",
			"this is no JSON: line 1, column 39: duplicate object key near "
			"'\"start_date\"'"},
		{"{\"start_date\":\"2023-01-01\",\"end_date\":20230131}",
			"end_date is no text of at most 4096 bytes"},
		{"{" PERIOD "\"summary\":3}", "summary is no object"},
		{"{" PERIOD "\"summary\":{\"total_users\":-1}}",
			"summary.total_users is no whole number from 0 on"},
		{"{" PERIOD SUMMARY "}", "users is no list"},
		{"{" PERIOD SUMMARY ",\"users\":[" USER ",7]}", "users[1] is no object"},
		{"{" PERIOD SUMMARY ",\"users\":[{\"id\":\"usr_1\"}]}",
			"users[0].name is no text of at most 4096 bytes"},
		{"{" PERIOD SUMMARY ",\"users\":[{\"id\":\"usr_1\",\"name\":\"J\"}]}",
			"users[0].attendance is no object"},
		{"{" PERIOD SUMMARY ",\"users\":[{\"id\":\"usr_1\",\"name\":\"J\",\"attendance\":{"
		 "\"present_days\":1.5}}]}",
			"users[0].attendance.present_days is no whole number from 0 on"},
		{"{" PERIOD SUMMARY USERS ",\"completeness\":[]}", "completeness is no object"},
		{"{" PERIOD SUMMARY USERS ",\"completeness\":{\"held\":\"many\"}}",
			"completeness.held is no whole number from 0 on"},
		{"{" PERIOD SUMMARY USERS
		 ",\"completeness\":{\"silent_terminals\":[{\"serial\":\"A\"},3]}}",
			"completeness.silent_terminals[1].serial is no text of at most 4096 bytes"},
	};
	struct document d;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_text(cases[i].json, &d), -EINVAL);
		assert_string_equal(fault, cases[i].fault);
	}
}

/* Cut off anywhere it is no report. */
static void test_cut_off(void **state)
{
	struct document d;

	(void)state;
	for (size_t n = 0; n < strlen(GOOD); n++)
		assert_int_equal(document_read(GOOD, n, &d, fault), -EINVAL);
}

/* A list of a million would take the memory of the whole machine before anything is looked at. */
static void test_too_many_values(void **state)
{
	struct document d;
	struct buf b;

	(void)state;
	buf_init(&b, DOCUMENT_BYTES_MAX);
	buf_add_char(&b, '[');
	for (int i = 0; i < 1000001; i++)
		buf_add_str(&b, "1,");
	buf_add_str(&b, "1]");
	assert_int_equal(document_read(b.data, b.len, &d, fault), -EINVAL);
	assert_string_equal(fault, "this has more than 1000000 values");
	buf_done(&b);
}

/* ---- completeness */

static void add_line(void *arg, const char *line)
{
	buf_addf(arg, "%s\n", line);
}

static void assert_words(const char *completeness, const char *words)
{
	struct document d;
	struct buf json, said;

	buf_init(&json, 65536);
	buf_init(&said, 65536);
	buf_addf(&json,
		"{\"generated_at\":\"2023-02-01T08:00:00Z\"," PERIOD SUMMARY USERS
		",\"completeness\":{%s}}",
		completeness);
	assert_int_equal(read_text(json.data, &d), 0);
	assert_true(d.completeness.told);
	words_completeness(&d, add_line, &said);
	assert_string_equal(said.data, words);
	document_done(&d);
	buf_done(&json);
	buf_done(&said);
}

static void test_words(void **state)
{
	(void)state;
	assert_words("", "Every punch that the gateway knows of is counted and delivered.\n");
	assert_words("\"held\":1,\"queued\":0,\"users_synced_at\":null",
		"1 punch is held until something is known or decided; it is not counted.\n"
		"The list of people has never been read whole from the cloud.\n");
	assert_words(
		"\"held\":2,\"parked\":1,\"queued\":7,\"in_doubt\":1,\"unlisted\":1,"
		"\"complete_from\":\"2023-01-10\",\"users_synced_at\":\"2023-02-01T01:00:00Z\","
		"\"silent_terminals\":[{\"serial\":\"A-1\",\"since\":\"2023-01-20T12:34:56Z\"},"
		"{\"serial\":\"B-2\",\"since\":null}]",
		"2 punches are held until something is known or decided; they are not counted.\n"
		"1 punch is parked for a person to look at; it is not counted.\n"
		"1 punch is of somebody who is not in the list of people; it is not counted.\n"
		"Terminal A-1 has been silent since 2023-01-20 12:34 UTC: what it has stored is "
		"missing here.\n"
		"Terminal B-2 has been silent since before the gateway started: what it has stored "
		"is missing here.\n"
		"Days before 2023-01-10 may lack punches: the gateway was not there yet, or does "
		"not keep them any more.\n"
		"7 punches are counted, but still on their way to the cloud.\n"
		"1 punch may be in the cloud or not: the answer was lost, it will be settled.\n"
		"The list of people was read from the cloud at 2023-02-01 01:00 UTC (7 hours "
		"before this report).\n");
}

/* A site with a hundred dead terminals still has a report. */
static void test_many_silent_terminals(void **state)
{
	struct buf list, said;
	struct document d;
	const char *last;

	(void)state;
	buf_init(&list, 65536);
	buf_init(&said, 65536);
	buf_add_str(&list, "{" PERIOD SUMMARY USERS ",\"completeness\":{\"silent_terminals\":[");
	for (int i = 0; i < 100; i++)
		buf_addf(&list, "%s{\"serial\":\"T%d\"}", i ? "," : "", i);
	buf_add_str(&list, "]}}");
	assert_int_equal(read_text(list.data, &d), 0);
	words_completeness(&d, add_line, &said);
	last = strstr(said.data, "Terminal T7 ");
	assert_non_null(last);
	assert_non_null(strstr(last, "\n92 more terminals are silent.\n"));
	assert_null(strstr(said.data, "Terminal T8 "));
	document_done(&d);
	buf_done(&list);
	buf_done(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare_and_wrapped),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_many_silent_terminals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
