/* api/reply: every row of the error table, bodies of every kind, rate headers, HTTP dates. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/reply.h"

#define ERROR_BODY \
	"{\"error\":{\"code\":\"invalid_request\",\"message\":\"no such user\"," \
	"\"param\":\"user_id\",\"type\":\"validation_error\"}}"
#define RECORD \
	"\"user_id\":\"usr_1\",\"device_id\":\"dev_1\",\"type\":\"check_in\"," \
	"\"timestamp\":\"2023-01-15T10:30:00Z\""
#define DONE_BODY "{\"data\":{\"id\":\"att_7\"," RECORD "}}"
#define HTML      "<html><body>Please log in</body></html>"
#define USERS_BODY \
	"{\"data\":[{\"id\":\"usr_1\"}],\"meta\":{\"total\":1,\"limit\":100,\"offset\":0}}"

static const struct api_sent record[API_SENT_MAX] = {
	{"user_id", "usr_1"},
	{"device_id", "dev_1"},
	{"type", "check_in"},
	{"timestamp", "2023-01-15T10:30:00Z"},
};

static struct api_answer answer_of(int status, const char *body)
{
	return (struct api_answer){
		.fate = API_FATE_ANSWERED,
		.status = status,
		.body = body,
		.body_length = strlen(body),
	};
}

static enum api_outcome outcome_of(enum api_call call, const struct api_answer *answer)
{
	struct api_reading r;
	enum api_outcome outcome;

	api_reading_init(&r, call, answer, call == API_CALL_ATTENDANCE ? record : NULL);
	outcome = r.reply.outcome;
	api_reading_done(&r);
	return outcome;
}

struct row {
	int status;
	const char *body;
	enum api_outcome outcome;
};

static void check_rows(enum api_call call, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct api_answer answer = answer_of(rows[i].status, rows[i].body);
		enum api_outcome outcome = outcome_of(call, &answer);

		if (outcome != rows[i].outcome)
			fail_msg("%d %s: %s, expected %s", rows[i].status, rows[i].body,
				api_outcome_name(outcome), api_outcome_name(rows[i].outcome));
	}
}

#define CHECK(call, rows) check_rows(call, rows, sizeof rows / sizeof rows[0])

static void test_success(void **state)
{
	static const struct row rows[] = {
		{200, DONE_BODY, API_DONE},
		{201, DONE_BODY, API_DONE},
		{299, "{\"data\":{\"id\":\"att_7\"}}", API_DONE},
		{200, "", API_DONE_NO_ID},
		{204, "", API_DONE_NO_ID},
		{200, " \r\n\t", API_DONE_NO_ID},
		{200, "{}", API_DONE_NO_ID},
		{200, "[]", API_DONE_NO_ID},
		{200, "\"ok\"", API_DONE_NO_ID},
		{200, "null", API_DONE_NO_ID},
		{200, "{\"data\":null}", API_DONE_NO_ID},
		{200, "{\"data\":[{\"id\":\"att_7\"}]}", API_DONE_NO_ID},
		{200, "{\"data\":{\"id\":\"\"}}", API_DONE_NO_ID},
		{200, "{\"data\":{\"id\":7}}", API_DONE_NO_ID},
		{200, "{\"id\":\"att_7\"}", API_DONE_NO_ID},
		{200, HTML, API_GARBLED},
		{200, "OK", API_GARBLED},
		{200, "{\"data\":{\"id\":\"att_7\"", API_GARBLED},
		{200, DONE_BODY "x", API_GARBLED},
		{200, "{\"data\":{\"id\":\"att_\xff\"}}", API_GARBLED},
	};

	(void)state;
	CHECK(API_CALL_ATTENDANCE, rows);
}

static void test_refusal(void **state)
{
	static const struct row rows[] = {
		{400, ERROR_BODY, API_REFUSED},
		{404, ERROR_BODY, API_REFUSED},
		{422, ERROR_BODY, API_REFUSED},
		{422, "{\"error\":{\"code\":\"x\"}}", API_REFUSED},
		{400, "", API_ROAD_FAULT},
		{404, HTML, API_ROAD_FAULT},
		{422, "{}", API_ROAD_FAULT},
		{422, "{\"error\":\"invalid\"}", API_ROAD_FAULT},
		{422, "{\"error\":{}}", API_ROAD_FAULT},
		{422, "{\"error\":{\"code\":400}}", API_ROAD_FAULT},
		{422, "{\"error\":{\"message\":\"bad\"}}", API_ROAD_FAULT},
		{400, "{\"error\":{\"code\":\"invalid_request\"", API_ROAD_FAULT},
	};

	(void)state;
	CHECK(API_CALL_ATTENDANCE, rows);
}

static void test_conflict(void **state)
{
	static const struct row rows[] = {
		{409, DONE_BODY, API_DONE},
		{409, "{\"error\":{\"code\":\"duplicate\"}}", API_DONE},
		{409, "{\"error\":{\"code\":\"already_exists\"}}", API_DONE},
		{409, ERROR_BODY, API_CONFLICT},
		{409, "", API_CONFLICT},
		{409, HTML, API_CONFLICT},
		{409, "{\"data\":{}}", API_CONFLICT},
		{409, "{\"error\":{\"code\":\"duplicate_request\"}}", API_CONFLICT},
	};

	(void)state;
	CHECK(API_CALL_ATTENDANCE, rows);
}

static void test_statuses_that_need_no_body(void **state)
{
	static const struct {
		int status;
		enum api_outcome outcome;
	} rows[] = {
		{401, API_UNAUTHORIZED},
		{403, API_FORBIDDEN},
		{429, API_RATE_LIMITED},
		{408, API_SERVER_ERROR},
		{500, API_SERVER_DOUBT},
		{501, API_SERVER_ERROR},
		{502, API_SERVER_DOUBT},
		{503, API_SERVER_ERROR},
		{504, API_SERVER_DOUBT},
		{599, API_SERVER_ERROR},
		{600, API_ROAD_FAULT},
		{999, API_ROAD_FAULT},
		{0, API_ROAD_FAULT},
		{101, API_ROAD_FAULT},
		{199, API_ROAD_FAULT},
		{300, API_ROAD_FAULT},
		{301, API_ROAD_FAULT},
		{302, API_ROAD_FAULT},
		{304, API_ROAD_FAULT},
		{307, API_ROAD_FAULT},
		{308, API_ROAD_FAULT},
		{402, API_ROAD_FAULT},
		{405, API_ROAD_FAULT},
		{407, API_ROAD_FAULT},
		{410, API_ROAD_FAULT},
		{413, API_ROAD_FAULT},
		{415, API_ROAD_FAULT},
		{418, API_ROAD_FAULT},
		{451, API_ROAD_FAULT},
	};
	static const char *const bodies[] = {"", HTML, ERROR_BODY, DONE_BODY};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t j = 0; j < sizeof bodies / sizeof bodies[0]; j++) {
			const struct row row = {rows[i].status, bodies[j], rows[i].outcome};

			check_rows(API_CALL_ATTENDANCE, &row, 1);
			check_rows(API_CALL_USERS, &row, 1);
		}
	}
}

static void test_lists(void **state)
{
	static const struct row rows[] = {
		{200, USERS_BODY, API_DONE},
		{200, "{\"data\":[]}", API_DONE},
		{200, "{\"data\":{\"id\":\"usr_1\"}}", API_DONE_NO_ID},
		{200, "{}", API_DONE_NO_ID},
		{200, "", API_DONE_NO_ID},
		{200, HTML, API_GARBLED},
		{404, ERROR_BODY, API_REFUSED},
		{404, HTML, API_ROAD_FAULT},
		{409, "{\"error\":{\"code\":\"duplicate\"}}", API_ROAD_FAULT},
	};

	(void)state;
	CHECK(API_CALL_USERS, rows);
	CHECK(API_CALL_DEVICES, rows);
}

/* As for punches, but that somebody else may "already exist". */
static void test_users_made(void **state)
{
	static const struct row rows[] = {
		{201, "{\"data\":{\"id\":\"usr_1\"}}", API_DONE},
		{200, "{\"data\":[{\"id\":\"usr_1\"}]}", API_DONE_NO_ID},
		{200, "", API_DONE_NO_ID},
		{200, HTML, API_GARBLED},
		{422, ERROR_BODY, API_REFUSED},
		{409, "{\"data\":{\"id\":\"usr_1\"}}", API_DONE},
		{409, "{\"error\":{\"code\":\"duplicate\"}}", API_CONFLICT},
		{409, "{\"error\":{\"code\":\"already_exists\"}}", API_CONFLICT},
		{409, "", API_CONFLICT},
	};

	(void)state;
	CHECK(API_CALL_USER_CREATE, rows);
}

