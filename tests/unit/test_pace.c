/* api/pace: the rate budget against servers that tell it well, badly, late or not at all. */
#include "unit.h"

#include "api/pace.h"
#include "base/clock.h"

#define S      CLOCK_US_PER_S
#define MINUTE (60 * S)
#define NONE   (-1)
#define EPOCH  1700000000 /* what a server's clock shows about now */

static struct pace p;
static int64_t wait_us;

static int64_t room(int64_t now_us)
{
	return pace_room(&p, now_us, &wait_us);
}

static void answer_to(int64_t ticket, int64_t sent_us, int64_t now_us, int64_t date_s,
	int64_t remaining, int64_t reset_s)
{
	struct pace_headers h = {date_s, 100, remaining, reset_s, NONE};

	pace_answered(&p, ticket, sent_us, now_us, false, &h);
}

static void answer(
	int64_t ticket, int64_t now_us, int64_t date_s, int64_t remaining, int64_t reset_s)
{
	answer_to(ticket, now_us, now_us, date_s, remaining, reset_s);
}

static void answer_bare(int64_t ticket, int64_t now_us)
{
	struct pace_headers h = {EPOCH, NONE, NONE, NONE, NONE};

	pace_answered(&p, ticket, now_us, now_us, false, &h);
}

static void limited(int64_t ticket, int64_t now_us, int64_t reset_s, int64_t retry_after_s)
{
	struct pace_headers h = {EPOCH, 100, reset_s < 0 ? NONE : 0, reset_s, retry_after_s};

	pace_answered(&p, ticket, now_us, now_us, true, &h);
}

/* A pace that has learnt at 0: remaining requests until reset_in_s from now. */
static int64_t learn(int64_t remaining, int64_t reset_in_s)
{
	int64_t ticket;

	pace_init(&p, 100, MINUTE);
	ticket = pace_sent(&p, 0);
	answer(ticket, 0, EPOCH, remaining, EPOCH + reset_in_s);
	return ticket;
}

static void test_first_goes_alone(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 100, MINUTE);
	assert_int_equal(room(0), 1);
	assert_int_equal(wait_us, 0);
	ticket = pace_sent(&p, 0);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, -1);
	answer(ticket, S, EPOCH, 42, EPOCH + 30);
	assert_int_equal(room(S), 42);
	assert_false(pace_exhausted(&p, S));
}

static void test_first_is_lost(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 100, MINUTE);
	ticket = pace_sent(&p, 0);
	pace_answered(&p, ticket, 0, S, false, NULL);
	assert_int_equal(room(S), 1);
}

static void test_in_flight_is_taken_off(void **state)
{
	(void)state;
	learn(10, 30);
	for (int i = 0; i < 7; i++)
		pace_sent(&p, 0);
	assert_int_equal(room(0), 3);
	for (int i = 0; i < 3; i++)
		pace_sent(&p, 0);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, 30 * S);
}

static void test_answers_out_of_order(void **state)
{
	int64_t first, second;

	(void)state;
	learn(10, 30);
	first = pace_sent(&p, 0);
	second = pace_sent(&p, 0);
	answer(second, S, EPOCH + 1, 8, EPOCH + 30);
	answer(first, S, EPOCH + 1, 9, EPOCH + 30);
	assert_int_equal(room(S), 8);
}

static void test_others_use_the_key(void **state)
{
	int64_t ticket;

	(void)state;
	learn(90, 30);
	ticket = pace_sent(&p, 0);
	answer(ticket, S, EPOCH + 1, 3, EPOCH + 30);
	assert_int_equal(room(S), 3);
	ticket = pace_sent(&p, S);
	answer(ticket, 2 * S, EPOCH + 2, 0, EPOCH + 30);
	assert_int_equal(room(2 * S), 0);
	assert_true(pace_exhausted(&p, 2 * S));
}

/* An answer that comes after one that was lost need not know of that one. */
static void test_lost_answer_beside_one_that_comes(void **state)
{
	int64_t first, second;

	(void)state;
	learn(10, 30);
	first = pace_sent(&p, S);
	second = pace_sent(&p, S);
	pace_answered(&p, second, S, 2 * S, false, NULL);
	assert_int_equal(room(2 * S), 8);
	answer_to(first, S, 3 * S, EPOCH + 2, 8, EPOCH + 30);
	assert_int_equal(room(3 * S), 7);
}

