/* api/curl over HTTP/2: streams that are refused, and connections that end, are nobody's reason to
 * send again. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curlrig.h"

/* RFC 9113 §6 and §7 */
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { MAX_CONCURRENT_STREAMS = 3 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum { NO_ERROR = 0, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, HTTP_1_1_REQUIRED = 13 };

struct frame {
	size_t length;
	unsigned char type, flags;
	unsigned stream;
	unsigned char payload[16384];
};

static bool read_frame(struct tls_conn *c, struct frame *f)
{
	unsigned char head[9];

	if (!tls_conn_read_bytes(c, head, sizeof head))
		return false;
	f->length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
	f->type = head[3];
	f->flags = head[4];
	f->stream = (unsigned)(head[5] & 0x7f) << 24 | (unsigned)head[6] << 16 |
		(unsigned)head[7] << 8 | head[8];
	if (f->length > sizeof f->payload)
		return false;
	return tls_conn_read_bytes(c, f->payload, f->length);
}

static void write_frame(struct tls_conn *c, int type, int flags, unsigned stream,
	const void *payload, size_t length)
{
	unsigned char bytes[9 + 64] = {0, 0, (unsigned char)length, (unsigned char)type,
		(unsigned char)flags, 0, 0, (unsigned char)(stream >> 8), (unsigned char)stream};

	if (length > 0)
		memcpy(bytes + 9, payload, length);
	tls_conn_write(c, bytes, 9 + length);
}

static bool read_preface(struct tls_conn *c)
{
	char preface[24];

	return tls_conn_read_bytes(c, preface, sizeof preface) &&
		memcmp(preface, "PRI * HTTP/2.0", 14) == 0;
}

static bool begin_conn(struct tls_conn *c)
{
	write_frame(c, SETTINGS, 0, 0, NULL, 0);
	return read_preface(c);
}

static bool begin_conn_of_one_stream(struct tls_conn *c)
{
	static const unsigned char one[] = {0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 1};

	write_frame(c, SETTINGS, 0, 0, one, sizeof one);
	return read_preface(c);
}

/* The next whole request; its stream, or 0 at the connection's end. */
static unsigned read_request(struct tls_conn *c)
{
	struct frame f;

	while (read_frame(c, &f)) {
		if (f.type == SETTINGS && !(f.flags & ACK))
			write_frame(c, SETTINGS, ACK, 0, NULL, 0);
		if (f.type == PING && !(f.flags & ACK))
			write_frame(c, PING, ACK, 0, f.payload, f.length);
		if (f.type == HEADERS)
			tls_conn_note(c, "HEADERS");
		if ((f.type == HEADERS || f.type == DATA) && f.flags & END_STREAM)
			return f.stream;
	}
	return 0;
}

static void begin_answer(struct tls_conn *c, unsigned stream)
{
	static const unsigned char status_200[] = {0x88}; /* RFC 7541, appendix A */

	write_frame(c, HEADERS, END_HEADERS, stream, status_200, 1);
}

static void answer(struct tls_conn *c, unsigned stream)
{
	begin_answer(c, stream);
	write_frame(c, DATA, END_STREAM, stream, "{}", 2);
}

static void reset(struct tls_conn *c, unsigned stream, unsigned char error)
{
	write_frame(c, RST_STREAM, 0, stream, (unsigned char[]){0, 0, 0, error}, 4);
}

static void go_away(struct tls_conn *c, unsigned char last_stream)
{
	write_frame(c, GOAWAY, 0, 0, (unsigned char[]){0, 0, 0, last_stream, 0, 0, 0, NO_ERROR}, 8);
}

/* --- scripts */

static void answer_all(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	for (; stream; stream = read_request(c))
		answer(c, stream);
}

static void refuse_all(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	for (; stream; stream = read_request(c))
		reset(c, stream, REFUSED_STREAM);
}

static void ask_for_http1(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	for (; stream; stream = read_request(c))
		reset(c, stream, HTTP_1_1_REQUIRED);
}

/* The first is answered; under the second the connection breaks. */
static void break_off_second(struct tls_conn *c)
{
	if (begin_conn(c))
		answer(c, read_request(c));
	read_request(c);
}

/* The same with the word that the second was not looked at. */
static void go_away_under_second(struct tls_conn *c)
{
	if (begin_conn(c))
		answer(c, read_request(c));
	if (read_request(c))
		go_away(c, 1);
}

/* Four at once, and the connection breaks under all of them. */
static void break_off_four(struct tls_conn *c)
{
	if (begin_conn(c))
		answer(c, read_request(c));
	for (int i = 0; i < 4; i++)
		if (!read_request(c))
			return;
}

/* It will answer the second, and has not looked at the third. */
static void go_away_between_two(struct tls_conn *c)
{
	unsigned second;

	if (begin_conn(c))
		answer(c, read_request(c));
	second = read_request(c);
	if (!second || !read_request(c))
		return;
	go_away(c, (unsigned char)second);
	answer(c, second);
	read_request(c);
}

static void reset_half_way(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	for (; stream; stream = read_request(c)) {
		begin_answer(c, stream);
		reset(c, stream, INTERNAL_ERROR);
	}
}

static void break_off_half_way(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	begin_answer(c, stream);
	write_frame(c, DATA, 0, stream, "{", 1);
}

static void answer_one_at_a_time(struct tls_conn *c)
{
	unsigned stream = begin_conn_of_one_stream(c) ? read_request(c) : 0;

	for (; stream; stream = read_request(c))
		answer(c, stream);
}

/* A server that drains: the stream that runs is answered, no other will be. */
static void go_away_and_answer(struct tls_conn *c)
{
	unsigned stream = begin_conn(c) ? read_request(c) : 0;

	go_away(c, 1);
	answer(c, stream);
	read_request(c);
}

static void stall(struct tls_conn *c)
{
	if (begin_conn(c))
		read_request(c);
	tls_conn_wait(c, -1);
}

static void play(tls_script *script, int64_t timeout_ms)
{
	const struct tls_server_settings settings = {
		.ca = rig.ca,
		.http2 = true,
		.script = script,
	};

	rig_serve(&settings);
	rig_new_transport(timeout_ms, 4, rig.ca_path);
}

/* --- cases */

static void test_streams_of_one_connection(void **state)
{
	struct seen seen[20] = {{.calls = 0}};

	(void)state;
	play(answer_all, LONG_MS);
	for (int i = 0; i < 20; i++)
		rig_submit(&seen[i], "many");
	rig_run_until(20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(seen[i].fate, API_FATE_ANSWERED);
		assert_int_equal(seen[i].status, 200);
		assert_string_equal(seen[i].body, "{}");
		free(seen[i].body);
	}
	assert_int_equal(tls_server_requests(rig.server), 20);
	assert_int_equal(tls_server_connections(rig.server), 1);
}

/* libcurl would try a refused stream five times more. */
static void test_refused_stream(void **state)
{
	(void)state;
	play(refuse_all, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

static void test_refused_stream_of_a_kept_connection(void **state)
{
	(void)state;
	play(refuse_all, LONG_MS);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(rig_one().fate, API_FATE_LOST);
		assert_int_equal(tls_server_requests(rig.server), i);
	}
}

static void test_http1_is_required(void **state)
{
	(void)state;
	play(ask_for_http1, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

static void test_kept_connection_breaks(void **state)
{
	(void)state;
	play(break_off_second, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 2);
}

static void test_go_away_under_a_request(void **state)
{
	(void)state;
	play(go_away_under_second, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 2);
}

/* That the third was not looked at is certain (RFC 9113 §8.7); libcurl 7.88 does not say so, and may
 * send it again by itself, as it does a refused stream. In doubt is more careful than needed. */
static void test_go_away_between_two(void **state)
{
	struct seen seen[2] = {{.calls = 0}};
	int answered = 0;

	(void)state;
	play(go_away_between_two, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	for (int i = 0; i < 2; i++)
		rig_submit(&seen[i], "two");
	rig_run_until(3);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(seen[i].calls, 1);
		answered += seen[i].fate == API_FATE_ANSWERED;
		if (seen[i].fate != API_FATE_ANSWERED)
			assert_int_equal(seen[i].fate, API_FATE_LOST);
		free(seen[i].body);
	}
	assert_int_equal(answered, 1);
	assert_int_equal(tls_server_requests(rig.server), 3);
}

static void test_answer_ends_half_way(void **state)
{
	(void)state;
	play(reset_half_way, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 2);
	play(break_off_half_way, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

/* Where a connection has no more streams there are others, but no more than may be. */
static void test_streams_are_capped(void **state)
{
	struct seen seen[20] = {{.calls = 0}};

	(void)state;
	play(answer_one_at_a_time, LONG_MS);
	for (int i = 0; i < 20; i++)
		rig_submit(&seen[i], "many");
	rig_run_until(20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(seen[i].fate, API_FATE_ANSWERED);
		free(seen[i].body);
	}
	assert_int_equal(tls_server_requests(rig.server), 20);
	assert_in_range(tls_server_most_at_once(rig.server), 1, 4);
}

static void test_connection_breaks_under_four(void **state)
{
	struct seen seen[4] = {{.calls = 0}};

	(void)state;
	play(break_off_four, LONG_MS);
	assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
	for (int i = 0; i < 4; i++)
		rig_submit(&seen[i], "four");
	rig_run_until(5);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(seen[i].calls, 1);
		assert_int_equal(seen[i].fate, API_FATE_LOST);
		free(seen[i].body);
	}
	assert_int_equal(tls_server_requests(rig.server), 5);
}

/* The next request takes another connection, and is sent once. */
static void test_drained_connection(void **state)
{
	(void)state;
	play(go_away_and_answer, LONG_MS);
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(rig_one().fate, API_FATE_ANSWERED);
		assert_int_equal(tls_server_requests(rig.server), i);
		assert_int_equal(tls_server_connections(rig.server), i);
	}
}

static void test_stall(void **state)
{
	(void)state;
	play(stall, SHORT_MS);
	assert_int_equal(rig_one().fate, API_FATE_LOST);
	assert_int_equal(tls_server_requests(rig.server), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_streams_of_one_connection),
		RIG_CASE(test_refused_stream),
		RIG_CASE(test_refused_stream_of_a_kept_connection),
		RIG_CASE(test_http1_is_required),
		RIG_CASE(test_kept_connection_breaks),
		RIG_CASE(test_go_away_under_a_request),
		RIG_CASE(test_go_away_between_two),
		RIG_CASE(test_answer_ends_half_way),
		RIG_CASE(test_streams_are_capped),
		RIG_CASE(test_connection_breaks_under_four),
		RIG_CASE(test_drained_connection),
		RIG_CASE(test_stall),
	};

	return cmocka_run_group_tests_name("curl_http2", tests, rig_begin_group, rig_end_group);
}
