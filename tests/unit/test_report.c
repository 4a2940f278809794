/*
 * A report over api/client and api/curl, against a server that plays well and badly: what comes in
 * pieces, what does not, and that a report is whole or none.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "curlrig.h"

#define HEAD(type) "HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n"
#define CSV_HEAD   HEAD("text/csv; charset=utf-8")
#define CSV        "id,name\r\nusr_1,A\r\n"
#define CHUNKED    CSV_HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define HTML       "<html>Please log in</html>"

/* --- one report */

static struct {
	struct api_client *client;
	struct api_stream *stream;
	int done;
	enum api_outcome outcome;
	int status;
	char code[64], message[256], param[64];

	char text[256]; /* the beginning of what came */
	size_t length;
	int pieces;
	enum api_take take; /* what each piece is answered with */
} got;

static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	(void)arg;
	assert_int_equal(got.done, 0);
	for (size_t i = 0; i < length; i++, got.length++)
		if (got.length < sizeof got.text - 1)
			got.text[got.length] = data[i];
	got.pieces++;
	return got.take;
}

static void on_done(void *arg, const struct api_reply *reply)
{
	(void)arg;
	got.done++;
	got.outcome = reply->outcome;
	got.status = reply->status;
	assert_null(reply->data);
	snprintf(got.code, sizeof got.code, "%s", reply->code);
	snprintf(got.message, sizeof got.message, "%s", reply->message);
	snprintf(got.param, sizeof got.param, "%s", reply->param);
	rig.done_count++;
}

static void new_client(int64_t timeout_ms)
{
	struct api_settings settings = {
		.max_in_flight = 2,
		.retry_min_ms = 1000,
		.retry_max_ms = 1000,
		.auth_retry_ms = 1000,
	};
	char base[64];

	snprintf(base, sizeof base, "https://127.0.0.1:%d/v1", tls_server_port(rig.server));
	settings.base_url = base;
	rig_new_transport(timeout_ms, 2, rig.ca_path);
	memset(&got, 0, sizeof got);
	assert_int_equal(api_client_new(&settings, NULL, rig.transport, &got.client), 0);
	assert_int_equal(api_client_set_key(got.client, KEY), 0);
}

static void ask(enum api_format format)
{
	const struct api_report_query q = {
		.start_date = "2023-01-01",
		.end_date = "2023-01-31",
		.department = "R&D, Köln",
		.format = format,
	};

	assert_int_equal(api_report_get(got.client, &q, on_chunk, on_done, NULL, &got.stream), 0);
}

static void end_client(void)
{
	api_client_free(got.client); /* and its transport */
	rig.transport = NULL;
	got.client = NULL;
}

/* One report, to its end. */
static void get(tls_script *script, enum api_format format, int64_t timeout_ms)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = script};

	rig_serve(&settings);
	new_client(timeout_ms);
	ask(format);
	rig_run_until(1);
	end_client();
	assert_int_equal(got.done, 1);
}

static int end(void **state)
{
	if (got.client)
		end_client();
	return rig_end(state);
}

/* --- what is asked, and what comes */

static void answer_csv(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, CSV_HEAD "Content-Length: 18\r\n\r\n" CSV);
	tls_conn_wait(c, -1);
}

static void test_request(void **state)
{
	char *text;

	(void)state;
	get(answer_csv, API_FORMAT_CSV, LONG_MS);
	assert_int_equal(got.outcome, API_DONE);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.text, CSV);
	text = tls_server_last(rig.server);
	assert_non_null(strstr(text,
		"GET /v1/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"
		"&department=R%26D%2C%20K%C3%B6ln&format=csv HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "\r\nAuthorization: Bearer " KEY "\r\n"));
	assert_non_null(strstr(text, "\r\nAccept: text/csv, application/json\r\n"));
	free(text);
}

static void answer_in_drops(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, HEAD("APPLICATION/JSON") "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 9; i++) {
		tls_conn_wait(c, 5);
		tls_conn_say(c, "2\r\n{}\r\n");
	}
	tls_conn_say(c, "0\r\n\r\n");
	tls_conn_wait(c, -1);
}

static void test_pieces(void **state)
{
	(void)state;
	get(answer_in_drops, API_FORMAT_JSON, LONG_MS);
	assert_int_equal(got.outcome, API_DONE);
	assert_string_equal(got.text, "{}{}{}{}{}{}{}{}{}");
	assert_true(got.pieces > 1);
}

/* --- what is no report */

