/*
 * PDF by a program of its own: punch-report-pdf reads a report's JSON on its standard input and
 * writes PDF to its standard output.
 *
 * Nothing here waits: pipes are events of the loop. A few programs run at once, more jobs wait for
 * their turn; each has a time-out and a cap on what it may write.
 */
#ifndef PUNCHD_SANDBOX_PDF_H
#define PUNCHD_SANDBOX_PDF_H

#include <stdbool.h>

#include <event2/event.h>

#include "base/buf.h"

#define PDF_PROGRAM "punch-report-pdf"
#define PDF_PACKAGE "punchd-report"

struct pdf;
struct pdf_job;

/* pdf NULL: it failed, and why says how. Both live during the call only. The job is gone. */
typedef void pdf_done(void *arg, const struct buf *pdf, const char *why);

/* program: a path, or NULL for PDF_PROGRAM in PATH. Returns 0 or -ENOMEM. */
int pdf_new(struct event_base *base, const char *program, struct pdf **ret_pdf);

/* Ends what runs, without a word to whom it is for. NULL is taken. */
void pdf_free(struct pdf *pdf);

/* Whether the program is there now. */
bool pdf_available(const struct pdf *pdf);

/* Take over json's content, and call done later, never within this call. Returns 0 or -ENOMEM. */
int pdf_start(
	struct pdf *pdf, struct buf *json, pdf_done *done, void *arg, struct pdf_job **ret_job);

/* Whoever it is for is gone: done is not called any more. */
void pdf_forget(struct pdf_job *job);

#endif
