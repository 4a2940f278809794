/*
 * api/curl where the road breaks: each way to break, at each byte of a request and of an answer, on a
 * new connection and on a kept one. The server counts what it was sent.
 */
#include "unit.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/reply.h"
#include "base/clock.h"
#include "curlrig.h"

/* --- a clock that leaps, for us and for libcurl: a time-out costs no time */

typedef int clock_reader(clockid_t, struct timespec *);

static _Atomic long leapt_s;

int clock_gettime(clockid_t id, struct timespec *ret)
{
	static _Atomic(clock_reader *) real;
	int r;

	if (!real) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
		clock_reader *found;

		memcpy(&found, &symbol, sizeof found);
		real = found;
	}
	r = real(id, ret);
	/* libcurl 8.14 reads the raw one */
	if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW)
		ret->tv_sec += leapt_s;
	return r;
}

/* --- what is played */

enum end {
	END_CLOSE,   /* as TLS wants it, with close_notify */
	END_CUT,     /* the TCP connection ends, and TLS says nothing */
	END_RESET,   /* by RST */
	END_SILENCE, /* until the time-out */
	END_GARBAGE, /* from there on, and then it closes */
	END_COUNT,
};

static const char *const end_names[END_COUNT] = {"close", "cut", "reset", "silence", "garbage"};

#define BODY   "{\"data\":{\"id\":\"att_1\"}}"
#define LENGTH "Content-Length: 23\r\n"
#define LINE   "HTTP/1.1 201 Created\r\n"
#define SOUND  LINE LENGTH "\r\n" BODY

/* RFC 9113 §6: an answer of 200 on the first stream, with a body of 23 bytes */
#define STREAM          "\0\0\0\1"
#define SETTINGS(flags) "\0\0\0\4" flags "\0\0\0\0"
#define HEADERS         "\0\0\1\1\4" STREAM "\x88"
#define DATA            "\0\0\x17\0\1" STREAM

#define FRAMES SETTINGS("\0") SETTINGS("\1") HEADERS DATA BODY

static const struct answer {
	const char *name, *text;
	size_t spare;    /* so many of the last bytes libcurl may do without */
	bool open_ended; /* the connection's end is the body's */
	size_t frames;   /* HTTP/2: its length; 0: the text's */
} answers[] = {
	{.name = "a body with its length", .text = SOUND},
	{.name = "chunks",
		.text = LINE "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"data\":{\r\ne\r\n"
			     "\"id\":\"att_1\"}}\r\n0\r\n\r\n",
		.spare = 2},
	{.name = "interim answers",
		.text = "HTTP/1.1 102 Processing\r\n\r\n"
			"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" SOUND},
	{.name = "a body until the end",
		.text = LINE "Connection: close\r\n\r\n" BODY,
		.open_ended = true},
	{.name = "frames", .text = FRAMES, .frames = sizeof FRAMES - 1},
};

/* One request, whose connection ends behind so many bytes: of itself, or where answer is there, of
 * that. On any further connection all goes well, so that who sends again is answered, and counted. */
static struct game {
	enum end end;
	const struct answer *answer;
	size_t offset;
	bool kept; /* there has been a request before it */
	size_t request_length;

	atomic_int connections;
	atomic_int
		begun; /* requests of which the server has read a byte, that before it left out */
	atomic_bool is_silent;
} game;

static size_t length_of(const struct answer *answer)
{
	return answer->frames ? answer->frames : strlen(answer->text);
}

/* Whether the server has said all of its answer, and its end. libcurl 7.88 takes any end for one. */
static bool is_whole(void)
{
	bool ended = !game.answer->open_ended || game.end == END_CLOSE || game.end == END_CUT;

	return ended && game.offset == length_of(game.answer);
}

static bool is_nearly_whole(void)
{
	return game.answer && game.offset + game.answer->spare >= length_of(game.answer);
}

static bool take_request(struct tls_conn *c, size_t n)
{
	char bytes[2048];

	assert_true(n < sizeof bytes);
	if (n == 0 || !tls_conn_read_bytes(c, bytes, 1))
		return n == 0;
	game.begun++;
	return tls_conn_read_bytes(c, bytes, n - 1);
}

