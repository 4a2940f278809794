/* core/outbox: which punch goes next (JUDGING.md §9), also against a slow model. */
#include "unit.h"

#include <errno.h>

#include "core/outbox.h"

static struct outbox box;

static int begin(void **state)
{
	(void)state;
	outbox_init(&box);
	box.complete = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	outbox_done(&box);
	return 0;
}

/* Identities in the order of seq, but where a test says otherwise. */
static struct punch_place place_of(int64_t time_s, int64_t number)
{
	struct punch_place place = {.time_s = time_s};

	for (int i = 0; i < 8; i++)
		place.identity[8 + i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	return place;
}

static int add(int64_t seq, int64_t time_s, uint64_t user, int32_t day)
{
	return outbox_add(&box,
		&(struct outbox_entry){
			.seq = seq, .place = place_of(time_s, seq), .user = user, .day = day});
}

static bool covers(int64_t time_s, int64_t number)
{
	struct punch_place place = place_of(time_s, number);

	return outbox_covers(&box, &place);
}

static void set_end(int64_t time_s, int64_t number, bool complete)
{
	struct punch_place place = place_of(time_s, number);

	outbox_set_end(&box, &place, complete);
}

/* Of one that has just come: it has the last place of its second. */
static bool unblocked(uint64_t user, int32_t day, int64_t time_s)
{
	return outbox_is_first(&box,
		&(struct outbox_entry){
			.place = place_of(time_s, INT64_MAX), .user = user, .day = day});
}

/* What is picked, as text: "1 3 7". */
static const char *picked(int64_t now_us, uint64_t not_user, size_t max)
{
	static char text[256];
	int64_t seqs[16], wait_us;
	size_t n = outbox_pick(&box, now_us, not_user, max, seqs, &wait_us), at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%lld", i ? " " : "", (long long)seqs[i]);
	return text;
}

static void test_empty(void **state)
{
	(void)state;
	outbox_init(&box);
	assert_string_equal(picked(0, 0, 16), "");
	assert_null(outbox_find(&box, 1));
	outbox_remove(&box, 1);
	assert_false(covers(0, 1));
	assert_true(outbox_wants_more(&box, 0, 1));
	set_end(INT64_MAX, INT64_MAX, true);
	assert_false(outbox_wants_more(&box, 0, 1));
	assert_true(unblocked(1, 1, 5));
}

static void test_oldest_first_whatever_the_arrival(void **state)
{
	(void)state;
	add(3, 100, 10, 1);
	add(1, 300, 11, 1);
	add(2, 200, 12, 1);
	add(4, 100, 13, 1);
	assert_string_equal(picked(0, 0, 16), "3 4 2 1");
	assert_string_equal(picked(0, 0, 2), "3 4");
	assert_string_equal(picked(0, 0, 0), "");
}

/* Per user within one working day by punch time: one at a time. */
static void test_a_user_goes_in_order(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	add(2, 200, 10, 1);
	add(3, 150, 11, 1);
	assert_string_equal(picked(0, 0, 16), "1 3");
	outbox_find(&box, 1)->step = OUTBOX_SENDING;
	assert_string_equal(picked(0, 0, 16), "3");
	outbox_find(&box, 1)->step = OUTBOX_DONE;
	assert_string_equal(picked(0, 0, 16), "3 2");
	outbox_remove(&box, 1);
	assert_string_equal(picked(0, 0, 16), "3 2");
}

/* In one second it is the identity that says who is first, whoever came first. */
static void test_one_second_goes_by_identity(void **state)
{
	struct outbox_entry late = {.seq = 9, .place = place_of(100, 1), .user = 10, .day = 1};

	(void)state;
	add(2, 100, 10, 1);
	add(3, 100, 10, 1);
	assert_true(outbox_is_first(&box, outbox_find(&box, 2)));
	assert_true(outbox_is_first(&box, &late));
	outbox_add(&box, &late);
	assert_false(outbox_is_first(&box, outbox_find(&box, 2)));
	assert_string_equal(picked(0, 0, 16), "9");
	outbox_remove(&box, 9);
	assert_string_equal(picked(0, 0, 16), "2");
	/* one that is under way does not hold up an earlier one */
	outbox_find(&box, 2)->step = OUTBOX_SENDING;
	assert_true(outbox_is_first(&box, &late));
}

static void test_another_day_goes_ahead(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	add(2, 200, 10, 2);
	outbox_find(&box, 1)->step = OUTBOX_SENDING;
	assert_string_equal(picked(0, 0, 16), "2");
}

static void test_own_backoff_holds_the_day(void **state)
{
	int64_t seqs[4], wait_us;

	(void)state;
	add(1, 100, 10, 1);
	add(2, 200, 10, 1);
	add(3, 300, 11, 1);
	outbox_find(&box, 1)->not_before_us = 5000;
	assert_int_equal(outbox_pick(&box, 4999, 0, 4, seqs, &wait_us), 1);
	assert_int_equal(seqs[0], 3);
	assert_int_equal(wait_us, 5000);
	assert_string_equal(picked(5000, 0, 16), "1 3");
	outbox_pick(&box, 5000, 0, 4, seqs, &wait_us);
	assert_int_equal(wait_us, INT64_MAX);
}

static void test_earliest_wait(void **state)
{
	int64_t seqs[4], wait_us;

	(void)state;
	add(1, 100, 10, 1);
	add(2, 200, 11, 1);
	add(3, 300, 12, 1);
	outbox_find(&box, 1)->not_before_us = 7000;
	outbox_find(&box, 2)->not_before_us = 6000;
	outbox_find(&box, 3)->not_before_us = 8000;
	assert_int_equal(outbox_pick(&box, 0, 0, 4, seqs, &wait_us), 0);
	assert_int_equal(wait_us, 6000);
}

/* A probe prefers another user, but takes the same one where there is no other. */
static void test_probe_prefers_another_user(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	add(2, 150, 10, 2);
	add(3, 200, 11, 1);
	assert_string_equal(picked(0, 10, 1), "3");
	outbox_find(&box, 3)->not_before_us = 99;
	assert_string_equal(picked(0, 10, 1), "1");
	outbox_remove(&box, 3);
	assert_string_equal(picked(0, 10, 1), "1");
}

static void test_twice_the_same_stays_once(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	outbox_find(&box, 1)->step = OUTBOX_SENDING;
	assert_int_equal(add(1, 100, 10, 1), 0);
	assert_int_equal(box.count, 1);
	assert_int_equal(outbox_find(&box, 1)->step, OUTBOX_SENDING);
}

static void test_the_window_has_an_end(void **state)
{
	(void)state;
	set_end(100, 5, false);
	assert_true(covers(99, 9));
	assert_true(covers(100, 5));
	assert_false(covers(100, 6));
	assert_false(covers(101, 1));
	set_end(100, 5, true);
	assert_true(covers(101, 1));
	assert_true(outbox_wants_more(&box, 0, 1) == false);
	set_end(100, 5, false);
	assert_true(outbox_wants_more(&box, 0, 1));
	assert_false(outbox_wants_more(&box, 1, 1));
}

static void test_rewind_keeps_what_is_under_way(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	add(2, 200, 11, 1);
	add(3, 300, 12, 1);
	outbox_find(&box, 2)->step = OUTBOX_SENDING;
	outbox_find(&box, 3)->step = OUTBOX_DONE;
	add(4, 350, 13, 1);
	outbox_find(&box, 4)->frozen = true; /* the store does not know that it waits for 30 s */
	set_end(400, 9, true);
	outbox_rewind(&box);
	assert_int_equal(box.count, 3);
	assert_non_null(outbox_find(&box, 4));
	assert_null(outbox_find(&box, 1));
	assert_non_null(outbox_find(&box, 2));
	assert_false(covers(INT64_MIN + 1, 1));
	assert_true(outbox_wants_more(&box, 0, 1));
}

/* An earlier one of its user's day may be between the window's end and what a rewind has kept. */
static void test_what_lies_behind_the_end_waits(void **state)
{
	(void)state;
	add(5, 500, 10, 1);
	outbox_find(&box, 5)->frozen = true;
	outbox_rewind(&box);
	assert_string_equal(picked(0, 0, 16), "");
	assert_false(outbox_is_first(&box, outbox_find(&box, 5)));
	assert_true(outbox_wants_more(&box, 0, 1));
	add(6, 300, 10, 1);
	set_end(300, 6, false);
	assert_string_equal(picked(0, 0, 16), "6");
	outbox_remove(&box, 6);
	assert_string_equal(picked(0, 0, 16), "");
	set_end(500, 5, false);
	assert_string_equal(picked(0, 0, 16), "5");
	assert_true(outbox_is_first(&box, outbox_find(&box, 5)));
}

/* A live punch may be handed over at once where nothing of its user's day is before it. */
static void test_unblocked(void **state)
{
	(void)state;
	add(1, 100, 10, 1);
	set_end(0, 0, true);
	assert_false(unblocked(10, 1, 100));
	assert_false(unblocked(10, 1, 200));
	assert_true(unblocked(10, 1, 99));
	assert_true(unblocked(10, 2, 200));
	assert_true(unblocked(11, 1, 200));
	outbox_find(&box, 1)->step = OUTBOX_SENDING;
	assert_false(unblocked(10, 1, 200));
	outbox_find(&box, 1)->step = OUTBOX_DONE;
	assert_true(unblocked(10, 1, 200));
	/* behind the window's end there may be an earlier one */
	set_end(150, 9, false);
	assert_true(unblocked(11, 1, 149));
	assert_false(unblocked(11, 1, 150));
	assert_false(unblocked(11, 1, 151));
}

static void fill(void)
{
	for (int64_t i = 0; i < OUTBOX_MAX; i++)
		assert_int_equal(add(i + 1, 1000 + i * 10, (uint64_t)i + 1, 1), 0);
	set_end(1000 + OUTBOX_MAX * 10, 1, true);
}

static void test_full(void **state)
{
	(void)state;
	fill();
	assert_false(outbox_wants_more(&box, 0, 1));
	/* behind the last there is no room */
	assert_int_equal(add(90000, 1000 + OUTBOX_MAX * 10, 1, 2), -ENOSPC);
	assert_int_equal(box.count, OUTBOX_MAX);
	assert_true(box.complete);
	/* an earlier one pushes the last out, which is read again later */
	assert_int_equal(add(90001, 5, 1, 2), 0);
	assert_int_equal(box.count, OUTBOX_MAX);
	assert_null(outbox_find(&box, OUTBOX_MAX));
	assert_non_null(outbox_find(&box, OUTBOX_MAX - 1));
	assert_false(box.complete);
	assert_true(covers(1000 + (OUTBOX_MAX - 2) * 10, OUTBOX_MAX - 1));
	assert_false(covers(1000 + (OUTBOX_MAX - 1) * 10, OUTBOX_MAX));
	assert_int_equal(add(OUTBOX_MAX, 1000 + (OUTBOX_MAX - 1) * 10, 1, 1), -ENOSPC);
}

/* One that comes to lie last itself is in the window, so the end is there and not before it. */
static void test_full_and_the_newest_is_last(void **state)
{
	int64_t between = 1000 + (OUTBOX_MAX - 1) * 10 - 5;

	(void)state;
	fill();
	assert_int_equal(add(90001, between, 1, 2), 0);
	assert_true(covers(between, 90001));
	assert_false(covers(between, 90002));
}

static void test_full_of_what_is_under_way(void **state)
{
	(void)state;
	fill();
	outbox_find(&box, OUTBOX_MAX)->step = OUTBOX_SENDING;
	assert_int_equal(add(90001, 5, 1, 2), -ENOSPC);
	assert_int_equal(box.count, OUTBOX_MAX);
	assert_string_equal(picked(0, 0, 3), "1 2 3");
}

static void test_user_hash(void **state)
{
	(void)state;
	assert_true(outbox_user_hash("") != 0);
	assert_true(outbox_user_hash("usr_1") != outbox_user_hash("usr_2"));
	assert_true(outbox_user_hash("usr_1") == outbox_user_hash("usr_1"));
}

/* ---- a model that looks at every pair */

static bool model_blocked(size_t i)
{
	const struct outbox_entry *e = &box.entries[i];

	for (size_t j = 0; j < i; j++) {
		const struct outbox_entry *f = &box.entries[j];

		if (f->user == e->user && f->day == e->day && f->step != OUTBOX_DONE)
			return true;
	}
	return false;
}

static void compare_with_model(int64_t now_us)
{
	int64_t seqs[64], wait_us;
	size_t n = outbox_pick(&box, now_us, 0, 64, seqs, &wait_us), wanted = 0;

	for (size_t i = 0; i < box.count; i++) {
		const struct outbox_entry *e = &box.entries[i];

		if (i > 0)
			assert_true(punch_place_compare(&e[-1].place, &e->place) < 0);
		if (!outbox_covers(&box, &e->place) || e->step != OUTBOX_WAITING ||
			e->not_before_us > now_us || model_blocked(i))
			continue;
		assert_true(wanted < n);
		assert_int_equal(seqs[wanted], e->seq);
		wanted++;
	}
	assert_int_equal(n, wanted);
}

static void test_against_a_model(void **state)
{
	uint32_t r = 1;

	(void)state;
	for (int64_t step = 1; step < 4000; step++) {
		struct outbox_entry *e;

		r = r * 1664525 + 1013904223;
		if (box.count < 60 && (r >> 30))
			add(step, (r >> 8) % 500, 1 + (r >> 17) % 12, (int32_t)(r >> 21) % 3);
		e = outbox_find(&box, (int64_t)((r >> 9) % (uint32_t)step));
		if (e && (r & 0x700) == 0)
			outbox_remove(&box, e->seq);
		else if (e) {
			e->step = (uint8_t)((r >> 12) % 3);
			e->not_before_us = (r >> 14) % 4;
		}
		set_end((r >> 5) % 600, INT64_MAX, r >> 31);
		compare_with_model(2);
	}
	assert_true(box.count > 20);
}

/* An earlier punch of that day that comes late goes first; another day's, or a settled one, does not. */
static void test_first_of_its_day(void **state)
{
	(void)state;
	add(2, 200, 7, 1);
	assert_true(outbox_is_first(&box, outbox_find(&box, 2)));
	add(3, 100, 7, 0);
	add(4, 150, 8, 1);
	assert_true(outbox_is_first(&box, outbox_find(&box, 2)));
	add(5, 150, 7, 1);
	assert_false(outbox_is_first(&box, outbox_find(&box, 2)));
	outbox_find(&box, 5)->step = OUTBOX_SENDING;
	assert_false(outbox_is_first(&box, outbox_find(&box, 2)));
	outbox_find(&box, 5)->step = OUTBOX_DONE;
	assert_true(outbox_is_first(&box, outbox_find(&box, 2)));
}

/* Judged again, a punch may be another person's: then it waits behind that one's. */
static void test_moved_to_another_user(void **state)
{
	struct outbox_entry place = {.place = place_of(200, 2), .seq = 2, .user = 8, .day = 1};

	(void)state;
	add(1, 100, 8, 1);
	add(2, 200, 7, 1);
	set_end(300, 9, false);
	outbox_find(&box, 1)->step = OUTBOX_SENDING;
	outbox_find(&box, 2)->backoff_ms = 77;
	assert_string_equal(picked(0, 0, 9), "2");
	assert_true(outbox_move(&box, &place));
	assert_string_equal(picked(0, 0, 9), "");
	assert_int_equal(outbox_find(&box, 2)->backoff_ms, 77);
	assert_false(outbox_move(&box, &place));
	place.place.time_s = 50;
	assert_true(outbox_move(&box, &place));
	assert_int_equal(box.entries[0].seq, 2);
	place.place.time_s = 301; /* behind the end: it will be read there */
	assert_true(outbox_move(&box, &place));
	assert_null(outbox_find(&box, 2));
	assert_false(outbox_move(&box, &place));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_empty),
		CASE(test_oldest_first_whatever_the_arrival),
		CASE(test_a_user_goes_in_order),
		CASE(test_one_second_goes_by_identity),
		CASE(test_another_day_goes_ahead),
		CASE(test_own_backoff_holds_the_day),
		CASE(test_earliest_wait),
		CASE(test_probe_prefers_another_user),
		CASE(test_twice_the_same_stays_once),
		CASE(test_the_window_has_an_end),
		CASE(test_rewind_keeps_what_is_under_way),
		CASE(test_what_lies_behind_the_end_waits),
		CASE(test_unblocked),
		CASE(test_first_of_its_day),
		CASE(test_moved_to_another_user),
		CASE(test_full),
		CASE(test_full_and_the_newest_is_last),
		CASE(test_full_of_what_is_under_way),
		CASE(test_user_hash),
		CASE(test_against_a_model),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
