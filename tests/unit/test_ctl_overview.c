/* The status document for people, whatever it lacks. */
#include "ctl/overview.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/punchrow.h"
#include "ctl/text.h"
#include "unit.h"

#define NOW_S 1770000000 /* 2026-02-02T02:40:00Z */

static const struct times times = {.now_s = NOW_S, .utc = true};

/* Draw rows of a status document. The caller frees it. */
static char *rows_of(const char *status)
{
	struct table t;
	struct buf out;
	struct paper paper = {.out = &out};
	json_t *doc = json_loads(status, 0, NULL);

	assert_non_null(doc);
	buf_init(&out, 65536);
	table_init(&t, 2, NULL);
	overview_head(&paper, doc, &times);
	overview_rows(&t, doc, &times);
	assert_int_equal(table_draw(&t, &paper), 0);
	table_done(&t);
	json_decref(doc);
	return buf_steal(&out);
}

static void assert_row(const char *status, const char *row)
{
	char *text = rows_of(status);

	if (!strstr(text, row))
		fail_msg("no \"%s\" in:\n%s", row, text);
	free(text);
}

static void test_every_part(void **state)
{
	(void)state;
	assert_row("{\"version\":\"0.1.0\",\"site\":\"s\",\"state\":\"ok\",\"uptime_s\":182}",
		"punchd 0.1.0 at s: ok, up 3m 2s  2026-02-02 02:40:00Z\n");
	assert_row("{\"alarms\":[{\"code\":\"held\",\"severity\":\"warning\",\"since\":"
		   "\"2026-02-02T02:39:00Z\",\"message\":\"3 punches wait\"}]}",
		"Alarm      warning held, 1m 0s ago: 3 punches wait\n");
	assert_row(
		"{\"mqtt\":{\"connected\":true,\"host\":\"h\",\"since\":\"2026-02-02T02:00:00Z\"}}",
		"Broker     connected to h since 2026-02-02 02:00:00Z\n");
	assert_row("{\"mqtt\":{\"connected\":false,\"host\":\"h\",\"since\":null}}",
		"Broker     not connected to h\n");
	assert_row("{\"api\":{\"state\":\"backoff\",\"next_try\":\"2026-02-02T02:40:12Z\","
		   "\"last_success\":\"2026-02-02T02:39:00Z\"}}",
		"Cloud      backoff, next try in 12s, last success 1m 0s ago\n");
	assert_row("{\"api\":{\"state\":\"ok\",\"last_success\":null}}", "ok, no success yet\n");
	assert_row("{\"queue\":{\"queued\":5,\"held\":2,\"parked\":1,\"oldest_queued_s\":61,"
		   "\"drain_eta_s\":5}}",
		"Queue      5 queued, the oldest from 1m 1s ago, sent in about 5s; 2 held, 1 "
		"parked\n");
	assert_row("{\"directory\":{\"users\":45,\"users_synced_at\":\"2026-02-02T02:39:00Z\","
		   "\"devices\":0,\"devices_synced_at\":null,\"pass_error\":\"401\"}}",
		"Directory  45 users (1m 0s ago), 0 devices (never fetched); the last try failed: "
		"401\n");
	assert_row("{\"store\":{\"bytes\":600000,\"free_bytes\":85000000000}}",
		"Store      585K used, 79G free on its disk\n");
	assert_row("{\"store\":{\"bytes\":null}}", "Store      ? used, ? free on its disk\n");
	assert_row("{\"clock\":{\"synchronized\":false}}", "Clock      not synchronized\n");
}

