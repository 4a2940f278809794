/* A profile and a message: whatever the file says, it is refused with a fault or reads any message
 * without harm; and what it would publish lies under the level its own topics begin with. The input
 * is the profile, a NUL, the topic, a NUL, and the payload. */
#include "fuzz.h"

#include "core/profile.h"

/* Texts of the input, ended by NUL. */
struct parts {
	char *profile, *topic;
	const uint8_t *payload;
	size_t profile_length, length;
};

static char *cut(const uint8_t **at, size_t *left, size_t *ret_length)
{
	const uint8_t *end = memchr(*at, 0, *left);
	size_t n = end ? (size_t)(end - *at) : *left;
	char *text = strndup((const char *)*at, n);

	HOLDS(text);
	*ret_length = n;
	*at += n + (end != NULL);
	*left -= n + (end != NULL);
	return text;
}

static void check_topic(const struct profile *p, const char *topic)
{
	size_t n = strcspn(p->topic, "/");

	HOLDS(strncmp(topic, "att/v1/", 7) != 0 || p->topic[0] == '{' ||
		strncmp(p->topic, "att", n) == 0);
	HOLDS(!strpbrk(topic, "+#"));
	HOLDS(p->topic[0] == '{' || (strncmp(topic, p->topic, n) == 0 && strcspn(topic, "/") == n));
}

static void on_reply(void *arg, const char *topic, const char *payload, size_t length)
{
	(void)payload;
	(void)length;
	(void)arg;
	HOLDS(topic[0] && !strpbrk(topic, "+#"));
}

static void check_punch(const struct payload_record *record)
{
	const struct punch *p = &record->punch;

	HOLDS(p->terminal[0]);
	switch (record->kind) {
	case PAYLOAD_PUNCH: HOLDS(p->user[0] && p->has_time == (p->time_sent[0] != '\0')); break;
	case PAYLOAD_BAD_TIME: HOLDS(p->user[0] && p->time_sent[0] && !p->has_time); break;
	case PAYLOAD_MALFORMED: HOLDS(!p->user[0] && record->fault); break;
	case PAYLOAD_IGNORED: break;
	case PAYLOAD_TOO_LARGE: HOLDS(false); break;
	}
}

static void read_message(const struct profile *p, const struct parts *parts)
{
	struct profile_facts f = {.device = "", .record_id = ""};
	struct profile_presence presence;
	struct profile_reading r;
	struct payload_record record;
	struct buf topic, payload;
	char raw[PAYLOAD_RAW_MAX];
	bool full;

	buf_init(&topic, 4096);
	buf_init(&payload, 65536);
	HOLDS(profile_reading_init(&r, p, parts->topic, parts->payload, parts->length, NULL) == 0);
	f.view = &r.view;
	f.device = r.device;
	f.record_id = r.record_id;
	while (profile_reading_next(&r, &record) == 1) {
		check_punch(&record);
		HOLDS(profile_reading_raw(&r, &record, raw, &full) <= PAYLOAD_RAW_MAX);
		if (!profile_ack_wanted(p, &f, OUTCOME_STORED | OUTCOME_REJECTED))
			continue;
		buf_clear(&topic);
		buf_clear(&payload);
		if (profile_topic_fill(p->ack.letter.topic, &f, &topic) == 0)
			check_topic(p, topic.data);
		profile_payload_fill(&p->ack.letter, &f, &payload);
	}
	HOLDS(r.next == r.count);
	profile_reading_done(&r);
	profile_presence(p, parts->topic, parts->payload, parts->length, &presence);
	f.view = NULL;
	profile_replies(p, parts->topic, parts->payload, parts->length, &f, on_reply, NULL);
	buf_done(&topic);
	buf_done(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts parts;
	struct profile *p;
	struct buf faults;
	size_t topic_length;

	parts.profile = cut(&data, &size, &parts.profile_length);
	parts.topic = cut(&data, &size, &topic_length);
	parts.payload = data;
	parts.length = size;
	buf_init(&faults, 1024 * 1024);
	HOLDS(profile_load("f", parts.profile, parts.profile_length, &faults, &p) == 0);
	HOLDS((p == NULL) == (faults.len > 0));
	if (p && profile_filter_match(p->topic, parts.topic, NULL))
		read_message(p, &parts);
	profile_free(p);
	buf_done(&faults);
	free(parts.profile);
	free(parts.topic);
	return 0;
}
