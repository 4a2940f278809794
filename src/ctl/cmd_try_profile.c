/* try-profile: what a profile makes of a captured payload, without punchd. */
#include <errno.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/time.h"
#include "base/zone.h"
#include "core/profile.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

#define PAYLOAD_FILE_MAX ((size_t)256 * 1024 * 1024) /* the most that max_payload may be */
#define FAULTS_MAX       65536
#define LETTER_MAX       ((size_t)256 * 1024)

/* What is tried, and the document that tells of it. */
struct trial {
	struct ctl *ctl;
	struct profile *profile;
	const char *topic;
	struct buf payload;
	struct zone *zone;
	json_t *doc;
};

/* ---- reading */

static int read_profile(struct trial *t, struct buf *text, char *path, size_t size)
{
	static const char *const folders[] = {"/etc/punchd/profiles", "/usr/share/punchd/profiles"};
	const char *name = t->ctl->arguments[0];
	int r = -ENOENT;

	snprintf(path, size, "%s", name);
	if (strchr(name, '/') || strstr(name, ".json"))
		return file_read(path, text, NULL);
	for (size_t i = 0; i < 2 && r == -ENOENT; i++) {
		snprintf(path, size, "%s/%s.json", folders[i], name);
		r = file_read(path, text, NULL);
	}
	return r;
}

static int load(struct trial *t)
{
	char path[1024], *line, *rest;
	struct buf text, faults;
	int r;

	buf_init(&text, PROFILE_FILE_MAX);
	buf_init(&faults, FAULTS_MAX);
	r = read_profile(t, &text, path, sizeof path);
	if (r == 0)
		r = profile_load(path, text.data, text.len, &faults, &t->profile);
	if (r < 0)
		ctl_complain("%s: %s", path, strerror(-r));
	rest = faults.data;
	while ((line = strsep(&rest, "\n"))) {
		if (line[0])
			ctl_complain("%s", line);
	}
	buf_done(&text);
	buf_done(&faults);
	return t->profile ? CTL_DONE : CTL_REFUSED;
}

static int read_rest(struct trial *t)
{
	const char *zone = t->ctl->text[OPTION_ZONE], *file = t->ctl->arguments[2];
	int r = zone_load(zone, &t->zone);

	if (r < 0) {
		ctl_complain("there is no time zone %s", zone ? zone : "of this system");
		return CTL_USAGE;
	}
	r = file_read(file, &t->payload, NULL);
	if (r < 0)
		ctl_complain("%s: %s", file, strerror(-r));
	return r < 0 ? CTL_REFUSED : CTL_DONE;
}

/* ---- telling */

static json_t *section(struct trial *t, const char *name)
{
	json_t *list = json_object_get(t->doc, name), *one = json_object();

	if (!list) {
		list = json_array();
		json_object_set_new(t->doc, name, list);
	}
	json_array_append_new(list, one);
	return one;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(object, key, json_string(text));
}

static void add_letter(void *arg, const char *topic, const char *payload, size_t length)
{
	json_t *one = section(arg, "publishes");

	json_object_set_new(one, "topic", json_string(topic));
	json_object_set_new(one, "payload", json_stringn(payload, length));
}

static const char *becomes(const struct payload_record *record)
{
	switch (record->kind) {
	case PAYLOAD_PUNCH: return "punch";
	case PAYLOAD_BAD_TIME: return "parked: bad_time";
	case PAYLOAD_MALFORMED: return "parked: malformed";
	case PAYLOAD_TOO_LARGE: return "parked: too_large";
	case PAYLOAD_IGNORED: return "ignored";
	}
	return "";
}

static void add_record(struct trial *t, const struct payload_record *record)
{
	const struct punch *p = &record->punch;
	json_t *one = section(t, "records");
	char when[TIME_TEXT_SIZE];

	set_text(one, "becomes", becomes(record));
	set_text(one, "fault", record->fault);
	set_text(one, "terminal", p->terminal);
	set_text(one, "record_id", p->record_id);
	if (record->kind != PAYLOAD_PUNCH && record->kind != PAYLOAD_BAD_TIME)
		return;
	json_object_set_new(
		one, "user", json_sprintf("%s:%s", user_kind_name(p->user_kind), p->user));
	set_text(one, "time_sent", p->time_sent);
	if (p->has_time)
		set_text(one, "time", time_format_utc(p->time_s, -1, when));
	else if (record->kind == PAYLOAD_PUNCH)
		set_text(one, "time", "when it is received");
	set_text(one, "type", punch_type_name(p->type_sent));
	if (p->flags & (FLAG_LIVE | FLAG_STORED))
		json_object_set_new(one, "live", json_boolean(p->flags & FLAG_LIVE));
	if (p->flags & FLAG_TIME_SKIPPED)
		json_object_set_new(one, "time_skipped", json_true());
}

/* ---- what would come of it */

