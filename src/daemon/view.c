#include "daemon/view.h"

#include <pwd.h>

#include "base/hex.h"
#include "base/time.h"
#include "store/store_hand.h"
#include "store/store_link.h"
#include "store/store_punch.h"

#define RAW_SHOWN 4096

json_t *view_words(const char *words)
{
	json_t *text = words[0] ? json_string(words) : NULL;

	return text ? text : json_null();
}

json_t *view_time(int64_t wall_us, bool with_ms)
{
	char text[TIME_TEXT_SIZE];
	int64_t s = wall_us / CLOCK_US_PER_S;

	if (wall_us == 0)
		return json_null();
	return json_string(
		time_format_utc(s, with_ms ? (int)(wall_us % CLOCK_US_PER_S / 1000) : -1, text));
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

json_t *view_pause(const struct forward_pause *pause)
{
	const struct passwd *who = pause ? getpwuid((uid_t)pause->uid) : NULL;

	if (!pause)
		return json_null();
	return json_pack("{s:o, s:{s:I, s:o}}", "since", view_time(pause->at_us, false), "by",
		"uid", (json_int_t)pause->uid, "name", text_or_null(who ? who->pw_name : ""));
}

static json_t *seconds_or_null(bool there, int64_t unix_s)
{
	char text[TIME_TEXT_SIZE];

	return there ? json_string(time_format_utc(unix_s, -1, text)) : json_null();
}

static json_t *live_of(const struct punch *p)
{
	if (p->flags & (FLAG_LIVE | FLAG_STORED))
		return json_boolean(p->flags & FLAG_LIVE);
	return json_null();
}

static json_t *user_of(const struct context *c, const struct punch *p)
{
	const struct dir_user *user = directory_user(&c->directory, p->user_id);

	/* What could not be read has no user. */
	if (!p->user[0])
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o}", "kind", user_kind_name(p->user_kind), "value",
		p->user, "user_id", text_or_null(p->user_id), "name",
		text_or_null(user ? user->name : ""));
}

static json_t *flags_of(const struct punch *p)
{
	static const struct {
		unsigned flag;
		const char *name;
	} shown[] = {{FLAG_NO_ID, "no_id"}, {FLAG_AMENDED, "amended"}, {FLAG_RELEASED, "released"},
		{FLAG_TIME_SKIPPED, "time_skipped"},
		/* Kept when it is settled: where keys are not honoured the cloud may hold two. */
		{FLAG_IN_DOUBT, "in_doubt"}};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		if (p->flags & shown[i].flag)
			json_array_append_new(list, json_string(shown[i].name));
	}
	/* A cloud that ignores keys may have it twice; not where an event told of the only send. */
	if (p->state == PUNCH_DELIVERED && p->flags & FLAG_IN_DOUBT &&
		(!(p->flags & FLAG_BY_EVENT) || p->tries > 1))
		json_array_append_new(list, json_string("sent_again"));
	return list;
}

static json_t *error_of(const struct punch *p)
{
	if (!p->error_code[0] && !p->error_message[0])
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "code", text_or_null(p->error_code), "message",
		text_or_null(p->error_message), "param", text_or_null(p->error_param));
}

json_t *view_punch(const struct context *c, const struct forward *f, const struct punch *p)
{
	char id[IDENTITY_SIZE * 2 + 1], reason[REASON_TEXT_SIZE];
	int tries = punch_settled(p->state) || p->state == PUNCH_PARKED ? p->tries
									: forward_tries(f, p->seq);
	json_t *view = json_pack("{s:s, s:s, s:o, s:b, s:b, s:s, s:o, s:o}", "id",
		hex_encode(p->identity, IDENTITY_SIZE, id), "state", punch_state_name(p->state),
		"reason", text_or_null(punch_reason_name(p->reason, reason)), "in_doubt",
		forward_in_doubt(f, p), "frozen", p->frozen_us != 0, "terminal", p->terminal,
		"device_id", text_or_null(p->device_id), "user", user_of(c, p));

	if (!view)
		return NULL;
	json_object_set_new(view, "time", seconds_or_null(p->has_time, p->time_s));
	json_object_set_new(view, "time_sent", text_or_null(p->time_sent));
	json_object_set_new(view, "received", view_time(p->received_us, true));
	json_object_set_new(view, "type", text_or_null(punch_type_name(p->type)));
	json_object_set_new(view, "type_from", text_or_null(type_from_name(p->type_from)));
	json_object_set_new(view, "record_id", text_or_null(p->record_id));
	json_object_set_new(view, "live", live_of(p));
	json_object_set_new(view, "att_id", text_or_null(p->att_id));
	json_object_set_new(view, "tries", json_integer(tries));
	json_object_set_new(view, "flags", flags_of(p));
	json_object_set_new(view, "error", error_of(p));
	return view;
}

/* ---- the trace */

