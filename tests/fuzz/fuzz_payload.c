/* A native message: as many records as were counted, each a sound punch or a fault, and what is a
 * punch reads back from its own printing as the same punch. */
#include "fuzz.h"

#include <jansson.h>

#include "base/time.h"
#include "base/utf8.h"
#include "core/identity.h"
#include "core/payload.h"
#include "core/user.h"

static void check_malformed(const struct payload_record *r)
{
	struct punch wanted = {.seq = 0};

	memcpy(wanted.record_id, r->punch.record_id, sizeof wanted.record_id);
	HOLDS(r->fault && *r->fault);
	HOLDS(memcmp(&wanted, &r->punch, sizeof wanted) == 0);
}

static void check_fields(const struct punch *p)
{
	char again[USER_MAX + 1];

	HOLDS(p->record_id[0] && utf8_valid(p->record_id));
	HOLDS(p->user[0] && utf8_valid(p->user));
	HOLDS(user_normalise(p->user_kind, p->user, again) == 0 && strcmp(again, p->user) == 0);
	HOLDS(p->user_kind <= USER_PHONE && p->type_sent <= TYPE_CHECK_OUT);
	HOLDS((p->flags & ~(unsigned)(FLAG_LIVE | FLAG_STORED)) == 0);
	HOLDS(p->flags != (FLAG_LIVE | FLAG_STORED));
	HOLDS(p->seq == 0 && p->frozen_us == 0 && p->state == PUNCH_QUEUED && p->terminal[0] == 0);
}

static void check_time(const struct payload_record *r)
{
	const struct punch *p = &r->punch;
	int64_t time_s;

	if (r->kind == PAYLOAD_BAD_TIME) {
		HOLDS(r->fault && *r->fault && p->time_sent[0] && !p->has_time);
		HOLDS(time_parse_rfc3339(p->time_sent, &time_s) < 0);
		return;
	}
	HOLDS(!r->fault);
	HOLDS(p->has_time == (p->time_sent[0] != '\0'));
	HOLDS(!p->has_time ||
		(time_parse_rfc3339(p->time_sent, &time_s) == 0 && time_s == p->time_s));
}

static void add_text(json_t *object, const char *key, const char *text)
{
	if (*text)
		HOLDS(json_object_set_new(object, key, json_string(text)) == 0);
}

static char *print(const struct punch *p)
{
	json_t *object = json_object();
	char *text;

	add_text(object, "id", p->record_id);
	add_text(object, "user", p->user);
	add_text(object, "user_kind", user_kind_name(p->user_kind));
	add_text(object, "time", p->time_sent);
	add_text(object, "type", punch_type_name(p->type_sent));
	if (p->flags)
		json_object_set_new(object, "live", json_boolean(p->flags & FLAG_LIVE));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static void check_reads_back(const struct payload_record *r)
{
	struct identity_arrival arrival = {.boot_id = "boot"};
	struct punch p = r->punch;
	struct payload_record again;
	struct payload payload;
	char *text = print(&p);

	payload_init(&payload, text, strlen(text));
	HOLDS(payload_next(&payload, &again) == 1);
	HOLDS(again.kind == r->kind && again.whole);
	HOLDS(memcmp(&again.punch, &r->punch, sizeof again.punch) == 0);
	HOLDS(identity_of_punch(&p, &arrival) == 0);
	HOLDS(identity_of_punch(&again.punch, &arrival) == 0);
	HOLDS(memcmp(p.identity, again.punch.identity, IDENTITY_SIZE) == 0);
	HOLDS(payload_next(&payload, &again) == 0);
	free(text);
}

static void check_raw(const struct payload *payload, const struct payload_record *r,
	const uint8_t *data, size_t size)
{
	char raw[PAYLOAD_RAW_MAX];
	bool full;
	size_t n = payload_raw(payload, r, (const char *)data, size, raw, &full);

	HOLDS(n <= PAYLOAD_RAW_MAX);
	HOLDS(!r->whole || !full || (n == size && memcmp(raw, data, n) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload_record r;
	struct payload payload;
	int n;

	payload_init(&payload, data, size);
	HOLDS(payload.count >= 1 && payload.count <= PAYLOAD_RECORDS);
	HOLDS(size <= PAYLOAD_NATIVE_MAX || payload.whole_kind == PAYLOAD_TOO_LARGE);
	for (n = 0; payload_next(&payload, &r) == 1; n++) {
		HOLDS(r.index == n);
		HOLDS(!r.whole || payload.count == 1);
		check_raw(&payload, &r, data, size);
		if (r.kind == PAYLOAD_MALFORMED || r.kind == PAYLOAD_TOO_LARGE) {
			check_malformed(&r);
			continue;
		}
		check_fields(&r.punch);
		check_time(&r);
		check_reads_back(&r);
	}
	HOLDS((size_t)n == payload.count);
	return 0;
}
