/*
 * What happened, as JSON lines in a file, for a test to compare with what the gateway has.
 *
 * A kill -9 may come at any point, and what the file says must be true nevertheless. So lines of
 * acks are written before the keep forgets the record, and lines of new punches after the keep has
 * them: JOURNAL_FACT and JOURNAL_MADE. What can then happen is the same punch or ack said twice.
 */
#ifndef PUNCHD_TERMINAL_JOURNAL_H
#define PUNCHD_TERMINAL_JOURNAL_H

#include <jansson.h>

enum journal_part { JOURNAL_FACT, JOURNAL_MADE, JOURNAL_PARTS };

struct journal;

/* Append to a file, made where it is missing. path NULL: lines are dropped.
 * Returns 0 or a negative errno. */
int journal_open(const char *path, struct journal **ret_journal);
void journal_close(struct journal *j);

/* Whether anybody reads it. */
int journal_wanted(const struct journal *j);

/* Queue a line. The reference of line is taken; NULL counts as out of memory, told by the flush. */
void journal_put(struct journal *j, enum journal_part part, json_t *line);

/* Write out what is queued of a part. Returns 0 or a negative errno. */
int journal_flush(struct journal *j, enum journal_part part);

#endif
