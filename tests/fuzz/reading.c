#include "reading.h"

char *reading_cut(const uint8_t **at, size_t *left, size_t *ret_length)
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

/* The clock letter, as it goes out every so often. */
static void check_clock(const struct profile *p, struct profile_facts *f)
{
	struct buf topic, payload;

	buf_init(&topic, 4096);
	buf_init(&payload, 65536);
	f->now_s = 1764154800;
	if (p->clock.topic && f->device[0] && profile_topic_fill(p->clock.topic, f, &topic) == 0) {
		check_topic(p, topic.data);
		profile_payload_fill(&p->clock, f, &payload);
	}
	buf_done(&topic);
	buf_done(&payload);
}

static void read_message(
	const struct profile *p, const char *told, const uint8_t *bytes, size_t length)
{
	const struct profile_view nothing = {.root = NULL};
	struct profile_facts f = {.device = "", .record_id = ""};
	struct profile_presence presence;
	struct profile_reading r;
	struct payload_record record;
	struct buf topic, payload;
	char raw[PAYLOAD_RAW_MAX];
	bool full;

	buf_init(&topic, 4096);
	buf_init(&payload, 65536);
	HOLDS(profile_reading_init(&r, p, told, bytes, length, NULL) == 0);
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
	profile_presence(p, told, bytes, length, &presence);
	f.view = &nothing;
	check_clock(p, &f);
	profile_replies(p, told, bytes, length, &f, on_reply, NULL);
	buf_done(&topic);
	buf_done(&payload);
}

void reading_check(
	const struct profile *p, const char *topic, const uint8_t *payload, size_t length)
{
	if (profile_filter_match(p->topic, topic, NULL))
		read_message(p, topic, payload, length);
}