/* The window of one that was lost may have begun before the first answer of it came. */
static void test_lost_answer_and_our_memory(void **state)
{
	int64_t ticket;

	(void)state;
	learn(0, 30);
	ticket = pace_sent(&p, 30 * S);
	pace_answered(&p, ticket, 30 * S, 31 * S, false, NULL);
	ticket = pace_sent(&p, 34 * S);
	answer_to(ticket, 34 * S, 34 * S, EPOCH + 33, 0, EPOCH + 90);
	assert_int_equal(room(90 * S), 0);
	assert_int_equal(wait_us, S);
}

/* One that ended without words may have been counted. */
static void test_lost_answer_is_spent(void **state)
{
	int64_t ticket;

	(void)state;
	learn(10, 30);
	ticket = pace_sent(&p, 0);
	pace_answered(&p, ticket, 0, S, false, NULL);
	assert_int_equal(room(S), 9);
	ticket = pace_sent(&p, S);
	answer_bare(ticket, S);
	assert_int_equal(room(S), 8);
}

static void test_one_opens_a_window(void **state)
{
	int64_t ticket;

	(void)state;
	learn(0, 30);
	assert_int_equal(room(30 * S - 1), 0);
	assert_int_equal(wait_us, 1);
	assert_int_equal(room(30 * S), 1);
	ticket = pace_sent(&p, 30 * S);
	assert_int_equal(room(31 * S), 0);
	assert_int_equal(wait_us, -1);
	answer(ticket, 31 * S, EPOCH + 31, 99, EPOCH + 90);
	assert_int_equal(room(31 * S), 99);
}

/* A slow answer tells a later end than it is; a quick one of the same window corrects it. */
static void test_smallest_bound_is_believed(void **state)
{
	int64_t slow, quick;

	(void)state;
	pace_init(&p, 100, MINUTE);
	slow = pace_sent(&p, 0);
	answer(slow, 20 * S, EPOCH, 5, EPOCH + 30); /* 20 s on the way: ends at 50 */
	quick = pace_sent(&p, 21 * S);
	answer(quick, 21 * S, EPOCH + 21, 0, EPOCH + 30); /* at 30 */
	assert_int_equal(room(29 * S), 0);
	assert_int_equal(wait_us, S);
	assert_int_equal(room(30 * S), 1);
}

static void test_late_answer_of_an_older_window(void **state)
{
	int64_t late, opener;

	(void)state;
	learn(10, 30);
	late = pace_sent(&p, 29 * S);
	opener = pace_sent(&p, 30 * S);
	answer(opener, 31 * S, EPOCH + 31, 99, EPOCH + 90);
	answer(late, 32 * S, EPOCH + 29, 9, EPOCH + 30);
	assert_int_equal(room(32 * S), 99);
	assert_int_equal(room(80 * S), 99);
}

/* The same before the opener's answer: the window stays closed, and does not run longer. */
static void test_late_answer_before_the_opener(void **state)
{
	int64_t late;

	(void)state;
	learn(10, 30);
	late = pace_sent(&p, 29 * S);
	pace_sent(&p, 30 * S);
	answer(late, 31 * S, EPOCH + 29, 9, EPOCH + 30);
	assert_int_equal(room(31 * S), 0);
	assert_int_equal(wait_us, -1);
}

/* A request over the border is answered by the new window before its opener is. */
static void test_other_than_the_opener_opens(void **state)
{
	int64_t early, opener;

	(void)state;
	learn(10, 30);
	early = pace_sent(&p, 30 * S - 1);
	opener = pace_sent(&p, 30 * S);
	answer(early, 31 * S, EPOCH + 31, 98, EPOCH + 90);
	assert_int_equal(room(31 * S), 97);
	answer(opener, 32 * S, EPOCH + 31, 99, EPOCH + 90);
	assert_int_equal(room(32 * S), 98);
}

static void test_server_clock_that_is_off(void **state)
{
	(void)state;
	for (int64_t off_s = -90; off_s <= 90; off_s += 45) {
		int64_t ticket;

		pace_init(&p, 100, MINUTE);
		ticket = pace_sent(&p, 1000 * S);
		answer(ticket, 1000 * S, EPOCH + off_s, 0, EPOCH + off_s + 17);
		assert_int_equal(room(1000 * S), 0);
		assert_int_equal(wait_us, 17 * S);
	}
}