static const struct {
	const char *name, *answer;
	enum api_format format;
	enum api_outcome outcome;
	const char *code, *message, *param;
} others[] = {
	{"a page", HEAD("text/html") "Content-Length: 26\r\n\r\n" HTML, API_FORMAT_CSV, API_GARBLED,
		"", "HTTP 200, text/html", ""},
	{"another form", HEAD("application/json") "Content-Length: 11\r\n\r\n{\"data\":{}}",
		API_FORMAT_PDF, API_GARBLED, "", "HTTP 200, application/json", ""},
	{"no type", "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" CSV, API_FORMAT_CSV,
		API_GARBLED, "", "HTTP 200", ""},
	{"nothing", CSV_HEAD "Content-Length: 0\r\n\r\n", API_FORMAT_CSV, API_GARBLED, "",
		"HTTP 200, text/csv; charset=utf-8", ""},
	{"an end that is none", CSV_HEAD "Connection: close\r\n\r\n" CSV, API_FORMAT_CSV,
		API_GARBLED, "", "HTTP 200, text/csv; charset=utf-8, without a length", ""},
	{"a refusal",
		"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: 65\r\n\r\n"
		"{\"error\":{\"code\":\"bad_date\",\"message\":\"no\",\"param\":\"start_date\"}}",
		API_FORMAT_CSV, API_REFUSED, "bad_date", "no", "start_date"},
	{"a refusal in the form of a report",
		"HTTP/1.1 422 No\r\nContent-Type: text/csv\r\nContent-Length: 18\r\n\r\n" CSV,
		API_FORMAT_CSV, API_ROAD_FAULT, "", "HTTP 422, text/csv", ""},
	{"403", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", API_FORMAT_CSV, API_FORBIDDEN, "",
		"HTTP 403", ""},
	{"500", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", API_FORMAT_CSV, API_SERVER_DOUBT,
		"", "HTTP 500", ""},
	{"a redirect", "HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
		API_FORMAT_CSV, API_ROAD_FAULT, "", "HTTP 302", ""},
};

static size_t other;

static void answer_other(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, others[other].answer);
	tls_conn_close(c);
}

static void test_what_is_no_report(void **state)
{
	(void)state;
	for (other = 0; other < COUNT(others); other++) {
		get(answer_other, others[other].format, LONG_MS);
		if (got.outcome != others[other].outcome || got.pieces > 0)
			fail_msg("%s: %s, %d pieces", others[other].name,
				api_outcome_name(got.outcome), got.pieces);
		assert_string_equal(got.code, others[other].code);
		assert_string_equal(got.message, others[other].message);
		assert_string_equal(got.param, others[other].param);
	}
}

static void answer_html_without_end(struct tls_conn *c)
{
	char page[1024];

	memset(page, '<', sizeof page);
	tls_conn_read(c);
	tls_conn_say(c, HEAD("text/html") "Content-Length: 99999999\r\n\r\n");
	while (tls_conn_write(c, page, sizeof page))
		;
}

/* It is read up to a cap, and not to its end. */
static void test_huge_page(void **state)
{
	(void)state;
	get(answer_html_without_end, API_FORMAT_CSV, LONG_MS);
	assert_int_equal(got.outcome, API_GARBLED);
	assert_int_equal(got.pieces, 0);
	assert_string_equal(got.message, "HTTP 200, text/html, too long");
}

/* --- cut off: behind each byte of the answer, in each way to end */

#define PLAIN_ANSWER   CSV_HEAD "Content-Length: 18\r\n\r\n" CSV
#define CHUNKED_ANSWER CHUNKED "9\r\nid,name\r\n\r\n9\r\nusr_1,A\r\n\r\n0\r\n\r\n"

static struct {
	const char *answer;
	size_t offset;
	bool reset, close;
} cut;

static void play_cut(struct tls_conn *c)
{
	if (!tls_conn_read(c))
		return;
	tls_conn_write(c, cut.answer, cut.offset);
	if (cut.reset)
		tls_conn_will_reset(c);
	else if (cut.close)
		tls_conn_close(c);
}

static void check_cut(size_t whole)
{
	if (cut.offset == whole && !cut.reset) {
		assert_int_equal(got.outcome, API_DONE);
		assert_string_equal(got.text, CSV);
	} else if (got.outcome == API_DONE ? strcmp(got.text, CSV) != 0 : got.outcome != API_LOST) {
		fail_msg("behind %zu of %zu bytes: %s, with %zu bytes", cut.offset, whole,
			api_outcome_name(got.outcome), got.length);
	}
	assert_memory_equal(got.text, CSV, got.length);
}

