#include "core/taps.h"

#include "core/workday.h"

#define DAY_MAX_S (25 * 3600)

bool taps_before(const struct tap *a, const struct tap *b)
{
	if (a->time_s != b->time_s)
		return a->time_s < b->time_s;
	return memcmp(a->identity, b->identity, IDENTITY_SIZE) < 0;
}

int64_t taps_reach_s(const struct taps_site *site, int64_t window_max_s)
{
	int64_t reach_s = DAY_MAX_S;

	if (site->max_shift_s > reach_s)
		reach_s = site->max_shift_s;
	return window_max_s > reach_s ? window_max_s : reach_s;
}

enum punch_type taps_said(enum punch_type sent, enum direction_rule rule, enum type_from *ret_from)
{
	*ret_from = sent == TYPE_NONE ? FROM_SETTING : FROM_TERMINAL;
	if (sent != TYPE_NONE)
		return sent;
	switch (rule) {
	case DIRECTION_CHECK_IN: return TYPE_CHECK_IN;
	case DIRECTION_CHECK_OUT: return TYPE_CHECK_OUT;
	case DIRECTION_ALTERNATE:
	case DIRECTION_HOLD: break;
	}
	*ret_from = FROM_NOBODY;
	return TYPE_NONE;
}

/* ---- double taps */

static bool opposite(const struct tap *a, const struct tap *b)
{
	return a->sent != TYPE_NONE && b->sent != TYPE_NONE && a->sent != b->sent;
}

/*
 * Where a person released a double tap he said that it counts, and the one that had suppressed it too:
 * so it suppresses nothing on that one's side, frozen or not, and nothing is measured past it.
 */

/* The nearest one of its terminal before it that counts, within the window; NULL: none. */
static const struct tap *counted_before(const struct tap *taps, size_t i)
{
	const struct tap *t = &taps[i];

	for (size_t j = i; j-- > 0 && t->time_s - taps[j].time_s <= t->window_s;) {
		if (taps[j].terminal == t->terminal && !taps[j].suppressed)
			return &taps[j];
	}
	return NULL;
}

/* The nearest one behind it that counts whatever becomes of it. */
static const struct tap *fixed_behind(const struct tap *taps, size_t count, size_t i)
{
	const struct tap *t = &taps[i];

	for (size_t j = i + 1; j < count && taps[j].time_s - t->time_s <= t->window_s; j++) {
		if (taps[j].terminal == t->terminal &&
			(taps[j].standing == TAP_FROZEN || taps[j].beside & TAP_BEFORE))
			return &taps[j];
	}
	return NULL;
}

static bool is_double_of(const struct tap *t, const struct tap *other, enum tap_side its_side)
{
	return other && !(other->beside & its_side) && !opposite(t, other);
}

bool taps_double(const struct tap *taps, size_t i)
{
	return taps[i].standing == TAP_OPEN &&
		is_double_of(&taps[i], counted_before(taps, i), TAP_BEHIND);
}

static void suppress(struct tap *taps, size_t count, size_t i)
{
	struct tap *t = &taps[i];

	t->double_of = 0;
	if (t->standing == TAP_OPEN) {
		if (is_double_of(t, counted_before(taps, i), TAP_BEHIND))
			t->double_of |= TAP_BEFORE;
		if (is_double_of(t, fixed_behind(taps, count, i), TAP_BEFORE))
			t->double_of |= TAP_BEHIND;
	}
	t->suppressed = t->double_of != 0;
}

/* ---- direction */

/* What has no direction is passed over: what a setting holds for it. */
static bool leads_somewhere(const struct tap *t)
{
	return !t->suppressed && t->type != TYPE_NONE;
}

static bool same_day(const struct taps_site *site, const struct tap *a, const struct tap *b)
{
	return workday_of(site->zone, site->day_start_s, a->time_s) ==
		workday_of(site->zone, site->day_start_s, b->time_s);
}

static enum punch_type alternate(const struct taps_site *site, const struct tap *taps, size_t i)
{
	const struct tap *t = &taps[i], *last = NULL;

	for (size_t j = i; j-- > 0 && !last;) {
		if (leads_somewhere(&taps[j]))
			last = &taps[j];
	}
	if (!last || last->type == TYPE_CHECK_OUT ||
		(!same_day(site, last, t) && t->time_s - last->time_s > site->max_shift_s))
		return TYPE_CHECK_IN;
	return TYPE_CHECK_OUT;
}

static void direct(const struct taps_site *site, struct tap *taps, size_t i)
{
	struct tap *t = &taps[i];

	if (t->standing == TAP_FROZEN || t->type_from == FROM_PERSON)
		return;
	t->type = taps_said(t->sent, t->rule, &t->type_from);
	if (t->type_from != FROM_NOBODY || t->suppressed || t->rule == DIRECTION_HOLD)
		return;
	t->type = alternate(site, taps, i);
	t->type_from = FROM_ALTERNATE;
}

/* Only what the walk itself decided can be wrong so. */
static bool clashes(const struct taps_site *site, const struct tap *taps, size_t count, size_t i)
{
	const struct tap *t = &taps[i];

	if (t->standing == TAP_FROZEN || t->type_from != FROM_ALTERNATE)
		return false;
	for (size_t j = i + 1; j < count; j++) {
		if (leads_somewhere(&taps[j]))
			return taps[j].standing == TAP_FROZEN && taps[j].type == t->type &&
				same_day(site, t, &taps[j]);
	}
	return false;
}

/* ---- */

void taps_walk(const struct taps_site *site, struct tap *taps, size_t count, size_t from)
{
	for (size_t i = from; i < count; i++)
		suppress(taps, count, i);
	for (size_t i = from; i < count; i++)
		direct(site, taps, i);
	for (size_t i = from; i < count; i++)
		taps[i].clashes = clashes(site, taps, count, i);
}

static void settle_as_double(struct punch *p, int64_t now_us)
{
	if (p->settled_us == 0)
		p->settled_us = now_us;
	p->state = PUNCH_SUPPRESSED;
	p->reason = REASON_DOUBLE_TAP;
}

void taps_apply(const struct tap *tap, int64_t now_us, struct punch *p)
{
	p->type = tap->type;
	p->type_from = tap->type_from;
	if (tap->suppressed) {
		settle_as_double(p, now_us);
		return;
	}
	p->settled_us = 0;
	if (p->state == PUNCH_HELD && p->reason == REASON_NO_DIRECTION && p->type != TYPE_NONE) {
		p->state = PUNCH_QUEUED;
		p->reason = REASON_NONE;
	}
	if (p->state == PUNCH_QUEUED && (tap->clashes || p->type == TYPE_NONE)) {
		p->state = PUNCH_HELD;
		p->reason = REASON_NO_DIRECTION;
	}
}
