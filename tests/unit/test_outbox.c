/* core/outbox: which punch goes next (JUDGING.md §9), over a store that a test keeps in an array; also
 * against a slow model, with everything that happens to punches at random. */
#include "unit.h"

#include <stdlib.h>

#include "core/outbox.h"

#define ROWS_MAX 4096

/* A queued punch of the store. */
struct row {
	int64_t seq, time_s;
	int user;
	int32_t day;
	bool alone, live, frozen;
	int terminal;
	bool there;
};

static struct outbox box;
static struct row rows[ROWS_MAX];
static size_t row_count;
static int64_t read_rows; /* how many were read from the store */
static char user_names[64][16], terminal_names[16][16];

static int begin(void **state)
{
	(void)state;
	outbox_init(&box, 7);
	row_count = 0;
	read_rows = 0;
	for (int i = 0; i < 64; i++)
		snprintf(user_names[i], sizeof user_names[i], "usr_%d", i);
	for (int i = 0; i < 16; i++)
		snprintf(terminal_names[i], sizeof terminal_names[i], "T%d", i);
	return 0;
}

static int end(void **state)
{
	(void)state;
	outbox_done(&box);
	return 0;
}

/* ---- the store */

/* Identities in the order of seq. */
static struct punch_place place_of(int64_t time_s, int64_t seq)
{
	struct punch_place place = {.time_s = time_s};

	for (int i = 0; i < 8; i++)
		place.identity[8 + i] = (uint8_t)((uint64_t)seq >> (56 - 8 * i));
	return place;
}

static struct outbox_punch punch_of(const struct row *r)
{
	return (struct outbox_punch){
		.seq = r->seq,
		.place = place_of(r->time_s, r->seq),
		.user_id = user_names[r->user],
		.day = r->day,
		.alone = r->alone,
		.live = r->live,
		.terminal = terminal_names[r->terminal],
		.frozen = r->frozen,
		.in_doubt = r->frozen,
	};
}

static struct row *row_of(int64_t seq)
{
	return &rows[seq - 1];
}

static bool is_behind(const struct row *r, const struct punch_place *place)
{
	struct punch_place own = place_of(r->time_s, r->seq);

	return punch_place_compare(&own, place) > 0;
}

/* The first row behind a place, of a line or of all; NULL: none. */
static const struct row *next_row(const struct punch_place *after, const struct outbox_line *line)
{
	const struct row *first = NULL;

	for (size_t i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];
		struct punch_place best;

		if (!r->there || !is_behind(r, after))
			continue;
		if (line &&
			(r->alone || r->day != line->day ||
				strcmp(user_names[r->user], line->user_id) != 0))
			continue;
		if (first)
			best = place_of(first->time_s, first->seq);
		if (!first || !is_behind(r, &best))
			first = r;
	}
	return first;
}

static void read_on(int most)
{
	for (int i = 0; i < most; i++) {
		const struct row *r = next_row(&box.cursor, NULL);
		struct outbox_punch p;

		if (!r) {
			outbox_read_all(&box);
			return;
		}
		p = punch_of(r);
		read_rows++;
		if (outbox_read(&box, &p) < 0)
			return;
	}
}

static void read_line(struct outbox_line *line)
{
	for (;;) {
		const struct row *r = next_row(&line->known, line);
		struct outbox_punch p;

		if (!r) {
			outbox_line_read_all(&box, line);
			return;
		}
		p = punch_of(r);
		read_rows++;
		if (outbox_line_read(&box, line, &p) != 0)
			return;
	}
}

/* ---- what tests say */

static struct row *store(int64_t time_s, int user, int32_t day)
{
	struct row *r = &rows[row_count++];

	*r = (struct row){.seq = (int64_t)row_count,
		.time_s = time_s,
		.user = user,
		.day = day,
		.there = true};
	return r;
}

static int64_t came(int64_t time_s, int user, int32_t day)
{
	struct row *r = store(time_s, user, day);
	struct outbox_punch p = punch_of(r);

	assert_int_equal(outbox_came(&box, &p), 0);
	return r->seq;
}