static void test_server_clock_that_jumps(void **state)
{
	static const int64_t jumps_s[] = {-7200, -90, 90, 7200};

	(void)state;
	for (int i = 0; i < 4; i++) {
		int64_t ticket, date_s = EPOCH + 5 + jumps_s[i];

		learn(50, 30);
		ticket = pace_sent(&p, 5 * S);
		answer(ticket, 5 * S, date_s, 7, date_s + 40);
		assert_int_equal(room(5 * S), 7);
		assert_int_equal(p.reset_us, 45 * S);
	}
}

/* Servers that reckon Reset afresh for each answer are off by one now and then. */
static void test_reset_that_flickers(void **state)
{
	int64_t first, second;

	(void)state;
	learn(10, 30);
	first = pace_sent(&p, 0);
	second = pace_sent(&p, 0);
	answer_to(second, 0, S, EPOCH + 1, 8, EPOCH + 30);
	answer_to(first, 0, S, EPOCH + 1, 9, EPOCH + 31);
	assert_int_equal(room(S), 8);
	/* The later one may be right. */
	assert_int_equal(p.reset_us, 31 * S);
}

static void test_windows_of_any_length(void **state)
{
	int64_t ticket;

	(void)state;
	learn(0, 2);
	ticket = pace_sent(&p, 2 * S);
	answer(ticket, 2 * S, EPOCH + 2, 99, EPOCH + 4);
	assert_int_equal(room(2 * S), 99);
	assert_int_equal(room(4 * S), 1);
	learn(0, 3000);
	assert_int_equal(room(2999 * S), 0);
	assert_int_equal(room(3000 * S), 1);
}

/* --- 429 */

static void test_429_waits_for_the_reset(void **state)
{
	int64_t ticket;

	(void)state;
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	limited(ticket, 0, EPOCH + 30, NONE);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, 30 * S);
	assert_true(pace_exhausted(&p, 0));
	assert_int_equal(room(30 * S), 1);
}

/* 429 although some remain: another limit of the server's. Whatever it is, not now. */
static void test_429_with_something_remaining(void **state)
{
	struct pace_headers h = {EPOCH, 100, 40, EPOCH + 30, NONE};
	int64_t ticket;

	(void)state;
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	pace_answered(&p, ticket, 0, 0, true, &h);
	assert_int_equal(room(0), 0);
}

static void test_retry_after_wins(void **state)
{
	static const int64_t retry_after_s[] = {5, 45};

	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t ticket;

		learn(50, 30);
		ticket = pace_sent(&p, 0);
		limited(ticket, 0, EPOCH + 30, retry_after_s[i]);
		assert_int_equal(room(0), 0);
		assert_int_equal(wait_us, retry_after_s[i] * S);
		assert_int_equal(room(retry_after_s[i] * S), 1);
	}
}

static void test_retry_after_is_clamped(void **state)
{
	int64_t ticket;

	(void)state;
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	limited(ticket, 0, EPOCH + 30, INT64_MAX);
	room(0);
	assert_int_equal(wait_us, 3600 * S);
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	limited(ticket, 0, EPOCH + 30, 0);
	room(0);
	assert_int_equal(wait_us, S);
}

static void test_the_longer_retry_after_stands(void **state)
{
	int64_t first, second;

	(void)state;
	learn(50, 30);
	first = pace_sent(&p, 0);
	second = pace_sent(&p, 0);
	limited(first, 0, EPOCH + 30, 60);
	limited(second, 0, EPOCH + 30, 2);
	assert_int_equal(room(59 * S), 0);
	assert_int_equal(room(60 * S), 1);
}

static void test_429_without_headers_in_a_known_window(void **state)
{
	int64_t ticket;

	(void)state;
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	limited(ticket, 0, NONE, NONE);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, 30 * S);
}

