/*
 * One transport and its transfers, for the files of api/curl.
 *
 * curl.c has the life of both, curl_easy.c what one transfer asks of libcurl, curl_stream.c what goes
 * by in pieces, curl_words.c what there is to say where it failed, curl_settings.c what a transport
 * is told.
 */
#ifndef PUNCHD_API_CURL_PRIVATE_H
#define PUNCHD_API_CURL_PRIVATE_H

#include <curl/curl.h>

#include "api/curl.h"
#include "base/buf.h"

/* So long a connection may be idle. Many routers and load balancers forget one after 60 s without a
 * word: a request on it would be lost, and its punch in doubt. */
#define IDLE_S 50

/* What a stream has beside the rest of a transfer. */
struct streaming {
	const struct api_sink *sink; /* NULL: the transfer is none */
	bool begun;                  /* the body goes to the sink */
	bool paused;                 /* the sink wants no more for now */
	bool held;                   /* libcurl has been told so, and keeps a piece back */
	bool cancelled;
};

struct transfer {
	struct transfer *next, *previous;
	struct curl_transport *transport;
	CURL *easy;
	bool keyless; /* there is no authorization: nothing is sent */
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	int sends; /* how often libcurl was about to write the request */
	int64_t overdue_us;
	struct streaming stream;
	struct buf body;
	bool headers_whole; /* the empty line behind them has come */
	bool body_cut;
	api_answered *answered;
	void *arg;
};

struct curl_transport {
	struct api_transport base; /* first, so that one is the other */
	struct api_loop loop;
	CURLM *multi;
	CURLSH *sessions; /* of TLS: what a connection learnt, the next takes up */
	char *ca_file, *ca_dir, *user_agent;
	bool ca_dir_is_hashed; /* so that OpenSSL finds a CA in it */
	char *proxy;           /* NULL: the environment's */
	char *pins;            /* as libcurl wants them */
	long timeout_ms, connect_timeout_ms;
	int max_connections;
	struct transfer transfers; /* head of the ring, the oldest first */
	struct transfer streams;   /* and of that of streams */
	int stream_count;
	size_t keyless;   /* transfers that are */
	int64_t close_us; /* when idle connections are closed; 0: there are none */
};

/* Make x->easy and x->headers for a request; what there is of them on failure is x's all the same.
 * Returns 0 or -ENOMEM. */
int transfer_prepare(struct transfer *x, const struct api_request *request);

/* Returns 0, -ENOMEM, or -ENOENT / -EINVAL for a CA file that cannot be used. What was taken until then
 * is to be dropped all the same. */
int transport_take_settings(struct curl_transport *t, const struct api_curl_settings *s);
void transport_drop_settings(struct curl_transport *t);

/* Status and headers of an answer, as far as they are known now. */
void transfer_read_head(struct transfer *x, struct api_answer *ret);

/* End it: the callback is called, and x is gone. Not from inside of libcurl. */
void transfer_finish(struct transfer *x, CURLcode code);

/* So many more streams there are. */
void stream_count(struct curl_transport *t, int change);

/* It has been given to libcurl. */
void stream_begin(struct transfer *x);

/* Whether a piece of a body is for x's sink: asked of the first one. */
bool stream_takes_body(struct transfer *x);

/* What libcurl's write function returns for such a piece. */
size_t stream_take(struct transfer *x, const char *bytes, size_t n);

/* What was asked for from outside, and the streams to which nothing comes any more. Not from inside of
 * libcurl. */
void streams_tend(struct curl_transport *t);

/* When streams_tend is worth calling; -1: no need. */
int64_t streams_wait_ms(const struct curl_transport *t);

void stream_resume(struct api_transport *t, void *stream);
void stream_cancel(struct api_transport *t, void *stream);

/* So many connections there may be: each stream has one of its own. */
long transport_connections(const struct curl_transport *t);

/* Why a transfer failed: for an operator, who gets neither the key nor a proxy's password. */
const char *transfer_trouble(struct transfer *x, CURLcode code);

#endif
