/* A profile's file, key by key. */
#include <errno.h>

#include "base/jsplit.h"
#include "core/profile.h"
#include "core/profile_check.h"

#define YEAR_S (366LL * 86400)
#define WEEK_S (7LL * 86400)

static const char *const profile_keys[] = {"name", "about", "qos", "topic", "format", "columns",
	"retained", "unwrap", "records", "accept", "device", "user", "user_reject", "record_id",
	"time", "direction", "live", "double_tap_s", "strip", "ack", "replies", "presence", "clock",
	NULL};
static const char *const formats[] = {"json", "text", "tsv", "kv", NULL};
static const char *const side_formats[] = {"json", "text", NULL};

/* ---- topics */

static const char *load_filter(struct checker *c, const json_t *object)
{
	const char *filter = check_text(c, object, "topic", true);
	const char *fault = filter ? profile_filter_fault(filter) : NULL;
	size_t mark = check_enter(c, "topic");

	if (fault)
		check_fault(c, "%s", fault);
	check_leave(c, mark);
	return fault ? NULL : filter;
}

/* Whether two topics begin with the same level. */
static bool same_beginning(const char *a, const char *b)
{
	size_t n = strcspn(a, "/");

	return n == strcspn(b, "/") && memcmp(a, b, n) == 0;
}

/* Whether only the topic says who the terminal is. */
static bool named_by_topic(const struct profile *p)
{
	return json_array_size(p->device) == 1 && p->device &&
		strcmp(json_string_value(json_array_get(p->device, 0)) ?: "", "topic:device") == 0;
}

struct meeting {
	const char *topic;
	bool hears; /* the gateway would hear what it publishes there, whatever is inserted */
};

static void meet(void *arg, const char *filter)
{
	struct meeting *m = arg;

	if (filter && !strchr(m->topic, '{') && profile_filter_match(filter, m->topic, NULL))
		m->hears = true;
}

/* What may be published: beside the family's own topics, and nothing that comes back. */
static const char *published_fault(const struct profile *p, const char *filter, const char *topic)
{
	struct meeting m = {.topic = topic};

	if (!topic[0] || topic[0] == '/' || strpbrk(topic, "+#$"))
		return "it is no topic";
	if (strlen(topic) > PROFILE_TOPIC_MAX)
		return "it is longer than 256 bytes";
	if (!same_beginning(topic, filter) ||
		(topic[0] == '{' && (!named_by_topic(p) || !same_beginning(topic, "{device}"))))
		return "it does not begin with the level that the profile's topic begins with";
	profile_filters(p, meet, &m);
	if (m.hears)
		return "the gateway listens on this topic itself: that would be a loop";
	if (profile_filters_meet(topic, "att/v1/{a}/{b}") ||
		profile_filters_meet(topic, "att/v1/{a}/{b}/{c}"))
		return "it matches topics of att/v1, which is the gateway's own";
	return NULL;
}

/* ---- letters */

static void check_template(struct checker *c, const json_t *value, enum letter_kind kind)
{
	const char *key, *fault = NULL;
	json_t *inner;
	size_t i, mark;

	if (json_is_string(value))
		fault = profile_template_fault(json_string_value(value), c->filter, kind);
	if (fault)
		check_fault(c, "%s", fault);
	json_object_foreach((json_t *)(uintptr_t)value, key, inner)
	{
		mark = check_enter(c, key);
		check_template(c, inner, kind);
		check_leave(c, mark);
	}
	json_array_foreach(value, i, inner)
	{
		mark = check_enter_at(c, i);
		check_template(c, inner, kind);
		check_leave(c, mark);
	}
}

static struct profile_letter load_letter(struct checker *c, const struct profile *p,
	const json_t *object, const char *topic_key, enum letter_kind kind)
{
	struct profile_letter letter = {.topic = check_text(c, object, topic_key, true),
		.payload = json_object_get(object, "payload"),
		.payload_text = check_text(c, object, "payload_text", false)};
	const char *fault = letter.topic ? profile_template_fault(letter.topic, c->filter, kind)
					 : NULL;
	size_t mark = check_enter(c, topic_key);

	if (!fault && letter.topic && c->filter)
		fault = published_fault(p, c->filter, letter.topic);
	if (fault)
		check_fault(c, "%s", fault);
	check_leave(c, mark);
	if (!letter.payload == !letter.payload_text)
		check_fault(c, "it has one of payload and payload_text");
	mark = check_enter(c, letter.payload ? "payload" : "payload_text");
	check_template(
		c, json_object_get(object, letter.payload ? "payload" : "payload_text"), kind);
	check_leave(c, mark);
	return letter;
}

