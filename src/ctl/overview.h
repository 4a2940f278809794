/* The status document for people: what `status` prints once and `watch` draws again and again. */
#ifndef PUNCHD_CTL_OVERVIEW_H
#define PUNCHD_CTL_OVERVIEW_H

#include <jansson.h>

#include "base/units.h"
#include "ctl/table.h"
#include "ctl/times.h"

/* One line: version, site, state, for how long, and when that was. */
void overview_head(const struct paper *paper, const json_t *status, const struct times *times);

/* A label and a value a row, into a table of two columns: alarms first, then all parts. */
void overview_rows(struct table *t, const json_t *status, const struct times *times);

/* A row a terminal. Returns how many there are. */
#define OVERVIEW_TERMINAL_COLUMNS 8
extern const char *const overview_terminal_heads[OVERVIEW_TERMINAL_COLUMNS];
size_t overview_terminals(struct table *t, const json_t *status, const struct times *times);

/* A cell: by how much a terminal's clock is off, of its `skew_s`. */
void overview_skew(struct table *t, const json_t *terminal);

/* A size to read: at most four digits and a unit, `79G`. Returns ret_text. */
const char *overview_size(int64_t bytes, char ret_text[static UNITS_TEXT_SIZE]);

/* Colours of a severity, and of the state of a punch. */
enum tint overview_severity_tint(const char *severity);
enum tint overview_punch_tint(const char *state);

#endif