/* One that went to its sink is not read here. */
static void test_no_reports(void **state)
{
	static const struct row rows[] = {
		{200, "{\"data\":{\"report_id\":\"rep_1\"}}", API_GARBLED},
		{200, "", API_GARBLED},
		{200, HTML, API_GARBLED},
		{422, ERROR_BODY, API_REFUSED},
		{404, HTML, API_ROAD_FAULT},
		{409, "", API_ROAD_FAULT},
		{403, "", API_FORBIDDEN},
	};

	(void)state;
	CHECK(API_CALL_REPORT, rows);
}

static void test_types_of_reports(void **state)
{
	(void)state;
	assert_true(api_report_fits(API_FORMAT_JSON, "application/json"));
	assert_true(api_report_fits(API_FORMAT_JSON, "Application/JSON; charset=utf-8"));
	assert_true(api_report_fits(API_FORMAT_CSV, "text/csv;header=present"));
	assert_true(api_report_fits(API_FORMAT_CSV, "application/csv"));
	assert_true(api_report_fits(API_FORMAT_CSV, "application/octet-stream"));
	assert_true(api_report_fits(API_FORMAT_PDF, "application/pdf"));
	assert_true(api_report_fits(API_FORMAT_PDF, "application/octet-stream"));
	assert_false(api_report_fits(API_FORMAT_JSON, ""));
	assert_false(api_report_fits(API_FORMAT_JSON, "application/octet-stream"));
	assert_false(api_report_fits(API_FORMAT_JSON, "application/json5"));
	assert_false(api_report_fits(API_FORMAT_CSV, "text/html"));
	assert_false(api_report_fits(API_FORMAT_CSV, "text"));
	assert_false(api_report_fits(API_FORMAT_PDF, "text/csv"));
	assert_false(api_report_fits((enum api_format)9, "text/csv"));
}

