#include "daemon/acks.h"

#include <errno.h>
#include <jansson.h>

#include "core/punch.h"

#define ACKS_A_MESSAGE 100
#define PAYLOAD_MAX    (256 * 1024)

struct acks_group {
	char serial[TERMINAL_MAX + 1];
	json_t *list;
};

void acks_init(struct acks *a)
{
	*a = (struct acks){.count = 0};
}

void acks_clear(struct acks *a)
{
	for (size_t i = 0; i < a->count; i++)
		json_decref(a->groups[i].list);
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
		if (json_array_size(g->list) < ACKS_A_MESSAGE)
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
	groups->list = json_array();
	if (!groups->list)
		return NULL;
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

	if (!g || !entry || json_array_append_new(g->list, entry) < 0)
		a->error = -ENOMEM;
}

void acks_flush(struct acks *a, acks_send *send, void *arg)
{
	for (size_t i = 0; i < a->count && a->error == 0; i++) {
		json_t *message = json_pack("{s:O}", "acks", a->groups[i].list);
		char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

		if (text)
			send(arg, a->groups[i].serial, text, strlen(text));
		free(text);
		json_decref(message);
	}
	acks_clear(a);
}
