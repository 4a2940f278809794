/* core/event: what a webhook says, and which punch it proves (CLOUD-API.md, Webhooks). */
#include "unit.h"

#include "core/event.h"

#define CREATED_S 1700000000 /* 2023-11-14T22:13:20Z */

static const char *read(const char *body, struct event *ret)
{
	const char *fault = event_read(body, strlen(body), ret);

	if (fault)
		assert_null(ret->data);
	return fault;
}

static void test_each_type(void **state)
{
	struct event e;

	(void)state;
	assert_null(read("{\"id\":\"evt_1\",\"type\":\"user.created\",\"created_at\":"
			 "\"2023-11-14T22:13:20Z\",\"data\":{\"id\":\"usr_1\",\"updated_at\":"
			 "\"2023-11-14T22:13:19Z\"},\"more\":1}",
		&e));
	assert_string_equal(e.id, "evt_1");
	assert_int_equal(e.type, EVENT_USER_CREATED);
	assert_int_equal(e.created_s, CREATED_S);
	assert_int_equal(e.updated_s, CREATED_S - 1);
	assert_non_null(e.data);
	event_done(&e);
	/* Without a time of its own it is of the event's. */
	assert_null(read("{\"id\":\"evt_2\",\"type\":\"user.updated\",\"created_at\":"
			 "\"2023-11-14T23:13:20+01:00\",\"data\":{\"id\":\"usr_1\"}}",
		&e));
	assert_int_equal(e.type, EVENT_USER_UPDATED);
	assert_int_equal(e.updated_s, CREATED_S);
	event_done(&e);
	assert_null(
		read("{\"id\":\"evt_3\",\"type\":\"device.status_changed\",\"created_at\":"
		     "\"2023-11-14T22:13:20Z\",\"data\":{\"id\":\"dev_1\",\"serial_number\":\"S\","
		     "\"status\":\"inactive\"}}",
			&e));
	assert_int_equal(e.type, EVENT_DEVICE_STATUS);
	event_done(&e);
	assert_null(
		read("{\"id\":\"evt_4\",\"type\":\"attendance.created\",\"created_at\":"
		     "\"2023-11-14T22:13:20Z\",\"data\":{\"id\":\"att_1\",\"user_id\":\"usr_1\","
		     "\"device_id\":\"dev_1\",\"type\":\"check_out\",\"timestamp\":"
		     "\"2023-11-14T22:00:00Z\"}}",
			&e));
	assert_int_equal(e.type, EVENT_ATTENDANCE);
	assert_string_equal(e.record.att_id, "att_1");
	assert_string_equal(e.record.user_id, "usr_1");
	assert_string_equal(e.record.device_id, "dev_1");
	assert_int_equal(e.record.type, TYPE_CHECK_OUT);
	assert_int_equal(e.record.time_s, CREATED_S - 800);
	assert_int_equal(e.record.created_s, CREATED_S);
	event_done(&e);
	/* What we do not know is no fault, whatever it brings. */
	assert_null(read("{\"id\":\"evt_5\",\"type\":\"report.ready\",\"created_at\":"
			 "\"2023-11-14T22:13:20Z\"}",
		&e));
	assert_int_equal(e.type, EVENT_OTHER);
	event_done(&e);
}

#define WHEN              "\"created_at\":\"2023-11-14T22:13:20Z\""
#define EVENT(type, data) "{\"id\":\"evt_1\",\"type\":\"" type "\"," WHEN ",\"data\":" data "}"

