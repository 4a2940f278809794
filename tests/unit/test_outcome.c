/* api/outcome: names, and what leaves a punch in doubt. */
#include "unit.h"

#include "api/outcome.h"

static const struct {
	enum api_outcome outcome;
	const char *name;
	bool in_doubt;
} rows[] = {
	{API_DONE, "done", false},
	{API_DONE_NO_ID, "done_no_id", false},
	{API_GARBLED, "garbled", true},
	{API_REFUSED, "refused", false},
	{API_CONFLICT, "conflict", true},
	{API_UNAUTHORIZED, "unauthorized", false},
	{API_FORBIDDEN, "forbidden", false},
	{API_RATE_LIMITED, "rate_limited", false},
	{API_SERVER_ERROR, "server_error", false},
	{API_SERVER_DOUBT, "server_doubt", true},
	{API_ROAD_FAULT, "road_fault", false},
	{API_NEVER_LEFT, "never_left", false},
	{API_LOST, "lost", true},
	{API_CANCELLED, "cancelled", true},
};

static void test_each_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(api_outcome_name(rows[i].outcome), rows[i].name);
		assert_int_equal(api_outcome_in_doubt(rows[i].outcome), rows[i].in_doubt);
	}
}

/* What is unknown must not be taken for settled. */
static void test_unknown_outcome_is_in_doubt(void **state)
{
	(void)state;
	assert_true(api_outcome_in_doubt((enum api_outcome)99));
	assert_string_equal(api_outcome_name((enum api_outcome)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_outcome),
		cmocka_unit_test(test_unknown_outcome_is_in_doubt),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