static int64_t came_live(int64_t time_s, int user, int32_t day, int terminal)
{
	struct row *r = store(time_s, user, day);
	struct outbox_punch p;

	r->live = true;
	r->terminal = terminal;
	p = punch_of(r);
	assert_int_equal(outbox_came(&box, &p), 0);
	return r->seq;
}

static int64_t due_us;

/* The next seq, or 0. */
static int64_t next_but(int64_t now_us, int not_user)
{
	struct outbox_choice choice;
	uint64_t hash = not_user >= 0 ? outbox_user_hash(user_names[not_user]) : 0;

	for (;;) {
		switch (outbox_next(&box, now_us, hash, &choice)) {
		case OUTBOX_GO: return choice.entry->seq;
		case OUTBOX_LINE: read_line(choice.line); break;
		case OUTBOX_READ: read_on(3); break;
		case OUTBOX_NONE: due_us = choice.due_us; return 0;
		}
	}
}

static int64_t next(void)
{
	return next_but(0, -1);
}

static void set_step(int64_t seq, enum outbox_step step)
{
	struct outbox_entry *e = outbox_find(&box, seq);

	e->step = (uint8_t)step;
	outbox_changed(&box, e);
}

static void wait_until(int64_t seq, int64_t not_before_us)
{
	struct outbox_entry *e = outbox_find(&box, seq);

	e->step = OUTBOX_WAITING;
	e->not_before_us = not_before_us;
	outbox_changed(&box, e);
}

static void delivered(int64_t seq)
{
	row_of(seq)->there = false;
	outbox_remove(&box, seq);
}

/* What goes when each is delivered at once: "1 3 7". */
static const char *order(int most)
{
	static char text[512];
	size_t at = 0;

	text[0] = '\0';
	for (int64_t seq; most-- > 0 && (seq = next()) > 0;) {
		delivered(seq);
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%lld", at ? " " : "", (long long)seq);
	}
	return text;
}

/* What goes side by side: none is answered. */
static const char *picked(void)
{
	static char text[512];
	int64_t seqs[32];
	size_t at = 0, n = 0;

	text[0] = '\0';
	for (int64_t seq; n < 32 && (seq = next()) > 0;) {
		seqs[n++] = seq;
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%lld", at ? " " : "", (long long)seq);
	}
	for (size_t i = 0; i < n; i++)
		set_step(seqs[i], OUTBOX_WAITING);
	return text;
}

static bool may_go_at_once(int user, int32_t day, int64_t time_s)
{
	struct row r = {.seq = 4000, .time_s = time_s, .user = user, .day = day};
	struct outbox_punch p = punch_of(&r);

	return outbox_may_go_at_once(&box, &p);
}

/* ---- order */

static void test_empty(void **state)
{
	(void)state;
	assert_false(may_go_at_once(1, 1, 5));
	assert_int_equal(next(), 0);
	assert_int_equal(due_us, INT64_MAX);
	assert_null(outbox_find(&box, 1));
	outbox_remove(&box, 1);
	assert_true(outbox_complete(&box));
	assert_true(may_go_at_once(1, 1, 5));
}

static void test_oldest_first_whatever_the_arrival(void **state)
{
	(void)state;
	store(300, 11, 1);
	store(200, 12, 1);
	store(100, 10, 1);
	came(100, 13, 1);
	assert_string_equal(order(2), "3 4");
	came(50, 14, 1);
	assert_string_equal(order(9), "5 2 1");
}

/* Per user within one working day by punch time: one at a time. */
static void test_a_user_goes_in_order(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(200, 10, 1);
	came(150, 11, 1);
	assert_string_equal(picked(), "1 3");
	assert_int_equal(next(), 1);
	assert_string_equal(picked(), "3");
	set_step(1, OUTBOX_DONE);
	assert_string_equal(picked(), "3 2");
	outbox_remove(&box, 1);
	assert_string_equal(picked(), "3 2");
}