static void test_faults(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"{",
		"[]",
		"1",
		"null",
		"\"text\"",
		"{}",
		"\xff",
		"{\"id\":\"evt_1\"}",
		"{\"type\":\"user.created\"," WHEN ",\"data\":{\"id\":\"u\"}}",
		"{\"id\":1,\"type\":\"x\"," WHEN "}",
		"{\"id\":\"\",\"type\":\"x\"," WHEN "}",
		"{\"id\":\"evt\\n1\",\"type\":\"x\"," WHEN "}",
		"{\"id\":\"evt\\u00001\",\"type\":\"x\"," WHEN "}",
		"{\"id\":\"evt_1\",\"id\":\"evt_2\",\"type\":\"x\"," WHEN "}",
		"{\"id\":\"evt_1\",\"type\":null," WHEN "}",
		"{\"id\":\"evt_1\",\"type\":\"x\"}",
		"{\"id\":\"evt_1\",\"type\":\"x\",\"created_at\":\"2023-11-14T22:13:20\"}",
		"{\"id\":\"evt_1\",\"type\":\"x\",\"created_at\":\"yesterday\"}",
		"{\"id\":\"evt_1\",\"type\":\"x\",\"created_at\":1700000000}",
		"{\"id\":\"evt_1\",\"type\":\"x\"," WHEN "} x",
		EVENT("user.created", "null"),
		EVENT("user.created", "[]"),
		EVENT("user.created", "{}"),
		EVENT("user.updated", "{\"id\":7}"),
		EVENT("user.updated", "{\"id\":\"usr_1\",\"updated_at\":\"soon\"}"),
		EVENT("user.updated", "{\"id\":\"usr_1\",\"updated_at\":5}"),
		EVENT("device.status_changed", "{\"id\":\"dev_1\"}"),
		EVENT("device.status_changed", "{\"serial_number\":\"S\"}"),
		EVENT("attendance.created", "{}"),
		EVENT("attendance.created",
			"{\"id\":\"att_1\",\"user_id\":\"usr_1\",\"device_id\":\"dev_1\","
			"\"type\":\"in\",\"timestamp\":\"2023-11-14T22:00:00Z\"}"),
		EVENT("attendance.created",
			"{\"id\":\"att_1\",\"user_id\":\"usr_1\",\"device_id\":\"dev_1\","
			"\"type\":\"check_in\",\"timestamp\":\"2023-11-14T22:00:00\"}"),
		EVENT("attendance.created",
			"{\"id\":\"att_1\",\"user_id\":\"usr_1\","
			"\"type\":\"check_in\",\"timestamp\":\"2023-11-14T22:00:00Z\"}"),
	};
	struct event e;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (!read(wrong[i], &e))
			fail_msg("taken: %s", wrong[i]);
	}
	assert_non_null(event_read(NULL, 0, &e));
}

static void test_depth(void **state)
{
	char body[256] = "{\"id\":\"evt_1\",\"type\":\"x\"," WHEN ",\"data\":";
	size_t n = strlen(body);
	struct event e;

	(void)state;
	for (int i = 0; i < 31; i++) {
		body[n + (size_t)i] = '[';
		body[n + 31 + (size_t)i] = ']';
	}
	memcpy(body + n + 62, "}", 2);
	assert_null(read(body, &e));
	for (int i = 0; i < 32; i++) {
		body[n + (size_t)i] = '[';
		body[n + 32 + (size_t)i] = ']';
	}
	memcpy(body + n + 64, "}", 2);
	assert_string_equal(read(body, &e), "it nests deeper than 32 levels");
}

static void test_ahead(void **state)
{
	struct event e = {.created_s = CREATED_S, .updated_s = CREATED_S};

	(void)state;
	assert_false(event_is_ahead(&e, CREATED_S));
	assert_false(event_is_ahead(&e, CREATED_S - EVENT_FUTURE_S));
	assert_true(event_is_ahead(&e, CREATED_S - EVENT_FUTURE_S - 1));
	e.updated_s += EVENT_FUTURE_S + 1;
	assert_true(event_is_ahead(&e, CREATED_S));
	assert_false(event_is_ahead(&e, CREATED_S + 1));
}

static struct punch frozen(void)
{
	return (struct punch){.state = PUNCH_QUEUED,
		.frozen_us = 55,
		.frozen_cloud_us = CREATED_S * 1000000LL + 999999,
		.user_id = "usr_1",
		.device_id = "dev_1",
		.type = TYPE_CHECK_IN,
		.has_time = true,
		.time_s = CREATED_S - 60};
}

/* Each near miss settles nothing: it is a wage. */
static void test_proof(void **state)
{
	const struct event_record r = {.att_id = "att_1",
		.user_id = "usr_1",
		.device_id = "dev_1",
		.type = TYPE_CHECK_IN,
		.time_s = CREATED_S - 60,
		.created_s = CREATED_S};
	struct event_record other;
	struct punch p = frozen();

	(void)state;
	assert_true(event_proves(&r, &p)); /* the same whole second */
	p.frozen_cloud_us += 1;            /* the next */
	assert_false(event_proves(&r, &p));
	assert_true(event_is_of(&r, &p));
	p.frozen_cloud_us = CREATED_S * 1000000LL - 86400000000LL;
	assert_true(event_proves(&r, &p));
	p.frozen_cloud_us = 0; /* nobody knows when */
	assert_false(event_proves(&r, &p));
	p = frozen();
	p.frozen_us = 0;
	assert_false(event_proves(&r, &p));
	p = frozen();
	p.time_s++;
	assert_false(event_proves(&r, &p));
	p.time_s -= 2;
	assert_false(event_proves(&r, &p));
	p = frozen();
	p.type = TYPE_CHECK_OUT;
	assert_false(event_proves(&r, &p));
	p = frozen();
	p.user_id[4] = '2';
	assert_false(event_proves(&r, &p));
	p = frozen();
	p.device_id[4] = '2';
	assert_false(event_proves(&r, &p));
	p = frozen();
	other = r;
	other.type = TYPE_NONE;
	assert_false(event_proves(&other, &p));
	other = r;
	other.user_id[5] = '1';
	assert_false(event_proves(&other, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
