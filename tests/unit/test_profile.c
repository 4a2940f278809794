/* core/profile: every captured sample of tests/data/terminals under the profiles that are shipped,
 * and the faults that a profile can have. */
#include "unit.h"

#include <glob.h>
#include <jansson.h>

#include "base/file.h"
#include "base/time.h"
#include "core/profile.h"

#define PROFILES_MAX 32

static struct profile *profiles[PROFILES_MAX];
static size_t profile_count;

static const char *tree_path(char *to, size_t size, const char *rest)
{
	snprintf(to, size, "%s/%s", getenv("PUNCHD_SRCDIR"), rest);
	return to;
}

static void read_whole(const char *path, struct buf *b)
{
	buf_init(b, 1024 * 1024);
	if (file_read(path, b, NULL) < 0)
		fail_msg("%s cannot be read", path);
}

/* Load a text; returns the faults. */
static const char *load_text(const char *text, struct profile **ret)
{
	static struct buf faults;

	buf_done(&faults);
	buf_init(&faults, 65536);
	assert_int_equal(profile_load("x.json", text, strlen(text), &faults, ret), 0);
	return faults.data;
}

static int load_all(void **state)
{
	char pattern[512];
	glob_t found;

	(void)state;
	tree_path(pattern, sizeof pattern, "etc/profiles/*.json");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct buf text;

		read_whole(found.gl_pathv[i], &text);
		assert_string_equal(load_text(text.data, &profiles[profile_count]), "");
		buf_done(&text);
		profile_count++;
	}
	globfree(&found);
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	while (profile_count > 0)
		profile_free(profiles[--profile_count]);
	return 0;
}

/* ---- the samples */

struct sample {
	const json_t *entry;
	const char *topic;
	struct buf bytes;
	struct zone *zone;
	char where[512];
};

static void assert_punch(const struct sample *s, const struct punch *p, const json_t *wanted)
{
	const char *time = json_string_value(json_object_get(wanted, "time"));
	const char *id = json_string_value(json_object_get(wanted, "record_id"));
	const char *type = json_string_value(json_object_get(wanted, "type"));
	const json_t *live = json_object_get(wanted, "live");
	char user[USER_MAX + 16];
	int64_t time_s = 0;

	snprintf(user, sizeof user, "%s:%s", user_kind_name(p->user_kind), p->user);
	assert_string_equal(user, json_string_value(json_object_get(wanted, "user")));
	assert_string_equal(p->terminal, json_string_value(json_object_get(wanted, "device")));
	assert_string_equal(p->record_id, id ? id : "");
	assert_string_equal(punch_type_name(p->type_sent), type ? type : "");
	if (strcmp(time, "received") == 0) {
		assert_false(p->has_time);
		assert_string_equal(p->time_sent, "");
	} else {
		assert_int_equal(time_parse_rfc3339(time, &time_s), 0);
		assert_true(p->has_time);
		assert_int_equal(p->time_s, time_s);
	}
	if (live)
		assert_int_equal(p->flags & (FLAG_LIVE | FLAG_STORED),
			json_is_true(live) ? FLAG_LIVE : FLAG_STORED);
	assert_int_equal((p->flags & FLAG_TIME_SKIPPED) != 0, strstr(s->where, "dst-gap") != NULL);
}

/* What a sample's ack lists has to be in ours; a vendor may read what is beyond. */
static void assert_within(const json_t *wanted, const json_t *have)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
	{
		if (json_is_object(value))
			assert_within(value, json_object_get(have, key));
		else
			assert_true(json_equal(value, json_object_get(have, key)));
	}
}

static void assert_ack(const struct sample *s, const struct profile *p,
	const struct profile_facts *f, unsigned outcomes)
{
	const json_t *wanted = json_object_get(s->entry, "ack");
	const char *text = json_string_value(json_object_get(wanted, "payload_text"));
	struct buf topic, payload;
	json_t *json;

	assert_int_equal(profile_ack_wanted(p, f, outcomes), wanted != NULL);
	if (!wanted)
		return;
	buf_init(&topic, 1024);
	buf_init(&payload, 65536);
	assert_int_equal(profile_topic_fill(p->ack.letter.topic, f, &topic), 0);
	assert_int_equal(profile_payload_fill(&p->ack.letter, f, &payload), 0);
	assert_string_equal(topic.data, json_string_value(json_object_get(wanted, "topic")));
	if (text) {
		assert_string_equal(payload.data, text);
	} else {
		json = json_loads(payload.data, 0, NULL);
		assert_non_null(json);
		assert_within(json_object_get(wanted, "payload"), json);
		json_decref(json);
	}
	buf_done(&topic);
	buf_done(&payload);
}

