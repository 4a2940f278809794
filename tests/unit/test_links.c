/* core/links: the more specific wins, whatever values look like. */
#include "unit.h"

#include <errno.h>

#include "core/links.h"

static struct links links;

static int begin(void **state)
{
	(void)state;
	links_init(&links, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	links_done(&links);
	return 0;
}

static struct user_link make(
	enum user_kind kind, const char *value, const char *device, const char *user_id)
{
	return (struct user_link){.kind = kind,
		.value = value,
		.device = device,
		.user_id = user_id,
		.at_us = 5,
		.uid = 7,
		.name = "root",
		.note = "why"};
}

static enum link_change apply(
	enum user_kind kind, const char *value, const char *device, const char *user_id)
{
	const struct user_link l = make(kind, value, device, user_id);
	enum link_change change = links_compare(&links, &l);

	assert_int_equal(links_apply(&links, &l), 0);
	return change;
}

static const char *who(enum user_kind kind, const char *value, const char *serial)
{
	const struct user_link *l = links_find(&links, kind, value, serial);

	return l ? l->user_id : "nobody";
}

static void test_the_more_specific_wins(void **state)
{
	(void)state;
	apply(USER_PIN, "1", "", "usr_1");
	apply(USER_PIN, "1", "S2", "usr_2");
	assert_string_equal(who(USER_PIN, "1", "S1"), "usr_1");
	assert_string_equal(who(USER_PIN, "1", "S2"), "usr_2");
	assert_string_equal(who(USER_CARD, "1", "S2"), "nobody");
	assert_string_equal(who(USER_PIN, "2", "S2"), "nobody");
	apply(USER_PIN, "1", "S2", "");
	assert_string_equal(who(USER_PIN, "1", "S2"), "usr_1");
	apply(USER_PIN, "1", "", "");
	assert_string_equal(who(USER_PIN, "1", "S1"), "nobody");
	assert_int_equal(links_count(&links), 0);
}

/* No two places are one, wherever the border between device and value lies. */
static void test_values_and_devices_do_not_run_together(void **state)
{
	(void)state;
	apply(USER_PIN, "23", "1", "usr_1");
	assert_string_equal(who(USER_PIN, "3", "12"), "nobody");
	assert_string_equal(who(USER_PIN, "123", ""), "nobody");
	apply(USER_PIN, "1:1:x", "", "usr_2");
	assert_string_equal(who(USER_PIN, "x", "1:1:"), "nobody");
	assert_null(links_get(&links, USER_PIN, "1:x", "1:"));
}

static void test_what_a_change_is(void **state)
{
	(void)state;
	assert_int_equal(apply(USER_CARD, "A", "", ""), LINK_SAME);
	assert_int_equal(apply(USER_CARD, "A", "", "usr_1"), LINK_NEW);
	assert_int_equal(apply(USER_CARD, "A", "", "usr_1"), LINK_SAME);
	assert_int_equal(apply(USER_CARD, "A", "S", "usr_1"), LINK_NEW);
	assert_int_equal(apply(USER_CARD, "A", "", "usr_2"), LINK_CHANGED);
	assert_int_equal(links_count(&links), 2);
	assert_int_equal(apply(USER_CARD, "A", "", ""), LINK_GONE);
	assert_string_equal(who(USER_CARD, "A", "S"), "usr_1");
}

static void test_all_is_copied(void **state)
{
	char value[] = "1", device[] = "S", user[] = "usr_1", note[] = "n";
	struct user_link l = make(USER_PIN, value, device, user);
	const struct user_link *found;
	size_t pos = 0;

	(void)state;
	l.note = note;
	assert_int_equal(links_apply(&links, &l), 0);
	value[0] = device[0] = user[4] = note[0] = 'x';
	found = links_next(&links, &pos);
	assert_string_equal(found->value, "1");
	assert_string_equal(found->device, "S");
	assert_string_equal(found->user_id, "usr_1");
	assert_string_equal(found->name, "root");
	assert_string_equal(found->note, "n");
	assert_true(found->at_us == 5 && found->uid == 7);
	assert_null(links_next(&links, &pos));
}

static void test_there_is_a_limit(void **state)
{
	struct user_link l = make(USER_PIN, "", "", "usr_1");
	char value[16];

	(void)state;
	l.value = value;
	for (int i = 0; i < LINKS_MAX; i++) {
		snprintf(value, sizeof value, "%d", i);
		assert_int_equal(links_apply(&links, &l), 0);
	}
	snprintf(value, sizeof value, "%d", LINKS_MAX);
	assert_int_equal(links_apply(&links, &l), -EDQUOT);
	/* What is there can be changed all the same, and taken away. */
	assert_int_equal(apply(USER_PIN, "1", "", "usr_2"), LINK_CHANGED);
	assert_int_equal(apply(USER_PIN, "2", "", ""), LINK_GONE);
	assert_int_equal(links_apply(&links, &l), 0);
}

static void test_what_may_be_linked(void **state)
{
	char value[USER_MAX + 1], long_id[CLOUD_ID_MAX + 2] = "usr_";
	struct user_link l = make(USER_CARD, " 04:a2-b3 ", "", "usr_1");

	(void)state;
	assert_null(links_fault(&l, value));
	assert_string_equal(value, "04A2B3");
	l = make(USER_SLOT, "7", "", "usr_1");
	assert_non_null(links_fault(&l, value));
	l.device = "S1";
	assert_null(links_fault(&l, value));
	l.user_id = ""; /* taken away */
	assert_null(links_fault(&l, value));
	memset(long_id + 4, 'a', CLOUD_ID_MAX - 4);
	l.user_id = long_id;
	assert_null(links_fault(&l, value));
	long_id[CLOUD_ID_MAX] = 'a';
	assert_non_null(links_fault(&l, value));
	for (size_t i = 0; i < 4; i++) {
		static const char *const bad[] = {"usr_", "dev_1", "usr_\"", "usr_a b"};

		l.user_id = bad[i];
		assert_non_null(links_fault(&l, value));
	}
	l = make(USER_PIN, "a\x1b", "", "usr_1");
	assert_non_null(links_fault(&l, value));
	l.value = "\xff";
	assert_non_null(links_fault(&l, value));
	l = make(USER_PIN, "1", "S\n", "usr_1");
	assert_non_null(links_fault(&l, value));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_more_specific_wins),
		CASE(test_values_and_devices_do_not_run_together),
		CASE(test_what_a_change_is),
		CASE(test_all_is_copied),
		CASE(test_there_is_a_limit),
		CASE(test_what_may_be_linked),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
