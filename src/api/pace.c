#include "api/pace.h"

#include "base/clock.h"

/* How far Reset may lie before Date in one answer: a slow answer crosses its window's end. What is
 * further back is no such time (a server that counts down, for one). */
#define RESET_PAST_S 5

/* More than anybody sends in a window: so that nothing overflows. */
#define COUNT_MAX 1000000000

/* Others are taken to go on as they did, at most so many for each of ours. */
#define OTHERS_FACTOR 2

/* A window that slides is renamed about every second. */
#define SLIDES_WITHIN_US (2 * CLOCK_US_PER_S)

/* What proved to be hard to get in a window that slides is left alone for this part of it. */
#define REST_PART 12

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t pace_clamp_us(int64_t seconds)
{
	return min64(max64(seconds, PACE_WAIT_MIN_S), PACE_WAIT_MAX_S) * CLOCK_US_PER_S;
}

void pace_init(struct pace *p, int64_t plan_limit, int64_t plan_window_us)
{
	*p = (struct pace){
		.plan_limit = plan_limit,
		.plan_window_us = plan_window_us,
		.limit = -1,
		.reset_us = INT64_MIN,
		.pause_until_us = INT64_MIN,
	};
}

/* --- our own requests, and others' */

/* How long a request of ours is reckoned to count. */
static int64_t counted_us(const struct pace *p)
{
	return p->learnt && p->window_us > 0 ? p->window_us : p->plan_window_us;
}

static int64_t limit_of(const struct pace *p)
{
	return p->learnt && p->limit > 0 ? p->limit : p->plan_limit;
}

static int64_t others_now(const struct pace *p, int64_t now_us)
{
	return now_us < p->others_until_us ? p->others : 0;
}

/* What the limit leaves by our own memory alone, and when it leaves more: *ret_more_us. */
static int64_t own_room(const struct pace *p, int64_t now_us, int64_t *ret_more_us)
{
	int64_t room = limit_of(p) - others_now(p, now_us) - p->in_flight -
		pacelog_count(&p->log, now_us, counted_us(p));

	*ret_more_us = room > 0 ? now_us : pacelog_leave(&p->log, now_us, counted_us(p), 1 - room);
	if (room <= 0 && others_now(p, now_us) > 0)
		*ret_more_us = min64(*ret_more_us, p->others_until_us);
	return room;
}

/* The server says what remains: whatever it counts beyond ours is others'. What is in flight may be
 * counted or not; it is taken as counted. */
static void reckon_others(struct pace *p, int64_t remaining, int64_t now_us)
{
	int64_t ours = pacelog_count(&p->log, now_us, counted_us(p)) + p->in_flight;

	p->others = max64(limit_of(p) - remaining - ours, 0);
	p->others_until_us = now_us + counted_us(p);
}

/* --- permission */

/* Whether our own memory can say that a used-up window has room again. Not where some of it ended without
 * a word: in which window they count, and how long that lasts, nobody has said. */
static bool log_is_sound(const struct pace *p, int64_t now_us)
{
	int64_t while_us = max64(p->window_us, p->plan_window_us);

	return p->limit > 0 && !p->stands && pacelog_count(&p->wordless, now_us, while_us) == 0;
}

static bool log_helps(const struct pace *p, int64_t now_us)
{
	return now_us >= p->rest_until_us && log_is_sound(p, now_us);
}

/* Whether the server's window binds: it runs, and something remains, or none of ours has left it. */
static bool window_binds(const struct pace *p, int64_t now_us)
{
	int64_t more_us;

	return now_us < max64(p->reset_us, p->rest_until_us) &&
		(p->remaining > 0 || !log_helps(p, now_us) || own_room(p, now_us, &more_us) <= 0);
}

static bool needs_opener(const struct pace *p, int64_t now_us)
{
	return !p->tried || (p->learnt && !window_binds(p, now_us));
}

/* Those of whom it is to be expected that they go on. In the first window the others may be ourselves,
 * before a restart. */
static int64_t others_that_stay(const struct pace *p, int64_t now_us)
{
	return now_us - p->first_us < counted_us(p) ? 0 : others_now(p, now_us);
}

