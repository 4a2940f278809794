/* core/taps: JUDGING.md §4 and §5, over a list written in one line a tap. */
#include "unit.h"

#include "core/taps.h"

#define DAY0     1769990400LL /* 2026-02-02 00:00 UTC, a Monday */
#define TAPS_MAX 16

static struct zone *utc;
static struct taps_site site;

static int begin(void **state)
{
	(void)state;
	assert_int_equal(zone_load("UTC", &utc), 0);
	site = (struct taps_site){.zone = utc, .day_start_s = 4 * 3600, .max_shift_s = 12 * 3600};
	return 0;
}

static int end(void **state)
{
	(void)state;
	zone_free(utc);
	return 0;
}

/*
 * A tap: "08:00:00 A i": time of day 0 (or "1/08:00:00" of day 1), terminal A or B, and letters: i, o
 * what the terminal states; F frozen (with the letter behind it, i or o); C counts (released); b, n
 * released as the double of one before it, behind it; I, O by the terminal's setting, H held by it;
 * p, q a person said in, out; w no window. Then what is expected: i, o (counts, goes so),
 * - (suppressed), ! (clashes) or . (no direction).
 */
struct line {
	const char *tap;
	const char *expected;
};

static void read_letters(const char *letters, struct tap *t)
{
	for (; *letters; letters++) {
		switch (*letters) {
		case 'i': t->sent = TYPE_CHECK_IN; break;
		case 'o': t->sent = TYPE_CHECK_OUT; break;
		case 'F':
			t->standing = TAP_FROZEN;
			t->type = *++letters == 'i' ? TYPE_CHECK_IN : TYPE_CHECK_OUT;
			break;
		case 'C': t->standing = TAP_COUNTS; break;
		case 'b': t->beside |= TAP_BEFORE; break;
		case 'n': t->beside |= TAP_BEHIND; break;
		case 'I': t->rule = DIRECTION_CHECK_IN; break;
		case 'O': t->rule = DIRECTION_CHECK_OUT; break;
		case 'H': t->rule = DIRECTION_HOLD; break;
		case 'p':
		case 'q':
			t->type = *letters == 'p' ? TYPE_CHECK_IN : TYPE_CHECK_OUT;
			t->type_from = FROM_PERSON;
			break;
		case 'w': t->window_s = 0; break;
		default: fail_msg("no letter %c", *letters);
		}
	}
}

static void read_tap(const char *text, size_t n, struct tap *ret)
{
	int day = 0, hour, minute, second, at = 0;
	char terminal, letters[16] = "";

	if (text[1] == '/') {
		day = text[0] - '0';
		text += 2;
	}
	assert_true(sscanf(text, "%d:%d:%d %c %n", &hour, &minute, &second, &terminal, &at) >= 4);
	snprintf(letters, sizeof letters, "%s", at ? text + at : "");
	*ret = (struct tap){.seq = (int64_t)n,
		.time_s = DAY0 + day * 86400 + hour * 3600 + minute * 60 + second,
		.terminal = terminal,
		.window_s = 60};
	ret->identity[0] = (uint8_t)n;
	read_letters(letters, ret);
}

static char outcome(const struct tap *t)
{
	if (t->suppressed)
		return '-';
	if (t->clashes)
		return '!';
	return t->type == TYPE_NONE ? '.' : t->type == TYPE_CHECK_IN ? 'i' : 'o';
}

static void check(const struct line *lines)
{
	struct tap taps[TAPS_MAX];
	char got[TAPS_MAX + 1] = "", wanted[TAPS_MAX + 1] = "";
	size_t n = 0;

	for (; lines[n].tap; n++) {
		read_tap(lines[n].tap, n, &taps[n]);
		wanted[n] = lines[n].expected[0];
		assert_true(n == 0 || taps_before(&taps[n - 1], &taps[n]));
	}
	taps_walk(&site, taps, n, 0);
	for (size_t i = 0; i < n; i++)
		got[i] = outcome(&taps[i]);
	assert_string_equal(got, wanted);
}

#define CHECK(...) check((const struct line[]){__VA_ARGS__, {NULL, NULL}})

/* ---- double taps */

static void a_second_tap_within_the_window_is_suppressed(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:01:00 A", "-"});
	CHECK({"08:00:00 A", "i"}, {"08:01:01 A", "o"});
}

