/* From a message of a family to punches. */
#include <errno.h>

#include "base/jsplit.h"
#include "core/profile.h"
#include "core/user.h"

/* ---- the message */

static bool is_blank_line(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strchr(" \t\r", bytes[i]) || !bytes[i])
			return false;
	}
	return true;
}

/* Find the lines that are not blank. */
static int split_lines(struct profile_reading *r)
{
	size_t at = 0, room = 0;

	while (at < r->length) {
		const char *end = memchr(r->bytes + at, '\n', r->length - at);
		size_t n = end ? (size_t)(end - r->bytes) - at : r->length - at, next = at + n + 1;

		while (n > 0 && r->bytes[at + n - 1] == '\r')
			n--;
		if (!is_blank_line(r->bytes + at, n)) {
			struct jspan *lines = r->lines;

			if (r->count == PROFILE_RECORDS_MAX) {
				r->whole_fault = "more than 10000 records";
				return 0;
			}
			if (r->count == room) {
				room = room ? room * 2 : 16;
				lines = reallocarray(r->lines, room, sizeof *lines);
				if (!lines)
					return -ENOMEM;
				r->lines = lines;
			}
			lines[r->count++] = (struct jspan){.at = at, .length = n};
		}
		at = next;
	}
	return 0;
}

static const json_t *unwrap(const struct profile *p, struct profile_view *v)
{
	size_t i;
	json_t *path;

	json_array_foreach(p->unwrap, i, path)
	{
		const json_t *inner = profile_find(v, json_string_value(path));

		if (inner)
			return inner;
	}
	return v->root;
}

static void find_records(struct profile_reading *r)
{
	const char *records = r->profile->records;
	const json_t *found = r->view.root;

	r->count = 1;
	if (!records)
		return;
	if (strcmp(records, "/") != 0)
		found = profile_find(&r->view, records);
	if (json_is_array(found)) {
		r->list = found;
		r->count = json_array_size(found);
	} else if (found && !json_is_object(found)) {
		r->whole_fault = "its records are neither an array nor an object";
	}
	if (r->count > PROFILE_RECORDS_MAX)
		r->whole_fault = "more than 10000 records";
}

int profile_reading_init(struct profile_reading *r, const struct profile *p, const char *topic,
	const void *bytes, size_t n, const struct zone *zone)
{
	int error;

	*r = (struct profile_reading){.profile = p, .zone = zone, .bytes = bytes, .length = n};
	profile_filter_match(p->topic, topic, &r->view.names);
	if (p->records && strcmp(p->records, "lines") == 0) {
		error = split_lines(r);
		if (r->whole_fault || r->count == 0)
			r->count = 1;
		if (!r->whole_fault && !r->lines)
			r->whole_fault = "it has no lines";
		return error;
	}
	error = profile_parse(p->format, p->columns, r->bytes, n, &r->message, &r->whole_fault);
	r->count = 1;
	if (r->message) {
		r->stripped = profile_strip(p->strip, r->message);
		r->view.root = r->message;
		r->view.root = unwrap(p, &r->view);
		find_records(r);
	}
	if (r->whole_fault)
		r->count = 1;
	return error;
}

void profile_reading_done(struct profile_reading *r)
{
	json_decref(r->message);
	json_decref(r->line);
	free(r->lines);
}

/* ---- a record's fields */

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The first that is somebody. Returns 1, 0 (nobody), or -EINVAL with *ret_fault. */
static int read_user(struct profile_reading *r, struct punch *p, const char **ret_fault)
{
	char text[PROFILE_TEXT_SIZE];
	size_t i;
	json_t *way;

	json_array_foreach(r->profile->user, i, way)
	{
		enum profile_value value = profile_get(
			&r->view, json_string_value(json_array_get(way, 0)), text);

		if (value == VALUE_NONE ||
			(value == VALUE_TEXT && profile_lists(r->profile->user_reject, text)))
			continue;
		*ret_fault = "user is no text of 1 to 128 characters";
		if (value == VALUE_ODD || characters(text) > 128)
			return -EINVAL;
		user_kind_parse(json_string_value(json_array_get(way, 1)), &p->user_kind);
		if (user_normalise(p->user_kind, text, p->user) == 0)
			return 1;
	}
	*ret_fault = NULL;
	return 0;
}

static void read_direction(struct profile_reading *r, struct punch *p)
{
	const struct profile *profile = r->profile;
	char text[PROFILE_TEXT_SIZE];
	const char *type;

	if (!profile->direction_from ||
		profile_get(&r->view, profile->direction_from, text) != VALUE_TEXT)
		return;
	type = json_string_value(json_object_get(profile->direction_map, text));
	if (type)
		punch_type_parse(type, &p->type_sent);
}

static void read_live(struct profile_reading *r, struct punch *p)
{
	char text[PROFILE_TEXT_SIZE];

	if (r->profile->live_from &&
		profile_get(&r->view, r->profile->live_from, text) == VALUE_TEXT)
		p->flags |= profile_lists(r->profile->live_true, text) ? FLAG_LIVE : FLAG_STORED;
}