static void test_no_answer(void **state)
{
	struct api_answer answer = {.fate = API_FATE_NEVER_LEFT, .trouble = "refused"};
	struct api_reading r;

	(void)state;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.outcome, API_NEVER_LEFT);
	assert_string_equal(r.reply.message, "refused");
	assert_int_equal(r.reply.status, 0);
	api_reading_done(&r);
	answer = (struct api_answer){.fate = API_FATE_LOST};
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.outcome, API_LOST);
	assert_string_equal(r.reply.message, "");
	api_reading_done(&r);
	answer = (struct api_answer){.fate = API_FATE_CANCELLED};
	api_reading_init(&r, API_CALL_REPORT, &answer, NULL);
	assert_int_equal(r.reply.outcome, API_CANCELLED);
	api_reading_done(&r);
}

static void test_members_of_a_reply(void **state)
{
	struct api_answer answer = answer_of(422, ERROR_BODY);
	struct api_reading r;

	(void)state;
	snprintf(answer.headers.date, sizeof answer.headers.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.status, 422);
	assert_string_equal(r.reply.code, "invalid_request");
	assert_string_equal(r.reply.message, "no such user");
	assert_string_equal(r.reply.param, "user_id");
	assert_string_equal(r.reply.id, "");
	assert_null(r.reply.data);
	assert_int_equal(r.reply.date_s, 784111777);
	api_reading_done(&r);

	answer = answer_of(200, USERS_BODY);
	api_reading_init(&r, API_CALL_USERS, &answer, NULL);
	assert_int_equal(json_array_size(r.reply.data), 1);
	assert_int_equal(json_integer_value(json_object_get(r.reply.meta, "total")), 1);
	assert_int_equal(r.reply.date_s, 0);
	assert_string_equal(r.reply.message, "");
	api_reading_done(&r);

	answer = answer_of(201, DONE_BODY);
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_string_equal(r.reply.id, "att_7");
	assert_false(r.reply.echo_differs);
	api_reading_done(&r);
}

/* data of an error is nobody's record. */
static void test_no_data_without_success(void **state)
{
	struct api_answer answer = answer_of(500, DONE_BODY);
	struct api_reading r;

	(void)state;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_null(r.reply.data);
	assert_false(r.reply.echo_differs);
	api_reading_done(&r);
}

