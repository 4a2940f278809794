/* A webhook's body: read, or a fault, and what was read is within its bounds. The same bytes are neither a
 * secret nor a signature. */
#include "fuzz.h"

#include "base/utf8.h"
#include "core/event.h"
#include "core/hooksig.h"

#define SECRET "a-secret-of-24-characters"

static void check_text(const char *text, size_t size)
{
	HOLDS(text[0] && strlen(text) < size && utf8_valid(text));
	for (const char *s = text; *s; s++)
		HOLDS((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void check_record(const struct event *e)
{
	struct punch p = {.frozen_us = 1,
		.frozen_cloud_us = 1,
		.type = e->record.type,
		.time_s = e->record.time_s};

	check_text(e->record.att_id, sizeof e->record.att_id);
	check_text(e->record.user_id, sizeof e->record.user_id);
	check_text(e->record.device_id, sizeof e->record.device_id);
	HOLDS(e->record.type == TYPE_CHECK_IN || e->record.type == TYPE_CHECK_OUT);
	HOLDS(e->record.created_s == e->created_s);
	memcpy(p.user_id, e->record.user_id, sizeof p.user_id);
	memcpy(p.device_id, e->record.device_id, sizeof p.device_id);
	HOLDS(event_is_of(&e->record, &p));
	HOLDS(event_proves(&e->record, &p) == (e->created_s >= 0));
	p.frozen_us = 0;
	HOLDS(!event_proves(&e->record, &p));
}

static void check_event(const struct event *e)
{
	check_text(e->id, sizeof e->id);
	switch (e->type) {
	case EVENT_OTHER: HOLDS(!e->data); break;
	case EVENT_ATTENDANCE:
		HOLDS(!e->data);
		check_record(e);
		break;
	case EVENT_USER_CREATED:
	case EVENT_USER_UPDATED:
	case EVENT_DEVICE_STATUS: HOLDS(json_is_object(e->data)); break;
	}
	HOLDS(event_is_ahead(e, INT64_MIN / 2));
	HOLDS(!event_is_ahead(e, INT64_MAX / 2));
}

/* Nobody guesses a signature; that a body's own is taken, test_hooksig.c shows. */
static void check_signature(const char *text, const uint8_t *body, size_t size)
{
	struct hooksig s;

	HOLDS(hooksig_init(&s, SECRET, SECRET) == 0);
	HOLDS(!hooksig_body_fits(&s, text, body, size));
	HOLDS(!hooksig_path_fits(&s, text));
	hooksig_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct event e;

	HOLDS(text);
	check_signature(text, data, size);
	free(text);
	if (!event_read((const char *)data, size, &e))
		check_event(&e);
	event_done(&e);
	return 0;
}
