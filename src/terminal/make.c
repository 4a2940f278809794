#include "terminal/make.h"

#include <jansson.h>

#include "base/time.h"

/* How many numbers of [from, to] are below limit; none where to < from. */
static int64_t below(int64_t from, int64_t to, int64_t limit)
{
	int64_t last = to < limit - 1 ? to : limit - 1;

	return last < from ? 0 : last - from + 1;
}

/*
 * In round k user u is at terminal (u - k) mod U, where that is one. A whole turn of U rounds leads
 * past every terminal once; what is left is a run that goes down from u and around.
 */
int64_t make_rank(const struct make *m, int64_t u, int64_t k)
{
	int64_t users = (int64_t)m->people->count;
	int64_t places = m->terminals < users ? m->terminals : users;
	int64_t rest = k % users;
	int64_t rank = k / users * places;

	if (rest <= u + 1)
		return rank + below(u - rest + 1, u, places);
	return rank + below(0, u, places) + below(users - (rest - u - 1), users - 1, places);
}

static const char *type_of(const struct make *m, int64_t u, int64_t k)
{
	switch (m->options->types) {
	case OPTIONS_TYPES_ALTERNATE: return make_rank(m, u, k) % 2 ? "check_out" : "check_in";
	case OPTIONS_TYPES_CHECK_IN: return "check_in";
	case OPTIONS_TYPES_CHECK_OUT: return "check_out";
	case OPTIONS_TYPES_NONE: return NULL;
	}
	return NULL;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Local time with its offset, milliseconds only where there are any. */
static void write_time(int64_t ms, int64_t utc_offset_s, char *ret_text, size_t size)
{
	char utc[TIME_TEXT_SIZE];
	int64_t s = floor_div(ms, 1000), minutes = utc_offset_s / 60;
	int fraction = (int)(ms - s * 1000);

	time_format_utc(s + utc_offset_s, fraction ? fraction : -1, utc);
	if (utc_offset_s == 0) {
		snprintf(ret_text, size, "%s", utc);
		return;
	}
	utc[strlen(utc) - 1] = '\0';
	if (minutes < 0)
		minutes = -minutes;
	snprintf(ret_text, size, "%s%c%02d:%02d", utc, utc_offset_s < 0 ? '-' : '+',
		(int)(minutes / 60), (int)(minutes % 60));
}

const char *make_id(int64_t k, char ret_id[static MAKE_ID_SIZE])
{
	snprintf(ret_id, MAKE_ID_SIZE, "%06lld", (long long)k + 1);
	return ret_id;
}

char *make_punch(const struct make *m, int64_t t, int64_t k, int64_t clock_ms)
{
	const struct options *o = m->options;
	int64_t u = (t + k) % (int64_t)m->people->count;
	const struct person *person = &m->people->all[u];
	char id[MAKE_ID_SIZE], when[TIME_TEXT_SIZE + 8];
	const char *type = type_of(m, u, k);
	json_t *j;
	char *text;

	/* Terminals tell whole seconds. */
	clock_ms -= clock_ms % 1000;
	if (o->has_start)
		clock_ms = o->start_s * 1000 + k * o->step_ms + o->time_offset_ms;
	write_time(clock_ms, o->utc_offset_s, when, sizeof when);
	j = json_pack("{ss ss ss* ss* ss* ss sb}", "id", make_id(k, id), "user", person->value,
		"user_kind", person->kind, "time", o->no_time ? NULL : when, "type", type, "method",
		"fingerprint", "live", o->batch == 1);
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text;
}