static void read_as(const struct sample *s, const struct profile *p)
{
	const json_t *wanted = json_object_get(s->entry, "expect");
	struct profile_reading r;
	struct payload_record record;
	struct profile_facts f;
	unsigned outcomes = 0;
	size_t punches = 0;

	assert_int_equal(
		profile_reading_init(&r, p, s->topic, s->bytes.data, s->bytes.len, s->zone), 0);
	f = (struct profile_facts){.view = &r.view,
		.device = r.device,
		.record_id = r.record_id,
		.count = (int64_t)r.count,
		.now_s = 1769990001};
	while (profile_reading_next(&r, &record) == 1) {
		if (record.kind == PAYLOAD_PUNCH)
			assert_punch(s, &record.punch, json_array_get(wanted, punches++));
		outcomes |= record.kind == PAYLOAD_IGNORED ? OUTCOME_REJECTED : OUTCOME_STORED;
	}
	assert_int_equal(punches, json_array_size(wanted));
	assert_ack(s, p, &f, outcomes);
	profile_reading_done(&r);
}

/* The sample's presence, by whichever profile listens. Returns "online", "offline" or NULL. */
static const char *presence_of(const struct sample *s)
{
	struct profile_presence presence;

	for (size_t i = 0; i < profile_count; i++) {
		if (profile_presence(
			    profiles[i], s->topic, s->bytes.data, s->bytes.len, &presence) == 1)
			return presence.online ? "online" : "offline";
	}
	return NULL;
}

static void try_sample(const struct sample *s)
{
	const char *name = json_string_value(json_object_get(s->entry, "profile"));
	const char *presence = json_string_value(json_object_get(s->entry, "presence"));
	bool heard = false;

	for (size_t i = 0; i < profile_count; i++) {
		if (!profile_filter_match(profiles[i]->topic, s->topic, NULL))
			continue;
		assert_string_equal(profiles[i]->name, name);
		read_as(s, profiles[i]);
		heard = true;
	}
	assert_int_equal(heard, name && !json_object_get(s->entry, "nomatch"));
	assert_string_equal(presence ? presence : "", presence_of(s) ?: "");
}

static int try_family(const char *index_path)
{
	char *folder = strndup(index_path, strlen(index_path) - strlen("/index.json"));
	json_t *index = json_load_file(index_path, 0, NULL), *entry;
	size_t i;

	assert_non_null(index);
	json_array_foreach(index, i, entry)
	{
		const char *tz = json_string_value(json_object_get(entry, "tz"));
		struct sample s = {.entry = entry,
			.topic = json_string_value(json_object_get(entry, "topic"))};

		snprintf(s.where, sizeof s.where, "%s/%s", folder,
			json_string_value(json_object_get(entry, "file")));
		print_message("# %s\n", s.where);
		read_whole(s.where, &s.bytes);
		assert_int_equal(zone_load(tz ? tz : "UTC", &s.zone), 0);
		try_sample(&s);
		zone_free(s.zone);
		buf_done(&s.bytes);
	}
	json_decref(index);
	free(folder);
	return (int)i;
}