static int64_t created(int status, const char *member)
{
	char body[512];
	struct api_answer answer;
	struct api_reading r;
	int64_t created_s;

	snprintf(body, sizeof body, "{\"data\":{\"id\":\"att_1\"%s}}", member);
	answer = answer_of(status, body);
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	created_s = r.reply.created_s;
	api_reading_done(&r);
	return created_s;
}

static void test_when_it_was_made(void **state)
{
	(void)state;
	assert_int_equal(created(201, ",\"created_at\":\"2023-01-15T10:30:00Z\""), 1673778600);
	assert_int_equal(created(201, ",\"created_at\":\"2023-01-15T10:30:00.9Z\""), 1673778600);
	assert_int_equal(created(201, ""), 0);
	assert_int_equal(created(201, ",\"created_at\":1673778600"), 0);
	assert_int_equal(created(201, ",\"created_at\":\"2023-01-15T10:30:00\""), 0);
	/* A 409 is no send's own answer. */
	assert_int_equal(created(409, ",\"created_at\":\"2023-01-15T10:30:00Z\""), 0);
}

static bool differs(const char *members)
{
	char body[512];
	struct api_answer answer;
	struct api_reading r;
	bool result;

	snprintf(body, sizeof body, "{\"data\":{\"id\":\"att_1\"%s}}", members);
	answer = answer_of(200, body);
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.outcome, API_DONE);
	result = r.reply.echo_differs;
	api_reading_done(&r);
	return result;
}

static void test_echo(void **state)
{
	(void)state;
	assert_false(differs(""));
	assert_false(differs("," RECORD));
	assert_false(differs(",\"timestamp\":\"2023-01-15T10:30:00.000Z\""));
	assert_false(differs(",\"timestamp\":\"2023-01-15T16:00:00+05:30\""));
	assert_true(differs(",\"timestamp\":\"2023-01-15T10:30:01Z\""));
	assert_true(differs(",\"timestamp\":\"2023-01-15T10:30:00\""));
	assert_true(differs(",\"timestamp\":1673778600"));
	assert_true(differs(",\"timestamp\":\"now\""));
	assert_true(differs(",\"user_id\":\"usr_2\""));
	assert_true(differs(",\"user_id\":1"));
	assert_true(differs(",\"user_id\":null"));
	assert_true(differs(",\"device_id\":\"dev_2\""));
	assert_true(differs(",\"type\":\"check_out\""));
}

static void test_echo_of_a_user(void **state)
{
	static const struct api_sent user[API_SENT_MAX] = {
		{"name", "Zoë"}, {"email", "zoe@example.com"}, {"phone", "+919876543210"}};
	static const struct {
		const char *body;
		bool differs;
	} rows[] = {
		{"{\"data\":{\"id\":\"usr_1\"}}", false},
		{"{\"data\":{\"id\":\"usr_1\",\"name\":\"Zoë\",\"email\":\"Zoe@Example.com\","
		 "\"phone\":\"+919876543210\",\"department\":\"x\"}}",
			false},
		{"{\"data\":{\"id\":\"usr_1\",\"name\":\"Zoe\"}}", true},
		{"{\"data\":{\"id\":\"usr_1\",\"email\":\"zoe@example.org\"}}", true},
		{"{\"data\":{\"id\":\"usr_1\",\"phone\":\"+919876543211\"}}", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct api_answer answer = answer_of(201, rows[i].body);
		struct api_reading r;

		api_reading_init(&r, API_CALL_USER_CREATE, &answer, user);
		assert_int_equal(r.reply.outcome, API_DONE);
		assert_string_equal(r.reply.id, "usr_1");
		assert_int_equal(r.reply.echo_differs, rows[i].differs);
		api_reading_done(&r);
	}
}

/* A 409 that carries the record of another body is done by the table; that it differs is told. */
static void test_echo_of_a_conflict(void **state)
{
	struct api_answer answer = answer_of(
		409, "{\"data\":{\"id\":\"att_1\",\"user_id\":\"usr_2\"}}");
	struct api_reading r;

	(void)state;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.outcome, API_DONE);
	assert_string_equal(r.reply.id, "att_1");
	assert_true(r.reply.echo_differs);
	assert_null(r.reply.data);
	api_reading_done(&r);
}

