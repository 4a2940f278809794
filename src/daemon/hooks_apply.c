/* What an event does: to the directory, or to a punch. */
#include "base/log.h"
#include "base/time.h"
#include "daemon/hooks_private.h"
#include "daemon/rejudge.h"

static enum dir_what what_of(const struct event *e)
{
	return e->type == EVENT_DEVICE_STATUS ? DIR_DEVICES : DIR_USERS;
}

/* An entry that does not say when it was changed is of the event's time. */
static bool read_entry(const struct event *e, struct entry *ret)
{
	if (!entry_read(what_of(e), e->data, ret))
		return false;
	if (entry_updated_s(ret) == INT64_MIN)
		time_format_utc(e->updated_s, -1, ret->texts[4]);
	return true;
}

/* The last one of the batch before the i-th that has changed the same entry, or NULL. */
static const struct arrival *before_in_batch(const struct hooks *h, int i, const struct entry *e)
{
	struct entry other;

	while (--i >= 0) {
		const struct arrival *a = &h->batch[i];

		if (a->applied && what_of(&a->event) == e->what && read_entry(&a->event, &other) &&
			strcmp(other.key, e->key) == 0)
			return a;
	}
	return NULL;
}

/* Of one second: which is right only the list can say. */
static void note_unsure(struct hooks *h)
{
	static const int64_t ask_ms = 5000;

	if (!loop_timer_armed(h->ask))
		loop_timer_set(h->ask, ask_ms);
}

static int take_entry(struct hooks *h, int i, const struct entry *e)
{
	struct context *c = h->context;
	struct arrival *a = &h->batch[i];
	const struct arrival *before = before_in_batch(h, i, e);
	int64_t known_s = before ? before->event.updated_s : entry_known_updated_s(c, e);
	enum dir_change change = before ? DIR_CHANGED : entry_compare(c, e);
	int r;

	if (a->event.updated_s < known_s) {
		a->fate = FATE_OLDER;
		return 0;
	}
	if (change == DIR_CHANGED && a->event.updated_s == known_s)
		note_unsure(h);
	a->applied = true;
	r = entry_store(c, e, change);
	if (r == 0 && entry_moves_people(c, e))
		r = rejudge_mark(c->store);
	return r;
}

static int apply_entry(struct hooks *h, int i)
{
	struct arrival *a = &h->batch[i];
	struct entry entry;
	int r;

	if (!read_entry(&a->event, &entry)) {
		a->fate = FATE_IGNORED;
		return 0;
	}
	r = store_event_add(h->context->store, a->event.id, loop_now(h->context->loop).wall_us);
	if (r <= 0) {
		a->fate = FATE_DUPLICATE;
		return r;
	}
	a->fate = FATE_TAKEN;
	return take_entry(h, i, &entry);
}

/* Most records are of punches whose answers came, or of others' punches: nothing is written of them. */
static int apply_record(struct hooks *h, struct arrival *a)
{
	struct store *s = h->context->store;
	int64_t now_us = loop_now(h->context->loop).wall_us, seq = 0;
	int r = store_event_known(s, a->event.id);

	if (r != 0) {
		a->fate = FATE_DUPLICATE;
		return r < 0 ? r : 0;
	}
	r = hooks_match(h, &a->event.record, &a->fate, &seq);
	if (r < 0 || a->fate == FATE_IGNORED)
		return r;
	r = store_event_add(s, a->event.id, now_us);
	if (r < 0 || a->fate != FATE_KEPT)
		return r < 0 ? r : 0;
	a->kept = (struct store_kept_event){.at_us = now_us, .seq = seq, .record = a->event.record};
	return store_event_keep(s, a->event.id, seq, &a->event.record, &a->kept.number);
}

int hooks_apply(struct hooks *h, int i)
{
	struct arrival *a = &h->batch[i];

	a->applied = false;
	a->kept.number = 0;
	return a->event.type == EVENT_ATTENDANCE ? apply_record(h, a) : apply_entry(h, i);
}

/* ---- afterwards */

static int remember(struct context *c, const struct entry *e)
{
	int64_t now_us = loop_now(c->loop).mono_us;

	return e->what == DIR_USERS ? directory_tell_user(&c->directory, &e->user, now_us)
				    : directory_tell_device(&c->directory, &e->device, now_us);
}

void hooks_landed(struct hooks *h)
{
	bool changed = false, people = false;
	struct entry entry;

	for (int i = 0; i < h->count; i++) {
		const struct arrival *a = &h->batch[i];

		if (a->kept.number != 0)
			hooks_keep(h, &a->kept);
		if (!a->applied || !read_entry(&a->event, &entry))
			continue;
		people = people || entry_moves_people(h->context, &entry);
		/* Without memory the next list brings it again. */
		if (remember(h->context, &entry) != DIR_SAME)
			changed = true;
		log_debug("webhook_event", "the cloud told of a change",
			LOG_S("event", a->event.id), LOG_S("type", event_type_name(a->event.type)),
			LOG_S("entry", entry.key));
	}
	if (changed)
		h->on.changed(h->on.arg, people);
}