static void test_samples(void **state)
{
	char pattern[512];
	int samples = 0;
	glob_t found;

	(void)state;
	tree_path(pattern, sizeof pattern, "tests/data/terminals/*/index.json");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		samples += try_family(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(samples, 53);
}

/* ---- faults */

#define HEAD   "{\"name\":\"x\",\"topic\":\"x/{device}/p\",\"accept\":[],"
#define DEVICE "\"device\":[\"topic:device\"],"
#define USER   "\"user\":[[\"/u\",\"pin\"]],"
#define TIME   "\"time\":{\"from\":[\"/t\"],\"formats\":[\"epoch_s\"]}"
#define GOOD   HEAD DEVICE USER TIME

static const struct {
	const char *text, *fault;
} faults[] = {
	{GOOD "}", ""},
	{"[]", "x.json: /: it is no object\n"},
	{GOOD ",\"tpic\":1}", "x.json: /tpic: there is no such key\n"},
	{GOOD ",\"unwrap\":[\"./a\"]}", "x.json: /unwrap/0: it begins with a slash\n"},
	{GOOD ",\"record_id\":[\"topic:no\"]}",
		"x.json: /record_id/0: the topic has no level of that name\n"},
	{GOOD ",\"record_id\":[\"id\"]}",
		"x.json: /record_id/0: a path begins with /, ./, topic: or const:\n"},
	{GOOD ",\"record_id\":[\"/a//b\"]}",
		"x.json: /record_id/0: a path is made of at most 16 keys of 1 to 127 bytes, each "
		"after a slash\n"},
	{HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%Q\"]}}",
		"x.json: /time/formats/0: only the conversions %Y %m %d %H %M %S %y %b %B %e %T %F "
		"%p %I %z %f and %% are known\n"},
	{HEAD DEVICE USER "\"time\":{}}",
		"x.json: /time: it has neither from nor \"fallback\": \"received\"\n"},
	{HEAD DEVICE "\"user\":[[\"/u\",\"name\"]]," TIME "}",
		"x.json: /user/0: it is no [path, kind] with one of the kinds id, pin, card, slot, "
		"email, phone\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/{device}/p\",\"payload\":{}}}", ""},
	{GOOD ",\"ack\":{\"topic\":\"y/{device}/a\",\"payload\":{}}}",
		"x.json: /ack/topic: it does not begin with the level that the profile's topic "
		"begins with\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/7/p\",\"payload\":{}}}",
		"x.json: /ack/topic: the gateway listens on this topic itself: that would be a "
		"loop\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/{devic}/a\",\"payload\":{}}}",
		"x.json: /ack/topic: between braces stands none of device, record_id, count, uuid, "
		"now:FORMAT, topic:NAME or a path\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/a\",\"payload\":{\"a\":[\"{\"]}}}",
		"x.json: /ack/payload/a/0: a brace is never closed; a brace itself is written "
		"{{\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/a\"}}",
		"x.json: /ack: it has one of payload and payload_text\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/a\",\"payload_text\":\"\",\"on\":[\"seen\"]}}",
		"x.json: /ack/on: it is a list of stored, duplicate and rejected\n"},
	{GOOD ",\"presence\":[{\"topic\":\"x/+/s\",\"device\":[\"/d\"],\"online\":[]}]}",
		"x.json: /presence/0/topic: a level is a text, or a name in braces alone, and has "
		"no + or #\n"},
	{"{\"name\":\"x\",\"topic\":\"{a}/{b}/{device}/punch\",\"accept\":[]," DEVICE USER TIME "}",
		"x.json: /topic: it matches topics of att/v1, which is the gateway's own\n"},
	{"{\"name\":\"x\",\"topic\":\"x/{device}/{device}\",\"accept\":[]," DEVICE USER TIME "}",
		"x.json: /topic: two levels have the same name\n"},
	{HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%H:%M\"]}}",
		"x.json: /time/formats/0: it has no day: a year, a month and a day of the month\n"},
	{HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%F\"]}}",
		"x.json: /time/formats/0: it has no time of day\n"},
	{HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%F %I:%M\"]}}",
		"x.json: /time/formats/0: %I goes with %p: nothing says which half of the day it "
		"is\n"},
	{HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%%F %%T\"]}}",
		"x.json: /time/formats/0: it has no day: a year, a month and a day of the month\n"},
	{GOOD ",\"ack\":{\"topic\":\"x/"
	      "a\",\"payload_text\":\"\",\"scope\":\"record\",\"once\":true}}",
		"x.json: /ack: once is of whole messages: it does not go with the scope record\n"},
	{GOOD ",\"replies\":[{\"topic\":\"x/{device}/q\",\"accept\":[],\"to\":\"x/{device}/r\","
	      "\"payload_text\":\"\"}]}",
		"x.json: /replies/0/to: a reply is to a message, not to a punch: its device is "
		"what "
		"topic:NAME or a path says\n"},
	{GOOD ",\"replies\":[{\"topic\":\"x/{device}/q\",\"accept\":[],\"to\":\"x/{topic:device}/"
	      "r\","
	      "\"payload_text\":\"{count}\"}]}",
		"x.json: /replies/0/payload_text: record_id and count are those of an acknowledged "
		"message\n"},
	{GOOD ",\"replies\":[{\"topic\":\"x/{device}/q\",\"accept\":[],\"format\":\"kv\","
	      "\"to\":\"x/{topic:device}/r\",\"payload_text\":\"\"}]}",
		"x.json: /replies/0/format: it is none of json text\n"},
	{GOOD ",\"clock\":{\"topic\":\"x/{topic:device}/t\",\"payload_text\":\"{now:epoch}\"}}",
		"x.json: /clock/topic: the clock comes of itself: there is no message to take this "
		"from\n"},
	{GOOD ",\"unwrap\":[\"/a\"],\"records\":\"lines\"}",
		"x.json: /: unwrap is of a whole message: it does not go with lines\n"},
	{"{\"name\":\"x\",\"topic\":\"x/{device}\",\"accept\":[[\"/a\",\"in\",[]]]," DEVICE USER
			TIME "}",
		"x.json: /accept/0: in, notin and anyin take a list of at least one\n"},
};

static void test_faults(void **state)
{
	struct profile *p;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		const char *told = load_text(faults[i].text, &p);

		/* A fault of the topic brings others behind it: the first is looked at. */
		if (faults[i].fault[0])
			assert_memory_equal(told, faults[i].fault, strlen(faults[i].fault));
		else
			assert_string_equal(told, "");
		assert_int_equal(p != NULL, faults[i].fault[0] == '\0');
		profile_free(p);
	}
}