/* A topic of an acknowledgement that cannot be would leave the terminal sending for ever. */
static const char *ack_topic_fault(struct profile_reading *r)
{
	const struct profile_facts f = {
		.view = &r->view, .device = r->device, .record_id = r->record_id};
	struct buf topic;
	int error;

	if (!r->profile->ack.letter.topic)
		return NULL;
	buf_init(&topic, PROFILE_TEXT_SIZE);
	error = profile_topic_fill(r->profile->ack.letter.topic, &f, &topic);
	buf_done(&topic);
	return error == -EINVAL ? "what goes into the topic of its acknowledgement is no level"
				: NULL;
}

static bool is_terminal_name(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	}
	return n >= 1 && n <= TERMINAL_MAX;
}

/* Who sent it and under which number: wanted also of what is no punch, for its ack. Returns the
 * fault that a punch would have. */
static const char *read_sender(struct profile_reading *r, struct punch *p)
{
	enum profile_value id = profile_first(&r->view, r->profile->record_id, r->record_id);
	bool named = profile_first(&r->view, r->profile->device, r->device) == VALUE_TEXT &&
		is_terminal_name(r->device);

	punch_text_set(p->terminal, sizeof p->terminal, named ? r->device : r->profile->name);
	if (!named) {
		r->device[0] = '\0';
		return "it names no terminal in 1 to 64 bytes";
	}
	if (id == VALUE_ODD || characters(r->record_id) > 64) {
		r->record_id[0] = '\0';
		return "its record id is no text of 1 to 64 characters";
	}
	punch_text_set(p->record_id, sizeof p->record_id, r->record_id);
	return ack_topic_fault(r);
}

static const struct zone *zone_at(const struct profile_reading *r, const char *terminal)
{
	return r->zone_of ? r->zone_of(r->zone_arg, terminal) : r->zone;
}

static void read_fields(struct profile_reading *r, struct payload_record *ret)
{
	struct punch *p = &ret->punch;
	const char *sender_fault = read_sender(r, p), *fault = NULL;
	bool bad_time = false;
	int user = 0;

	if (profile_accepts(r->profile->accept, &r->view))
		user = read_user(r, p, &fault);
	if (user == 0) {
		ret->kind = PAYLOAD_IGNORED;
		return;
	}
	if (!fault || user > 0)
		fault = sender_fault;
	if (!fault)
		fault = profile_time_read(
			r->profile, &r->view, zone_at(r, p->terminal), p, &bad_time);
	ret->fault = fault;
	if (fault && !bad_time)
		return;
	read_direction(r, p);
	read_live(r, p);
	ret->kind = bad_time ? PAYLOAD_BAD_TIME : PAYLOAD_PUNCH;
}

/* ---- records */

/* Make the view stand on the record of this index. Returns 0 or -ENOMEM. */
static int stand_on(struct profile_reading *r, size_t i, const char **ret_fault)
{
	int error = 0;

	*ret_fault = NULL;
	if (r->list) {
		r->view.record = json_array_get(r->list, i);
	} else if (r->lines) {
		const struct jspan *line = &r->lines[i];

		json_decref(r->line);
		r->line = NULL;
		error = profile_parse(r->profile->format, r->profile->columns, r->bytes + line->at,
			line->length, &r->line, ret_fault);
		r->stripped = r->line && profile_strip(r->profile->strip, r->line);
		r->view.root = r->view.record = r->line;
	} else {
		r->view.record = r->view.root;
		if (r->profile->records && strcmp(r->profile->records, "/") != 0)
			r->view.record = profile_find(&r->view, r->profile->records);
	}
	return error;
}

/* What a malformed record is known by: terminal and id alone. */
static void forget_the_rest(struct punch *p)
{
	struct punch clean = {.seq = 0};

	memcpy(clean.terminal, p->terminal, sizeof clean.terminal);
	memcpy(clean.record_id, p->record_id, sizeof clean.record_id);
	*p = clean;
}

int profile_reading_next(struct profile_reading *r, struct payload_record *ret)
{
	int error = 0;

	if (r->next == r->count)
		return 0;
	*ret = (struct payload_record){.index = (int)r->next,
		.kind = PAYLOAD_MALFORMED,
		.whole = !r->list && !r->lines,
		.fault = r->whole_fault};
	if (r->whole_fault)
		ret->whole = true;
	else
		error = stand_on(r, r->next, &ret->fault);
	r->next++;
	if (error < 0)
		return error;
	if (ret->fault)
		read_sender(r, &ret->punch);
	else
		read_fields(r, ret);
	if (ret->kind == PAYLOAD_MALFORMED)
		forget_the_rest(&ret->punch);
	return 1;
}

int profile_reading_raw(struct profile_reading *r, const struct payload_record *record,
	char ret[static PAYLOAD_RAW_MAX], bool *ret_full)
{
	const struct jspan whole = {.at = 0, .length = r->length};
	const struct jspan *span = r->lines && !record->whole ? &r->lines[record->index] : &whole;
	const json_t *left = r->list && !record->whole ? r->view.record
		: r->lines                             ? r->line
						       : r->message;
	size_t kept;
	char *text;

	if (!left || (!r->stripped && (r->lines || left == r->message)))
		return (int)payload_keep(r->bytes + span->at, span->length, ret, ret_full);
	text = json_dumps(left, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return -ENOMEM;
	kept = payload_keep(text, strlen(text), ret, ret_full);
	*ret_full = *ret_full && !r->stripped;
	free(text);
	return (int)kept;
}
