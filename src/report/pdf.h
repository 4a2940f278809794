/* A report's document as a PDF: pages of one size, the table's head on each, "Page n of m" at the foot. */
#ifndef PUNCHD_REPORT_PDF_H
#define PUNCHD_REPORT_PDF_H

#include "base/buf.h"
#include "report/document.h"

struct pdf_paper {
	const char *name;
	double width, height; /* points */
};

/* The last has no name. */
extern const struct pdf_paper pdf_papers[];

/*
 * Appends the file to out. The same document and the same fonts give the same bytes: the file's date is
 * the document's generated_at. *ret_unknown: letters for which no font is installed, drawn as boxes.
 * Returns 0, -ENOENT (no font at all is installed), -E2BIG (out's cap), -ENOMEM or -EIO.
 */
int pdf_make(const struct document *d, const struct pdf_paper *paper, struct buf *out,
	size_t *ret_unknown);

#endif