/* ---- records that are wrong */

static void test_neighbours_flow(void **state)
{
	static const char text[] =
		"{\"d\":[{\"u\":\"1\",\"t\":1},{\"u\":{},\"t\":1},{\"u\":\"\"},"
		"{\"u\":\"2\",\"t\":\"x\"},{\"u\":\"3\"},7,"
		"{\"u\":12345678901234567890123,\"t\":1},{\"u\":\"4\",\"t\":2.5}]}";
	static const enum payload_kind kinds[] = {PAYLOAD_PUNCH, PAYLOAD_MALFORMED, PAYLOAD_IGNORED,
		PAYLOAD_BAD_TIME, PAYLOAD_MALFORMED, PAYLOAD_IGNORED, PAYLOAD_MALFORMED,
		PAYLOAD_PUNCH};
	struct profile_reading r;
	struct payload_record record;
	struct profile *p;

	(void)state;
	assert_string_equal(
		load_text(HEAD DEVICE "\"records\":\"/d\",\"user\":[[\"./u\",\"pin\"]],"
				      "\"time\":{\"from\":[\"./t\"],\"formats\":[\"epoch_s\"]}}",
			&p),
		"");
	profile_reading_init(&r, p, "x/7/p", text, strlen(text), NULL);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		assert_int_equal(profile_reading_next(&r, &record), 1);
		assert_int_equal(record.kind, kinds[i]);
		assert_int_equal(record.index, (int)i);
	}
	assert_int_equal(profile_reading_next(&r, &record), 0);
	profile_reading_done(&r);
	profile_free(p);
}

static void test_pictures_are_not_kept(void **state)
{
	static const char text[] = "{\"u\":\"1\",\"pic\":\"SECRET\",\"a\":[{\"pic\":\"SECRET\"}]}";
	char raw[PAYLOAD_RAW_MAX];
	struct profile_reading r;
	struct payload_record record;
	struct profile *p;
	bool full;
	int n;

	(void)state;
	load_text(GOOD ",\"strip\":[\"/pic\",\"/a/*/pic\"]}", &p);
	profile_reading_init(&r, p, "x/7/p", text, strlen(text), NULL);
	assert_int_equal(profile_reading_next(&r, &record), 1);
	assert_int_equal(record.kind, PAYLOAD_MALFORMED);
	n = profile_reading_raw(&r, &record, raw, &full);
	assert_int_equal(n, strlen("{\"u\":\"1\",\"a\":[{}]}"));
	assert_memory_equal(raw, "{\"u\":\"1\",\"a\":[{}]}", (size_t)n);
	assert_false(full);
	profile_reading_done(&r);
	profile_free(p);
}

