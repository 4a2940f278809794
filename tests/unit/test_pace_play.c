/*
 * api/pace against whole servers, in virtual time: 1,000 seeds, each another server.
 *
 * A server counts by fixed windows, by a log of the last window (three ways of saying its reset) or
 * by a bucket that fills; its clock is off, and may jump; answers take their time and overtake one
 * another; others may use the key. What is asserted: alone on the key nothing is ever refused, and of
 * each whole window at least 98 % is used; with others who take half, one is refused a window on
 * average at the most.
 */
#include "unit.h"

#include <stdlib.h>

#include "api/pace.h"
#include "base/clock.h"

#define S           CLOCK_US_PER_S
#define MS          1000LL
#define EPOCH       1700000000LL
#define FLIGHTS_MAX 32
#define LOG_MAX     1000
#define WINDOWS_MAX 64

enum counting {
	BY_WINDOW,     /* fixed windows */
	BY_LOG_NOW,    /* the last window's requests; Reset: a window from now */
	BY_LOG_OLDEST, /* …; Reset: when the oldest of them leaves it */
	BY_BUCKET,     /* fills evenly; Reset: when it is full */
	COUNTINGS
};

struct server {
	enum counting counting;
	int64_t limit, window_us;
	int64_t clock_off_us;
	bool says_nothing; /* no rate headers */
	int64_t window, used;
	int64_t log[LOG_MAX]; /* a ring of when those came that count */
	int log_first, log_count;
	double tokens;
	int64_t filled_us;
	int64_t used_of[WINDOWS_MAX]; /* by whomever, per window of its clock */
	int64_t first_window;
};

struct flight {
	int64_t ticket; /* 0: none */
	int64_t sent_us, arrives_us, answered_us;
	bool arrived, limited;
	struct pace_headers headers;
};

struct play {
	struct server server;
	struct flight flights[FLIGHTS_MAX];
	int in_flight_max;
	int64_t latency_us;     /* one way, at most */
	int64_t slow_permille;  /* answers that take some seconds */
	int64_t others_wait_us; /* between two requests of others, on average; 0: none */
	int64_t others_next_us;
	int64_t jump_us; /* when the server's clock jumps; INT64_MAX: never */
	int64_t jump_by_us;
	int64_t plan_window_us; /* what the gateway takes for a window until it knows better */
	int64_t accepted, refused, refused_after_first;
	int64_t others_accepted;
};