static void test_body_that_was_cut(void **state)
{
	struct api_answer answer = answer_of(200, DONE_BODY);
	struct api_reading r;

	(void)state;
	answer.body_cut = true;
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_GARBLED);
	/* What it shows of the record is told all the same. */
	answer = answer_of(200, "{\"data\":{\"id\":\"att_9\",\"user_");
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(r.reply.outcome, API_GARBLED);
	assert_string_equal(r.reply.id, "att_9");
	assert_int_equal(r.reply.created_s, 0);
	api_reading_done(&r);
	answer = answer_of(422, ERROR_BODY);
	answer.body_cut = true;
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_ROAD_FAULT);
	answer = answer_of(200, "");
	answer.body_cut = true;
	/* Blank as far as it was read, and yet not empty. */
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_GARBLED);
}

/* What came of it is enough, or is not. */
static void test_body_that_may_have_been_broken_off(void **state)
{
	struct api_answer answer = answer_of(201, DONE_BODY);

	(void)state;
	answer.body_ends_by_close = true;
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_DONE);
	answer = answer_of(201, "");
	answer.body_ends_by_close = true;
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_GARBLED);
	answer = answer_of(401, "");
	answer.body_ends_by_close = true;
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_UNAUTHORIZED);
}

static char *repeated(const char *head, const char *unit, size_t n, const char *tail)
{
	size_t size = strlen(head) + n * strlen(unit) + strlen(tail) + 1, length;
	char *text = malloc(size);
	FILE *f;

	assert_non_null(text);
	f = fmemopen(text, size, "w");
	fputs(head, f);
	for (size_t i = 0; i < n; i++)
		fputs(unit, f);
	fputs(tail, f);
	length = (size_t)ftell(f);
	fclose(f);
	assert_int_equal(length, size - 1);
	return text;
}

/* 4 MiB of empty arrays would take 350 MB as values: what has too many is not read. */
static void test_too_many_values(void **state)
{
	char *few = repeated("{\"data\":[0", ",0", API_VALUES_MAX - 4, "]}");
	char *many = repeated("{\"data\":[[]", ",[]", API_VALUES_MAX, "]}");
	char *deep = repeated("", "[", 100000, "");
	struct api_answer answer = answer_of(200, few);

	(void)state;
	assert_int_equal(outcome_of(API_CALL_USERS, &answer), API_DONE);
	answer = answer_of(200, many);
	assert_int_equal(outcome_of(API_CALL_USERS, &answer), API_GARBLED);
	answer = answer_of(200, deep);
	assert_int_equal(outcome_of(API_CALL_USERS, &answer), API_GARBLED);
	free(few);
	free(many);
	free(deep);
}

static void test_long_members(void **state)
{
	char *message = repeated("{\"error\":{\"code\":\"c\",\"message\":\"x", "ä", 200, "\"}}");
	char *code = repeated("{\"error\":{\"code\":\"", "c", 200, "\"}}");
	char *id = repeated("{\"data\":{\"id\":\"", "7", 200, "\"}}");
	struct api_answer answer = answer_of(400, message);
	struct api_reading r;

	(void)state;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(strlen(r.reply.message), 255); /* x and 127 whole characters */
	assert_memory_equal(r.reply.message + 253, "ä", 3);
	api_reading_done(&r);
	answer = answer_of(400, code);
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_ROAD_FAULT);
	answer = answer_of(200, id);
	assert_int_equal(outcome_of(API_CALL_ATTENDANCE, &answer), API_DONE_NO_ID);
	free(message);
	free(code);
	free(id);
}

/* An even cut falls into a character: the whole of it goes. */
static void test_cut_inside_a_character(void **state)
{
	char *message = repeated("{\"error\":{\"code\":\"c\",\"message\":\"", "ä", 200, "\"}}");
	struct api_answer answer = answer_of(400, message);
	struct api_reading r;

	(void)state;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_int_equal(strlen(r.reply.message), 254);
	api_reading_done(&r);
	free(message);
}

static void test_words_where_the_api_gave_none(void **state)
{
	struct api_answer answer = answer_of(502, HTML);
	struct api_reading r;

	(void)state;
	snprintf(answer.headers.content_type, sizeof answer.headers.content_type, "text/html");
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_string_equal(r.reply.message, "HTTP 502, text/html");
	api_reading_done(&r);
	answer.headers.content_type[0] = '\0';
	answer.body_cut = true;
	api_reading_init(&r, API_CALL_ATTENDANCE, &answer, record);
	assert_string_equal(r.reply.message, "HTTP 502, too long");
	api_reading_done(&r);
}

/* --- headers */