/* Nothing is known: the plan's window, and then one alone. */
static void test_429_without_headers_at_all(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 100, MINUTE);
	ticket = pace_sent(&p, 0);
	limited(ticket, S, NONE, NONE);
	assert_int_equal(room(S), 0);
	assert_int_equal(wait_us, MINUTE);
	assert_int_equal(room(S + MINUTE), 1);
	ticket = pace_sent(&p, S + MINUTE);
	limited(ticket, S + MINUTE, NONE, 7);
	assert_int_equal(room(S + MINUTE), 0);
	assert_int_equal(wait_us, 7 * S);
	assert_int_equal(room(8 * S + MINUTE), 1);
}

/* An old window's 429 that comes late says nothing of the new one. */
static void test_late_429_of_an_older_window(void **state)
{
	int64_t late, opener;

	(void)state;
	learn(10, 30);
	late = pace_sent(&p, 29 * S);
	opener = pace_sent(&p, 30 * S);
	answer(opener, 31 * S, EPOCH + 31, 99, EPOCH + 90);
	limited(late, 32 * S, EPOCH + 30, NONE);
	assert_int_equal(room(32 * S), 99);
}

/* --- without headers */

static void test_plan_where_headers_are_missing(void **state)
{
	int64_t ticket, sent = 1;

	(void)state;
	pace_init(&p, 5, MINUTE);
	ticket = pace_sent(&p, 0);
	answer_bare(ticket, 0);
	for (; room(S) > 0; sent++)
		answer_bare(pace_sent(&p, S), S);
	assert_int_equal(sent, 5);
	assert_int_equal(wait_us, 59 * S);
	/* Never more than five in any minute, and no opener: there is nothing to learn. */
	assert_int_equal(room(MINUTE), 1);
	assert_int_equal(room(MINUTE + S), 5);
	pace_sent(&p, MINUTE + S);
	assert_int_equal(room(MINUTE + S), 4);
	for (int i = 0; i < 4; i++)
		pace_sent(&p, MINUTE + S);
	assert_int_equal(room(MINUTE + S), 0);
	assert_int_equal(room(3 * MINUTE), 0); /* five are still on their way */
	assert_int_equal(wait_us, -1);
}

static void test_headers_come_and_go(void **state)
{
	int64_t ticket;

	(void)state;
	learn(10, 30);
	ticket = pace_sent(&p, 30 * S);
	answer_bare(ticket, 30 * S);
	assert_false(p.learnt);
	assert_int_equal(room(30 * S), 98);
	ticket = pace_sent(&p, 31 * S);
	answer(ticket, 31 * S, EPOCH + 31, 12, EPOCH + 40);
	assert_true(p.learnt);
	assert_int_equal(room(31 * S), 12);
}

/* Remaining alone, without an end that can be reckoned, binds within the plan's window. */
static void test_remaining_without_reset(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 100, MINUTE);
	ticket = pace_sent(&p, 0);
	answer(ticket, 0, EPOCH, 3, NONE);
	assert_int_equal(room(0), 3);
	ticket = pace_sent(&p, 0);
	answer(ticket, 0, NONE, 0, EPOCH + 30); /* no Date */
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, MINUTE);
}

/* --- nonsense */

static void test_remaining_above_the_limit(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 10, MINUTE);
	ticket = pace_sent(&p, 0);
	answer(ticket, 0, EPOCH, INT64_MAX, EPOCH + 30);
	assert_int_equal(room(0), 100);
}

/* Nothing overflows, whatever a server says, also with others beside us. */
static void test_limit_without_end(void **state)
{
	struct pace_headers h = {EPOCH, INT64_MAX, INT64_MAX, EPOCH + 60, NONE};

	(void)state;
	pace_init(&p, 100, MINUTE);
	pace_answered(&p, pace_sent(&p, 0), 0, 0, false, &h);
	assert_in_range(room(0), 1000000, INT64_MAX);
	h = (struct pace_headers){EPOCH + 60, INT64_MAX, INT64_MAX / 2, EPOCH + 120, NONE};
	pace_answered(&p, pace_sent(&p, MINUTE), MINUTE, MINUTE, false, &h);
	for (int i = 0; i < 5; i++)
		pace_sent(&p, MINUTE);
	assert_in_range(room(MINUTE), 1, INT64_MAX);
	assert_in_range(pace_time_for(&p, MINUTE, INT64_MAX / 2), 0, INT64_MAX);
}

/* Milliseconds, for one: no such time. What remains binds within the plan's window. */
static void test_reset_far_ahead(void **state)
{
	(void)state;
	learn(0, 10LL * 365 * 86400);
	assert_false(p.learnt);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, MINUTE);
	assert_int_equal(room(MINUTE), 100);
}