static struct pace p;
static uint64_t chance;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = (chance += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int64_t below(int64_t n)
{
	return (int64_t)(next() % (uint64_t)n);
}

/* --- the server */

static int64_t ceil_s(int64_t us)
{
	return (us + S - 1) / S;
}

static bool take_window(struct server *s, int64_t clock_us, int64_t *ret_reset_us)
{
	int64_t window = clock_us / s->window_us;
	bool within;

	if (window != s->window)
		s->used = 0;
	s->window = window;
	within = s->used < s->limit;
	s->used += within;
	if (within && window >= s->first_window && window - s->first_window < WINDOWS_MAX)
		s->used_of[window - s->first_window]++;
	*ret_reset_us = (window + 1) * s->window_us;
	return within;
}

static bool take_log(struct server *s, int64_t clock_us, int64_t *ret_reset_us)
{
	bool within;

	while (s->log_count > 0 && s->log[s->log_first] + s->window_us <= clock_us) {
		s->log_first = (s->log_first + 1) % LOG_MAX;
		s->log_count--;
	}
	within = s->log_count < s->limit;
	if (within)
		s->log[(s->log_first + s->log_count++) % LOG_MAX] = clock_us;
	s->used = s->log_count;
	*ret_reset_us = s->counting == BY_LOG_NOW ? clock_us + s->window_us
						  : s->log[s->log_first] + s->window_us;
	return within;
}

static bool take_bucket(struct server *s, int64_t clock_us, int64_t *ret_reset_us)
{
	double rate = (double)s->limit / (double)s->window_us;
	bool within;

	if (s->filled_us == 0)
		s->tokens = (double)s->limit;
	else
		s->tokens += rate * (double)(clock_us - s->filled_us);
	if (s->tokens > (double)s->limit)
		s->tokens = (double)s->limit;
	s->filled_us = clock_us;
	within = s->tokens >= 1;
	if (within)
		s->tokens -= 1;
	s->used = s->limit - (int64_t)s->tokens;
	*ret_reset_us = clock_us + (int64_t)(((double)s->limit - s->tokens) / rate);
	return within;
}

static bool take(struct server *s, int64_t now_us, struct pace_headers *ret)
{
	int64_t clock_us = now_us + s->clock_off_us, reset_us = 0;
	bool within = false;

	switch (s->counting) {
	case BY_WINDOW: within = take_window(s, clock_us, &reset_us); break;
	case BY_LOG_NOW:
	case BY_LOG_OLDEST: within = take_log(s, clock_us, &reset_us); break;
	case BY_BUCKET: within = take_bucket(s, clock_us, &reset_us); break;
	case COUNTINGS: break;
	}
	*ret = (struct pace_headers){
		.date_s = clock_us / S,
		.limit = s->says_nothing ? -1 : s->limit,
		.remaining = s->says_nothing ? -1 : s->limit - s->used,
		.reset_s = s->says_nothing ? -1 : ceil_s(reset_us),
		.retry_after_s = -1,
	};
	return within;
}

/* --- what happens next */

static void arrive(struct play *w, struct flight *f, int64_t now_us)
{
	f->arrived = true;
	f->limited = !take(&w->server, now_us, &f->headers);
	w->accepted += !f->limited;
	w->refused += f->limited;
	w->refused_after_first += f->limited && now_us > 2 * w->server.window_us;
}

static void others(struct play *w, int64_t now_us)
{
	struct pace_headers h;

	if (w->others_wait_us == 0 || now_us < w->others_next_us)
		return;
	w->others_accepted += take(&w->server, now_us, &h);
	w->others_next_us = now_us + 1 + below(2 * w->others_wait_us);
}

static void send(struct play *w, int64_t now_us, int64_t *ret_wake_us)
{
	int64_t wait_us;

	for (int i = 0; i < w->in_flight_max; i++) {
		struct flight *f = &w->flights[i];

		if (f->ticket)
			continue;
		if (pace_room(&p, now_us, &wait_us) <= 0) {
			if (wait_us >= 0)
				*ret_wake_us = now_us + (wait_us ? wait_us : 1);
			return;
		}
		*f = (struct flight){.ticket = pace_sent(&p, now_us), .sent_us = now_us};
		f->arrives_us = now_us + 1 + below(w->latency_us);
		f->answered_us = f->arrives_us + 1 + below(w->latency_us);
		if (below(1000) < w->slow_permille)
			f->answered_us += below(3 * S);
	}
}

static void step(struct play *w, int64_t now_us)
{
	if (now_us >= w->jump_us) {
		w->server.clock_off_us += w->jump_by_us;
		w->jump_us = INT64_MAX;
	}
	others(w, now_us);
	for (int i = 0; i < w->in_flight_max; i++) {
		struct flight *f = &w->flights[i];

		if (f->ticket && !f->arrived && f->arrives_us <= now_us)
			arrive(w, f, now_us);
		if (f->ticket && f->arrived && f->answered_us <= now_us) {
			pace_answered(&p, f->ticket, f->sent_us, now_us, f->limited, &f->headers);
			f->ticket = 0;
		}
	}
}

static void run(struct play *w, int64_t duration_us)
{
	int64_t now_us = 0;

	w->server.first_window = w->server.clock_off_us / w->server.window_us;
	pace_init(&p, w->server.limit, w->plan_window_us);
	while (now_us < duration_us) {
		int64_t next_us = duration_us;

		step(w, now_us);
		send(w, now_us, &next_us);
		for (int i = 0; i < w->in_flight_max; i++) {
			const struct flight *f = &w->flights[i];
			int64_t at_us = f->arrived ? f->answered_us : f->arrives_us;

			if (f->ticket && at_us < next_us)
				next_us = at_us;
		}
		if (w->others_wait_us && w->others_next_us < next_us)
			next_us = w->others_next_us;
		if (w->jump_us < next_us)
			next_us = w->jump_us;
		now_us = next_us > now_us ? next_us : now_us + 1;
	}
}

/* --- the plays */

static struct play play_of(uint64_t seed)
{
	static const int64_t limits[] = {100, 500, 1000};
	static const int64_t off_s[] = {0, -90, -5, 5, 90};
	struct play w = {.jump_us = INT64_MAX};

	chance = seed;
	w.server.counting = (enum counting)below(COUNTINGS);
	w.server.limit = limits[below(3)];
	w.server.window_us = w.plan_window_us = 60 * S;
	w.server.clock_off_us = EPOCH * S + off_s[below(5)] * S + below(S);
	w.in_flight_max = 8;
	/* Little enough that eight at once could send twice the limit. */
	w.latency_us = (2 + below(98)) * MS;
	w.slow_permille = below(2) * below(20);
	return w;
}

static void fail_with(const struct play *w, uint64_t seed, const char *what, double figure)
{
	fail_msg("seed %llu: %s (%f): counting %d, limit %lld, %lld accepted, %lld refused",
		(unsigned long long)seed, what, figure, w->server.counting,
		(long long)w->server.limit, (long long)w->accepted, (long long)w->refused);
}

/* The part of the worst whole window that was used, but for `skip`, which a jump has spoilt. */
static double worst_window(const struct play *w, int windows, int skip)
{
	double worst = 1;

	for (int i = 1; i < windows; i++) {
		double used = (double)w->server.used_of[i] / (double)w->server.limit;

		if (i != skip && i != skip + 1 && i != skip - 1 && used < worst)
			worst = used;
	}
	return worst;
}

static double used_part(const struct play *w, int windows)
{
	if (w->server.counting == BY_WINDOW)
		return worst_window(w, windows, -9);
	return (double)(w->accepted + w->others_accepted) / (double)(w->server.limit * windows);
}

/* Alone on the key. */
static void test_alone(void **state)
{
	double worst = 1;

	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct play w = play_of(seed);
		double used;

		run(&w, 40 * w.server.window_us);
		if (w.refused > 0)
			fail_with(&w, seed, "refused although alone", (double)w.refused);
		used = used_part(&w, 40);
		if (used < 0.98)
			fail_with(&w, seed, "allowance is wasted", used);
		worst = used < worst ? used : worst;
	}
	print_message("alone: of the worst %.2f %% is used\n", worst * 100);
}

