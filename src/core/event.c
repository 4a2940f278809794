#include "core/event.h"

#include "base/jget.h"
#include "base/jsplit.h"
#include "base/time.h"

static const struct {
	const char *name;
	enum event_type type;
} types[] = {
	{"user.created", EVENT_USER_CREATED},
	{"user.updated", EVENT_USER_UPDATED},
	{"device.status_changed", EVENT_DEVICE_STATUS},
	{"attendance.created", EVENT_ATTENDANCE},
};

const char *event_type_name(enum event_type type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "other";
}

static enum event_type find_type(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return EVENT_OTHER;
}

/* jansson has seen that it is UTF-8. */
static bool is_clean(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/* A text that may be shown and logged. */
static bool copy_id(const json_t *object, const char *key, char ret[static CLOUD_ID_MAX + 1])
{
	const char *text;

	return jget_str(object, key, 1, CLOUD_ID_MAX, &text) > 0 && is_clean(text) &&
		punch_text_set(ret, CLOUD_ID_MAX + 1, text) == 0;
}

/* Returns 1, 0 (not there) or -1 (no time). */
static int read_time(const json_t *object, const char *key, int64_t *ret_s)
{
	const char *text;
	int r = jget_str(object, key, 1, TIME_SENT_MAX, &text);

	if (r <= 0)
		return r < 0 ? -1 : 0;
	return time_parse_rfc3339(text, ret_s) == 0 ? 1 : -1;
}

static const char *read_record(const json_t *data, struct event *e)
{
	struct event_record *r = &e->record;
	const char *type;

	if (!copy_id(data, "id", r->att_id) || !copy_id(data, "user_id", r->user_id) ||
		!copy_id(data, "device_id", r->device_id))
		return "data lacks id, user_id or device_id";
	if (jget_str(data, "type", 1, 16, &type) <= 0 || punch_type_parse(type, &r->type) < 0)
		return "data.type is neither check_in nor check_out";
	if (read_time(data, "timestamp", &r->time_s) <= 0)
		return "data.timestamp is no time with an offset";
	r->created_s = e->created_s;
	return NULL;
}

static const char *read_entry(json_t *data, const char *key, struct event *e)
{
	char id[CLOUD_ID_MAX + 1];
	const char *text;

	if (!copy_id(data, "id", id))
		return "data lacks an id of 1 to 64 characters";
	if (jget_str(data, key, 1, 256, &text) <= 0)
		return "data lacks what it is found by";
	e->updated_s = e->created_s;
	if (read_time(data, "updated_at", &e->updated_s) < 0)
		return "data.updated_at is no time with an offset";
	e->data = json_incref(data);
	return NULL;
}

static const char *read_data(const json_t *root, struct event *e)
{
	json_t *data = json_object_get(root, "data");

	if (e->type != EVENT_OTHER && !json_is_object(data))
		return "data is no object";
	switch (e->type) {
	case EVENT_OTHER: break;
	case EVENT_USER_CREATED:
	case EVENT_USER_UPDATED: return read_entry(data, "id", e);
	case EVENT_DEVICE_STATUS: return read_entry(data, "serial_number", e);
	case EVENT_ATTENDANCE: return read_record(data, e);
	}
	return NULL;
}

static const char *read_all(const json_t *root, struct event *e)
{
	const char *type;

	if (!json_is_object(root))
		return "the body is no object";
	if (!copy_id(root, "id", e->id))
		return "id is no text of 1 to 64 characters";
	if (jget_str(root, "type", 1, 128, &type) <= 0)
		return "type is no text";
	if (read_time(root, "created_at", &e->created_s) <= 0)
		return "created_at is no time with an offset";
	e->type = find_type(type);
	return read_data(root, e);
}

const char *event_read(const char *body, size_t length, struct event *ret)
{
	const char *fault;
	json_t *root;

	*ret = (struct event){.type = EVENT_OTHER};
	if (length > EVENT_BODY_MAX)
		return "the body is too large";
	if (jsplit_deeper(body, length, EVENT_DEPTH))
		return "it nests deeper than 32 levels";
	root = json_loadb(body ? body : "", length, JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		return "the body is not JSON";
	fault = read_all(root, ret);
	json_decref(root);
	return fault;
}

void event_done(struct event *e)
{
	json_decref(e->data);
	e->data = NULL;
}

bool event_is_ahead(const struct event *e, int64_t now_s)
{
	int64_t latest_s = e->updated_s > e->created_s ? e->updated_s : e->created_s;

	return latest_s > now_s + EVENT_FUTURE_S;
}

bool event_is_of(const struct event_record *r, const struct punch *p)
{
	return p->frozen_us != 0 && p->time_s == r->time_s && p->type == r->type &&
		strcmp(p->user_id, r->user_id) == 0 && strcmp(p->device_id, r->device_id) == 0;
}

bool event_proves(const struct event_record *r, const struct punch *p)
{
	return event_is_of(r, p) && p->frozen_cloud_us != 0 &&
		p->frozen_cloud_us / 1000000 <= r->created_s;
}