/* From the last one that counts: else who holds his finger there would vanish for hours. */
static void a_chain_is_measured_from_the_last_counted_one(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:40 A", "-"}, {"08:01:20 A", "o"}, {"08:02:00 A", "-"});
}

static void another_terminal_is_no_double_tap(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:10 B", "o"}, {"08:00:20 A", "-"});
}

static void opposite_types_of_the_terminal_are_none(void **state)
{
	(void)state;
	CHECK({"08:00:00 A i", "i"}, {"08:00:10 A o", "o"}, {"08:00:20 A o", "-"});
	CHECK({"08:00:00 A i", "i"}, {"08:00:10 A", "-"});
	/* A setting is not the terminal's word. */
	CHECK({"08:00:00 A i", "i"}, {"08:00:10 A O", "-"});
}

static void a_frozen_or_released_one_always_counts(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:10 A C", "o"}, {"08:00:20 A", "-"});
	CHECK({"08:00:00 A Fi", "i"}, {"08:00:10 A Fi", "i"}, {"08:00:20 A", "-"});
}

static void one_before_a_frozen_one_is_suppressed(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "-"}, {"08:00:30 A Fi", "i"});
	CHECK({"08:00:00 A", "i"}, {"08:00:30 B Fo", "o"});
	CHECK({"08:00:00 A i", "i"}, {"08:00:30 A oFo", "o"});
	CHECK({"08:00:00 A", "i"}, {"08:01:01 A Fo", "o"});
	/* the nearest decides */
	CHECK({"08:00:00 A i", "i"}, {"08:00:20 A oFo", "o"}, {"08:00:40 A iFi", "i"});
}

/* Both are real, a person said. */
static void a_released_double_leaves_what_it_doubled(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A CbFo", "o"});
	CHECK({"08:00:00 A i", "i"}, {"08:00:30 A ibFi", "i"});
	/* What comes behind is its double all the same. */
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A CbFo", "o"}, {"08:01:20 A", "-"});
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A Cb", "o"}, {"08:01:20 A", "-"});
	/* The double of one behind it, which thawed. */
	CHECK({"08:00:00 A CnFi", "i"}, {"08:00:30 A", "o"});
	CHECK({"08:00:00 A Cn", "i"}, {"08:00:30 A", "o"});
	CHECK({"07:59:30 A", "-"}, {"08:00:00 A CnFi", "i"}, {"08:00:30 A", "o"});
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A CbnFo", "o"}, {"08:00:40 A", "i"});
	/* one second, with no window */
	CHECK({"08:00:00 A w", "i"}, {"08:00:00 A wCbFo", "o"});
	CHECK({"08:00:00 A wCnFi", "i"}, {"08:00:00 A w", "o"});
}

static void nothing_is_measured_past_a_released_double(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A oCb", "o"}, {"08:00:50 A iFi", "i"});
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A oCbFo", "o"}, {"08:00:50 A iFi", "i"});
	CHECK({"08:00:00 A i", "i"}, {"08:00:30 A iCn", "i"}, {"08:00:50 A i", "i"});
	/* Only one of its own terminal stands between; and one released otherwise does not. */
	CHECK({"08:00:00 A", "-"}, {"08:00:30 B oCb", "o"}, {"08:00:50 A iFi", "i"});
	CHECK({"08:00:00 A", "-"}, {"08:00:30 A oC", "o"}, {"08:00:50 A iFi", "i"});
	/* What lies beyond what it was released beside is a double of that. */
	CHECK({"07:59:40 A", "-"}, {"08:00:00 A Fi", "i"}, {"08:00:30 A CbFo", "o"});
}

static void a_double_tap_knows_on_which_side(void **state)
{
	struct tap taps[3];

	(void)state;
	read_tap("08:00:00 A Fi", 0, &taps[0]);
	read_tap("08:00:30 A", 1, &taps[1]);
	read_tap("08:00:40 A Fi", 2, &taps[2]);
	taps_walk(&site, taps, 3, 0);
	assert_int_equal(taps[1].double_of, TAP_BEFORE | TAP_BEHIND);
	assert_int_equal(taps[2].double_of, 0);
	taps_walk(&site, taps, 2, 0);
	assert_int_equal(taps[1].double_of, TAP_BEFORE);
	taps_walk(&site, taps + 1, 2, 0);
	assert_int_equal(taps[1].double_of, TAP_BEHIND);
}

