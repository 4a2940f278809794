/* api/share: punches first, and every 20th request a refresh's. */
#include "unit.h"

#include "api/share.h"

#define S CLOCK_US_PER_S

static struct share s;
static int64_t wait_us;

static int64_t punch_room(int64_t room, int64_t now_us)
{
	wait_us = room > 0 ? 0 : -1;
	return share_room(&s, SHARE_PUNCH, room, now_us, &wait_us);
}

static int64_t refresh_room(int64_t room, int64_t now_us)
{
	wait_us = room > 0 ? 0 : -1;
	return share_room(&s, SHARE_REFRESH, room, now_us, &wait_us);
}

static void test_nobody_presses(void **state)
{
	(void)state;
	s = (struct share){.offered = 0};
	assert_int_equal(refresh_room(8, 0), 8);
	assert_int_equal(punch_room(8, 0), 8);
	share_sent(&s, SHARE_PUNCH);
	assert_int_equal(refresh_room(7, 0), 7); /* seven places were left */
	share_sent(&s, SHARE_REFRESH);
	share_ended(&s, SHARE_REFRESH);
	share_ended(&s, SHARE_PUNCH);
	assert_int_equal(s.punches, 0);
}

static void test_punches_first(void **state)
{
	(void)state;
	s = (struct share){.offered = 0};
	assert_int_equal(punch_room(2, 0), 2);
	share_sent(&s, SHARE_PUNCH);
	share_sent(&s, SHARE_PUNCH);
	share_ended(&s, SHARE_PUNCH);
	assert_int_equal(refresh_room(1, 0), 0); /* they took all, and will take this one */
	assert_int_equal(wait_us, SHARE_ASK_US);
	assert_int_equal(punch_room(1, 0), 1);
	share_ended(&s, SHARE_PUNCH);
	assert_int_equal(refresh_room(2, 0), 2); /* none runs: they have gone */
}

/* The wait that others caused stays what it is. */
static void test_no_room_for_anyone(void **state)
{
	(void)state;
	s = (struct share){.offered = 0};
	wait_us = 30 * S;
	assert_int_equal(share_room(&s, SHARE_PUNCH, 0, 0, &wait_us), 0);
	assert_int_equal(wait_us, 30 * S);
	assert_int_equal(share_room(&s, SHARE_REFRESH, 0, 0, &wait_us), 0);
	assert_int_equal(wait_us, 30 * S);
	assert_int_equal(refresh_room(0, 0), 0);
	assert_int_equal(wait_us, SHARE_ASK_US);
}

/* One place, and punches without end, asking first each time. */
static void test_every_20th_is_a_refresh(void **state)
{
	int punches = 0, refreshes = 0;

	(void)state;
	s = (struct share){.offered = 0};
	for (int64_t now_us = 0; punches + refreshes < 2000; now_us += S / 10) {
		if (punch_room(1, now_us) > 0) {
			share_sent(&s, SHARE_PUNCH);
			assert_int_equal(refresh_room(0, now_us), 0);
			share_ended(&s, SHARE_PUNCH);
			punches++;
		} else {
			assert_int_equal(refresh_room(1, now_us), 1);
			share_sent(&s, SHARE_REFRESH);
			share_ended(&s, SHARE_REFRESH);
			refreshes++;
		}
	}
	assert_int_equal(refreshes, 100);
}

/* The same with refreshes asking first. */
static void test_no_more_than_every_20th(void **state)
{
	int refreshes = 0;

	(void)state;
	s = (struct share){.offered = 0};
	punch_room(2, 0);
	share_sent(&s, SHARE_PUNCH);
	share_sent(&s, SHARE_PUNCH);
	for (int i = 0; i < 2000; i++) {
		share_ended(&s, SHARE_PUNCH);
		if (refresh_room(1, 0) > 0) {
			share_sent(&s, SHARE_REFRESH);
			share_ended(&s, SHARE_REFRESH);
			refreshes++;
		}
		punch_room(1, 0);
		share_sent(&s, SHARE_PUNCH);
	}
	assert_in_range(refreshes, 99, 106);
}

