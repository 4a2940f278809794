#include "terminal/notes.h"

void note_punch(struct journal *j, const char *event, const char *serial, const char *body)
{
	json_t *line, *fields;

	if (!journal_wanted(j))
		return;
	line = json_pack("{ss ss}", "event", event, "serial", serial);
	fields = json_loads(body, 0, NULL);
	if (line && fields)
		json_object_update(line, fields);
	json_decref(fields);
	journal_put(j, JOURNAL_MADE, line);
}

void note_ack(struct journal *j, const char *event, const char *serial, const struct reply_ack *a)
{
	if (!journal_wanted(j))
		return;
	journal_put(j, JOURNAL_FACT,
		json_pack("{ss ss ss ss ss ss}", "event", event, "serial", serial, "id", a->id,
			"status", a->status, "reason", a->reason, "name", a->name));
}

void note_command(
	struct journal *j, const char *serial, const struct reply_command *c, int64_t step_ms)
{
	if (!journal_wanted(j))
		return;
	journal_put(j, JOURNAL_FACT,
		json_pack("{ss ss ss ss sI}", "event", "cmd", "serial", serial, "id", c->id, "op",
			c->op, "step_ms", (json_int_t)step_ms));
}
