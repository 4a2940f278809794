#include "core/profile_set.h"

#include <errno.h>

#define NATIVE_PUNCH  "att/v1/{device}/punch"
#define NATIVE_STATUS "att/v1/{device}/status"
/* Of one profile: its punches' topic, and what its file can hold of others. */
#define TOPICS_MAX 4096
#define TEXT_MAX   ((size_t)64 * 1024)

static void find_fault(const struct profile_set *s, const struct profile *p, const char *name,
	const char *file, struct buf *faults)
{
	if (strcmp(p->name, name) != 0)
		buf_addf(faults, "%s: /name: it is `%s`, but the profile is asked for as `%s`\n",
			file, p->name, name);
	for (size_t i = 0; i < s->count; i++) {
		const struct profile *other = s->list[i];

		if (strcmp(other->name, p->name) == 0)
			buf_addf(faults, "%s: /name: it is asked for twice\n", file);
		else if (profile_filters_meet(other->topic, p->topic))
			buf_addf(faults,
				"%s: /topic: `%s` and the topic of the profile %s, `%s`, can be "
				"the same: a message would be read two ways\n",
				file, p->topic, other->name, other->topic);
	}
	if (s->count == PROFILE_SET_MAX)
		buf_addf(faults, "%s: /: more than 64 profiles\n", file);
}

int profile_set_add(struct profile_set *s, const char *name, const char *file, const char *text,
	size_t n, struct buf *faults)
{
	size_t before = faults->len;
	struct profile *p;
	int r = profile_load(file, text, n, faults, &p);

	if (r < 0 || !p)
		return r;
	find_fault(s, p, name, file, faults);
	if (faults->len > before)
		profile_free(p);
	else
		s->list[s->count++] = p;
	return 0;
}

void profile_set_done(struct profile_set *s)
{
	while (s->count > 0)
		profile_free(s->list[--s->count]);
}

const struct profile *profile_set_find(const struct profile_set *s, const char *topic)
{
	for (size_t i = 0; i < s->count; i++) {
		if (profile_filter_match(s->list[i]->topic, topic, NULL))
			return s->list[i];
	}
	return NULL;
}

struct hearing {
	const char *topic;
	bool hears;
};

static void hear(void *arg, const char *filter)
{
	struct hearing *h = arg;

	h->hears = h->hears || profile_filter_match(filter, h->topic, NULL);
}

bool profile_set_hears(const struct profile_set *s, const char *topic)
{
	struct hearing h = {.topic = topic};

	if (s->native) {
		hear(&h, NATIVE_PUNCH);
		hear(&h, NATIVE_STATUS);
	}
	for (size_t i = 0; i < s->count; i++)
		profile_filters(s->list[i], hear, &h);
	return h.hears;
}

/* ---- what is subscribed */

struct listing {
	const char *prefix;
	char **topics;
	size_t count;
	bool failed;
};

static void list(void *arg, const char *filter)
{
	struct listing *l = arg;
	struct buf topic;

	buf_init(&topic, TEXT_MAX);
	buf_add_str(&topic, l->prefix);
	profile_filter_print(filter, &topic);
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->topics[i], topic.data) == 0) {
			buf_done(&topic);
			return;
		}
	}
	l->failed = l->failed || l->count + 1 == TOPICS_MAX || buf_error(&topic) < 0;
	if (!l->failed)
		l->topics[l->count++] = buf_steal(&topic);
	buf_done(&topic);
}

char **profile_set_topics(const struct profile_set *s, const char *prefix)
{
	struct listing l = {.prefix = prefix, .topics = calloc(TOPICS_MAX, sizeof *l.topics)};

	if (!l.topics)
		return NULL;
	if (s->native) {
		list(&l, NATIVE_PUNCH);
		list(&l, NATIVE_STATUS);
	}
	for (size_t i = 0; i < s->count; i++)
		profile_filters(s->list[i], list, &l);
	if (!l.failed)
		return l.topics;
	profile_set_topics_free(l.topics);
	return NULL;
}

void profile_set_topics_free(char **topics)
{
	for (size_t i = 0; topics && topics[i]; i++)
		free(topics[i]);
	free(topics);
}