/* A server so near that all that it allows has gone within the second, and windows so short that a
 * header's whole seconds tell: what is used comes back up to a second late. */
static void test_near(void **state)
{
	static const int64_t windows_s[] = {4, 6, 10, 20, 60};
	double worst = 1;

	(void)state;
	for (uint64_t seed = 4001; seed <= 4300; seed++) {
		struct play w = play_of(seed);
		int64_t window_s = windows_s[below((int64_t)COUNT(windows_s))];
		double allowed;

		w.server.counting = (enum counting)(1 + below(COUNTINGS - 1));
		w.server.limit = 100;
		w.server.window_us = window_s * S;
		w.latency_us = (1 + below(3)) * MS;
		w.slow_permille = 0;
		run(&w, 40 * w.server.window_us);
		if (w.refused > 0)
			fail_with(&w, seed, "refused although alone", (double)w.refused);
		/* All of them at once, and what has come back since. */
		allowed = (double)w.server.limit *
			(1 + 40 * (double)window_s / (double)(window_s + 1));
		if ((double)w.accepted < 0.96 * allowed)
			fail_with(&w, seed, "allowance is wasted", (double)w.accepted / allowed);
		if ((double)w.accepted / allowed < worst)
			worst = (double)w.accepted / allowed;
	}
	print_message("near: of the worst %.2f %% is used\n", worst * 100);
}

/* The server's clock jumps. */
static void test_jump(void **state)
{
	static const int64_t by_s[] = {-3600, -90, -30, -5, 5, 30, 90, 3600};

	(void)state;
	for (uint64_t seed = 1001; seed <= 1200; seed++) {
		struct play w = play_of(seed);

		w.server.counting = BY_WINDOW;
		w.jump_us = 5 * w.server.window_us + below(5 * w.server.window_us);
		w.jump_by_us = by_s[below(8)] * S;
		run(&w, 20 * w.server.window_us);
		/* Where the clock is set back after the last answer of a window, one has to ask. */
		if (w.refused > 1)
			fail_with(&w, seed, "refused after a jump", (double)w.refused);
		if ((double)w.accepted < 0.98 * (double)(w.server.limit * 17))
			fail_with(&w, seed, "a jump costs", (double)w.accepted);
	}
}

/* A foreign program takes half. */
static void test_others(void **state)
{
	int64_t refused = 0, windows = 0;
	double worst = 1;

	(void)state;
	for (uint64_t seed = 2001; seed <= 2200; seed++) {
		struct play w = play_of(seed);
		double used;

		w.others_wait_us = 2 * w.server.window_us / w.server.limit;
		run(&w, 20 * w.server.window_us);
		/* Where room comes one by one, and Reset names the next, others are often faster. */
		if (w.refused_after_first > 5 * 20)
			fail_with(&w, seed, "refused", (double)w.refused);
		refused += w.refused;
		windows += 20;
		used = used_part(&w, 20);
		if (used < 0.98)
			fail_with(&w, seed, "allowance is wasted", used);
		worst = used < worst ? used : worst;
	}
	assert_true(refused <= windows);
	print_message("with others: %.2f refused a window, of the worst %.2f %% is used\n",
		(double)refused / (double)windows, worst * 100);
}

/* No headers: the plan, whatever way the server counts. */
static void test_silent(void **state)
{
	(void)state;
	for (uint64_t seed = 3001; seed <= 3100; seed++) {
		struct play w = play_of(seed);

		w.server.says_nothing = true;
		run(&w, 20 * w.server.window_us);
		if (w.refused > 0)
			fail_with(&w, seed, "refused although alone", (double)w.refused);
		if ((double)w.accepted < 0.97 * (double)(w.server.limit * 20))
			fail_with(&w, seed, "allowance is wasted", (double)w.accepted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_silent),
	};

	return cmocka_run_group_tests_name("pace_play", tests, NULL, NULL);
}
