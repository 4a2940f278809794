#include "daemon/acks.h"

#include <errno.h>
#include <jansson.h>

#include "base/buf.h"
#include "core/punch.h"

#define ACKS_A_MESSAGE 100
#define PAYLOAD_MAX    ((size_t)256 * 1024) /* more than so many entries can come to */

struct acks_group {
	char serial[TERMINAL_MAX + 1];
	int entries;
	struct buf
		text; /* the message so far: objects would take ten times the memory of a burst */
};

void acks_init(struct acks *a)
{
	*a = (struct acks){.count = 0};
}

void acks_clear(struct acks *a)
{
	for (size_t i = 0; i < a->count; i++)
		buf_done(&a->groups[i].text);
	a->count = 0;
	a->error = 0;
}

void acks_done(struct acks *a)
{
	acks_clear(a);
	free(a->groups);
	acks_init(a);
}

/* The terminal's last message of this burst that has room, or a new one. */
static struct acks_group *group_of(struct acks *a, const char *serial)
{
	struct acks_group *groups;

	for (size_t i = a->count; i-- > 0;) {
		struct acks_group *g = &a->groups[i];

		if (strcmp(g->serial, serial) != 0)
			continue;
		if (g->entries < ACKS_A_MESSAGE)
			return g;
		break;
	}
	if (a->count == a->size) {
		groups = reallocarray(a->groups, a->size + 16, sizeof *groups);
		if (!groups)
			return NULL;
		a->groups = groups;
		a->size += 16;
	}
	groups = &a->groups[a->count];
	groups->entries = 0;
	buf_init(&groups->text, PAYLOAD_MAX);
	buf_addf(&groups->text, "{\"acks\":[");
	punch_text_cut(groups->serial, sizeof groups->serial, serial);
	a->count++;
	return groups;
}

void acks_add(struct acks *a, const char *serial, const char *id, const char *status,
	const char *reason, const char *name)
{
	struct acks_group *g = group_of(a, serial);
	json_t *entry = json_pack("{s:s, s:s, s:s*, s:s*}", "id", id, "status", status, "reason",
		reason[0] ? reason : NULL, "name", name[0] ? name : NULL);
	char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;

	json_decref(entry);
	if (g && text)
		buf_addf(&g->text, "%s%s", g->entries++ > 0 ? "," : "", text);
	if (!g || !text || buf_error(&g->text) < 0)
		a->error = -ENOMEM;
	free(text);
}

void acks_flush(struct acks *a, acks_send *send, void *arg)
{
	for (size_t i = 0; i < a->count && a->error == 0; i++) {
		struct buf *text = &a->groups[i].text;

		buf_addf(text, "]}");
		if (buf_error(text) == 0)
			send(arg, a->groups[i].serial, text->data, text->len);
	}
	acks_clear(a);
}