static void test_another_day_goes_ahead(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(200, 10, 2);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 2);
}

/* One that is under way does not hold up an earlier one that came later. */
static void test_an_earlier_one_that_comes_late(void **state)
{
	(void)state;
	came(200, 10, 1);
	assert_int_equal(next(), 1);
	assert_false(outbox_is_overtaken(&box, outbox_find(&box, 1)));
	came(100, 10, 1);
	assert_true(outbox_is_overtaken(&box, outbox_find(&box, 1)));
	assert_int_equal(next(), 2);
	set_step(2, OUTBOX_DONE);
	assert_false(outbox_is_overtaken(&box, outbox_find(&box, 1)));
}

/* Released ones neither wait nor are waited for. */
static void test_released_ones_go_alone(void **state)
{
	(void)state;
	store(100, 10, 1);
	store(200, 10, 1)->alone = true;
	store(300, 10, 1)->alone = true;
	assert_string_equal(picked(), "1 2 3");
}

static void test_own_backoff_holds_the_day(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(200, 10, 1);
	came(300, 11, 1);
	assert_int_equal(next(), 1);
	wait_until(1, 5000);
	assert_string_equal(picked(), "3");
	assert_int_equal(next(), 3);
	wait_until(3, 9000);
	assert_int_equal(next(), 0);
	assert_int_equal(due_us, 5000);
	assert_int_equal(next_but(5000, -1), 1);
	assert_int_equal(next_but(5000, -1), 0);
	assert_int_equal(due_us, 9000);
}

/* A person wants all to be tried at once. */
static void test_backoffs_end_and_a_conflict_waits(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(200, 11, 1);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 2);
	wait_until(1, 7000);
	wait_until(2, 6000);
	outbox_find(&box, 1)->backoff_ms = 8;
	outbox_find(&box, 2)->conflicts = 1;
	outbox_end_backoffs(&box);
	assert_int_equal(outbox_find(&box, 1)->backoff_ms, 0);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 0);
	assert_int_equal(due_us, 6000);
}

/* A probe prefers another user, but takes the same one where there is no other. */
static void test_probe_prefers_another_user(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(150, 10, 2);
	came(200, 11, 1);
	assert_int_equal(next_but(0, 10), 3);
	assert_int_equal(next_but(0, 10), 0);
	assert_string_equal(picked(), "1 2");
}

static void failed(int64_t seq)
{
	outbox_failed(&box, outbox_find(&box, seq));
	wait_until(seq, 0);
}

/* One after the other, and from the first on where all have failed; or where it was well since. */
static void test_probe_prefers_what_has_not_failed(void **state)
{
	(void)state;
	came(100, 10, 1);
	came(150, 11, 1);
	came(200, 12, 1);
	assert_int_equal(next(), 1);
	failed(1);
	assert_int_equal(next_but(0, 10), 2);
	failed(2);
	assert_int_equal(next_but(0, 11), 3);
	failed(3);
	assert_int_equal(next_but(0, 12), 1);
	failed(1);
	outbox_passed(&box);
	failed(1);
	assert_int_equal(next_but(0, 10), 2);
	failed(2);
	assert_int_equal(next_but(0, -1), 1); /* no probe: the oldest */
}

/* ---- few of many are here */

static void test_a_line_of_many(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		store(100 + i, 10, 1);
	store(5000, 11, 1);
	for (int64_t seq = 1; seq <= 990; seq++) {
		assert_int_equal(next(), seq);
		/* the other one is not held up by it */
		if (seq == 1) {
			assert_int_equal(next(), 1001);
			delivered(1001);
		}
		delivered(seq);
		assert_true(box.entries.used <= OUTBOX_LINE_MAX + 1);
	}
	/* Each was read once by the cursor and once in its line. */
	assert_in_range(read_rows, 1001, 2100);
	/* One that comes meanwhile finds its place. */
	came(1089, 10, 1);
	assert_string_equal(order(3), "1002 991 992");
	assert_string_equal(order(20), "993 994 995 996 997 998 999 1000");
}

