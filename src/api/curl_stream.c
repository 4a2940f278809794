/*
 * A body that goes by in pieces, as its taker can take them.
 *
 * libcurl is paused by its write function, and goes on within curl_easy_pause, which calls that function
 * from inside; so that is only done from the loop.
 *
 * Each stream has a connection of its own, of HTTP/1.1, closed behind it: punches would share the fate of
 * one that breaks off, and stand behind the megabytes of one that is fast. And what is paused there is
 * held back by TCP, with nothing but one piece in memory.
 */
#include "api/curl_private.h"
#include "base/clock.h"

/* A report is computed before it begins to come, in minutes where there are many people. */
#define START_TIMEOUTS 10

static struct transfer *of(void *stream)
{
	return stream;
}

static void set_deadline(struct transfer *x, int64_t timeout_ms)
{
	x->overdue_us = clock_now().mono_us + timeout_ms * 1000;
}

void stream_count(struct curl_transport *t, int change)
{
	t->stream_count += change;
	curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, transport_connections(t));
}

void stream_begin(struct transfer *x)
{
	stream_count(x->transport, 1);
	set_deadline(x, (int64_t)x->transport->timeout_ms * START_TIMEOUTS);
}

/* --- its body */

bool stream_takes_body(struct transfer *x)
{
	struct streaming *s = &x->stream;
	struct api_answer head = {.fate = API_FATE_ANSWERED, .body = ""};

	if (!s->sink || s->begun || x->body.len > 0)
		return s->begun;
	transfer_read_head(x, &head);
	s->begun = s->sink->head(x->arg, &head);
	return s->begun;
}

size_t stream_take(struct transfer *x, const char *bytes, size_t n)
{
	struct streaming *s = &x->stream;

	if (s->cancelled)
		return CURL_WRITEFUNC_ERROR;
	if (s->paused) {
		s->held = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	set_deadline(x, x->transport->timeout_ms);
	switch (s->sink->chunk(x->arg, bytes, n)) {
	case API_TAKE_MORE: return n;
	case API_TAKE_PAUSE: s->paused = true; return n;
	case API_TAKE_STOP: s->cancelled = true; break;
	}
	return CURL_WRITEFUNC_ERROR;
}

/* --- from the loop */

static bool wants_to_go_on(const struct streaming *s)
{
	return s->held && !s->paused;
}

static void tend(struct transfer *x)
{
	struct streaming *s = &x->stream;

	if (s->cancelled) {
		transfer_finish(x, CURLE_ABORTED_BY_CALLBACK);
	} else if (wants_to_go_on(s)) {
		s->held = false;
		curl_easy_pause(x->easy, CURLPAUSE_CONT);
	} else if (!s->paused && x->overdue_us <= clock_now().mono_us) {
		transfer_finish(x, CURLE_OPERATION_TIMEDOUT);
	}
}

void streams_tend(struct curl_transport *t)
{
	struct transfer *next;

	for (struct transfer *x = t->streams.next; x != &t->streams; x = next) {
		next = x->next;
		tend(x);
	}
}

int64_t streams_wait_ms(const struct curl_transport *t)
{
	int64_t now_us = clock_now().mono_us, wait_us = INT64_MAX;

	for (const struct transfer *x = t->streams.next; x != &t->streams; x = x->next) {
		const struct streaming *s = &x->stream;

		if (s->cancelled || wants_to_go_on(s))
			return 0;
		if (!s->paused && x->overdue_us - now_us < wait_us)
			wait_us = x->overdue_us - now_us;
	}
	if (wait_us == INT64_MAX)
		return -1;
	return wait_us > 0 ? (wait_us + 999) / 1000 : 0;
}

/* --- from outside */

static void come_soon(struct transfer *x)
{
	const struct api_loop *loop = &x->transport->loop;

	loop->timer(loop->arg, 0);
}

void stream_resume(struct api_transport *t, void *stream)
{
	struct transfer *x = of(stream);

	(void)t;
	x->stream.paused = false;
	set_deadline(x, x->transport->timeout_ms);
	come_soon(x);
}

void stream_cancel(struct api_transport *t, void *stream)
{
	struct transfer *x = of(stream);

	(void)t;
	x->stream.cancelled = true;
	come_soon(x);
}