static unsigned load_on(struct checker *c, const json_t *ack)
{
	static const char *const words[] = {"stored", "duplicate", "rejected"};
	const json_t *list = check_list(c, ack, "on", false, false);
	unsigned on = list ? 0 : OUTCOME_STORED | OUTCOME_DUPLICATE;
	size_t i, mark = check_enter(c, "on");
	json_t *value;

	json_array_foreach(list, i, value)
	{
		const char *text = json_string_value(value);
		size_t word = 0;

		while (word < 3 && (!text || strcmp(words[word], text) != 0))
			word++;
		if (word == 3)
			check_fault(c, "it is a list of stored, duplicate and rejected");
		else
			on |= 1u << word;
	}
	check_leave(c, mark);
	return on;
}

static void check_need(struct checker *c, const char *need)
{
	struct json_t *holder;
	size_t mark = strlen(c->path);

	if (need && strcmp(need, "record_id") == 0)
		return;
	holder = json_pack("{s:s*}", "needs", need);
	check_path(c, holder, "needs", true);
	json_decref(holder);
	check_leave(c, mark);
}

static void load_ack(struct checker *c, struct profile *p, const json_t *ack)
{
	static const char *const keys[] = {
		"topic", "payload", "payload_text", "scope", "on", "once", "needs", NULL};
	static const char *const scopes[] = {"message", "record", NULL};
	size_t mark = check_enter(c, "ack"), i;
	json_t *need;

	if (check_object(c, ack, keys)) {
		p->ack.letter = load_letter(c, p, ack, "topic", LETTER_ACK);
		p->ack.each_record = check_word(c, ack, "scope", scopes, 0) == 1;
		p->ack.on = load_on(c, ack);
		p->ack.once = check_bool(c, ack, "once", false);
		if (p->ack.once && p->ack.each_record)
			check_fault(c,
				"once is of whole messages: it does not go with the scope record");
		p->ack.needs = json_object_get(ack, "needs");
		if (json_is_string(p->ack.needs))
			check_need(c, json_string_value(p->ack.needs));
		else
			check_list(c, ack, "needs", false, false);
		json_array_foreach(p->ack.needs, i, need) check_need(c, json_string_value(need));
	}
	check_leave(c, mark);
}

/* ---- sides */

static void load_reply(struct checker *c, struct profile *p, const json_t *side)
{
	static const char *const keys[] = {
		"topic", "format", "accept", "to", "payload", "payload_text", NULL};

	if (!check_object(c, side, keys))
		return;
	c->filter = load_filter(c, side);
	check_word(c, side, "format", side_formats, 0);
	check_conditions(c, side, "accept", true);
	load_letter(c, p, side, "to", LETTER_REPLY);
}

static void load_presence(struct checker *c, struct profile *p, const json_t *side)
{
	static const char *const keys[] = {
		"topic", "format", "device", "online", "offline", "timeout_s", NULL};

	(void)p;
	if (!check_object(c, side, keys))
		return;
	c->filter = load_filter(c, side);
	check_word(c, side, "format", side_formats, 0);
	check_paths(c, side, "device", true, false);
	if (!check_conditions(c, side, "online", false) && !json_object_get(side, "offline"))
		check_fault(c, "it has neither online nor offline: it can say nothing");
	check_conditions(c, side, "offline", false);
	check_number(c, side, "timeout_s", 1, YEAR_S, 0);
}

static const json_t *load_sides(struct checker *c, struct profile *p, const char *key,
	void (*load)(struct checker *, struct profile *, const json_t *))
{
	const json_t *list = json_object_get(p->root, key);
	const char *filter = c->filter;
	size_t mark = check_enter(c, key), i;
	json_t *side;

	if (list && !json_is_array(list))
		check_fault(c, "it is no list");
	json_array_foreach(list, i, side)
	{
		size_t inner = check_enter_at(c, i);

		load(c, p, side);
		c->filter = filter;
		check_leave(c, inner);
	}
	check_leave(c, mark);
	return list;
}