static void cut_everywhere(const char *answer)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = play_cut};
	size_t whole = strlen(answer);

	cut.answer = answer;
	for (cut.offset = 0; cut.offset <= whole; cut.offset++) {
		if (cut.offset % 30 == 0)
			rig_serve(&settings);
		new_client(LONG_MS);
		ask(API_FORMAT_CSV);
		rig_run_until(1);
		check_cut(whole);
		end_client();
	}
}

static void test_cut_off_at_every_byte(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		cut.reset = way == 1;
		cut.close = way == 2;
		cut_everywhere(PLAIN_ANSWER);
		cut_everywhere(CHUNKED_ANSWER);
	}
}

/* --- time */

static void compute_for_long(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, 3 * SHORT_MS);
	tls_conn_say(c, CHUNKED "9\r\nid,name\r\n\r\n");
	for (int i = 0; i < 40; i++) {
		tls_conn_wait(c, SHORT_MS / 4);
		tls_conn_say(c, "1\r\nx\r\n");
	}
	tls_conn_say(c, "0\r\n\r\n");
	tls_conn_wait(c, -1);
}

/* It may take longer to begin than another request to end, and longer to come than that. */
static void test_slow_but_going_on(void **state)
{
	(void)state;
	get(compute_for_long, API_FORMAT_CSV, SHORT_MS);
	assert_int_equal(got.outcome, API_DONE);
	assert_int_equal(got.length, 9 + 40);
}

static void stall_within(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, CHUNKED "9\r\nid,name\r\n\r\n");
	tls_conn_wait(c, -1);
}

static void test_stalls_within(void **state)
{
	int64_t begun_us = clock_now().mono_us;

	(void)state;
	get(stall_within, API_FORMAT_CSV, SHORT_MS);
	/* Not as long as it might have taken to begin. */
	assert_true(clock_now().mono_us - begun_us < 10 * SHORT_MS * 1000);
	assert_int_equal(got.outcome, API_LOST);
	assert_int_equal(got.length, 9);
}

static void stall_before(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_wait(c, -1);
}

static void test_never_begins(void **state)
{
	int64_t begun_us = clock_now().mono_us;

	(void)state;
	get(stall_before, API_FORMAT_CSV, 50);
	assert_int_equal(got.outcome, API_LOST);
	assert_true(clock_now().mono_us - begun_us >= 10 * 50 * 1000);
}

/* --- pause, stop, cancel */

#define LARGE ((size_t)8 * 1024 * 1024)

static _Atomic size_t written;

static void answer_large(struct tls_conn *c)
{
	char block[16 * 1024], head[200];

	memset(block, 'a', sizeof block);
	tls_conn_read(c);
	snprintf(head, sizeof head, CSV_HEAD "Content-Length: %zu\r\n\r\n", LARGE);
	tls_conn_say(c, head);
	for (written = 0; written < LARGE && tls_conn_write(c, block, sizeof block);)
		written += sizeof block;
	tls_conn_wait(c, -1);
}

static void begin_large(int64_t timeout_ms)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = answer_large};

	rig_serve(&settings);
	new_client(timeout_ms);
	got.take = API_TAKE_PAUSE;
	ask(API_FORMAT_CSV);
	while (got.pieces == 0)
		rig_run_once();
}

static void run_for(int64_t us)
{
	int64_t end_us = clock_now().mono_us + us;

	while (clock_now().mono_us < end_us)
		rig_run_once();
}

/* Who does not take is not sent more than the kernels hold, is not timed out, and gets all of it. */
static void test_pause_holds_the_server_back(void **state)
{
	int pieces;

	(void)state;
	begin_large(SHORT_MS);
	run_for(3 * SHORT_MS * 1000);
	api_curl_on_timer(rig.transport); /* something else is due */
	assert_int_equal(got.pieces, 1);
	assert_int_equal(got.done, 0);
	assert_true(written < LARGE);
	for (pieces = 1; pieces < 20; pieces++) {
		api_stream_resume(got.stream);
		assert_int_equal(got.pieces, pieces); /* never from inside */
		while (got.pieces == pieces)
			rig_run_once();
	}
	got.take = API_TAKE_MORE;
	api_stream_resume(got.stream);
	rig_run_until(1);
	assert_int_equal(got.outcome, API_DONE);
	assert_int_equal(got.length, LARGE);
}

static void test_stop(void **state)
{
	(void)state;
	begin_large(LONG_MS);
	got.take = API_TAKE_STOP;
	api_stream_resume(got.stream);
	rig_run_until(1);
	assert_int_equal(got.outcome, API_CANCELLED);
	assert_int_equal(got.pieces, 2);
}

