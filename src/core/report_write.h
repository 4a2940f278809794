/*
 * A report as text, piece by piece, so that nobody holds a long one whole: the head, each person, the
 * end. JSON is the cloud's document within `data`, with `completeness` as a further member of it.
 *
 * CSV is RFC 4180 with the cloud's columns first. Every row of a spreadsheet may be sorted, filtered or
 * copied away from the others, so what the reader must know of the whole report stands in each:
 * report_queued, report_held and so on, behind them. A report of nobody has one row without an id. A
 * field that a spreadsheet would take for a formula has an apostrophe before it.
 */
#ifndef PUNCHD_CORE_REPORT_WRITE_H
#define PUNCHD_CORE_REPORT_WRITE_H

#include "core/report.h"

struct report_facts {
	const char *report_id;
	const char *department; /* what it is confined to; NULL: nothing */
	int64_t generated_us;   /* wall clock */
};

struct report_format {
	const char *name, *content_type;
	void (*head)(const struct report *r, const struct report_facts *facts, struct buf *out);
	void (*user)(const struct report *r, size_t index, struct buf *out);
	void (*end)(const struct report *r, struct buf *out);
};

extern const struct report_format report_json, report_csv;

#endif