static void without_a_window_only_the_same_second_is_one(void **state)
{
	(void)state;
	CHECK({"08:00:00 A w", "i"}, {"08:00:00 A w", "-"}, {"08:00:01 A w", "o"});
	CHECK({"08:00:00 A iw", "i"}, {"08:00:00 A ow", "o"});
	CHECK({"08:00:00 A w", "i"}, {"08:00:00 B w", "o"});
}

/* ---- direction */

static void who_comes_goes(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"12:00:00 A", "o"}, {"12:30:00 B", "i"}, {"17:00:00 A", "o"});
}

static void a_forgotten_check_out_ends_with_the_day(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"1/08:00:00 A", "i"}, {"1/17:00:00 A", "o"});
}

static void a_night_shift_goes_over_the_days_turn(void **state)
{
	(void)state;
	CHECK({"22:00:00 A", "i"}, {"1/06:00:00 A", "o"}, {"1/22:00:00 A", "i"});
	/* exactly max_shift, and one second more */
	CHECK({"18:00:00 A", "i"}, {"1/06:00:00 A", "o"});
	CHECK({"18:00:00 A", "i"}, {"1/06:00:01 A", "i"});
	/* Within one day the shift's length does not matter. */
	CHECK({"04:00:00 A", "i"}, {"1/03:59:59 A", "o"});
}

static void what_the_terminal_says_stands(void **state)
{
	(void)state;
	CHECK({"08:00:00 A o", "o"}, {"09:00:00 A", "i"}, {"10:00:00 A i", "i"},
		{"11:00:00 A", "o"});
}

static void settings_say_it_for_a_terminal(void **state)
{
	(void)state;
	CHECK({"08:00:00 A I", "i"}, {"09:00:00 B O", "o"}, {"10:00:00 A I", "i"},
		{"11:00:00 B", "o"});
}

static void one_held_by_its_setting_is_passed_over(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"09:00:00 B H", "."}, {"10:00:00 A", "o"});
	CHECK({"08:00:00 A H", "."}, {"08:00:10 A H", "-"});
}

static void a_person_goes_before_all(void **state)
{
	(void)state;
	CHECK({"08:00:00 A q", "o"}, {"09:00:00 A ip", "i"}, {"10:00:00 A Op", "i"},
		{"11:00:00 A", "o"});
}

static void a_suppressed_one_gives_no_direction(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "i"}, {"08:00:30 A o", "-"}, {"09:00:00 A", "o"});
}

static void the_way_of_the_next_frozen_one_is_a_clash(void **state)
{
	(void)state;
	CHECK({"08:00:00 A", "!"}, {"09:00:00 A Fi", "i"}, {"10:00:00 A", "o"});
	CHECK({"08:00:00 A", "i"}, {"09:00:00 A Fo", "o"});
	/* another day's, or not the next one, or not its own word */
	CHECK({"08:00:00 A", "i"}, {"1/08:00:00 A Fi", "i"});
	CHECK({"08:00:00 A", "i"}, {"08:30:00 A", "o"}, {"09:00:00 A Fi", "i"});
	CHECK({"08:00:00 A i", "i"}, {"09:00:00 A Fi", "i"});
	CHECK({"08:00:00 A", "i"}, {"08:30:00 A H", "."}, {"09:00:00 A Fo", "o"});
	/* It counts with the type that the walk gave it. */
	CHECK({"08:00:00 A", "i"}, {"08:30:00 A", "!"}, {"09:00:00 A Fo", "o"},
		{"10:00:00 A", "i"});
}

/* ---- the rest */

static void a_walk_may_begin_in_the_middle(void **state)
{
	struct tap taps[3];

	(void)state;
	read_tap("08:00:00 A Fi", 0, &taps[0]);
	read_tap("08:00:30 A", 1, &taps[1]);
	read_tap("09:00:00 A", 2, &taps[2]);
	taps[1].suppressed = true;
	taps_walk(&site, taps, 3, 2);
	assert_true(taps[1].suppressed);
	assert_int_equal(taps[2].type, TYPE_CHECK_OUT);
	assert_int_equal(taps[2].type_from, FROM_ALTERNATE);
}

static void nothing_further_than_its_reach_decides(void **state)
{
	(void)state;
	assert_int_equal(taps_reach_s(&site, 60), 25 * 3600);
	assert_int_equal(taps_reach_s(&site, 30 * 3600), 30 * 3600);
	site.max_shift_s = 40 * 3600;
	assert_int_equal(taps_reach_s(&site, 60), 40 * 3600);
}

