/*
 * The report's document: what GET /reports/attendance of the cloud API answers (CLOUD-API.md), and with
 * it, where a gateway computed it, how complete it is. It is read whole and checked before anything is
 * drawn, so that input at fault never makes half a file.
 */
#ifndef PUNCHD_REPORT_DOCUMENT_H
#define PUNCHD_REPORT_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_BYTES_MAX (16 * 1024 * 1024) /* some 70,000 people */
#define DOCUMENT_FAULT     200

struct document_user {
	const char *id, *name, *department; /* department "": none */
	int64_t present, absent, late, early;
	double percentage;
};

struct document_terminal {
	const char *serial;
	const char *since; /* "": not known */
};

/* A number that the document does not tell is -1, a text "". */
struct document_completeness {
	bool told;
	int64_t queued, held, parked, in_doubt, unlisted;
	bool users_synced_told; /* false, or true with an empty users_synced_at: never */
	const char *users_synced_at;
	const char *complete_from;
	struct document_terminal *silent;
	size_t silent_count;
};

struct document {
	json_t *root; /* the texts live in it */
	const char *report_id, *start_date, *end_date, *department, *generated_at;
	int64_t total_users, total_days, working_days;
	double average;
	struct document_completeness completeness;
	struct document_user *users;
	size_t count;
};

/*
 * Reads the document, bare or within {"data": …}. ret_fault says what is wrong, naming the member.
 * Returns 0, -EINVAL (at fault), or -ENOMEM. document_done() is due after 0 alone.
 */
int document_read(
	const char *json, size_t n, struct document *ret, char ret_fault[static DOCUMENT_FAULT]);
void document_done(struct document *d);

#endif