/* How many may be in flight at once while this remains. */
static int64_t bold_enough(const struct pace *p, int64_t now_us)
{
	int64_t others = others_that_stay(p, now_us), ours;

	if (others == 0 || p->remaining <= 0)
		return p->remaining;
	ours = pacelog_count(&p->log, now_us, counted_us(p)) + p->in_flight;
	others = min64(others, OTHERS_FACTOR * ours);
	return max64(p->remaining * ours / max64(ours + 2 * others, 1), 1);
}

static int64_t room_in_window(const struct pace *p, int64_t now_us, int64_t *ret_wait_us)
{
	int64_t room = bold_enough(p, now_us) - p->in_flight, more_us;

	if (room > 0)
		return room;
	if (p->remaining > p->in_flight) {
		*ret_wait_us = -1; /* the answers that come make us bolder */
		return 0;
	}
	own_room(p, now_us, &more_us);
	more_us = max64(more_us, p->rest_until_us);
	if (p->remaining > 0 || !log_is_sound(p, now_us))
		more_us = p->reset_us;
	*ret_wait_us = max64(min64(p->reset_us, more_us), p->rest_until_us) - now_us;
	return 0;
}

static int64_t room_in_plan(const struct pace *p, int64_t now_us, int64_t *ret_wait_us)
{
	int64_t more_us, room = own_room(p, now_us, &more_us);

	if (room > 0)
		return room;
	*ret_wait_us = more_us < INT64_MAX ? more_us - now_us : -1;
	return 0;
}

int64_t pace_room(const struct pace *p, int64_t now_us, int64_t *ret_wait_us)
{
	*ret_wait_us = 0;
	if (now_us < p->pause_until_us) {
		*ret_wait_us = p->pause_until_us - now_us;
		return 0;
	}
	if (needs_opener(p, now_us)) {
		*ret_wait_us = p->opener ? -1 : 0;
		return p->opener ? 0 : 1;
	}
	return p->learnt ? room_in_window(p, now_us, ret_wait_us)
			 : room_in_plan(p, now_us, ret_wait_us);
}

bool pace_exhausted(const struct pace *p, int64_t now_us)
{
	int64_t more_us;

	if (now_us < p->pause_until_us)
		return true;
	if (!p->learnt)
		return p->tried && own_room(p, now_us, &more_us) <= 0;
	return p->remaining <= 0 && window_binds(p, now_us);
}

int64_t pace_sent(struct pace *p, int64_t now_us)
{
	p->last_ticket++;
	if (needs_opener(p, now_us) && p->opener == 0)
		p->opener = p->last_ticket;
	p->in_flight++;
	return p->last_ticket;
}

/* --- answers */

struct answer {
	int64_t sent_us, now_us;
	int64_t end_us; /* when its window has surely ended */
	bool opener;    /* it opens a window */
	bool newer;     /* sent after the window that we know was learnt */
	bool limited;
	struct pace_headers h;
};

static bool names_window(const struct pace_headers *h)
{
	return h->date_s >= 0 && h->remaining >= 0 && h->reset_s >= h->date_s - RESET_PAST_S &&
		h->reset_s - h->date_s <= PACE_WAIT_MAX_S;
}

/* One that ended without saying what remains may have been counted. */
static void spend_one(struct pace *p, int64_t now_us)
{
	pacelog_add(&p->wordless, now_us, max64(p->window_us, p->plan_window_us));
	if (p->remaining > 0)
		p->remaining--;
}

static void rest(struct pace *p, int64_t now_us)
{
	p->rest_until_us = now_us + counted_us(p) / REST_PART;
}

/* What remains by an answer: those of ours that were answered while it was under way may have come to
 * the server after it. It is in the log itself. */
static int64_t remains_now(const struct pace *p, const struct answer *a)
{
	int64_t meanwhile = pacelog_after(&p->log, a->now_us, a->sent_us) - 1;

	return max64(a->h.remaining - max64(meanwhile, 0), 0);
}

