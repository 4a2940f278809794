/* The table: its head, and a row for each person. A row is as high as the longest of its texts wants. */
#ifndef PUNCHD_REPORT_TABLE_H
#define PUNCHD_REPORT_TABLE_H

#include "report/document.h"
#include "report/pen.h"

/* Both return the height that was taken; with pen->dry they measure. */
double table_head(struct pen *pen, double x, double y, double width);
double table_row(
	struct pen *pen, const struct document_user *user, double x, double y, double width);

#endif
