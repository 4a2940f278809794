/*
 * An answer that is written piece by piece (edge/http.h has the requests), to whoever asked and however
 * slowly he takes it. No more than HTTP_STREAM_FULL bytes wait for him: then write says so, and on_room
 * when they are gone.
 *
 * To HTTP/1.1 it goes in chunks, so that only http_stream_end makes it whole: after http_stream_fail the
 * last chunk is missing, which every client takes for what it is. A HEAD gets the head alone.
 *
 * on_gone says that he has hung up, or took nothing for HTTP_STREAM_IDLE_MS, or that the server is being
 * freed; the stream is gone with it. Neither comes from inside of a call here.
 */
#ifndef PUNCHD_EDGE_HTTP_STREAM_H
#define PUNCHD_EDGE_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "edge/http.h"

#define HTTP_STREAM_FULL    (256 * 1024)
#define HTTP_STREAM_IDLE_MS 60000

struct http_stream;

struct http_stream_events {
	void *arg;
	void (*room)(void *arg);
	void (*gone)(void *arg);
};

/* Takes the later answer over. NULL: no memory; the answer is still to be given. */
struct http_stream *http_stream_new(
	struct http_later *later, const struct http_stream_events *events);

/* The head. content_type and file, what it is to be called where it is kept (NULL: it is not said), are
 * copied. */
void http_stream_begin(
	struct http_stream *s, int status, const char *content_type, const char *file);

/* Begun, and a piece more. false: it was taken, but nothing more before room. */
bool http_stream_write(struct http_stream *s, const void *bytes, size_t n);

/* Each of these is the last call, and frees the stream: it is whole; it broke off; instead of all that,
 * before it began, an answer as in http_handle. */
void http_stream_end(struct http_stream *s);
void http_stream_fail(struct http_stream *s);
void http_stream_answer(struct http_stream *s, struct http_answer *answer);

#endif