/* Answers of the larger plan say so within the window; those to the smaller come late. */
static void test_plan_that_changes(void **state)
{
	struct pace_headers larger = {EPOCH + 2, 500, 440, EPOCH + 30, NONE};
	int64_t first, second;

	(void)state;
	learn(10, 30);
	first = pace_sent(&p, S);
	second = pace_sent(&p, S);
	pace_answered(&p, second, S, 2 * S, false, &larger);
	assert_int_equal(room(2 * S), 439);
	answer_to(first, S, 3 * S, EPOCH + 2, 9, EPOCH + 30);
	assert_int_equal(room(3 * S), 440);
}

/* Another plan may have other windows: the outlook goes by those. */
static void test_outlook(void **state)
{
	struct pace_headers other = {EPOCH + 60, 60, 59, EPOCH + 63, NONE};
	int64_t ticket;

	(void)state;
	learn(40, 60);
	assert_int_equal(pace_time_for(&p, 0, 40), 0);
	assert_int_equal(pace_time_for(&p, 0, 41), MINUTE);
	assert_int_equal(pace_time_for(&p, 0, 140), MINUTE);
	assert_int_equal(pace_time_for(&p, 0, 141), 2 * MINUTE);
	ticket = pace_sent(&p, MINUTE);
	pace_answered(&p, ticket, MINUTE, MINUTE, false, &other);
	assert_int_equal(pace_time_for(&p, MINUTE, 59 + 600), 10 * 3 * S);
	limited(pace_sent(&p, MINUTE), MINUTE, EPOCH + 63, 20);
	assert_int_equal(pace_time_for(&p, MINUTE, 60), 20 * S);
}

/* The clock of the server is set back within a window: it lasts longer than it had said. */
static void test_clock_set_back_within_a_window(void **state)
{
	int64_t ticket;

	(void)state;
	learn(10, 30);
	ticket = pace_sent(&p, 20 * S);
	answer(ticket, 20 * S, EPOCH + 5, 9, EPOCH + 30);
	assert_int_equal(p.reset_us, 45 * S);
}

/* Nothing remains for a minute by the server, but ours have left its window by then: it slides. */
static void test_window_that_slides(void **state)
{
	(void)state;
	pace_init(&p, 3, MINUTE);
	for (int i = 0; i < 3; i++) {
		int64_t now_us = i * 10 * S;
		struct pace_headers h = {EPOCH + i * 10, 3, 2 - i, EPOCH + i * 10 + 60, NONE};

		assert_int_equal(room(now_us), i == 0 ? 1 : 3 - i);
		pace_answered(&p, pace_sent(&p, now_us), now_us, now_us, false, &h);
	}
	assert_int_equal(room(21 * S), 0);
	assert_int_equal(wait_us, 39 * S);
	assert_int_equal(room(MINUTE), 1);
	/* What others used does not leave with ours. */
	p.others = 1;
	assert_int_equal(room(MINUTE), 0);
	assert_int_equal(wait_us, 10 * S);
}

/* A bucket's Reset moves on with each request. What went before in the same moment is not taken off
 * what the server says remains. */
static void test_a_name_that_moves_in_a_burst(void **state)
{
	int64_t now_us = 0, ticket;

	(void)state;
	learn(99, 1);
	for (int64_t left = 98; left > 50; left--) {
		ticket = pace_sent(&p, now_us);
		answer_to(ticket, now_us, now_us + 1000, EPOCH, left, EPOCH + 1);
		now_us += 1000;
	}
	ticket = pace_sent(&p, now_us);
	answer_to(ticket, now_us, now_us + 1000, EPOCH, 50, EPOCH + 2);
	assert_int_equal(room(now_us + 1000), 50);
}

/* …and one that was under way then says no more than was known, however late it was sent. */
static void test_late_answer_after_the_name_moved(void **state)
{
	int64_t first, second, third, late;

	(void)state;
	learn(20, 10);
	first = pace_sent(&p, 0);
	second = pace_sent(&p, 0);
	third = pace_sent(&p, 0);
	answer_to(third, 0, 1000, EPOCH, 17, EPOCH + 11);
	late = pace_sent(&p, 2000);
	answer_to(second, 0, 3000, EPOCH, 10, EPOCH + 12);
	answer_to(first, 0, 4000, EPOCH, 9, EPOCH + 13);
	answer_to(late, 2000, 5000, EPOCH, 15, EPOCH + 11);
	assert_int_equal(room(5000), 9);
}

