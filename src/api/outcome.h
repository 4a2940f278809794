/*
 * What an answer of the cloud API, or its absence, means for the one request it belongs to: one row of
 * the error table each. Installed beside punch-api.h.
 */
#ifndef PUNCH_API_OUTCOME_H
#define PUNCH_API_OUTCOME_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum api_outcome {
	API_DONE,         /* 2xx with data.id (a list: 2xx with data); a 409 that proves the same */
	API_DONE_NO_ID,   /* 2xx with other JSON, or empty: done, as far as can be told (a list: an
			   * answer without a list in it, of no use) */
	API_GARBLED,      /* 2xx with anything else: something stands between us. In doubt */
	API_REFUSED,      /* 400, 404, 422 with the documented error object: definite */
	API_CONFLICT,     /* 409 without proof: a key seen before. In doubt */
	API_UNAUTHORIZED, /* 401: no valid key */
	API_FORBIDDEN,    /* 403: the key may not do this */
	API_RATE_LIMITED, /* 429 */
	API_SERVER_ERROR, /* 408, 503 and other 5xx: not done */
	API_SERVER_DOUBT, /* 500, 502, 504: the record may exist. In doubt */
	API_ROAD_FAULT, /* 3xx, 402, 405, … a 4xx without error object: the road's fault, not done */
	API_NEVER_LEFT, /* no name, refused, no TLS, given up before a byte was sent: not done */
	API_LOST,       /* bytes left and no whole answer came. In doubt */
	API_CANCELLED, /* given up by the caller, or the client was closed, while the request ran: in
			 * doubt if it had left */
};

/* Whether the record may exist although no answer says so. */
bool api_outcome_in_doubt(enum api_outcome outcome);

/* A word for logs and traces: "done", "never_left", … */
const char *api_outcome_name(enum api_outcome outcome);

#ifdef __cplusplus
}
#endif

#endif
