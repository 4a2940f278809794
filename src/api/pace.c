#include "api/pace.h"

#include "base/clock.h"

/* How far Reset may lie before Date in one answer: a slow answer crosses its window's end. What is
 * further back is no such time (a server that counts down, for one). */
#define RESET_PAST_S 5

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t pace_clamp_us(int64_t seconds)
{
	if (seconds < PACE_WAIT_MIN_S)
		seconds = PACE_WAIT_MIN_S;
	return min64(seconds, PACE_WAIT_MAX_S) * CLOCK_US_PER_S;
}

void pace_init(struct pace *p, int64_t plan_limit, int64_t plan_window_us)
{
	*p = (struct pace){
		.plan_limit = plan_limit,
		.plan_window_us = plan_window_us,
		.alone = true,
		.limit = -1,
		.reset_us = INT64_MIN,
		.pause_until_us = INT64_MIN,
	};
}

static bool window_runs(const struct pace *p, int64_t now_us)
{
	return now_us < p->reset_us;
}

/* Whether one request opens the window that follows this one. */
static bool needs_opener(const struct pace *p)
{
	return p->learnt || p->alone;
}

int64_t pace_room(const struct pace *p, int64_t now_us, int64_t *ret_wait_us)
{
	bool runs = window_runs(p, now_us);
	int64_t remaining = runs ? p->remaining : p->plan_limit;

	*ret_wait_us = 0;
	if (now_us < p->pause_until_us) {
		*ret_wait_us = p->pause_until_us - now_us;
		return 0;
	}
	if (!runs && needs_opener(p)) {
		*ret_wait_us = p->opener ? -1 : 0;
		return p->opener ? 0 : 1;
	}
	if (remaining > p->in_flight)
		return remaining - p->in_flight;
	*ret_wait_us = runs ? p->reset_us - now_us : -1;
	return 0;
}

bool pace_exhausted(const struct pace *p, int64_t now_us)
{
	return now_us < p->pause_until_us || (window_runs(p, now_us) && p->remaining <= 0);
}

static void start_own_window(struct pace *p, int64_t remaining, bool alone, int64_t end_us)
{
	p->learnt = false;
	p->alone = alone;
	p->limit = -1;
	p->remaining = remaining;
	p->reset_us = end_us;
}

int64_t pace_sent(struct pace *p, int64_t now_us)
{
	p->in_flight++;
	p->last_ticket++;
	if (window_runs(p, now_us))
		return p->last_ticket;
	if (!needs_opener(p))
		start_own_window(p, p->plan_limit, false, now_us + p->plan_window_us);
	else if (p->opener == 0)
		p->opener = p->last_ticket;
	return p->last_ticket;
}

/* --- answers */

static bool names_window(const struct pace_headers *h)
{
	return h->date_s >= 0 && h->remaining >= 0 && h->reset_s >= h->date_s - RESET_PAST_S;
}

/* One that ended without saying what remains may have been counted. */
static void spend_one(struct pace *p)
{
	if (p->remaining > 0)
		p->remaining--;
}

static void adopt_window(
	struct pace *p, const struct pace_headers *h, int64_t remaining, int64_t end_us)
{
	p->learnt = true;
	p->limit = h->limit;
	p->remaining = remaining;
	p->reset_s = h->reset_s;
	p->reset_us = end_us;
	p->learnt_ticket = p->last_ticket + 1;
	p->opener = 0;
}

/* An answer that names its window. A server that reckons Reset afresh for each answer is off by
 * one now and then: that is still the same window. */
static void learn_window(struct pace *p, int64_t ticket, bool opener, int64_t now_us, bool limited,
	const struct pace_headers *h)
{
	int64_t remaining = h->limit > 0 ? min64(h->remaining, h->limit) : h->remaining;
	int64_t wait_s = limited && h->retry_after_s >= 0 ? h->retry_after_s
							  : h->reset_s - h->date_s;
	int64_t end_us = now_us + pace_clamp_us(wait_s);
	bool same = p->learnt && h->reset_s >= p->reset_s - 1 && h->reset_s <= p->reset_s + 1;

	if (limited)
		remaining = 0;
	if (p->learnt && !same && ticket < p->learnt_ticket && h->reset_s < p->reset_s)
		return; /* an older window's, late */
	if (same && window_runs(p, now_us)) {
		p->remaining = min64(p->remaining, remaining);
		p->reset_us = min64(p->reset_us, end_us);
	} else if (!same || opener) {
		adopt_window(p, h, remaining, end_us);
	}
}

/* An answer without usable headers: a proxy's, or the API of someone who leaves them out. */
static void keep_plan(
	struct pace *p, bool opener, int64_t now_us, bool limited, const struct pace_headers *h)
{
	int64_t wait_us = h->retry_after_s >= 0 ? pace_clamp_us(h->retry_after_s)
						: p->plan_window_us;

	if (limited && p->learnt && window_runs(p, now_us))
		p->remaining = 0;
	else if (limited)
		start_own_window(p, 0, true, now_us + wait_us);
	else if (opener)
		start_own_window(p, p->plan_limit - 1, false, now_us + p->plan_window_us);
	else
		spend_one(p);
	if (h->remaining >= 0)
		p->remaining = min64(p->remaining, h->remaining);
}

void pace_answered(struct pace *p, int64_t ticket, int64_t now_us, bool limited,
	const struct pace_headers *headers)
{
	bool opener = ticket == p->opener;

	p->in_flight--;
	if (opener)
		p->opener = 0;
	if (!headers) {
		spend_one(p);
		return;
	}
	if (limited && headers->retry_after_s >= 0) {
		int64_t until_us = now_us + pace_clamp_us(headers->retry_after_s);

		if (until_us > p->pause_until_us)
			p->pause_until_us = until_us;
	}
	if (names_window(headers))
		learn_window(p, ticket, opener, now_us, limited, headers);
	else
		keep_plan(p, opener, now_us, limited, headers);
}

void pace_resume(struct pace *p, int64_t now_us)
{
	if (now_us < p->pause_until_us ||
		(window_runs(p, now_us) && p->reset_us - now_us > p->plan_window_us))
		pace_forget(p);
}

void pace_forget(struct pace *p)
{
	p->pause_until_us = INT64_MIN;
	p->reset_us = INT64_MIN;
	p->alone = true;
}