static void test_cancel(void **state)
{
	struct api_status status;

	(void)state;
	begin_large(LONG_MS);
	api_stream_cancel(got.stream);
	assert_int_equal(got.done, 0);
	api_stream_resume(got.stream);
	rig_run_until(1);
	assert_int_equal(got.outcome, API_CANCELLED);
	assert_int_equal(got.pieces, 1);
	api_client_status(got.client, &status);
	assert_int_equal(status.state, API_STATE_OK);
	assert_int_equal(status.in_flight, 0);
}

static void test_cancel_before_anything(void **state)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = stall_before};

	(void)state;
	rig_serve(&settings);
	new_client(LONG_MS);
	ask(API_FORMAT_CSV);
	api_stream_cancel(got.stream);
	rig_run_until(1);
	assert_int_equal(got.outcome, API_CANCELLED);
	assert_int_equal(api_client_set_key(got.client, NULL), 0);
	ask(API_FORMAT_CSV);
	api_stream_cancel(got.stream);
	rig_run_until(2);
	assert_int_equal(got.outcome, API_CANCELLED);
	ask(API_FORMAT_CSV);
	rig_run_until(3);
	assert_int_equal(got.outcome, API_UNAUTHORIZED);
}

static void test_free_ends_it(void **state)
{
	(void)state;
	begin_large(LONG_MS);
	end_client();
	assert_int_equal(got.done, 1);
	assert_int_equal(got.outcome, API_CANCELLED);
	assert_int_equal(rig.fd_count, 0);
}

/* --- beside punches */

/* A server that would rather speak HTTP/2, where all would share one connection. */
static void test_a_connection_of_its_own(void **state)
{
	const struct tls_server_settings settings = {
		.ca = rig.ca, .http2 = true, .script = answer_csv};

	(void)state;
	rig_serve(&settings);
	new_client(LONG_MS);
	for (int i = 1; i <= 3; i++) {
		got.done = 0;
		ask(API_FORMAT_CSV);
		rig_run_until(i);
		assert_int_equal(got.outcome, API_DONE);
	}
	assert_int_equal(tls_server_count(rig.server, "format=csv HTTP/1.1\r\n"), 3);
	assert_int_equal(tls_server_connections(rig.server), 3);
	while (tls_server_open(rig.server) > 0) /* closed behind it */
		rig_run_once();
}

static void answer_large_or_punch(struct tls_conn *c)
{
	if (tls_conn_number(c) <= 2) {
		answer_large(c);
		return;
	}
	while (tls_conn_read(c))
		tls_conn_say(c,
			"HTTP/1.1 201 Created\r\nContent-Length: 23\r\n\r\n"
			"{\"data\":{\"id\":\"att_1\"}}");
}

static void on_punch(void *arg, const struct api_reply *reply)
{
	int *done = arg;

	*done += reply->outcome == API_DONE;
	rig.done_count++;
}

static void begin_two(void)
{
	const struct tls_server_settings settings = {.ca = rig.ca, .script = answer_large_or_punch};

	rig_serve(&settings);
	new_client(LONG_MS);
	got.take = API_TAKE_PAUSE;
	for (int i = 1; i <= 2; i++) {
		ask(API_FORMAT_CSV);
		while (got.pieces < i)
			rig_run_once();
	}
}

/* Two reports that nobody takes, and a punch on a client that may have two connections. */
static void test_holds_up_no_punch(void **state)
{
	const struct api_attendance punch = {
		.user_id = "usr_1",
		.device_id = "dev_1",
		.type = "check_in",
		.timestamp = "2023-01-15T10:30:00Z",
		.key = "k",
	};
	int done = 0;
	int64_t wait_us;

	(void)state;
	begin_two();
	assert_int_equal(api_client_room(got.client, API_CALL_REPORT, &wait_us), 0);
	assert_true(wait_us > 0);
	assert_true(api_client_room(got.client, API_CALL_ATTENDANCE, &wait_us) > 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(api_attendance_create(got.client, &punch, on_punch, &done), 0);
	rig_run_until(2);
	assert_int_equal(done, 2);
	assert_int_equal(got.done, 0);
}

#define CASE(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_request),
		CASE(test_pieces),
		CASE(test_what_is_no_report),
		CASE(test_huge_page),
		CASE(test_cut_off_at_every_byte),
		CASE(test_slow_but_going_on),
		CASE(test_stalls_within),
		CASE(test_never_begins),
		CASE(test_pause_holds_the_server_back),
		CASE(test_stop),
		CASE(test_cancel),
		CASE(test_cancel_before_anything),
		CASE(test_free_ends_it),
		CASE(test_a_connection_of_its_own),
		CASE(test_holds_up_no_punch),
	};

	return cmocka_run_group_tests_name("report", tests, rig_begin_group, rig_end_group);
}
