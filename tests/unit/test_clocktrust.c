/* core/clocktrust: whether the wall clock may be believed (JUDGING.md §2, §10). */
#include "unit.h"

#include "core/clocktrust.h"

#define S    CLOCK_US_PER_S
#define HOUR (3600 * S)

static struct clocktrust trust;

/* The wall clock shows 1,770,000,000 s when the monotonic one shows 1000 s. */
static struct moment at(int64_t mono_us, int64_t shift_us)
{
	return (struct moment){1769999000 * S + mono_us + shift_us, mono_us};
}

static int begin(void **state)
{
	(void)state;
	clocktrust_init(&trust);
	return 0;
}

static void test_trusted_once_in_a_boot(void **state)
{
	(void)state;
	assert_false(clocktrust_look(&trust, at(1000 * S, 0), false));
	assert_false(trust.trusted);
	assert_false(clocktrust_may_purge(&trust));
	clocktrust_look(&trust, at(1001 * S, 0), true);
	assert_true(trust.trusted);
	clocktrust_look(&trust, at(1002 * S, 0), false);
	assert_true(trust.trusted);
	assert_true(clocktrust_may_purge(&trust));
}

static void test_steps_are_seen(void **state)
{
	(void)state;
	assert_false(clocktrust_look(&trust, at(1 * S, 0), false));
	assert_false(clocktrust_look(&trust, at(900 * S, 0), false));
	assert_false(clocktrust_look(&trust, at(901 * S, S), false));
	assert_true(clocktrust_look(&trust, at(902 * S, 2 * S + 1), false));
	assert_false(clocktrust_look(&trust, at(903 * S, 2 * S + 1), false));
	assert_true(clocktrust_look(&trust, at(904 * S, 0), false));
}

/* A jump by over an hour after trust may be a wrong server: what recognises duplicates stays. */
static void test_a_jump_stops_purging(void **state)
{
	(void)state;
	clocktrust_look(&trust, at(S, 0), true);
	clocktrust_look(&trust, at(2 * S, HOUR), true);
	assert_true(clocktrust_may_purge(&trust));
	clocktrust_look(&trust, at(3 * S, -HOUR), true); /* back by two */
	assert_true(clocktrust_may_purge(&trust));
	clocktrust_look(&trust, at(4 * S, 1), true);
	assert_false(clocktrust_may_purge(&trust));
	clocktrust_look(&trust, at(5 * S, 0), true);
	assert_false(clocktrust_may_purge(&trust));
	assert_true(trust.trusted);
}

/* The step that makes the clock right comes before the trust. */
static void test_the_first_setting_is_no_jump(void **state)
{
	(void)state;
	clocktrust_look(&trust, at(S, -1000 * HOUR), false);
	assert_true(clocktrust_look(&trust, at(2 * S, 0), true));
	assert_true(clocktrust_may_purge(&trust));
}

/* The daemon may be started again in the same boot: what happened stays happened. */
static void test_handed_on_to_the_next_run(void **state)
{
	(void)state;
	clocktrust_look(&trust, at(S, 0), true);
	assert_true(trust.news);
	trust.news = false;
	clocktrust_look(&trust, at(2 * S, 0), true);
	assert_false(trust.news);
	clocktrust_look(&trust, at(3 * S, HOUR + S), true);
	assert_true(trust.news);

	clocktrust_resume(&trust, trust.trusted, trust.jumped, trust.offset_us);
	assert_false(clocktrust_look(&trust, at(9 * S, HOUR + S), false));
	assert_true(trust.trusted);
	assert_false(trust.news);
	assert_false(clocktrust_may_purge(&trust));
}

/* … and a jump while nobody looked is one. */
static void test_a_jump_between_two_runs(void **state)
{
	(void)state;
	clocktrust_resume(&trust, true, false, at(S, 0).wall_us - S);
	assert_true(clocktrust_look(&trust, at(9 * S, HOUR + S), true));
	assert_true(trust.news);
	assert_false(clocktrust_may_purge(&trust));

	clocktrust_resume(&trust, false, false, at(S, -HOUR * 9).wall_us - S);
	assert_true(clocktrust_look(&trust, at(9 * S, 0), true));
	assert_true(clocktrust_may_purge(&trust));
}

/* Our clock is ahead of the server's by so much; the answer took so long. */
static void date_ahead(int64_t ahead_us, int64_t took_us)
{
	struct moment sent = at(1000 * S, ahead_us), received = at(1000 * S + took_us, ahead_us);

	clocktrust_server_date(&trust, (1769999000 * S + 1000 * S + took_us) / S, sent, received);
}

static void test_a_date_that_agrees(void **state)
{
	static const int64_t near[] = {0, 5 * S, -5 * S, 4 * S, -4 * S};
	static const int64_t far_off[] = {8 * S, -8 * S, HOUR, -HOUR};

	(void)state;
	for (size_t i = 0; i < COUNT(near); i++) {
		clocktrust_init(&trust);
		date_ahead(near[i], S / 10);
		assert_true(trust.trusted);
		assert_false(trust.disagrees);
	}
	for (size_t i = 0; i < COUNT(far_off); i++) {
		clocktrust_init(&trust);
		date_ahead(far_off[i], S / 10);
		assert_false(trust.trusted);
		assert_false(trust.disagrees); /* nothing was trusted that could be doubted */
	}
}

static void test_a_later_disagreement(void **state)
{
	(void)state;
	clocktrust_look(&trust, at(S, 0), true);
	date_ahead(HOUR, S / 10);
	assert_true(trust.trusted);
	assert_true(trust.disagrees);
	assert_false(clocktrust_may_purge(&trust));
	date_ahead(0, S / 10);
	assert_false(trust.disagrees);
	assert_true(clocktrust_may_purge(&trust));
}

/* An answer after a minute could agree with a clock that is a minute off. */
static void test_a_slow_answer_proves_nothing(void **state)
{
	(void)state;
	date_ahead(30 * S, 60 * S);
	assert_false(trust.trusted);
	date_ahead(0, 60 * S);
	assert_false(trust.trusted);
	clocktrust_look(&trust, at(S, 0), true);
	date_ahead(HOUR, S);
	assert_true(trust.disagrees);
	date_ahead(30 * S, 60 * S);
	assert_true(trust.disagrees);
	/* that it cannot agree, it can prove */
	clocktrust_init(&trust);
	clocktrust_look(&trust, at(S, 0), true);
	date_ahead(HOUR, 60 * S);
	assert_true(trust.disagrees);
}

#define CASE(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_trusted_once_in_a_boot),
		CASE(test_steps_are_seen),
		CASE(test_a_jump_stops_purging),
		CASE(test_the_first_setting_is_no_jump),
		CASE(test_handed_on_to_the_next_run),
		CASE(test_a_jump_between_two_runs),
		CASE(test_a_date_that_agrees),
		CASE(test_a_later_disagreement),
		CASE(test_a_slow_answer_proves_nothing),
	};

	return cmocka_run_group_tests_name("clocktrust", tests, NULL, NULL);
}
