#include "core/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/calendar.h"
#include "core/workday.h"

#define DAY_S 86400

void report_init(struct report *r, const struct report_rules *rules, int64_t first_day,
	int64_t last_day, uint64_t seed)
{
	*r = (struct report){.rules = *rules,
		.first_day = first_day,
		.last_day = last_day,
		.day = INT64_MIN,
		.completeness = {.complete_from = INT64_MIN}};
	strmap_init(&r->by_id, seed);
	for (int64_t day = first_day; day <= last_day; day++)
		r->working_days += report_works(r, day);
}

void report_done(struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->users[i].id);
		free(r->users[i].name);
		free(r->users[i].department);
	}
	free(r->users);
	free(r->completeness.silent);
	strmap_done(&r->by_id);
}

/* ---- people */

static int grow(struct report *r)
{
	size_t size = r->size ? 2 * r->size : 64;
	struct report_user *users;

	if (r->count < r->size)
		return 0;
	users = reallocarray(r->users, size, sizeof *users);
	if (!users)
		return -ENOMEM;
	r->users = users;
	r->size = size;
	return 0;
}

int report_add_user(struct report *r, const char *id, const char *name, const char *department)
{
	struct report_user *user;

	if (grow(r) < 0)
		return -ENOMEM;
	user = &r->users[r->count++];
	*user = (struct report_user){.id = strdup(id),
		.name = strdup(name),
		.department = strdup(department),
		.first_in = -1,
		.last_out = -1};
	if (!user->id || !user->name || !user->department)
		return -ENOMEM;
	return strmap_put(&r->by_id, user->id, (void *)(uintptr_t)r->count, NULL);
}

static struct report_user *find(const struct report *r, const char *id)
{
	uintptr_t index = (uintptr_t)strmap_get(&r->by_id, id);

	return index ? &r->users[index - 1] : NULL;
}

/* ---- days */

bool report_works(const struct report *r, int64_t day)
{
	return calendar_works(r->rules.week, r->rules.holidays, day);
}

int64_t report_day_of(const struct report *r, int64_t time_s)
{
	return workday_of(r->rules.zone, r->rules.day_start_s, time_s);
}

/* A time of the clock, as seconds from where its working day begins. */
static int64_t into_day(const struct report *r, int64_t clock_s)
{
	return (clock_s - r->rules.day_start_s + DAY_S) % DAY_S;
}

static void count_day(struct report *r)
{
	int64_t late_after = into_day(r, r->rules.late_after_s);
	int64_t early_before = into_day(r, r->rules.early_before_s);

	for (size_t i = 0; i < r->count; i++) {
		struct report_user *user = &r->users[i];

		if (user->first_in >= 0) {
			user->present++;
			user->late += user->first_in > late_after;
			user->early += user->last_out >= 0 && user->last_out < early_before;
		}
		user->first_in = user->last_out = -1;
	}
}

void report_begin_day(struct report *r, int64_t day)
{
	report_end(r);
	r->day = day;
}

void report_end(struct report *r)
{
	if (r->day != INT64_MIN)
		count_day(r);
	r->day = INT64_MIN;
}

void report_tap(struct report *r, const char *user_id, enum punch_type type, int64_t time_s)
{
	struct report_user *user;
	int32_t at;

	if (report_day_of(r, time_s) != r->day)
		return;
	user = find(r, user_id);
	if (!user) {
		r->completeness.unlisted += !r->confined;
		return;
	}
	/* By the clock on the wall: what shows 09:15 is 09:15, also where the day has 23 hours. */
	at = (int32_t)(time_s + zone_offset_at(r->rules.zone, time_s) - r->day * DAY_S -
		r->rules.day_start_s);
	if (type == TYPE_CHECK_IN && (user->first_in < 0 || at < user->first_in))
		user->first_in = at;
	if (type == TYPE_CHECK_OUT && at > user->last_out)
		user->last_out = at;
}

void report_waiting(struct report *r, const char *user_id, enum punch_state state, bool in_doubt)
{
	struct report_completeness *c = &r->completeness;

	if (r->confined && user_id[0] && !find(r, user_id))
		return;
	c->queued += state == PUNCH_QUEUED;
	c->held += state == PUNCH_HELD;
	c->parked += state == PUNCH_PARKED;
	c->in_doubt += in_doubt;
}

/* ---- figures */

static int64_t percentage(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : (2 * part * 10000 + whole) / (2 * whole);
}

int64_t report_percentage(const struct report *r, const struct report_user *user)
{
	return percentage(user->present, r->working_days);
}

int64_t report_average(const struct report *r)
{
	int64_t present = 0;

	for (size_t i = 0; i < r->count; i++)
		present += r->users[i].present;
	return percentage(present, r->working_days * (int64_t)r->count);
}