static void add_entry(json_t *trace, const char *event, int64_t at_us, json_t *rest)
{
	json_t *entry = json_pack("{s:o, s:s}", "at", view_time(at_us, true), "event", event);

	if (entry && rest)
		json_object_update(entry, rest);
	json_decref(rest);
	json_array_append_new(trace, entry);
}

/* Topic and bytes of what could not be read, as far as they are text. */
static json_t *raw_of(const struct context *c, const struct punch *p)
{
	char bytes[RAW_SHOWN + 1], topic[1024];
	int n = store_raw_get(c->store, p->seq, bytes, RAW_SHOWN, topic, sizeof topic);
	json_t *text;

	if (n < 0)
		return json_object();
	text = json_stringn(bytes, (size_t)n);
	if (!text) {
		for (int i = 0; i < n; i++) {
			if ((unsigned char)bytes[i] >= 0x80)
				bytes[i] = '?';
		}
		text = json_stringn(bytes, (size_t)n);
	}
	return json_pack("{s:s, s:o}", "topic", topic, "raw", text);
}

/* Older attempts of this run, as far as their sum is kept. */
static void add_older(json_t *trace, const struct attempts_older *older)
{
	add_entry(trace, "attempt", older->first_us,
		json_pack("{s:i, s:o, s:o, s:s?, s:o}", "count", older->count, "first",
			view_time(older->first_us, true), "last", view_time(older->last_us, true),
			"last_error", older->failed ? api_outcome_name(older->last_error) : NULL,
			"status", older->status ? json_integer(older->status) : json_null()));
}

static void add_attempts(json_t *trace, const struct forward *f, const struct punch *p)
{
	const struct attempts *attempts = forward_attempts(f);
	const struct attempts_older *older = attempts_older(attempts, p->seq);
	const struct attempt *a;
	size_t pos = 0;

	if (older)
		add_older(trace, older);
	while ((a = attempts_next(attempts, p->seq, &pos)))
		add_entry(trace, "attempt", a->at_us,
			json_pack("{s:s, s:o}", "outcome", api_outcome_name(a->outcome), "status",
				a->status ? json_integer(a->status) : json_null()));
}

/* What the judging said last. When that was is not kept. */
static void add_judged(json_t *trace, const struct punch *p)
{
	/* What has a frozen body was queued, whatever the API then said of it. */
	bool queued = p->frozen_us != 0;
	char reason[REASON_TEXT_SIZE];

	add_entry(trace, "judged", 0,
		json_pack("{s:s, s:o}", "state", punch_state_name(queued ? PUNCH_QUEUED : p->state),
			"reason",
			text_or_null(queued ? "" : punch_reason_name(p->reason, reason))));
}

static int add_deed(void *arg, const struct store_deed *deed)
{
	json_t *before = json_loads(deed->before, 0, NULL);

	add_entry(arg, "hand", deed->at_us,
		json_pack("{s:s, s:{s:I, s:o}, s:o, s:o}", "action", deed->action, "by", "uid",
			(json_int_t)deed->uid, "name", text_or_null(deed->name), "note",
			text_or_null(deed->note), "before", before ? before : json_null()));
	return 0;
}

/* Who said whom the terminal's name for this person means. */
static int add_link(void *arg, const struct user_link *l)
{
	add_entry(arg, "hand", l->at_us,
		json_pack("{s:s, s:{s:I, s:o}, s:o, s:s, s:s, s:o, s:o}", "action",
			l->user_id[0] ? "link" : "unlink", "by", "uid", (json_int_t)l->uid, "name",
			text_or_null(l->name), "note", text_or_null(l->note), "kind",
			user_kind_name(l->kind), "value", l->value, "device",
			text_or_null(l->device), "user_id", text_or_null(l->user_id)));
	return 0;
}

json_t *view_trace(struct context *c, const struct forward *f, const struct punch *p)
{
	json_t *trace = json_array();
	char key[WIRE_KEY_SIZE * 2 + 1];

	if (!trace)
		return NULL;
	add_entry(trace, "received", p->received_us, raw_of(c, p));
	add_judged(trace, p);
	if (p->frozen_us != 0)
		add_entry(trace, "frozen", p->frozen_us,
			json_pack("{s:s, s:s, s:s, s:s}", "user_id", p->user_id, "device_id",
				p->device_id, "type", punch_type_name(p->type), "key",
				hex_encode(p->wire_key, WIRE_KEY_SIZE, key)));
	add_attempts(trace, f, p);
	/* What cannot be read of these is left out: the punch is shown all the same. */
	if (p->user[0])
		store_link_history(c->store, p->user_kind, p->user,
			context_rules(c, p->terminal).serial, add_link, trace);
	store_deeds(c->store, p->seq, add_deed, trace);
	if (punch_settled(p->state))
		add_entry(trace, "settled", p->settled_us,
			json_pack("{s:s, s:o, s:s*}", "state", punch_state_name(p->state), "att_id",
				text_or_null(p->att_id), "by",
				p->flags & FLAG_BY_EVENT ? "webhook" : NULL));
	return trace;
}