static void test_full(void **state)
{
	int64_t early;

	(void)state;
	box.lines_max = 10;
	for (int i = 0; i < 30; i++)
		store(100 + i, i, 1);
	read_on(20);
	assert_int_equal(next(), 1);
	assert_int_equal(outbox_lines(&box), 10);
	assert_false(outbox_complete(&box));
	/* An earlier one pushes the last out, which is read again. */
	early = came(50, 40, 1);
	assert_int_equal(outbox_lines(&box), 10);
	assert_null(outbox_find(&box, 10));
	assert_int_equal(next(), early);
	delivered(1);
	delivered(early);
	assert_string_equal(order(40),
		"2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 "
		"24 25 26 27 28 29 30");
}

/* No room, and all that is here is under way: it is read when there is. */
static void test_full_of_what_is_under_way(void **state)
{
	(void)state;
	box.lines_max = 3;
	came(100, 1, 1);
	came(101, 2, 1);
	came(102, 3, 1);
	next();
	next();
	assert_int_equal(next(), 3);
	came(50, 4, 1);
	assert_int_equal(next(), 0);
	delivered(2);
	assert_int_equal(next(), 4);
}

/* ---- live ones */

/* Three of four are live ones' as long as there are both. */
static void test_live_ones_have_a_lane(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		store(100 + i, i, 1);
	assert_int_equal(next(), 1);
	delivered(1);
	for (int i = 0; i < 7; i++)
		came_live(9000 + i, 30 + i, 2, 0);
	assert_string_equal(order(12), "21 22 23 2 24 25 26 3 27 4 5 6");
}

/* A live one of somebody whose earlier punches of the day are far behind: they go first, but now. */
static void test_live_one_behind_a_backlog(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		store(100 + i, i, 1);
	assert_int_equal(next(), 1);
	delivered(1);
	came_live(9000, 39, 1, 0);
	came_live(9001, 45, 1, 0);
	came(9002, 39, 1);
	/* 40 is user 39's of this morning; 43 is no live one. */
	assert_string_equal(order(6), "40 42 41 2 3 4");
}

/* The same where that one's line is here already, as far as the cursor has come. */
static void test_live_one_of_a_line_that_is_here(void **state)
{
	(void)state;
	store(100, 1, 1);
	store(101, 2, 1);
	for (int i = 0; i < 40; i++)
		store(200 + i, 10 + i, 1);
	assert_int_equal(next(), 1);
	came_live(9000, 2, 1, 0);
	assert_string_equal(order(3), "2 43 3");
}

/* One terminal's flood does not hold up another's. */
static void test_terminals_take_turns(void **state)
{
	(void)state;
	outbox_read_all(&box);
	for (int i = 0; i < 30; i++)
		came_live(100 + i, i, 1, 1);
	came_live(500, 40, 1, 2);
	came_live(501, 41, 1, 2);
	assert_string_equal(order(5), "1 31 2 32 3");
	came_live(600, 42, 1, 3);
	assert_string_equal(order(3), "4 33 5");
}

/* Probes of a destination that fails on everybody are two people's in turn, not everybody's. */
static void test_probes_freeze_few(void **state)
{
	int64_t seq;
	bool seen[10] = {false};
	int who = 9, people = 0;

	(void)state;
	outbox_read_all(&box);
	for (int i = 0; i < 10; i++)
		came_live(100 + i, i, 1, i % 3);
	for (int i = 0; i < 20; i++) {
		seq = next_but(0, who);
		assert_true(seq > 0);
		who = row_of(seq)->user;
		people += !seen[who];
		seen[who] = true;
		set_step(seq, OUTBOX_WAITING);
	}
	assert_int_equal(people, 2);
}

/* ---- under way */