static void load_clock(struct checker *c, struct profile *p, const json_t *clock)
{
	static const char *const keys[] = {
		"topic", "every_s", "payload", "payload_text", "note", NULL};
	size_t mark = check_enter(c, "clock");

	if (check_object(c, clock, keys)) {
		p->clock = load_letter(c, p, clock, "topic", LETTER_CLOCK);
		p->clock_every_s = check_number(c, clock, "every_s", 60, YEAR_S, 86400);
		check_text(c, clock, "note", false);
	}
	check_leave(c, mark);
}

/* ---- what a punch is made of */

static void load_users(struct checker *c, struct profile *p)
{
	size_t mark = check_enter(c, "user"), i;
	json_t *way;

	p->user = json_object_get(p->root, "user");
	if (!json_is_array(p->user) || json_array_size(p->user) == 0)
		check_fault(c, "it is no list of [path, kind]");
	json_array_foreach(p->user, i, way)
	{
		size_t inner = check_enter_at(c, i);
		const char *kind = json_string_value(json_array_get(way, 1));
		struct json_t *holder = json_pack("{s:O*}", "0", json_array_get(way, 0));
		enum user_kind known;

		if (json_array_size(way) != 2 || !kind || user_kind_parse(kind, &known) < 0)
			check_fault(c,
				"it is no [path, kind] with one of the kinds id, pin, card, "
				"slot, email, phone");
		check_path(c, holder, "0", true);
		json_decref(holder);
		check_leave(c, inner);
	}
	check_leave(c, mark);
}

static void load_formats(struct checker *c, struct profile *p, const json_t *time)
{
	size_t mark, i;
	json_t *value;

	p->time.from = check_paths(c, time, "from", false, false);
	p->time.formats = check_list(c, time, "formats", false, true);
	mark = check_enter(c, "formats");
	json_array_foreach(p->time.formats, i, value)
	{
		const char *format = json_string_value(value);
		const char *fault = format ? profile_time_format_fault(format) : "it is no text";
		size_t inner = check_enter_at(c, i);

		if (fault)
			check_fault(c, "%s", fault);
		check_leave(c, inner);
	}
	check_leave(c, mark);
	if (!json_array_size(p->time.from) != !json_array_size(p->time.formats))
		check_fault(c, "from and formats go together");
	if (!json_array_size(p->time.from) && !p->time.received)
		check_fault(c, "it has neither from nor \"fallback\": \"received\"");
}

static void load_time(struct checker *c, struct profile *p)
{
	static const char *const keys[] = {"from", "formats", "zone", "offset_s", "fallback", NULL};
	static const char *const zones[] = {"site", "UTC", NULL};
	static const char *const fallbacks[] = {"received", NULL};
	const json_t *time = json_object_get(p->root, "time");
	size_t mark = check_enter(c, "time");

	if (check_object(c, time, keys)) {
		p->time.utc = check_word(c, time, "zone", zones, 0) == 1;
		p->time.offset_s = check_path(c, time, "offset_s", false);
		p->time.received = check_word(c, time, "fallback", fallbacks, -1) == 0;
		load_formats(c, p, time);
	}
	check_leave(c, mark);
}

static void load_direction(struct checker *c, struct profile *p)
{
	static const char *const keys[] = {"from", "map", NULL};
	const json_t *direction = json_object_get(p->root, "direction");
	size_t mark = check_enter(c, "direction");
	const char *key;
	json_t *value;

	if (direction && check_object(c, direction, keys)) {
		p->direction_from = check_path(c, direction, "from", true);
		p->direction_map = json_object_get(direction, "map");
		if (json_object_size(p->direction_map) == 0)
			check_fault(c, "map is no object with at least one key");
		json_object_foreach((json_t *)(uintptr_t)p->direction_map, key, value)
		{
			enum punch_type type;
			const char *text = json_string_value(value);

			if (!text || punch_type_parse(text, &type) < 0)
				check_fault(c, "map leads to check_in and check_out alone");
		}
	}
	check_leave(c, mark);
}