/* Of HTTP/2: frames until one that ends the stream. */
static void take_frames(struct tls_conn *c)
{
	unsigned char head[24], payload[2048]; /* the preface is of 24 */
	bool ended = !tls_conn_read_bytes(c, head, 24);

	while (!ended && tls_conn_read_bytes(c, head, 9)) {
		size_t n = (size_t)head[1] << 8 | head[2];

		assert_true(n < sizeof payload);
		game.begun += head[3] == 1;
		ended = !tls_conn_read_bytes(c, payload, n) || (head[3] <= 1 && head[4] & 1);
	}
}

static void answer_well(struct tls_conn *c)
{
	while (take_request(c, game.request_length) && tls_conn_say(c, SOUND))
		;
}

static void talk_garbage(struct tls_conn *c)
{
	char bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + game.offset * 13);
	tls_conn_write(c, bytes, sizeof bytes);
	tls_conn_close(c);
}

static void end_conn(struct tls_conn *c)
{
	switch (game.end) {
	case END_CLOSE: tls_conn_close(c); return;
	case END_CUT: return;
	case END_RESET: tls_conn_will_reset(c); return;
	case END_SILENCE:
		game.is_silent = true;
		tls_conn_wait(c, -1);
		return;
	case END_GARBAGE: talk_garbage(c); return;
	case END_COUNT: break;
	}
	abort();
}

static void play_game(struct tls_conn *c)
{
	if (game.connections++ > 0) {
		answer_well(c);
		return;
	}
	if (game.kept) {
		take_request(c, game.request_length);
		game.begun--;
		tls_conn_say(c, SOUND);
	}
	if (game.answer && game.answer->frames)
		take_frames(c);
	else if (game.answer)
		take_request(c, game.request_length);
	else
		take_request(c, game.offset);
	if (game.answer && game.offset > 0)
		tls_conn_write(c, game.answer->text, game.offset);
	end_conn(c);
}

/* --- one request */

struct seen_here {
	enum api_fate fate;
	enum api_outcome outcome;
};

static void on_answered(void *arg, const struct api_answer *answer)
{
	struct seen_here *seen = arg;
	struct api_reading reading;

	api_reading_init(&reading, API_CALL_ATTENDANCE, answer, NULL);
	*seen = (struct seen_here){.fate = answer->fate, .outcome = reading.reply.outcome};
	api_reading_done(&reading);
	rig.done_count++;
}

static void submit(struct seen_here *seen)
{
	static const char body[] =
		"{\"user_id\":\"usr_1\",\"device_id\":\"dev_1\",\"type\":\"check_in\","
		"\"timestamp\":\"2026-02-01T08:00:00Z\"}";
	const struct api_request request = {
		.method = API_POST,
		.url = rig.url,
		.authorization = "Bearer " KEY,
		.idempotency_key = "0123456789abcdef0123456789abcdef",
		.body = body,
		.body_length = sizeof body - 1,
		.answer_max = 1024,
	};

	assert_int_equal(rig.transport->submit(rig.transport, &request, on_answered, seen), 0);
}

/* Until the request has ended; the server's silence by a leap over the time-out. */
static void run_to_the_end(int count)
{
	int64_t end_us = clock_now().mono_us + 30 * CLOCK_US_PER_S;

	while (rig.done_count < count && !game.is_silent) {
		assert_true(clock_now().mono_us < end_us);
		if (poll(rig.fds, rig.fd_count, 1) > 0 || rig.due_us <= clock_now().mono_us)
			rig_run_once();
	}
	if (game.is_silent && rig.done_count < count && !(game.answer && is_whole()))
		leapt_s += LONG_MS / 1000 + 1;
	rig_run_until(count);
}

/* The server holds so many connections, and no more. */
static void serve_when_due(bool http2)
{
	static bool is_http2;
	const struct tls_server_settings settings = {
		.ca = rig.ca, .http2 = http2, .script = play_game};

	if (rig.server && is_http2 == http2 && tls_server_connections(rig.server) <= 40)
		return;
	is_http2 = http2;
	rig_serve(&settings);
}

static struct seen_here play(bool kept, const struct answer *answer, enum end end, size_t offset)
{
	struct seen_here seen, before;