static void test_claimed(void **state)
{
	struct row *r;
	struct outbox_punch p;

	(void)state;
	assert_int_equal(next(), 0);
	assert_true(may_go_at_once(10, 1, 100));
	r = store(100, 10, 1);
	r->frozen = true;
	p = punch_of(r);
	assert_int_equal(outbox_came_frozen(&box, &p), 0);
	assert_int_equal(outbox_find(&box, 1)->step, OUTBOX_SENDING);
	assert_false(outbox_is_overtaken(&box, outbox_find(&box, 1)));
	/* Nothing waits; the same person's later one does not go beside it, another's does. */
	assert_false(may_go_at_once(10, 1, 200));
	assert_true(may_go_at_once(10, 1, 50));
	assert_true(may_go_at_once(10, 2, 200));
	assert_true(may_go_at_once(11, 1, 200));
	came(150, 12, 1);
	assert_false(may_go_at_once(11, 1, 200));
}

/* Of what this run froze nothing was lost: an event is awaited only of what is in doubt. */
static void test_awaits_no_event_without_doubt(void **state)
{
	struct outbox_punch p;
	struct row *r = store(100, 10, 1);

	(void)state;
	outbox_read_all(&box);
	r->frozen = true;
	p = punch_of(r);
	p.in_doubt = false;
	p.await_us = INT64_MAX;
	assert_int_equal(outbox_came_frozen(&box, &p), 0);
	set_step(1, OUTBOX_WAITING); /* it gives way */
	assert_int_equal(next(), 1);

	r = store(200, 11, 2);
	p = punch_of(r);
	p.frozen = p.in_doubt = true;
	p.await_us = INT64_MAX;
	assert_int_equal(outbox_came(&box, &p), 0);
	assert_int_equal(next(), 0);
}

static void test_rewind_keeps_what_the_store_does_not_know(void **state)
{
	(void)state;
	outbox_read_all(&box);
	came(100, 10, 1);
	came(200, 11, 1);
	came(300, 12, 1);
	came(350, 13, 1);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 2);
	set_step(2, OUTBOX_DONE);
	row_of(4)->frozen = true;
	outbox_find(&box, 4)->frozen = true;
	outbox_find(&box, 4)->tries = 7;
	outbox_rewind(&box);
	assert_null(outbox_find(&box, 3));
	assert_int_equal(outbox_find(&box, 1)->step, OUTBOX_SENDING);
	assert_int_equal(outbox_find(&box, 4)->tries, 7);
	/* Until it is read again an earlier one may be in the store. */
	assert_true(outbox_is_overtaken(&box, outbox_find(&box, 1)));
	assert_string_equal(picked(), "3 4");
	assert_int_equal(outbox_find(&box, 4)->tries, 7);
}

/* What a rewind has kept does not go before an earlier one that only the store knows. */
static void test_kept_ones_wait_for_earlier_ones(void **state)
{
	(void)state;
	outbox_read_all(&box);
	came(500, 10, 1);
	row_of(1)->frozen = true;
	outbox_find(&box, 1)->frozen = true;
	outbox_rewind(&box);
	store(300, 10, 1);
	assert_int_equal(next(), 2);
	assert_int_equal(next(), 0);
	delivered(2);
	assert_int_equal(next(), 1);
}

/* Judged again, a punch may be another person's: then it waits behind that one's. */
static void test_moved_to_another_user(void **state)
{
	struct outbox_punch p;

	(void)state;
	outbox_read_all(&box);
	came(100, 8, 1);
	came(200, 7, 1);
	outbox_find(&box, 2)->gave_way = true;
	p = punch_of(row_of(2));
	assert_false(outbox_move(&box, &p));
	row_of(2)->user = 8;
	p = punch_of(row_of(2));
	assert_true(outbox_move(&box, &p));
	assert_true(outbox_find(&box, 2)->gave_way);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 0);
	assert_true(outbox_is_overtaken(&box, outbox_find(&box, 2)));
	delivered(1);
	assert_int_equal(next(), 2);
}

static void test_user_hash(void **state)
{
	(void)state;
	assert_true(outbox_user_hash("") != 0);
	assert_true(outbox_user_hash("usr_1") != outbox_user_hash("usr_2"));
	assert_true(outbox_user_hash("usr_1") == outbox_user_hash("usr_1"));
}