/* An element of an array is dropped too, and the others keep their places. */
static void test_strip_in_an_array(void **state)
{
	static const char text[] = "{\"u\":\"1\",\"pics\":[\"AAAA\",\"BBBB\",\"C\"]}";
	struct profile_reading r;
	struct payload_record record;
	char raw[PAYLOAD_RAW_MAX];
	struct profile *p;
	bool full;
	int n;

	(void)state;
	load_text(GOOD ",\"strip\":[\"/pics/0\",\"/pics/1\",\"/pics/7\"]}", &p);
	profile_reading_init(&r, p, "x/7/p", text, strlen(text), NULL);
	assert_int_equal(profile_reading_next(&r, &record), 1);
	n = profile_reading_raw(&r, &record, raw, &full);
	assert_int_equal(n, strlen("{\"u\":\"1\",\"pics\":[null,null,\"C\"]}"));
	assert_memory_equal(raw, "{\"u\":\"1\",\"pics\":[null,null,\"C\"]}", (size_t)n);
	profile_reading_done(&r);
	profile_free(p);
}

/* ---- numbers */

static const struct {
	const char *number, *user; /* NULL: it is told that there is none that can be read */
} numbers[] = {
	{"7", "7"},
	{"7.0", "7"},
	{"-0.0", "0"},
	{"7.5", "7.5"},
	{"0.1", "0.1"},
	{"0.30000000000000004", "0.30000000000000004"},
	{"1234567890123456", "1234567890123456"},
	{"1234567890123456.0", "1234567890123456"},
	{"1234567890123457.0", "1234567890123457"},
	{"9007199254740991.0", "9007199254740991"},
	{"9007199254740992.0", NULL},
	{"9007199254740993.0", NULL},
	{"9223372036854775807", "9223372036854775807"},
	{"9223372036854775808", NULL},
	{"1234567890123456,\"x\":99999999999999999999", "1234567890123456"},
	{"9007199254740994,\"x\":99999999999999999999", NULL},
};

/* A number is the person whose number it is, or nobody. */
static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct payload_record record;
		struct profile_reading r;
		struct profile *p;
		char text[128];

		assert_string_equal(load_text(GOOD "}", &p), "");
		snprintf(text, sizeof text, "{\"t\":1,\"u\":%s}", numbers[i].number);
		profile_reading_init(&r, p, "x/7/p", text, strlen(text), NULL);
		assert_int_equal(profile_reading_next(&r, &record), 1);
		assert_int_equal(record.kind, numbers[i].user ? PAYLOAD_PUNCH : PAYLOAD_MALFORMED);
		assert_string_equal(record.punch.user, numbers[i].user ? numbers[i].user : "");
		profile_reading_done(&r);
		profile_free(p);
	}
}

/* What a condition's list has and cannot be a text is nobody's value. */
static void test_odd_values_in_a_list(void **state)
{
	static const char text[] = "{\"u\":1,\"t\":1}";
	struct payload_record record;
	struct profile_reading r;
	struct profile *p;

	(void)state;
	assert_string_equal(load_text("{\"name\":\"x\",\"topic\":\"x/{device}/p\","
				      "\"accept\":[[\"/a\",\"in\",[1e18]]]," DEVICE USER TIME "}",
				    &p),
		"");
	profile_reading_init(&r, p, "x/7/p", text, strlen(text), NULL);
	assert_int_equal(profile_reading_next(&r, &record), 1);
	assert_int_equal(record.kind, PAYLOAD_IGNORED);
	profile_reading_done(&r);
	profile_free(p);
}

static void test_topic_parts(void **state)
{
	struct profile_reading r;
	struct payload_record record;
	struct profile *p;

	(void)state;
	load_text("{\"name\":\"x\",\"topic\":\"x/p\",\"accept\":[],\"device\":[\"/d\"]," USER TIME
		  ",\"ack\":{\"topic\":\"x/{device}/a\",\"payload\":{}}}",
		&p);
	for (int i = 0; i < 2; i++) {
		const char *text = i ? "{\"u\":1,\"t\":1,\"d\":\"a/b\"}"
				     : "{\"u\":1,\"t\":1,\"d\":\"a\"}";

		profile_reading_init(&r, p, "x/p", text, strlen(text), NULL);
		assert_int_equal(profile_reading_next(&r, &record), 1);
		assert_int_equal(record.kind, i ? PAYLOAD_MALFORMED : PAYLOAD_PUNCH);
		profile_reading_done(&r);
	}
	profile_free(p);
}

/* ---- times */

