/*
 * What carries requests: libcurl in the daemon (api/curl.h), a fake world in the simulation.
 *
 * A transport promises: one submit is at most one request on the wire; each submit that returned 0
 * ends in exactly one callback, never from inside submit; the callback tells whether bytes of the
 * request can have left.
 */
#ifndef PUNCHD_API_TRANSPORT_H
#define PUNCHD_API_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"

enum api_method { API_GET, API_POST };

/* Valid only during submit: the transport copies what it needs. */
struct api_request {
	enum api_method method;
	const char *url;
	const char *authorization;   /* the header's value; NULL: nothing is sent, NEVER_LEFT */
	const char *idempotency_key; /* NULL: none */
	const char *accept;          /* NULL: application/json */
	const char *body;            /* NULL: none; JSON */
	size_t body_length;
	size_t answer_max; /* bytes of an answer's body that are read */
};

enum api_fate {
	API_FATE_ANSWERED,   /* a whole answer: status, headers, body */
	API_FATE_NEVER_LEFT, /* no byte of the request was sent */
	API_FATE_LOST,       /* bytes left, and no whole answer came */
	API_FATE_CANCELLED,  /* a stream that was cancelled, or stopped by its sink */
};

/* Header values as they came; "" where there was none. Over 128 bytes: as if it had not come. */
struct api_headers {
	char date[128];
	char limit[128];
	char remaining[128];
	char reset[128];
	char retry_after[128];
	char content_type[128];
};

/* Valid only during the callback. */
struct api_answer {
	enum api_fate fate;
	int status; /* 0: none came */
	struct api_headers headers;
	const char *body;
	size_t body_length;
	bool body_cut;           /* there was more than answer_max */
	bool body_ends_by_close; /* nothing told its length: it may have been broken off */
	const char
		*trouble; /* the transport's own words where fate is not ANSWERED; never the key */
};

typedef void api_answered(void *arg, const struct api_answer *answer);

/* Where a body goes that is not kept; arg is that of the answer's callback. */
struct api_sink {
	/* Status and headers have come, and the first bytes behind them: head has no body. Whether
	 * the body goes to the sink; else it is kept in the answer as for any other request. Not
	 * called for an answer without a body. */
	bool (*head)(void *arg, const struct api_answer *head);
	/* A piece of the body, in order. May not come back to the transport but for resume and
	 * cancel. */
	enum api_take (*chunk)(void *arg, const char *data, size_t length);
};

struct api_transport {
	/* Returns 0 or -ENOMEM. */
	int (*submit)(struct api_transport *t, const struct api_request *request,
		api_answered *answered, void *arg);
	/*
	 * As submit, with a sink for the body: over a connection of its own, and with time-outs that
	 * suit an answer that is computed for minutes. Of an answer whose body went there body is
	 * empty. NULL where the transport cannot. *ret_stream is valid until the callback.
	 */
	int (*stream)(struct api_transport *t, const struct api_request *request,
		const struct api_sink *sink, api_answered *answered, void *arg, void **ret_stream);
	/* After API_TAKE_PAUSE. Nothing is called from inside. */
	void (*resume)(struct api_transport *t, void *stream);
	/* No chunk comes any more, and the callback soon, not from inside. */
	void (*cancel)(struct api_transport *t, void *stream);
	/* Ends what runs, without callbacks for it, and frees t. */
	void (*free)(struct api_transport *t);
};

#endif
