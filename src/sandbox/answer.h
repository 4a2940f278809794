/* Filling an exchange's answer in the API's two shapes: {"data"} and {"error"}. */
#ifndef PUNCHD_SANDBOX_ANSWER_H
#define PUNCHD_SANDBOX_ANSWER_H

#include "sandbox/exchange.h"

/* {"data": …} with "meta" unless meta is NULL; both are stolen. data NULL: no memory, so 500. */
void answer_data(struct exchange *x, int status, json_t *data, json_t *meta);

/* {"data": …} of a value that is written already. */
void answer_data_text(struct exchange *x, const struct buf *text);

/* {"error": {code, message, param, type}}; the type follows from the status. param NULL: null. */
void answer_error(struct exchange *x, int status, const char *code, const char *param,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* 500: the sandbox itself failed; the log says why. */
void answer_broken(struct exchange *x);

/* A file: text goes out as it is. content_type must be static. */
void answer_file(
	struct exchange *x, const char *content_type, const char *name, const struct buf *text);

/* Turn what is there into what the fault says: noise, half, nothing, an error, a proxy's page. */
void answer_spoil(struct exchange *x);

/* Give the answer, with its headers, to the connection; or close that. The request is gone. */
void answer_send(struct exchange *x);

#endif