/* A refresh that waited and went away does not hold punches up. */
static void test_kept_place_expires(void **state)
{
	(void)state;
	s = (struct share){.offered = 0};
	for (int i = 0; i < 20; i++) {
		punch_room(1, 0);
		share_sent(&s, SHARE_PUNCH);
	}
	refresh_room(0, 0);
	assert_int_equal(punch_room(1, 0), 0);
	assert_int_equal(wait_us, SHARE_KEEP_US);
	assert_int_equal(punch_room(3, 0), 2);
	assert_int_equal(punch_room(1, SHARE_KEEP_US), 1);
}

static int64_t person_room(int64_t room, int64_t now_us)
{
	wait_us = room > 0 ? 0 : -1;
	return share_room(&s, SHARE_PERSON, room, now_us, &wait_us);
}

/* Punches without end, and the other two always asking, the refresh first: they take turns. */
static void test_person_and_refresh_take_turns(void **state)
{
	int count[SHARE_CLASSES] = {0};

	(void)state;
	s = (struct share){.offered = 0};
	for (int64_t now_us = 0; count[SHARE_PUNCH] < 1900; now_us += S / 10) {
		enum share_class goes = SHARE_PUNCH;

		if (punch_room(1, now_us) > 0) {
			refresh_room(0, now_us);
			person_room(0, now_us);
		} else if (refresh_room(1, now_us) > 0) {
			goes = SHARE_REFRESH;
		} else {
			assert_int_equal(person_room(1, now_us), 1);
			goes = SHARE_PERSON;
		}
		share_sent(&s, goes);
		share_ended(&s, goes);
		count[goes]++;
	}
	assert_in_range(count[SHARE_REFRESH], 49, 50);
	assert_in_range(count[SHARE_PERSON], 49, 50);
}

/* Where there is more than one place nobody gives way, nor to one who has gone. */
static void test_giving_way(void **state)
{
	(void)state;
	s = (struct share){.offered = 0};
	share_sent(&s, SHARE_REFRESH);
	assert_int_equal(person_room(0, 0), 0);
	assert_int_equal(refresh_room(2, 0), 2);
	assert_int_equal(refresh_room(1, 0), 0);
	assert_int_equal(wait_us, SHARE_ASK_US);
	assert_int_equal(person_room(1, 0), 1);
	assert_int_equal(refresh_room(1, SHARE_KEEP_US), 1);
}

static void test_no_such_class(void **state)
{
	(void)state;
	assert_int_equal(share_room(&s, (enum share_class)9, 5, 0, &wait_us), 0);
}

/* Lists that were never had: punches wait, however long they have. */
static void test_refreshes_first(void **state)
{
	(void)state;
	s = (struct share){0};
	wait_us = 0;
	share_sent(&s, SHARE_PUNCH);
	s.refresh_first = true;
	assert_int_equal(share_room(&s, SHARE_PUNCH, 8, 0, &wait_us), 0);
	assert_int_equal(wait_us, SHARE_ASK_US);
	assert_int_equal(refresh_room(1, 0), 1);
	share_sent(&s, SHARE_REFRESH);
	share_ended(&s, SHARE_REFRESH);
	wait_us = 0;
	assert_int_equal(share_room(&s, SHARE_PUNCH, 8, 0, &wait_us), 0);
	assert_int_equal(refresh_room(1, 0), 1);
	/* what else forbids to send is waited for */
	wait_us = -1;
	assert_int_equal(share_room(&s, SHARE_PUNCH, 0, 0, &wait_us), 0);
	assert_int_equal(wait_us, -1);
	s.refresh_first = false;
	wait_us = 0;
	assert_int_equal(share_room(&s, SHARE_PUNCH, 8, 0, &wait_us), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_presses),
		cmocka_unit_test(test_punches_first),
		cmocka_unit_test(test_no_room_for_anyone),
		cmocka_unit_test(test_every_20th_is_a_refresh),
		cmocka_unit_test(test_no_more_than_every_20th),
		cmocka_unit_test(test_kept_place_expires),
		cmocka_unit_test(test_person_and_refresh_take_turns),
		cmocka_unit_test(test_giving_way),
		cmocka_unit_test(test_no_such_class),
		cmocka_unit_test(test_refreshes_first),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