static const struct {
	const char *format, *text;
	int64_t time_s; /* -1: no time */
} times[] = {
	{"epoch_s", "1605991375", 1605991375},
	{"epoch_s", "1605991375.9", 1605991375},
	{"epoch_s", "-1", -1},
	{"epoch_s", "16059913750000", -1},
	{"epoch_ms", "1605991375999", 1605991375},
	{"iso8601", "2026-02-01T08:00:00+02:00", 1769925600},
	{"iso8601", "2026-02-01T08:00:00.123Z", 1769932800},
	{"iso8601", "2026-02-30T08:00:00Z", -1},
	{"%Y-%m-%d %H:%M:%S", "2026-02-01 09:00:00", 1769932800}, /* Berlin */
	{"%Y-%m-%d %H:%M:%S", "2026-02-01 09:00:00 x", -1},
	{"%Y-%m-%d %H:%M:%S", "2026-02-30 09:00:00", -1},
	{"%Y-%m-%dT%H:%M:%S.%fZ", "2026-02-01T09:00:00.5Z", 1769932800},
	{"%Y-%m-%dT%H:%M:%S.%f%z", "2026-02-01T08:00:00.123456+0200", 1769925600},
	{"%d.%m.%y %I:%M %p", "01.02.26 09:00 AM", 1769932800},
	{"%F %I:%M:%S.%f %p", "2026-02-01 09:00:00.25 PM", 1769932800 + 43200},
	{"%F %p %I:%M:%S%f", "2026-02-01 PM 09:00:00123", 1769932800 + 43200},
	{"%f %F %T.%f", "77 2026-02-01 09:00:00.5", 1769932800},
	{"%F %T.%f", "2026-02-01 09:00:00.", -1},
	{"%F %T%%z", "2026-02-01 09:00:00%z", 1769932800},
};

static void test_times(void **state)
{
	struct zone *berlin;

	(void)state;
	assert_int_equal(zone_load("Europe/Berlin", &berlin), 0);
	for (size_t i = 0; i < COUNT(times); i++) {
		char profile[1024], text[128];
		struct payload_record record;
		struct profile_reading r;
		struct profile *p;

		snprintf(profile, sizeof profile,
			HEAD DEVICE USER "\"time\":{\"from\":[\"/t\"],\"formats\":[\"%s\"]}}",
			times[i].format);
		assert_string_equal(load_text(profile, &p), "");
		snprintf(text, sizeof text, "{\"u\":1,\"t\":\"%s\"}", times[i].text);
		profile_reading_init(&r, p, "x/7/p", text, strlen(text), berlin);
		assert_int_equal(profile_reading_next(&r, &record), 1);
		assert_int_equal(
			record.kind, times[i].time_s < 0 ? PAYLOAD_BAD_TIME : PAYLOAD_PUNCH);
		assert_int_equal(record.punch.time_s, times[i].time_s < 0 ? 0 : times[i].time_s);
		profile_reading_done(&r);
		profile_free(p);
	}
	zone_free(berlin);
}

/* ---- replies */

static int replies;

static void on_reply(void *arg, const char *topic, const char *payload, size_t length)
{
	(void)arg;
	assert_string_equal(topic, "mqtt/face/005a213b000b93cc");
	assert_int_equal(length, strlen(payload));
	assert_string_equal(payload,
		"{\"messageId\":\"00000000-0000-4001-8000-000000000002\",\"operator\":\"Online-"
		"Ack\",\"info\":{\"facesluiceId\":\"005a213b000b93cc\",\"result\":\"ok\"}}");
	replies++;
}

static void test_replies(void **state)
{
	static const char online[] =
		"{\"operator\":\"Online\",\"info\":{\"facesluiceId\":\"005a213b000b93cc\"}}";
	static const char loose[] =
		"{\"operator\":\"Online\",\"info\":{\"facesluiceId\":\"a/../b\"}}";
	const struct profile_facts f = {.random = {1, 2}};

	(void)state;
	for (size_t i = 0; i < profile_count; i++) {
		profile_replies(
			profiles[i], "mqtt/face/basic", online, strlen(online), &f, on_reply, NULL);
		profile_replies(
			profiles[i], "mqtt/face/basic", loose, strlen(loose), &f, on_reply, NULL);
	}
	assert_int_equal(replies, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_neighbours_flow),
		cmocka_unit_test(test_pictures_are_not_kept),
		cmocka_unit_test(test_strip_in_an_array),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_odd_values_in_a_list),
		cmocka_unit_test(test_topic_parts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_replies),
	};

	return cmocka_run_group_tests_name("profile", tests, load_all, free_all);
}