static void adopt_window(struct pace *p, const struct answer *a)
{
	if (!p->learnt)
		p->first_us = a->now_us;
	if (p->reset_s != a->h.reset_s) {
		p->named_us = a->now_us;
		p->stands = false;
	}
	p->learnt = true;
	p->tried = true;
	p->limit = a->h.limit;
	p->remaining = remains_now(p, a);
	p->reset_s = a->h.reset_s;
	p->reset_us = a->end_us;
	p->learnt_ticket = p->last_ticket + 1;
	p->opener = 0;
}

static bool is_another_plan(const struct pace *p, const struct pace_headers *h)
{
	return p->learnt && h->limit != p->limit && h->limit > 0 && p->limit > 0;
}

/* The window that runs, as another answer of it sees it. */
static void refine_window(struct pace *p, const struct answer *a)
{
	const struct pace_headers *h = &a->h;
	/* What was Date, rounded down, was not before it was sent. */
	int64_t not_before_us = a->sent_us + (h->reset_s - h->date_s - 1) * CLOCK_US_PER_S;
	bool another_plan = is_another_plan(p, h);

	if (a->newer && (another_plan || h->reset_s > p->reset_s)) {
		adopt_window(p, a);
		return;
	}
	if (another_plan)
		return;
	/* What ended without a word since it was sent may have come to the server after it. */
	p->remaining = min64(p->remaining,
		max64(h->remaining - pacelog_after(&p->wordless, a->now_us, a->sent_us), 0));
	if (h->reset_s > p->reset_s || not_before_us > p->reset_us)
		p->reset_us = max64(p->reset_us, a->end_us);
	else if (h->reset_s == p->reset_s)
		p->reset_us = min64(p->reset_us, a->end_us);
	if (h->reset_s > p->reset_s) {
		p->reset_s = h->reset_s;
		p->learnt_ticket = p->last_ticket + 1;
	}
}

/* An answer that names its window. A server that reckons Reset afresh for each answer is off by one
 * now and then: that may be the same window, or one that slides. */
static void learn_window(struct pace *p, const struct answer *a)
{
	const struct pace_headers *h = &a->h;
	bool runs = p->learnt && a->now_us < p->reset_us;
	bool same = p->learnt && h->reset_s >= p->reset_s - 1 && h->reset_s <= p->reset_s + 1;
	bool renamed = h->reset_s != p->reset_s;

	if (p->learnt && !same && !a->newer && h->reset_s < p->reset_s)
		return; /* an older window's, late */
	if (a->newer && is_another_plan(p, h))
		p->window_us = 0; /* its windows may be others, too */
	p->window_us = max64(p->window_us, pace_clamp_us(h->reset_s - h->date_s));
	if (a->opener || !same)
		adopt_window(p, a);
	else if (runs)
		refine_window(p, a);
	if (p->limit > 0)
		reckon_others(p, p->remaining, a->now_us);
	/* Room comes by ones, and others wait for it as well: better some at once, later. */
	if (a->opener && renamed && p->remaining <= 1 && p->others > 0)
		rest(p, a->now_us);
}

static void pause_until(struct pace *p, int64_t until_us)
{
	p->pause_until_us = max64(p->pause_until_us, until_us);
}

/* Refused, so our memory was wrong. Where the window goes by the name that it had a while ago it does
 * not slide; else others were faster. */
static void take_refusal(struct pace *p, const struct answer *a)
{
	rest(p, a->now_us);
	if (a->h.reset_s == p->reset_s && a->now_us - p->named_us > SLIDES_WITHIN_US)
		p->stands = true;
	if (a->h.retry_after_s >= 0)
		pause_until(p, a->now_us + pace_clamp_us(a->h.retry_after_s));
}

/* A 429 without usable headers. */
static void keep_off(struct pace *p, const struct answer *a)
{
	if (p->learnt && a->now_us < p->reset_us) {
		p->remaining = 0;
		reckon_others(p, 0, a->now_us);
		return;
	}
	p->learnt = p->tried = false;
	if (a->h.retry_after_s < 0)
		pause_until(p, a->now_us + p->plan_window_us);
}

/* An answer without usable headers: a proxy's, or the API of someone who leaves them out. */
static void keep_plan(struct pace *p, const struct answer *a)
{
	if (a->opener) {
		p->learnt = false;
		p->tried = true;
	} else {
		spend_one(p, a->now_us);
	}
	if (!p->learnt && a->h.remaining >= 0)
		reckon_others(p, min64(a->h.remaining, p->plan_limit), a->now_us);
}

