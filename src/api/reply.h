/*
 * From an answer to its meaning: the error table of the API, as a pure function.
 */
#ifndef PUNCHD_API_REPLY_H
#define PUNCHD_API_REPLY_H

#include "api/api.h"
#include "api/pace.h"
#include "api/transport.h"

#define API_RECORD_ANSWER_MAX ((size_t)64 * 1024) /* also of what came in place of a report */
#define API_LIST_ANSWER_MAX   ((size_t)4 * 1024 * 1024)

/*
 * Values in one answer: what has more is not read. An empty array is two bytes of text and some
 * 160 of memory, so a cap on bytes alone would let 4 MiB of text take 350 MB.
 */
#define API_VALUES_MAX ((size_t)128 * 1024)

/* A reply with the memory behind it. Longer texts are cut (message) or taken for none (the rest).
 */
struct api_reading {
	struct api_reply reply;
	json_t *root; /* owned; NULL where the body was no JSON */
	char id[128];
	char code[128];
	char param[128];
	char message[256];
};

/* One text of a record that was asked for, to compare the echo with. */
struct api_sent {
	const char *member; /* of data; NULL: there are no more */
	const char *text;
};
#define API_SENT_MAX 5

/*
 * Read an answer. sent may be NULL. A report is read so where its body did not go to its sink, and
 * then is none. Never fails: what cannot be read is an outcome too. The reply's moments are left to
 * the caller. Pointers in it point into *r, which therefore must not be moved.
 */
void api_reading_init(struct api_reading *r, enum api_call call, const struct api_answer *answer,
	const struct api_sent *sent);
void api_reading_done(struct api_reading *r);

/* Whether an answer with this Content-Type can be a report in that form. */
bool api_report_fits(enum api_format format, const char *content_type);

/*
 * What the headers say of the rate limit. Negative numbers are no numbers. A Retry-After that is a
 * date is reckoned from the same answer's Date, and is none without that; it counts with 429 and
 * 503 alone.
 */
void api_read_rate(int status, const struct api_headers *headers, struct pace_headers *ret);

/* Seconds since 1970 of an HTTP Date in any form of RFC 9110 §5.6.7, or 0. A year of two digits
 * is in 1970–2069. */
int64_t api_parse_http_date(const char *text);

#endif