static int add_ack(struct trial *t, const struct profile_facts *f, unsigned outcomes)
{
	struct buf topic, payload;
	int r = 0;

	if (!profile_ack_wanted(t->profile, f, outcomes))
		return 0;
	buf_init(&topic, PROFILE_TEXT_SIZE);
	buf_init(&payload, LETTER_MAX);
	r = profile_topic_fill(t->profile->ack.letter.topic, f, &topic);
	if (r == 0)
		r = profile_payload_fill(&t->profile->ack.letter, f, &payload);
	if (r == 0)
		add_letter(t, topic.data, payload.data, payload.len);
	buf_done(&topic);
	buf_done(&payload);
	return r == -ENOMEM ? r : 0;
}

static int try_records(struct trial *t, struct profile_facts *f)
{
	struct profile_reading reading;
	struct payload_record record;
	unsigned all = 0;
	int r = profile_reading_init(
		&reading, t->profile, t->topic, t->payload.data, t->payload.len, t->zone);

	f->view = &reading.view;
	f->device = reading.device;
	f->record_id = reading.record_id;
	f->count = (int64_t)reading.count;
	while (r == 0 && (r = profile_reading_next(&reading, &record)) > 0) {
		unsigned one = record.kind == PAYLOAD_IGNORED ? OUTCOME_REJECTED : OUTCOME_STORED;

		add_record(t, &record);
		all |= one;
		r = t->profile->ack.each_record ? add_ack(t, f, one) : 0;
	}
	if (r == 0 && !t->profile->ack.each_record)
		r = add_ack(t, f, all);
	profile_reading_done(&reading);
	return r;
}

static int try_sides(struct trial *t, const struct profile_facts *f)
{
	struct profile_presence presence;
	int r = profile_presence(t->profile, t->topic, t->payload.data, t->payload.len, &presence);

	if (r > 0) {
		json_t *one = section(t, "presence");

		set_text(one, "terminal", presence.device);
		json_object_set_new(one, "online", json_boolean(presence.online));
	}
	if (r >= 0)
		r = profile_replies(
			t->profile, t->topic, t->payload.data, t->payload.len, f, add_letter, t);
	return r;
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

static int try_message(struct trial *t)
{
	struct hearing h = {.topic = t->topic};
	struct profile_facts f = {.now_s = clock_now().wall_us / CLOCK_US_PER_S,
		.zone = t->zone,
		.device = "",
		.record_id = ""};
	int r;

	profile_filters(t->profile, hear, &h);
	if (!h.hears) {
		ctl_complain("the profile %s does not listen on %s", t->profile->name, t->topic);
		return CTL_REFUSED;
	}
	r = try_sides(t, &f);
	if (r == 0 && profile_filter_match(t->profile->topic, t->topic, NULL))
		r = try_records(t, &f);
	if (r < 0)
		ctl_complain("%s", strerror(-r));
	return r < 0 ? CTL_REFUSED : CTL_DONE;
}

/* ---- showing it */

static void draw_one(struct buf *out, const struct paper *paper, const json_t *one)
{
	const char *key;
	json_t *value;
	struct table table;

	table_init(&table, 2, NULL);
	json_object_foreach((json_t *)(uintptr_t)one, key, value)
	{
		table_addf(&table, TINT_BOLD, "  %s", key);
		if (json_is_string(value))
			table_add_bytes(&table, TINT_PLAIN, json_string_value(value),
				json_string_length(value));
		else
			table_add(&table, TINT_PLAIN, json_is_true(value) ? "yes" : "no");
	}
	if (table_draw(&table, paper) < 0)
		out->error = -ENOMEM;
	table_done(&table);
}

static int draw(struct trial *t)
{
	struct buf out;
	struct paper paper = ctl_paper(t->ctl, &out);
	const char *name;
	json_t *list, *one;
	size_t i;

	json_object_foreach(t->doc, name, list)
	{
		json_array_foreach(list, i, one)
		{
			paper_line(&paper, TINT_FAINT, name);
			draw_one(&out, &paper, one);
		}
	}
	if (json_object_size(t->doc) == 0)
		paper_line(&paper, TINT_PLAIN, "nothing comes of it");
	return ctl_show(&out);
}

int run_try_profile(struct ctl *ctl)
{
	struct trial t = {.ctl = ctl, .topic = ctl->arguments[1], .doc = json_object()};
	int r = load(&t);

	buf_init(&t.payload, PAYLOAD_FILE_MAX);
	if (r == CTL_DONE)
		r = read_rest(&t);
	if (r == CTL_DONE)
		r = try_message(&t);
	if (r == CTL_DONE)
		r = ctl->text[OPTION_JSON] ? ctl_show_value(ctl, t.doc) : draw(&t);
	json_decref(t.doc);
	zone_free(t.zone);
	buf_done(&t.payload);
	profile_free(t.profile);
	return r;
}