/* While others take as much as we do, the last ones go fewer at once. */
static void test_last_ones_beside_others(void **state)
{
	int64_t ticket;

	(void)state;
	learn(99, 60);
	for (int i = 0; i < 10; i++)
		answer(pace_sent(&p, MINUTE), MINUTE, EPOCH + 60, 99 - 2 * i, EPOCH + 120);
	assert_int_equal(p.others, 9);
	assert_in_range(room(MINUTE), 20, 40);
	ticket = pace_sent(&p, MINUTE);
	answer(ticket, MINUTE, EPOCH + 60, 2, EPOCH + 120);
	assert_int_equal(room(MINUTE), 1);
	pace_sent(&p, MINUTE);
	assert_int_equal(room(MINUTE), 0);
	assert_int_equal(wait_us, -1);
}

static void test_reset_just_past(void **state)
{
	(void)state;
	learn(0, -1);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, S);
}

/* A server that counts down instead: no end can be reckoned from that. */
static void test_reset_that_is_no_time(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 10, MINUTE);
	ticket = pace_sent(&p, 0);
	answer(ticket, 0, EPOCH, 0, 30);
	assert_false(p.learnt);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, MINUTE);
}

/* The server says that the window whose end has passed still runs: it is right. */
static void test_window_that_runs_longer(void **state)
{
	int64_t ticket;

	(void)state;
	learn(0, 30);
	ticket = pace_sent(&p, 30 * S);
	answer(ticket, 30 * S, EPOCH + 29, 0, EPOCH + 30);
	assert_int_equal(room(30 * S), 0);
	assert_int_equal(wait_us, S);
	assert_int_equal(room(31 * S), 1);
}

static void test_resume(void **state)
{
	int64_t ticket;

	(void)state;
	learn(50, 30);
	ticket = pace_sent(&p, 0);
	limited(ticket, 0, EPOCH + 30, 600);
	pace_resume(&p, 0);
	assert_int_equal(room(0), 1);
	pace_sent(&p, 0);
	assert_int_equal(room(0), 0);
	assert_int_equal(wait_us, -1);
}

/* A request before the window's end would be refused whoever wants it; another key's would not. */
static void test_a_used_window_is_no_pause(void **state)
{
	(void)state;
	learn(0, 30);
	pace_resume(&p, 0);
	assert_int_equal(room(0), 0);
	assert_true(wait_us >= 29 * 1000000);
	pace_forget(&p);
	assert_int_equal(room(0), 1);
	learn(0, 3000);
	pace_resume(&p, 0);
	assert_int_equal(room(0), 1);
}

/* --- requests that nothing waits for */

static void answer_aside(int64_t ticket, int64_t sent_us, int64_t now_us, int64_t date_s,
	int64_t remaining, int64_t reset_s)
{
	struct pace_headers h = {date_s, 100, remaining, reset_s, NONE};

	pace_aside_answered(&p, ticket, sent_us, now_us, false, &h);
}

/* It opens no window, and whoever opens one does not wait for it. */
static void test_aside_opens_nothing(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 100, MINUTE);
	pace_sent_aside(&p, 0);
	assert_int_equal(room(0), 1);
	learn(10, 60);
	ticket = pace_sent_aside(&p, S);
	assert_int_equal(room(S), 9); /* it is counted */
	assert_int_equal(room(60 * S), 1);
	answer(pace_sent(&p, 60 * S), 60 * S, EPOCH + 60, 99, EPOCH + 120);
	assert_int_equal(room(60 * S), 99);
	/* What it says of a window that is over is nothing. */
	answer_aside(ticket, S, 70 * S, EPOCH + 70, 3, EPOCH + 60);
	assert_int_equal(room(70 * S), 99);
	/* And of the one that runs, all. */
	ticket = pace_sent_aside(&p, 71 * S);
	answer_aside(ticket, 71 * S, 80 * S, EPOCH + 80, 97, EPOCH + 120);
	assert_int_equal(room(80 * S), 97);
}

