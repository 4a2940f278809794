/* core/refusals: the same refusal of many people stops the road (CLOUD-API.md, Errors). */
#include "unit.h"

#include "core/refusals.h"

static void note_many(struct refusals *r, int n, int people, const char *code, const char *param)
{
	for (int i = 0; i < n; i++)
		refusals_note(r, code, param, (uint64_t)(i % people) + 1);
}

static void test_twenty_of_five_stop(void **state)
{
	struct refusals r = {.count = 0};

	(void)state;
	note_many(&r, REFUSALS_ALIKE - 1, REFUSALS_PEOPLE, "invalid_request", "device_id");
	assert_false(r.stopped);
	note_many(&r, 1, 1, "invalid_request", "device_id");
	assert_true(r.stopped);
	assert_non_null(strstr(r.words, "invalid_request, device_id"));
	refusals_clear(&r);
	assert_false(r.stopped);
	assert_int_equal(r.count, 0);
}

/* One person's bad punches are that person's. */
static void test_few_people_do_not(void **state)
{
	struct refusals r = {.count = 0};

	(void)state;
	note_many(&r, 1000, REFUSALS_PEOPLE - 1, "invalid_request", "user_id");
	assert_false(r.stopped);
	refusals_note(&r, "invalid_request", "user_id", REFUSALS_PEOPLE);
	assert_true(r.stopped);
}

static void test_what_breaks_a_row(void **state)
{
	static const struct {
		const char *code, *param;
	} others[] = {
		{"not_found", "user_id"}, {"invalid_request", "type"}, {"invalid_request", ""}};
	struct refusals r;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		refusals_clear(&r);
		note_many(&r, REFUSALS_ALIKE - 1, 10, "invalid_request", "user_id");
		refusals_note(&r, others[i].code, others[i].param, 99);
		note_many(&r, REFUSALS_ALIKE - 1, 10, "invalid_request", "user_id");
		assert_false(r.stopped);
	}
	refusals_clear(&r);
	note_many(&r, REFUSALS_ALIKE - 1, 10, "invalid_request", "user_id");
	refusals_break(&r);
	note_many(&r, REFUSALS_ALIKE - 1, 10, "invalid_request", "user_id");
	assert_false(r.stopped);
}

/* Answers to what was under way when it stopped go on coming. */
static void test_stopped_stays_and_keeps_its_words(void **state)
{
	struct refusals r = {.count = 0};

	(void)state;
	note_many(&r, REFUSALS_ALIKE, REFUSALS_PEOPLE, "not_found", "");
	assert_true(r.stopped);
	assert_non_null(strstr(r.words, "(not_found)"));
	refusals_break(&r);
	refusals_note(&r, "invalid_request", "type", 7);
	assert_true(r.stopped);
	assert_non_null(strstr(r.words, "(not_found)"));
}

/* What is longer than is kept is compared as it is kept. */
static void test_long_codes(void **state)
{
	struct refusals r = {.count = 0};
	char code[CLOUD_ID_MAX * 3];

	(void)state;
	memset(code, 'c', sizeof code - 1);
	code[sizeof code - 1] = '\0';
	note_many(&r, REFUSALS_ALIKE, REFUSALS_PEOPLE, code, code);
	assert_true(r.stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twenty_of_five_stop),
		cmocka_unit_test(test_few_people_do_not),
		cmocka_unit_test(test_what_breaks_a_row),
		cmocka_unit_test(test_stopped_stays_and_keeps_its_words),
		cmocka_unit_test(test_long_codes),
	};

	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