/* Its window's end; where Retry-After says more than Reset, that. */
static int64_t end_of(const struct answer *a)
{
	const struct pace_headers *h = &a->h;

	return a->now_us +
		pace_clamp_us(a->limited && h->retry_after_s >= 0 ? h->retry_after_s
								  : h->reset_s - h->date_s);
}

static void take_answer(struct pace *p, struct answer *a)
{
	struct pace_headers *h = &a->h;

	h->limit = min64(h->limit, COUNT_MAX);
	h->remaining = min64(h->remaining, h->limit > 0 ? h->limit : COUNT_MAX);
	if (a->limited)
		h->remaining = 0;
	a->end_us = end_of(a);
	if (a->limited)
		take_refusal(p, a);
	if (names_window(h))
		learn_window(p, a);
	else if (a->limited)
		keep_off(p, a);
	else
		keep_plan(p, a);
}

static void log_own(struct pace *p, int64_t now_us)
{
	pacelog_add(&p->log, now_us, max64(p->window_us, p->plan_window_us));
}

void pace_answered(struct pace *p, int64_t ticket, int64_t sent_us, int64_t now_us, bool limited,
	const struct pace_headers *headers)
{
	struct answer a = {
		.sent_us = sent_us,
		.now_us = now_us,
		.opener = ticket == p->opener,
		.newer = ticket >= p->learnt_ticket,
		.limited = limited,
	};

	p->in_flight--;
	if (a.opener)
		p->opener = 0;
	if (!limited)
		log_own(p, now_us);
	if (!headers) {
		spend_one(p, now_us);
		return;
	}
	a.h = *headers;
	take_answer(p, &a);
}

void pace_never_left(struct pace *p, int64_t ticket)
{
	p->in_flight--;
	if (ticket == p->opener)
		p->opener = 0;
}

/* --- requests that nothing waits for */

int64_t pace_sent_aside(struct pace *p, int64_t now_us)
{
	log_own(p, now_us);
	if (p->remaining > 0)
		p->remaining--;
	return ++p->last_ticket;
}

void pace_aside_answered(struct pace *p, int64_t ticket, int64_t sent_us, int64_t now_us,
	bool limited, const struct pace_headers *headers)
{
	struct answer a = {
		.sent_us = sent_us,
		.now_us = now_us,
		.newer = ticket >= p->learnt_ticket,
		.limited = limited,
		.h = *headers,
	};

	if (!limited)
		log_own(p, now_us);
	/* Else it tells of a window that has ended since, or nothing at all. */
	if (limited || names_window(headers))
		take_answer(p, &a);
}

/* --- outlook */

int64_t pace_time_for(const struct pace *p, int64_t now_us, int64_t requests)
{
	int64_t window_us = counted_us(p), begin_us = max64(now_us, p->pause_until_us), more_us;
	int64_t a_window = max64(limit_of(p) - others_that_stay(p, now_us), 1), room = a_window;

	if (!p->learnt)
		room = own_room(p, begin_us, &more_us);
	else if (window_binds(p, begin_us))
		room = p->remaining - p->in_flight;
	if (requests <= room)
		return begin_us - now_us;
	if (p->learnt && window_binds(p, begin_us))
		begin_us = max64(p->reset_us, begin_us);
	else
		begin_us += window_us;
	requests -= max64(room, 0);
	/* The last window is over as soon as its share has gone. */
	return begin_us - now_us + (requests - 1) / a_window * window_us;
}

/* --- by hand */

static void ask_anew(struct pace *p)
{
	p->pause_until_us = INT64_MIN;
	p->reset_us = INT64_MIN;
	p->tried = false;
}

void pace_resume(struct pace *p, int64_t now_us)
{
	if (now_us < p->pause_until_us ||
		(now_us < p->reset_us && p->reset_us - now_us > p->plan_window_us))
		ask_anew(p);
}

void pace_forget(struct pace *p)
{
	ask_anew(p);
	p->log = p->wordless = (struct pacelog){.used = 0};
	p->learnt = false;
	p->others = 0;
	p->window_us = 0;
}
