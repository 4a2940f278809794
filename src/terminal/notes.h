/*
 * The lines of the journal, as punch-terminal(1) documents them.
 */
#ifndef PUNCHD_TERMINAL_NOTES_H
#define PUNCHD_TERMINAL_NOTES_H

#include <stdint.h>

#include "terminal/journal.h"
#include "terminal/reply.h"

/* "sent" or "kept": the record's own fields follow. */
void note_punch(struct journal *j, const char *event, const char *serial, const char *body);

/* "ack", "late" or "strange". */
void note_ack(struct journal *j, const char *event, const char *serial, const struct reply_ack *a);

/* "cmd": set_time, and by how much the clock jumped. */
void note_command(
	struct journal *j, const char *serial, const struct reply_command *c, int64_t step_ms);

#endif