static struct pace_headers rate_of(int status, const char *date, const char *limit,
	const char *remaining, const char *reset, const char *retry_after)
{
	struct api_headers h = {.date = ""};
	struct pace_headers ret;

	snprintf(h.date, sizeof h.date, "%s", date);
	snprintf(h.limit, sizeof h.limit, "%s", limit);
	snprintf(h.remaining, sizeof h.remaining, "%s", remaining);
	snprintf(h.reset, sizeof h.reset, "%s", reset);
	snprintf(h.retry_after, sizeof h.retry_after, "%s", retry_after);
	api_read_rate(status, &h, &ret);
	return ret;
}

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void test_rate_headers(void **state)
{
	struct pace_headers h = rate_of(200, DATE, "100", "42", "784111800", "");

	(void)state;
	assert_int_equal(h.date_s, 784111777);
	assert_int_equal(h.limit, 100);
	assert_int_equal(h.remaining, 42);
	assert_int_equal(h.reset_s, 784111800);
	assert_int_equal(h.retry_after_s, -1);
}

static void test_rate_headers_that_are_nonsense(void **state)
{
	static const char *const texts[] = {
		"", "-1", "1.5", "99999999999999999999", "42, 100", "lots", "0x10", " 7"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct pace_headers h = rate_of(
			429, "yesterday", texts[i], texts[i], texts[i], texts[i]);

		assert_int_equal(h.date_s, -1);
		assert_int_equal(h.limit, -1);
		assert_int_equal(h.remaining, -1);
		assert_int_equal(h.reset_s, -1);
		assert_int_equal(h.retry_after_s, -1);
	}
}

static int64_t retry_after_of(int status, const char *date, const char *retry_after)
{
	return rate_of(status, date, "", "", "", retry_after).retry_after_s;
}

static void test_retry_after(void **state)
{
	(void)state;
	assert_int_equal(retry_after_of(429, DATE, "30"), 30);
	assert_int_equal(retry_after_of(503, "", "30"), 30);
	assert_int_equal(retry_after_of(429, DATE, "Sun, 06 Nov 1994 08:50:07 GMT"), 30);
	assert_int_equal(retry_after_of(429, DATE, "Sun, 06 Nov 1994 08:49:00 GMT"), 0);
	assert_int_equal(retry_after_of(429, "", "Sun, 06 Nov 1994 08:50:07 GMT"), -1);
	/* With these it means something else, or nothing. */
	assert_int_equal(retry_after_of(200, DATE, "30"), -1);
	assert_int_equal(retry_after_of(301, DATE, "30"), -1);
	assert_int_equal(retry_after_of(401, DATE, "30"), -1);
}

static void test_http_dates(void **state)
{
	(void)state;
	assert_int_equal(api_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
	assert_int_equal(api_parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
	assert_int_equal(api_parse_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
	assert_int_equal(api_parse_http_date("Wed Nov 16 08:49:37 1994"), 784975777);
	assert_int_equal(api_parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800);
	assert_int_equal(api_parse_http_date("Friday, 01-Jan-27 00:00:00 GMT"), 1798761600);
	assert_int_equal(api_parse_http_date("Thursday, 01-Jan-70 00:00:01 GMT"), 1);
}

static void test_what_is_no_http_date(void **state)
{
	static const char *const texts[] = {
		"",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Thu, 29 Feb 2023 00:00:00 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1969 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov  6 08:49:37 94",
		"1994-11-06T08:49:37Z",
		"784111777",
		"S",
		",",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (api_parse_http_date(texts[i]) != 0)
			fail_msg("taken for a date: %s", texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_statuses_that_need_no_body),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_users_made),
		cmocka_unit_test(test_no_reports),
		cmocka_unit_test(test_types_of_reports),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_members_of_a_reply),
		cmocka_unit_test(test_no_data_without_success),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_of_a_user),
		cmocka_unit_test(test_echo_of_a_conflict),
		cmocka_unit_test(test_body_that_was_cut),
		cmocka_unit_test(test_when_it_was_made),
		cmocka_unit_test(test_body_that_may_have_been_broken_off),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_long_members),
		cmocka_unit_test(test_cut_inside_a_character),
		cmocka_unit_test(test_words_where_the_api_gave_none),
		cmocka_unit_test(test_rate_headers),
		cmocka_unit_test(test_rate_headers_that_are_nonsense),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_http_dates),
		cmocka_unit_test(test_what_is_no_http_date),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
