/*
 * A report as text: the API's JSON, or CSV. It is written in pieces, a user at a time, since a
 * large one takes a while.
 *
 * CSV is RFC 4180's: CRLF, quotes where they must be. A field that a spreadsheet would take for a
 * formula (it begins with = + - @, a tab or a carriage return) gets an apostrophe before it, which
 * spreadsheets take for "this is text".
 */
#ifndef PUNCHD_SANDBOX_REPORT_TEXT_H
#define PUNCHD_SANDBOX_REPORT_TEXT_H

#include "base/buf.h"
#include "sandbox/report.h"

/* All that stands before the users: `{"report_id":…,"users":[`. department may be NULL. */
void report_json_begin(
	struct buf *out, const struct report *r, const char *department, int64_t now_s);
void report_json_user(struct buf *out, const struct report *r, size_t index);
void report_json_end(struct buf *out);

void report_csv_begin(struct buf *out);
void report_csv_user(struct buf *out, const struct report *r, size_t index);

#endif
