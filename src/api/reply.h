/*
 * From an answer to its meaning: the error table of the API, as a pure function.
 */
#ifndef PUNCHD_API_REPLY_H
#define PUNCHD_API_REPLY_H

#include "api/api.h"
#include "api/transport.h"

/* What was asked, as far as the answer's meaning depends on it. */
enum api_call { API_CALL_ATTENDANCE, API_CALL_USERS, API_CALL_DEVICES };

/* A reply with the memory behind it. */
struct api_reading {
	struct api_reply reply;
	json_t *root; /* owned; NULL where the body was no JSON */
	char message[256];
};

/*
 * Read an answer. sent is the attendance record that was asked for, to compare the echo with; NULL
 * for lists. Never fails: what cannot be read is an outcome too.
 */
void api_reading_init(struct api_reading *r, enum api_call call, const struct api_answer *answer,
	const struct api_attendance *sent);
void api_reading_done(struct api_reading *r);

/* Seconds since 1970 of an HTTP Date in any form of RFC 9110 §5.6.7, or 0. */
int64_t api_parse_http_date(const char *text);

#endif