/* ---- a model that looks at every pair */

static uint32_t chance;

static int below(int n)
{
	chance = chance * 1664525 + 1013904223;
	return (int)((chance >> 8) % (uint32_t)n);
}

static bool is_done(const struct row *r)
{
	const struct outbox_entry *e = outbox_find(&box, r->seq);

	return !r->there || (e && e->step == OUTBOX_DONE);
}

static bool is_sending(const struct row *r)
{
	const struct outbox_entry *e = outbox_find(&box, r->seq);

	return e && e->step == OUTBOX_SENDING;
}

static bool is_first_of_its_line(const struct row *of)
{
	struct punch_place own = place_of(of->time_s, of->seq);

	for (size_t i = 0; i < row_count && !of->alone; i++) {
		const struct row *r = &rows[i];

		if (r != of && !r->alone && r->user == of->user && r->day == of->day &&
			!is_done(r) && !is_behind(r, &own))
			return false;
	}
	return true;
}

/* Without live ones and with room for all: nothing older could have gone. */
static void check_oldest(const struct row *chosen, int64_t now_us)
{
	struct punch_place own = place_of(chosen->time_s, chosen->seq);

	for (size_t i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];
		const struct outbox_entry *e = outbox_find(&box, r->seq);

		if (r == chosen || is_done(r) || is_sending(r) || is_behind(r, &own) ||
			(e && e->not_before_us > now_us) || !is_first_of_its_line(r))
			continue;
		fail_msg("row %lld goes before %lld, which is older", (long long)chosen->seq,
			(long long)r->seq);
	}
}

/* Nothing earlier of its line is queued. */
static void check_choice(const struct row *chosen, int64_t now_us)
{
	struct punch_place own = place_of(chosen->time_s, chosen->seq);

	assert_true(chosen->there);
	for (size_t i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];

		if (r == chosen || is_done(r) || is_behind(r, &own))
			continue;
		if (!r->alone && !chosen->alone && r->user == chosen->user && r->day == chosen->day)
			fail_msg("row %lld goes before %lld of its line at %lld",
				(long long)chosen->seq, (long long)r->seq, (long long)now_us);
	}
}

static bool live_ones;

static void happen(int64_t now_us)
{
	struct row *r = row_count ? &rows[below((int)row_count)] : NULL;
	struct outbox_entry *e = r ? outbox_find(&box, r->seq) : NULL;
	struct outbox_punch p;

	switch (below(9)) {
	case 0:
	case 1:
	case 2:
		if (row_count == ROWS_MAX)
			break;
		r = store(below(300), below(8), below(3));
		r->alone = below(10) == 0;
		r->live = live_ones && below(4) == 0;
		r->terminal = below(3);
		p = punch_of(r);
		assert_int_equal(outbox_came(&box, &p), 0);
		break;
	case 3: /* answered, and written a little later */
		if (e && e->step == OUTBOX_SENDING)
			set_step(r->seq, OUTBOX_DONE);
		break;
	case 4:
		if (e && e->step == OUTBOX_DONE)
			delivered(r->seq);
		break;
	case 5: /* it failed */
		if (e && e->step == OUTBOX_SENDING) {
			r->frozen = e->frozen = below(2);
			wait_until(r->seq, below(3) ? now_us + below(20) : 0);
		}
		break;
	case 6: /* held, or another's */
		if (!r || !r->there || is_sending(r) || is_done(r) || r->frozen)
			break;
		if (below(2)) {
			delivered(r->seq);
			break;
		}
		r->user = below(8);
		r->time_s = below(300);
		outbox_remove(&box, r->seq);
		p = punch_of(r);
		assert_int_equal(outbox_came(&box, &p), 0);
		break;
	case 7:
		if (below(20) == 0)
			outbox_rewind(&box);
		break;
	default: break;
	}
}

