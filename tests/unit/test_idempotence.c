/* core/idempotence: what answers say of the cloud's keys (CLOUD-API.md, Errors). */
#include "unit.h"

#include "core/idempotence.h"

#define S 1000000LL

/* A cloud whose clock shows `date` as the answer comes, `took` after the request left. */
static struct idempotence_answer answer(int64_t created_s, int64_t date_s, int64_t took_us)
{
	return (struct idempotence_answer){.seq = 7,
		.again = true,
		.done = true,
		.id = "att_1",
		.created_s = created_s,
		.date_s = date_s,
		.clock_us = date_s * S - took_us,
		.took_us = took_us};
}

static enum idempotent verdict_of(struct idempotence_answer a)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};

	assert_null(idempotence_answered(&i, &a));
	return i.verdict;
}

static void test_older_than_the_send(void **state)
{
	struct idempotence_answer a;

	(void)state;
	/* Within a second of the send it may have been made by it: both are cut. */
	assert_int_equal(verdict_of(answer(1000, 1000, 0)), IDEMPOTENT_UNKNOWN);
	assert_int_equal(verdict_of(answer(999, 1000, 1)), IDEMPOTENT_UNKNOWN);
	assert_int_equal(verdict_of(answer(999, 1000, 0)), IDEMPOTENT_YES);
	assert_int_equal(verdict_of(answer(940, 1000, 20 * S)), IDEMPOTENT_YES);
	/* One that took its time may have made its record at its beginning. */
	assert_int_equal(verdict_of(answer(940, 1000, 60 * S)), IDEMPOTENT_UNKNOWN);
	/* The server's clock went back: nothing is certain. */
	assert_int_equal(verdict_of(answer(2000, 1000, 0)), IDEMPOTENT_UNKNOWN);
	/* Not a send again; no times. */
	a = answer(900, 1000, 0);
	a.again = false;
	assert_int_equal(verdict_of(a), IDEMPOTENT_UNKNOWN);
	assert_int_equal(verdict_of(answer(0, 1000, 0)), IDEMPOTENT_UNKNOWN);
	a = answer(900, 0, 0);
	assert_int_equal(verdict_of(a), IDEMPOTENT_UNKNOWN);
}

/* A clock that steps while the request runs makes every record old; the one before tells. */
static void test_a_clock_that_steps(void **state)
{
	struct idempotence_answer a = answer(1000, 4600, 0);

	(void)state;
	a.clock_us = 1000 * S;
	assert_int_equal(verdict_of(a), IDEMPOTENT_UNKNOWN);
	a.clock_us = 1001 * S;
	assert_int_equal(verdict_of(a), IDEMPOTENT_YES);
	a.clock_us = IDEMPOTENCE_NEVER;
	assert_int_equal(verdict_of(a), IDEMPOTENT_UNKNOWN);
	/* Back: by the answer's own Date it may be new. */
	a = answer(1000, 1000, 0);
	a.clock_us = 4600 * S;
	assert_int_equal(verdict_of(a), IDEMPOTENT_UNKNOWN);
}

static void test_the_clock_that_dates_show(void **state)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};

	(void)state;
	assert_true(idempotence_clock(&i, 5 * S) == IDEMPOTENCE_NEVER);
	idempotence_date(&i, 1000, 5 * S);
	assert_true(idempotence_clock(&i, 5 * S) == 1000 * S);
	assert_true(idempotence_clock(&i, 8 * S + 1) == 1003 * S + 1);
	assert_true(idempotence_clock(&i, 4 * S) == IDEMPOTENCE_NEVER);
	assert_true(idempotence_clock(&i, 5 * S + IDEMPOTENCE_STALE_US) ==
		1000 * S + IDEMPOTENCE_STALE_US);
	assert_true(idempotence_clock(&i, 6 * S + IDEMPOTENCE_STALE_US) == IDEMPOTENCE_NEVER);
}

/* Records are stamped by a clock that is behind the one of the Date headers. */
static void test_two_clocks(void **state)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};
	struct idempotence_answer fresh = answer(996, 1000, S / 2), again = answer(1992, 2000, 0);

	(void)state;
	fresh.again = false;
	fresh.first = true;
	idempotence_answered(&i, &fresh); /* looks 2.5 s too old */
	again.created_s = 1996;
	idempotence_answered(&i, &again);
	assert_int_equal(i.verdict, IDEMPOTENT_UNKNOWN);
	again.created_s = 1995;
	idempotence_answered(&i, &again);
	assert_int_equal(i.verdict, IDEMPOTENT_YES);
	/* It turns out to be further behind: what was proven by less is not. */
	fresh.created_s = 980;
	idempotence_answered(&i, &fresh);
	assert_int_equal(i.verdict, IDEMPOTENT_UNKNOWN);
	again.created_s = 1900;
	idempotence_answered(&i, &again);
	fresh.created_s = 979;
	idempotence_answered(&i, &fresh);
	assert_int_equal(i.verdict, IDEMPOTENT_YES);
}