static void load_live(struct checker *c, struct profile *p)
{
	static const char *const keys[] = {"from", "true", NULL};
	const json_t *live = json_object_get(p->root, "live");
	size_t mark = check_enter(c, "live");

	if (live && check_object(c, live, keys)) {
		p->live_from = check_path(c, live, "from", true);
		p->live_true = check_list(c, live, "true", true, false);
	}
	check_leave(c, mark);
}

static void load_name(struct checker *c, struct profile *p)
{
	const char *name = check_text(c, p->root, "name", true);

	if (name &&
		(strlen(name) < 1 || strlen(name) > TERMINAL_MAX || strcmp(name, "native") == 0 ||
			strspn(name,
				"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._"
				"-") != strlen(name)))
		check_fault(
			c, "name is 1 to 64 of letters, digits, dot, dash and _, and not native");
	p->name = name;
}

static void load_records(struct checker *c, struct profile *p)
{
	p->records = check_text(c, p->root, "records", false);
	if (p->records && strcmp(p->records, "lines") != 0 && strcmp(p->records, "/") != 0 &&
		(p->records[0] != '/' || !check_path(c, p->root, "records", false)))
		check_fault(c, "records is lines, / or the path of an array");
	if (p->records && p->records[0] == '/' && p->format != FORMAT_JSON)
		check_fault(c, "only JSON has records at a path: records is lines here");
	p->columns = check_list(c, p->root, "columns", p->format == FORMAT_TSV, false);
	if (p->columns && p->format != FORMAT_TSV)
		check_fault(c, "columns go with the format tsv alone");
}

static void load(struct checker *c, struct profile *p)
{
	static const char *const retained[] = {"ignore", "accept", NULL};
	const json_t *part;

	load_name(c, p);
	check_text(c, p->root, "about", false);
	check_number(c, p->root, "qos", 0, 1, 1);
	p->topic = c->filter = load_filter(c, p->root);
	p->format = (enum profile_format)check_word(c, p->root, "format", formats, FORMAT_JSON);
	p->takes_retained = check_word(c, p->root, "retained", retained, 0) == 1;
	load_records(c, p);
	p->unwrap = check_paths(c, p->root, "unwrap", false, true);
	if (p->unwrap && p->records && strcmp(p->records, "lines") == 0)
		check_fault(c, "unwrap is of a whole message: it does not go with lines");
	p->accept = check_conditions(c, p->root, "accept", true);
	p->device = check_paths(c, p->root, "device", true, false);
	load_users(c, p);
	p->user_reject = check_list(c, p->root, "user_reject", false, true);
	p->record_id = check_paths(c, p->root, "record_id", false, false);
	p->strip = check_paths(c, p->root, "strip", false, true);
	p->double_tap_s = check_number(c, p->root, "double_tap_s", 0, WEEK_S, -1);
	load_time(c, p);
	load_direction(c, p);
	load_live(c, p);
	p->presence = load_sides(c, p, "presence", load_presence);
	p->replies = json_object_get(p->root, "replies");
	p->replies = load_sides(c, p, "replies", load_reply);
	if ((part = json_object_get(p->root, "ack")))
		load_ack(c, p, part);
	if ((part = json_object_get(p->root, "clock")))
		load_clock(c, p, part);
}

int profile_load(const char *file, const char *text, size_t n, struct buf *faults,
	struct profile **ret_profile)
{
	struct checker c = {.file = file, .faults = faults};
	struct profile *p = calloc(1, sizeof *p);
	size_t before = faults->len;
	json_error_t error;

	*ret_profile = NULL;
	if (!p)
		return -ENOMEM;
	p->double_tap_s = -1;
	if (jsplit_deeper(text, n, PAYLOAD_DEPTH))
		check_fault(&c, "it is nested deeper than 32 levels");
	else
		p->root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (faults->len == before && !p->root)
		buf_addf(faults, "%s: line %d: it is no JSON: %s\n", file, error.line, error.text);
	if (p->root && check_object(&c, p->root, profile_keys))
		load(&c, p);
	if (faults->len > before || buf_error(faults)) {
		profile_free(p);
		return 0;
	}
	*ret_profile = p;
	return 0;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	json_decref(p->root);
	free(p);
}
