/* What a report's completeness says, in plain sentences. Pure. */
#ifndef PUNCHD_REPORT_WORDS_H
#define PUNCHD_REPORT_WORDS_H

#include "report/document.h"

#define WORDS_LINE 400

/*
 * Hands each sentence to on_line, the most important first. A terminal is named in a line of its own;
 * beyond a few the rest is counted.
 */
void words_completeness(
	const struct document *d, void (*on_line)(void *arg, const char *line), void *arg);

/* `2026-02-01T08:00:00Z` as people read it, `2026-02-01 08:00 UTC`; anything else as it is. */
const char *words_time(const char *text, char ret[static WORDS_LINE]);

#endif