static void test_the_budget_is_a_bar(void **state)
{
	static const struct {
		const char *rate, *bar;
	} cases[] = {
		{"{\"limit\":100,\"remaining\":42,\"reset\":\"2026-02-02T02:40:09Z\"}",
			"████████░░░░░░░░░░░░ 42 of 100 requests left, renewed in 9s\n"},
		{"{\"limit\":100,\"remaining\":100}", "████████████████████ 100 of 100 "},
		{"{\"limit\":100,\"remaining\":0}", "░░░░░░░░░░░░░░░░░░░░ 0 of 100 "},
		/* nonsense does not overrun it */
		{"{\"limit\":3,\"remaining\":9223372036854775807}", "████████████████████ 3 of 3 "},
		{"{\"limit\":9223372036854775807,\"remaining\":-5}", "░░░░░░░░░░░░░░░░░░░░ 0 of "},
		{"{\"limit\":0,\"remaining\":1}", "not known yet\n"},
		{"{\"limit\":null}", "not known yet\n"},
		{"7", "not known yet\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char status[256];

		snprintf(status, sizeof status, "{\"api\":{\"rate\":%s}}", cases[i].rate);
		assert_row(status, cases[i].bar);
	}
}

static void test_nothing_at_all(void **state)
{
	char *text = rows_of("{}");

	(void)state;
	assert_non_null(strstr(text, "punchd  at : , up 0s"));
	assert_non_null(strstr(text, "Broker     not connected to"));
	free(text);
}

static void test_terminals(void **state)
{
	static const char list[] =
		"{\"terminals\":[{\"serial\":\"A\",\"device_id\":\"dev_1\",\"online\":true,"
		"\"last_seen\":\"2026-02-02T02:39:00Z\",\"last_punch\":null,\"skew_s\":-0.44,"
		"\"pending\":7,\"fw\":\"1.2\\u001b\"},"
		"{\"serial\":\"B\\u001b[2J\",\"device_id\":null,\"online\":false},"
		"{\"serial\":\"C\",\"online\":null}]}";
	struct table t;
	struct buf out;
	struct paper paper = {.out = &out};
	json_t *doc = json_loads(list, 0, NULL);

	(void)state;
	buf_init(&out, 65536);
	table_init(&t, OVERVIEW_TERMINAL_COLUMNS, overview_terminal_heads);
	assert_int_equal(overview_terminals(&t, doc, &times), 3);
	assert_int_equal(table_draw(&t, &paper), 0);
	assert_string_equal(out.data,
		"TERMINAL  DEVICE   ONLINE  LAST SEEN             LAST PUNCH  PENDING  CLOCK OFF  "
		"FIRMWARE\n"
		"A         dev_1    yes     2026-02-02 02:39:00Z  -           7        -0.4s      "
		"1.2\\x1b\n"
		"B\\x1b[2J  unknown  no      -                     -           -        -          "
		"-\n"
		"C         unknown  -       -                     -           -        -          "
		"-\n");
	table_done(&t);
	buf_done(&out);
	json_decref(doc);
}

static void assert_punch(const char *punch, enum punchrow_form form, const char *should)
{
	struct table t;
	struct buf out;
	struct paper paper = {.out = &out};
	json_t *doc = json_loads(punch, 0, NULL);

	assert_non_null(doc);
	buf_init(&out, 65536);
	table_init(&t, PUNCHROW_COLUMNS, NULL);
	punchrow_add(&t, doc, &times, form);
	assert_int_equal(table_draw(&t, &paper), 0);
	assert_string_equal(out.data, should);
	table_done(&t);
	buf_done(&out);
	json_decref(doc);
}

static void test_punches(void **state)
{
	static const char punch[] =
		"{\"id\":\"00079c3900112233445566778899aabb\",\"state\":\"held\",\"reason\":"
		"\"unknown_user\",\"terminal\":\"T\",\"user\":{\"kind\":\"pin\",\"value\":\"1001\","
		"\"user_id\":null,\"name\":null},\"time\":\"2026-02-02T02:00:00Z\",\"type\":null}";

	(void)state;
	assert_punch(punch, PUNCHROW_WHOLE,
		"2026-02-02 02:00:00Z  pin:1001  -  T  held  unknown_user  "
		"00079c3900112233445566778899aabb\n");
	assert_punch(punch, PUNCHROW_LIST,
		"2026-02-02 02:00:00Z  pin:1001  -  T  held  unknown_user  00079c3900112233\n");
	assert_punch(punch, PUNCHROW_LIVE,
		"2026-02-02 02:00:00  pin:1001  -  T  held  unknown_user  00079c390011\n");
	/* what could not be read has neither user nor time; in doubt is a reason of its own */
	assert_punch("{\"user\":null,\"state\":\"queued\",\"reason\":null,\"in_doubt\":true}",
		PUNCHROW_LIST, "-  -  -  -  queued  in_doubt  -\n");
	assert_punch("{\"user\":{\"name\":\"\\u202eecilA\",\"value\":\"x\"}}", PUNCHROW_LIST,
		"-  \\u202eecilA  -  -  -  -  -\n");
}

static int setup(void **state)
{
	(void)state;
	text_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_part),
		cmocka_unit_test(test_the_budget_is_a_bar),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_punches),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