	serve_when_due(answer && answer->frames);
	game.kept = kept;
	game.answer = answer;
	game.end = end;
	game.offset = offset;
	game.connections = 0;
	game.begun = 0;
	game.is_silent = false;
	rig_new_transport(LONG_MS, 4, rig.ca_path);
	if (kept) {
		submit(&before);
		rig_run_until(1);
		assert_int_equal(before.outcome, API_DONE);
	}
	submit(&seen);
	run_to_the_end(kept ? 2 : 1);
	/* What was sent is counted before it is asked for. */
	rig.transport->free(rig.transport);
	rig.transport = NULL;
	while (tls_server_open(rig.server) > 0)
		sched_yield();
	return seen;
}

/* --- what must come of it */

static void fail_here(const struct seen_here *seen, const char *law)
{
	fail_msg("%s: %s behind %zu bytes of %s, %s connection: %d requests, fate %d, %s", law,
		end_names[game.end], game.offset, game.answer ? game.answer->name : "the request",
		game.kept ? "kept" : "new", game.begun, (int)seen->fate,
		api_outcome_name(seen->outcome));
}

/* An answer to that very request, from a connection that it had taken instead of one that ended before
 * it; or none, where it was too late for that. */
static void check_race(const struct seen_here *seen)
{
	if (game.begun > 1)
		fail_here(seen, "it was sent twice");
	if (seen->outcome != (game.begun == 1 ? API_DONE : API_LOST))
		fail_here(seen, "answered or lost");
}

static void check(const struct seen_here *seen)
{
	bool whole = game.answer && is_whole();
	enum api_outcome due = whole ? API_DONE : API_LOST;

	if (game.begun != (game.answer || game.offset > 0))
		fail_here(seen, "one submit is one request on the wire");
	if (seen->fate == API_FATE_NEVER_LEFT)
		fail_here(seen, "it has left");
	if (seen->outcome == API_GARBLED && !whole && game.answer &&
		(game.end == END_GARBAGE || game.answer->open_ended))
		return; /* for the transport it was an answer; it settles nothing */
	if (seen->outcome != due && !is_nearly_whole())
		fail_here(seen, "a whole answer settles, and nothing else does");
}

static int sweep(bool kept, const struct answer *answer, enum end end, size_t first, size_t step)
{
	size_t last = answer ? length_of(answer) : game.request_length;
	int n = 0;

	for (size_t offset = first; offset <= last; offset += step, n++) {
		struct seen_here seen = play(kept, answer, end, offset);

		if (kept && !answer && offset == 0)
			check_race(&seen);
		else
			check(&seen);
	}
	return n;
}

/* Of a request, that has little to tell, a part each day; PUNCHD_TEST_ALL is for all of it. */
static void sweep_all(bool kept)
{
	size_t step = getenv("PUNCHD_TEST_ALL") ? 1 : 8;
	size_t first = (size_t)(clock_now().wall_us / CLOCK_US_PER_S / 86400) % step;
	int n = 0;

	for (enum end end = 0; end < END_COUNT; end++) {
		n += sweep(kept, NULL, end, 0, game.request_length);
		n += sweep(kept, NULL, end, 1 + first, step);
		for (size_t i = 0; i < COUNT(answers) - kept; i++) /* the last is HTTP/2 */
			n += sweep(kept, &answers[i], end, 0, 1);
	}
	print_message("%d requests, on %s connections\n", n, kept ? "kept" : "new");
}

static void test_new_connections(void **state)
{
	(void)state;
	sweep_all(false);
}

static void test_kept_connections(void **state)
{
	(void)state;
	sweep_all(true);
}

/* --- before */

static void note_length(struct tls_conn *c)
{
	tls_conn_read(c);
	tls_conn_say(c, SOUND);
}

static int begin(void **state)
{
	struct seen_here seen;
	char *text;

	if (rig_begin_group(state) != 0)
		return -1;
	rig_play(note_length);
	submit(&seen);
	rig_run_until(1);
	text = tls_server_last(rig.server);
	game.request_length = strlen(text);
	free(text);
	return rig_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_CASE(test_new_connections),
		RIG_CASE(test_kept_connections),
	};

	return cmocka_run_group_tests_name("curl, byte by byte", tests, begin, rig_end_group);
}