/* The last request of a window does not wait for an answer that takes minutes. */
static void test_aside_is_not_waited_for(void **state)
{
	(void)state;
	learn(2, 60);
	pace_sent_aside(&p, S);
	assert_int_equal(room(S), 1);
	pace_sent_aside(&p, S);
	assert_int_equal(room(S), 0);
	assert_int_equal(wait_us, 59 * S); /* and not: until it is answered */
}

static void test_aside_by_the_plan(void **state)
{
	int64_t ticket;

	(void)state;
	pace_init(&p, 10, MINUTE);
	answer_bare(pace_sent(&p, 0), 0);
	ticket = pace_sent_aside(&p, 0);
	assert_int_equal(room(0), 8);
	pace_aside_answered(&p, ticket, 0, 50 * S, false,
		&(struct pace_headers){EPOCH, NONE, NONE, NONE, NONE});
	/* Nobody knows when the server counts it. */
	assert_int_equal(room(50 * S), 7);
	assert_int_equal(room(61 * S), 9);
	assert_int_equal(room(111 * S), 10);
}

static void test_aside_that_is_refused(void **state)
{
	int64_t ticket;

	(void)state;
	learn(10, 60);
	ticket = pace_sent_aside(&p, S);
	pace_aside_answered(
		&p, ticket, S, 2 * S, true, &(struct pace_headers){EPOCH, 100, 0, EPOCH + 60, 30});
	assert_int_equal(room(2 * S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_goes_alone),
		cmocka_unit_test(test_first_is_lost),
		cmocka_unit_test(test_in_flight_is_taken_off),
		cmocka_unit_test(test_answers_out_of_order),
		cmocka_unit_test(test_others_use_the_key),
		cmocka_unit_test(test_lost_answer_is_spent),
		cmocka_unit_test(test_lost_answer_beside_one_that_comes),
		cmocka_unit_test(test_lost_answer_and_our_memory),
		cmocka_unit_test(test_one_opens_a_window),
		cmocka_unit_test(test_smallest_bound_is_believed),
		cmocka_unit_test(test_late_answer_of_an_older_window),
		cmocka_unit_test(test_late_answer_before_the_opener),
		cmocka_unit_test(test_other_than_the_opener_opens),
		cmocka_unit_test(test_server_clock_that_is_off),
		cmocka_unit_test(test_server_clock_that_jumps),
		cmocka_unit_test(test_reset_that_flickers),
		cmocka_unit_test(test_windows_of_any_length),
		cmocka_unit_test(test_429_waits_for_the_reset),
		cmocka_unit_test(test_429_with_something_remaining),
		cmocka_unit_test(test_retry_after_wins),
		cmocka_unit_test(test_retry_after_is_clamped),
		cmocka_unit_test(test_the_longer_retry_after_stands),
		cmocka_unit_test(test_429_without_headers_in_a_known_window),
		cmocka_unit_test(test_429_without_headers_at_all),
		cmocka_unit_test(test_late_429_of_an_older_window),
		cmocka_unit_test(test_plan_where_headers_are_missing),
		cmocka_unit_test(test_headers_come_and_go),
		cmocka_unit_test(test_remaining_without_reset),
		cmocka_unit_test(test_remaining_above_the_limit),
		cmocka_unit_test(test_limit_without_end),
		cmocka_unit_test(test_reset_far_ahead),
		cmocka_unit_test(test_plan_that_changes),
		cmocka_unit_test(test_aside_opens_nothing),
		cmocka_unit_test(test_aside_is_not_waited_for),
		cmocka_unit_test(test_aside_by_the_plan),
		cmocka_unit_test(test_aside_that_is_refused),
		cmocka_unit_test(test_outlook),
		cmocka_unit_test(test_clock_set_back_within_a_window),
		cmocka_unit_test(test_window_that_slides),
		cmocka_unit_test(test_a_name_that_moves_in_a_burst),
		cmocka_unit_test(test_late_answer_after_the_name_moved),
		cmocka_unit_test(test_last_ones_beside_others),
		cmocka_unit_test(test_reset_just_past),
		cmocka_unit_test(test_reset_that_is_no_time),
		cmocka_unit_test(test_window_that_runs_longer),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_a_used_window_is_no_pause),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
