#include "daemon/letters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct letter {
	char *topic, *payload;
	size_t length;
};

void letters_clear(struct letters *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->list[i].topic);
		free(l->list[i].payload);
	}
	l->count = 0;
	l->error = 0;
}

void letters_done(struct letters *l)
{
	letters_clear(l);
	free(l->list);
}

void letters_add(struct letters *l, const char *topic, const char *payload, size_t length)
{
	struct letter *list = l->list, *one;

	if (l->count == l->size) {
		list = reallocarray(list, l->size + 16, sizeof *list);
		if (!list) {
			l->error = -ENOMEM;
			return;
		}
		l->list = list;
		l->size += 16;
	}
	one = &list[l->count++];
	*one = (struct letter){
		.topic = strdup(topic), .payload = strndup(payload, length), .length = length};
	if (!one->topic || !one->payload)
		l->error = -ENOMEM;
}

void letters_flush(struct letters *l, letters_send *send, void *arg)
{
	for (size_t i = 0; i < l->count && l->error == 0; i++)
		send(arg, l->list[i].topic, l->list[i].payload, l->list[i].length);
	letters_clear(l);
}