static struct punch judged(enum punch_state state, int reason)
{
	return (struct punch){.state = state, .reason = reason};
}

static void what_a_tap_is_makes_the_punch(void **state)
{
	struct tap t = {.type = TYPE_CHECK_IN, .type_from = FROM_ALTERNATE};
	struct punch p = judged(PUNCH_HELD, REASON_NO_DIRECTION);

	(void)state;
	taps_apply(&t, 7, &p);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_int_equal(p.type, TYPE_CHECK_IN);
	t.clashes = true;
	taps_apply(&t, 7, &p);
	assert_int_equal(p.state, PUNCH_HELD);
	assert_int_equal(p.reason, REASON_NO_DIRECTION);
	assert_int_equal(p.type, TYPE_CHECK_IN);
	/* What it is held for first stays. */
	p = judged(PUNCH_HELD, REASON_UNKNOWN_USER);
	taps_apply(&t, 7, &p);
	assert_int_equal(p.reason, REASON_UNKNOWN_USER);
}

static void a_double_tap_is_settled_when_it_becomes_one(void **state)
{
	struct tap t = {.suppressed = true};
	struct punch p = judged(PUNCH_HELD, REASON_STALE);

	(void)state;
	taps_apply(&t, 7, &p);
	assert_int_equal(p.state, PUNCH_SUPPRESSED);
	assert_int_equal(p.reason, REASON_DOUBLE_TAP);
	assert_int_equal(p.settled_us, 7);
	taps_apply(&t, 9, &p);
	assert_int_equal(p.settled_us, 7);
	p.state = PUNCH_QUEUED;
	t = (struct tap){.type = TYPE_CHECK_OUT};
	taps_apply(&t, 9, &p);
	assert_int_equal(p.settled_us, 0);
	assert_int_equal(p.state, PUNCH_QUEUED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_second_tap_within_the_window_is_suppressed, begin, end),
		cmocka_unit_test_setup_teardown(
			a_chain_is_measured_from_the_last_counted_one, begin, end),
		cmocka_unit_test_setup_teardown(another_terminal_is_no_double_tap, begin, end),
		cmocka_unit_test_setup_teardown(
			opposite_types_of_the_terminal_are_none, begin, end),
		cmocka_unit_test_setup_teardown(a_frozen_or_released_one_always_counts, begin, end),
		cmocka_unit_test_setup_teardown(one_before_a_frozen_one_is_suppressed, begin, end),
		cmocka_unit_test_setup_teardown(
			a_released_double_leaves_what_it_doubled, begin, end),
		cmocka_unit_test_setup_teardown(
			nothing_is_measured_past_a_released_double, begin, end),
		cmocka_unit_test_setup_teardown(a_double_tap_knows_on_which_side, begin, end),
		cmocka_unit_test_setup_teardown(
			without_a_window_only_the_same_second_is_one, begin, end),
		cmocka_unit_test_setup_teardown(who_comes_goes, begin, end),
		cmocka_unit_test_setup_teardown(
			a_forgotten_check_out_ends_with_the_day, begin, end),
		cmocka_unit_test_setup_teardown(a_night_shift_goes_over_the_days_turn, begin, end),
		cmocka_unit_test_setup_teardown(what_the_terminal_says_stands, begin, end),
		cmocka_unit_test_setup_teardown(settings_say_it_for_a_terminal, begin, end),
		cmocka_unit_test_setup_teardown(one_held_by_its_setting_is_passed_over, begin, end),
		cmocka_unit_test_setup_teardown(a_person_goes_before_all, begin, end),
		cmocka_unit_test_setup_teardown(a_suppressed_one_gives_no_direction, begin, end),
		cmocka_unit_test_setup_teardown(
			the_way_of_the_next_frozen_one_is_a_clash, begin, end),
		cmocka_unit_test_setup_teardown(a_walk_may_begin_in_the_middle, begin, end),
		cmocka_unit_test_setup_teardown(nothing_further_than_its_reach_decides, begin, end),
		cmocka_unit_test_setup_teardown(what_a_tap_is_makes_the_punch, begin, end),
		cmocka_unit_test_setup_teardown(
			a_double_tap_is_settled_when_it_becomes_one, begin, end),
	};
	return cmocka_run_group_tests_name("taps", tests, NULL, NULL);
}
