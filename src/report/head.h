/* What stands on the first page above the table: title, period, summary, how complete it is. */
#ifndef PUNCHD_REPORT_HEAD_H
#define PUNCHD_REPORT_HEAD_H

#include "report/document.h"
#include "report/pen.h"

/* Returns where it ends. */
double head_draw(struct pen *pen, const struct document *d, double x, double y, double width);

/* `2023-01-01 to 2023-01-31`, and what the report is confined to. */
#define HEAD_PERIOD 64
const char *head_period(const struct document *d, char ret[static HEAD_PERIOD]);

#endif
