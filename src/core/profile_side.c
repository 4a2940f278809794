/* Presence and replies: what a family's terminals say beside punches. */
#include <errno.h>

#include "core/profile.h"

#define PAYLOAD_CAP ((size_t)256 * 1024)

static enum profile_format format_of(const json_t *side)
{
	const char *format = json_string_value(json_object_get(side, "format"));

	return format && strcmp(format, "text") == 0 ? FORMAT_TEXT : FORMAT_JSON;
}

/* Whether a message is for one entry of presence or replies. Returns 1, 0 or -ENOMEM; *ret_message
 * is what view stands on, to be released. */
static int side_view(const json_t *side, const char *topic, const void *bytes, size_t n,
	struct profile_view *v, json_t **ret_message)
{
	const char *filter = json_string_value(json_object_get(side, "topic")), *fault;
	int r;

	*v = (struct profile_view){.root = NULL};
	*ret_message = NULL;
	if (!profile_filter_match(filter, topic, &v->names))
		return 0;
	r = profile_parse(format_of(side), NULL, bytes, n, ret_message, &fault);
	v->root = v->record = *ret_message;
	return r < 0 ? r : *ret_message != NULL;
}

/* Whether a list of conditions is there and holds. */
static bool says(const json_t *side, const char *key, const struct profile_view *v)
{
	const json_t *conditions = json_object_get(side, key);

	return conditions && profile_accepts(conditions, v);
}

static bool read_presence(
	const json_t *side, const struct profile_view *v, struct profile_presence *ret)
{
	bool online = says(side, "online", v);
	char text[PROFILE_TEXT_SIZE];

	if ((!online && !says(side, "offline", v)) ||
		profile_first(v, json_object_get(side, "device"), text) != VALUE_TEXT ||
		!profile_level_sound(text, strlen(text)))
		return false;
	*ret = (struct profile_presence){.online = online,
		.timeout_s = json_integer_value(json_object_get(side, "timeout_s"))};
	return punch_text_set(ret->device, sizeof ret->device, text) == 0;
}

int profile_presence(const struct profile *p, const char *topic, const void *bytes, size_t n,
	struct profile_presence *ret)
{
	size_t i;
	json_t *side;

	json_array_foreach(p->presence, i, side)
	{
		struct profile_view v;
		json_t *message;
		int r = side_view(side, topic, bytes, n, &v, &message);

		if (r > 0)
			r = read_presence(side, &v, ret);
		json_decref(message);
		if (r != 0)
			return r;
	}
	return 0;
}

/* One reply. What cannot be filled in is no reply. */
static int reply(const json_t *side, const struct profile_view *v,
	const struct profile_facts *facts, profile_send *send, void *arg)
{
	const struct profile_letter letter = {
		.payload = json_object_get(side, "payload"),
		.payload_text = json_string_value(json_object_get(side, "payload_text")),
	};
	struct profile_facts f = *facts;
	struct buf topic, payload;
	int r;

	f.view = v;
	f.device = f.record_id = "";
	buf_init(&topic, PROFILE_TEXT_SIZE);
	buf_init(&payload, PAYLOAD_CAP);
	r = profile_topic_fill(json_string_value(json_object_get(side, "to")), &f, &topic);
	if (r == 0)
		r = profile_payload_fill(&letter, &f, &payload);
	if (r == 0)
		send(arg, topic.data, payload.data, payload.len);
	buf_done(&topic);
	buf_done(&payload);
	return r == -ENOMEM ? r : 0;
}

int profile_replies(const struct profile *p, const char *topic, const void *bytes, size_t n,
	const struct profile_facts *f, profile_send *send, void *arg)
{
	size_t i;
	json_t *side;

	json_array_foreach(p->replies, i, side)
	{
		struct profile_view v;
		json_t *message;
		int r = side_view(side, topic, bytes, n, &v, &message);

		if (r > 0 && profile_accepts(json_object_get(side, "accept"), &v))
			r = reply(side, &v, f, send, arg);
		json_decref(message);
		if (r < 0)
			return r;
	}
	return 0;
}

static void list_filters(const json_t *sides, profile_filter_seen *seen, void *arg)
{
	size_t i;
	json_t *side;

	json_array_foreach(sides, i, side)
		seen(arg, json_string_value(json_object_get(side, "topic")));
}

void profile_filters(const struct profile *p, profile_filter_seen *seen, void *arg)
{
	seen(arg, p->topic);
	list_filters(p->presence, seen, arg);
	list_filters(p->replies, seen, arg);
}

int64_t profile_timeout_s(const struct profile *p)
{
	int64_t longest_s = 0, timeout_s;
	const json_t *side;
	size_t i;

	json_array_foreach(p->presence, i, side)
	{
		timeout_s = json_integer_value(json_object_get(side, "timeout_s"));
		if (timeout_s > longest_s)
			longest_s = timeout_s;
	}
	return longest_s;
}