static void test_two_records(void **state)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};
	struct idempotence_answer a = answer(1000, 1000, 0);

	(void)state;
	a.again = a.done = false;
	a.seq = 8;
	assert_null(idempotence_answered(&i, &a)); /* another punch: its own record */
	a.seq = 7;
	a.id = "att_2";
	assert_null(idempotence_answered(&i, &a));
	a.again = a.done = true;
	a.id = "att_3";
	assert_string_equal(idempotence_answered(&i, &a), "att_2");
	assert_int_equal(i.verdict, IDEMPOTENT_NO);
	assert_int_equal(i.doubled_seq, 7);
	/* Delivered: nothing more is compared. */
	a.id = "att_4";
	assert_null(idempotence_answered(&i, &a));
	/* One that forgets keys after a while shows an old record now and then: still no. */
	a = answer(900, 1000, 0);
	idempotence_answered(&i, &a);
	assert_int_equal(i.verdict, IDEMPOTENT_NO);
	idempotence_forget(&i);
	assert_int_equal(i.verdict, IDEMPOTENT_UNKNOWN);
	assert_true(idempotence_clock(&i, 0) == IDEMPOTENCE_NEVER);
}

static void test_one_record_for_two_sends(void **state)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};
	struct idempotence_answer a = answer(0, 0, 0), fresh = answer(900, 1000, 0);

	(void)state;
	a.again = a.done = false;
	idempotence_answered(&i, &a);
	assert_int_equal(i.verdict, IDEMPOTENT_UNKNOWN);
	a.again = a.done = true;
	assert_null(idempotence_answered(&i, &a));
	assert_int_equal(i.verdict, IDEMPOTENT_YES);
	/* That stands on no clock. */
	fresh.first = true;
	fresh.again = false;
	idempotence_answered(&i, &fresh);
	assert_int_equal(i.verdict, IDEMPOTENT_YES);
	/* Two for another punch: no after all. */
	a.again = a.done = false;
	a.seq = 9;
	idempotence_answered(&i, &a);
	a.id = "att_2";
	assert_non_null(idempotence_answered(&i, &a));
	assert_int_equal(i.verdict, IDEMPOTENT_NO);
}

static void test_more_in_doubt_than_are_kept(void **state)
{
	struct idempotence i = {.verdict = IDEMPOTENT_UNKNOWN};
	struct idempotence_answer a = answer(0, 0, 0);
	char long_id[CLOUD_ID_MAX + 2];

	(void)state;
	a.again = a.done = false;
	for (a.seq = 1; a.seq <= IDEMPOTENCE_IDS + 1; a.seq++)
		idempotence_answered(&i, &a);
	a.id = "att_2";
	a.seq = 1; /* forgotten; and takes the place of the second now */
	assert_null(idempotence_answered(&i, &a));
	a.seq = 3;
	assert_non_null(idempotence_answered(&i, &a));
	/* An id that does not fit is none. */
	memset(long_id, 'a', sizeof long_id);
	long_id[CLOUD_ID_MAX + 1] = '\0';
	a.seq = 500;
	a.id = long_id;
	assert_null(idempotence_answered(&i, &a));
	a.id = "att_1";
	assert_null(idempotence_answered(&i, &a));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(idempotent_name(IDEMPOTENT_UNKNOWN), "unknown");
	assert_string_equal(idempotent_name(IDEMPOTENT_YES), "yes");
	assert_string_equal(idempotent_name(IDEMPOTENT_NO), "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_older_than_the_send),
		cmocka_unit_test(test_a_clock_that_steps),
		cmocka_unit_test(test_the_clock_that_dates_show),
		cmocka_unit_test(test_two_clocks),
		cmocka_unit_test(test_two_records),
		cmocka_unit_test(test_one_record_for_two_sends),
		cmocka_unit_test(test_more_in_doubt_than_are_kept),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("idempotence", tests, NULL, NULL);
}