static void play(uint32_t seed)
{
	int64_t now_us = 1, seq;
	int not_user;

	chance = seed;
	live_ones = below(3) > 0;
	if (live_ones || below(2))
		box.lines_max = (size_t)(2 + below(12));
	for (int step = 0; step < 1500; step++, now_us++) {
		happen(now_us);
		not_user = below(4) ? -1 : below(8);
		if (below(3) == 0 && (seq = next_but(now_us, not_user)) > 0) {
			check_choice(row_of(seq), now_us);
			if (box.lines_max == OUTBOX_LINES && not_user < 0 && !live_ones)
				check_oldest(row_of(seq), now_us);
		}
		assert_true(outbox_lines(&box) <= box.lines_max);
	}
	/* Then all goes: nothing is forgotten. */
	for (size_t i = 0; i < row_count; i++) {
		struct outbox_entry *e = outbox_find(&box, rows[i].seq);

		if (e && e->step == OUTBOX_SENDING)
			wait_until(e->seq, 0);
		else if (e && e->step == OUTBOX_DONE)
			delivered(e->seq);
	}
	for (now_us += 100; (seq = next_but(now_us, -1)) > 0; now_us++) {
		check_choice(row_of(seq), now_us);
		delivered(seq);
	}
	for (size_t i = 0; i < row_count; i++) {
		if (rows[i].there)
			fail_msg("seed %u: row %lld never goes", seed, (long long)rows[i].seq);
	}
	assert_int_equal(box.waiting, 0);
	assert_int_equal(box.cuts, 0);
	assert_int_equal(outbox_lines(&box), 0);
}

static void test_against_a_model(void **state)
{
	for (uint32_t seed = 1; seed <= 200; seed++) {
		play(seed);
		end(state);
		begin(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, begin, end),
		cmocka_unit_test_setup_teardown(test_oldest_first_whatever_the_arrival, begin, end),
		cmocka_unit_test_setup_teardown(test_a_user_goes_in_order, begin, end),
		cmocka_unit_test_setup_teardown(test_another_day_goes_ahead, begin, end),
		cmocka_unit_test_setup_teardown(test_an_earlier_one_that_comes_late, begin, end),
		cmocka_unit_test_setup_teardown(test_released_ones_go_alone, begin, end),
		cmocka_unit_test_setup_teardown(test_own_backoff_holds_the_day, begin, end),
		cmocka_unit_test_setup_teardown(test_backoffs_end_and_a_conflict_waits, begin, end),
		cmocka_unit_test_setup_teardown(test_probe_prefers_another_user, begin, end),
		cmocka_unit_test_setup_teardown(test_probe_prefers_what_has_not_failed, begin, end),
		cmocka_unit_test_setup_teardown(test_a_line_of_many, begin, end),
		cmocka_unit_test_setup_teardown(test_full, begin, end),
		cmocka_unit_test_setup_teardown(test_full_of_what_is_under_way, begin, end),
		cmocka_unit_test_setup_teardown(test_live_ones_have_a_lane, begin, end),
		cmocka_unit_test_setup_teardown(test_live_one_behind_a_backlog, begin, end),
		cmocka_unit_test_setup_teardown(test_live_one_of_a_line_that_is_here, begin, end),
		cmocka_unit_test_setup_teardown(test_terminals_take_turns, begin, end),
		cmocka_unit_test_setup_teardown(test_probes_freeze_few, begin, end),
		cmocka_unit_test_setup_teardown(test_claimed, begin, end),
		cmocka_unit_test_setup_teardown(test_awaits_no_event_without_doubt, begin, end),
		cmocka_unit_test_setup_teardown(
			test_rewind_keeps_what_the_store_does_not_know, begin, end),
		cmocka_unit_test_setup_teardown(test_kept_ones_wait_for_earlier_ones, begin, end),
		cmocka_unit_test_setup_teardown(test_moved_to_another_user, begin, end),
		cmocka_unit_test(test_user_hash),
		cmocka_unit_test_setup_teardown(test_against_a_model, begin, end),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
