/* core/payload: the native scheme of INTERFACES.md, its samples, and all that is no punch. */
#include "unit.h"

#include <jansson.h>

#include "base/file.h"
#include "base/time.h"
#include "core/payload.h"

static struct payload payload;
static struct payload_record record;
static const char *sent;
static size_t sent_bytes;

static void take_bytes(const char *bytes, size_t n)
{
	sent = bytes;
	sent_bytes = n;
	payload_init(&payload, bytes, n);
}

static void take(const char *text)
{
	take_bytes(text, strlen(text));
}

static void assert_record(enum payload_kind kind, const char *fault)
{
	assert_int_equal(payload_next(&payload, &record), 1);
	assert_string_equal(record.fault ? record.fault : "", fault);
	assert_int_equal(record.kind, kind);
}

/* A message that gives one record only. */
static void assert_alone(const char *text, enum payload_kind kind, const char *fault)
{
	take(text);
	assert_record(kind, fault);
	assert_int_equal(record.index, 0);
	assert_int_equal(payload_next(&payload, &record), 0);
}

#define GOOD "\"id\":\"1\",\"user\":\"1001\",\"time\":\"2026-02-01T08:00:00+02:00\""

static void test_the_example(void **state)
{
	const struct punch *p = &record.punch;

	(void)state;
	take("{\"id\":\"000123\",\"user\":\"1001\",\"user_kind\":\"pin\","
	     "\"time\":\"2026-02-01T08:00:00+02:00\",\"type\":\"check_in\","
	     "\"method\":\"fingerprint\",\"live\":true}");
	assert_record(PAYLOAD_PUNCH, "");
	assert_true(record.whole);
	assert_string_equal(p->record_id, "000123");
	assert_string_equal(p->user, "1001");
	assert_int_equal(p->user_kind, USER_PIN);
	assert_string_equal(p->time_sent, "2026-02-01T08:00:00+02:00");
	assert_true(p->has_time);
	assert_int_equal(p->time_s, 1769925600);
	assert_int_equal(p->type_sent, TYPE_CHECK_IN);
	assert_int_equal(p->flags, FLAG_LIVE);
	assert_string_equal(p->terminal, "");
	assert_int_equal(payload_next(&payload, &record), 0);
}

static void test_the_least(void **state)
{
	(void)state;
	take("{\"id\":\"1\",\"user\":\"usr_9\"}");
	assert_record(PAYLOAD_PUNCH, "");
	assert_int_equal(record.punch.user_kind, USER_ID);
	assert_string_equal(record.punch.time_sent, "");
	assert_false(record.punch.has_time);
	assert_int_equal(record.punch.type_sent, TYPE_NONE);
	assert_int_equal(record.punch.flags, 0);
}

static void test_an_array_keeps_its_order(void **state)
{
	(void)state;
	take("[{" GOOD "},5,{\"id\":\"3\"},{" GOOD ",\"type\":\"check_out\",\"live\":false}]");
	assert_record(PAYLOAD_PUNCH, "");
	assert_int_equal(record.index, 0);
	assert_false(record.whole);
	assert_record(PAYLOAD_MALFORMED, "not an object");
	assert_int_equal(record.index, 1);
	assert_record(PAYLOAD_MALFORMED, "no user");
	assert_string_equal(record.punch.record_id, "3");
	assert_record(PAYLOAD_PUNCH, "");
	assert_int_equal(record.index, 3);
	assert_int_equal(record.punch.type_sent, TYPE_CHECK_OUT);
	assert_int_equal(record.punch.flags, FLAG_STORED);
	assert_int_equal(payload_next(&payload, &record), 0);
	assert_int_equal(payload_next(&payload, &record), 0);
}

static void test_fields_of_a_wrong_kind(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"{\"user\":\"1\"}", "no id"},
		{"{\"id\":5,\"user\":\"1\"}", "id is no text of 1 to 64 characters"},
		{"{\"id\":null,\"user\":\"1\"}", "id is no text of 1 to 64 characters"},
		{"{\"id\":\"\",\"user\":\"1\"}", "id is no text of 1 to 64 characters"},
		{"{\"id\":\"a\\u0000\",\"user\":\"1\"}", "id is no text of 1 to 64 characters"},
		{"{\"id\":\"1\"}", "no user"},
		{"{\"id\":\"1\",\"user\":1001}", "user is no text of 1 to 128 characters"},
		{"{\"id\":\"1\",\"user\":\"\"}", "user is no text of 1 to 128 characters"},
		{"{\"id\":\"1\",\"user\":\" \\t \"}", "user is blank"},
		{"{\"id\":\"1\",\"user\":\":-:\",\"user_kind\":\"card\"}", "user is blank"},
		{"{" GOOD ",\"user_kind\":\"face\"}",
			"user_kind is none of id, pin, card, slot, email, phone"},
		{"{" GOOD ",\"user_kind\":null}",
			"user_kind is none of id, pin, card, slot, email, phone"},
		{"{" GOOD ",\"type\":\"in\"}", "type is neither check_in nor check_out"},
		{"{" GOOD ",\"type\":\"\"}", "type is neither check_in nor check_out"},
		{"{" GOOD ",\"type\":1}", "type is neither check_in nor check_out"},
		{"{" GOOD ",\"type\":null}", "type is neither check_in nor check_out"},
		{"{" GOOD ",\"live\":1}", "live is neither true nor false"},
		{"{" GOOD ",\"live\":\"true\"}", "live is neither true nor false"},
		{"{" GOOD ",\"method\":7}", "method is no short text"},
		{"{\"id\":\"1\",\"user\":\"1\",\"time\":1769925600}",
			"time is no text of 1 to 64 characters"},
		{"{\"id\":\"1\",\"user\":\"1\",\"time\":null}",
			"time is no text of 1 to 64 characters"},
		{"{\"id\":\"1\",\"user\":\"1\",\"time\":\"\"}",
			"time is no text of 1 to 64 characters"},
		{"{\"id\":\"1\",\"user\":\"1\",\"time\":\"  \"}", "time is blank"},
		{"{}", "no id"},
		{"[[]]", "not an object"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_alone(rows[i].text, PAYLOAD_MALFORMED, rows[i].fault);
}

/* Of a record that is no punch the id is kept, for the acknowledgement, and nothing else. */
static void test_malformed_keeps_its_id_alone(void **state)
{
	struct punch wanted = {.record_id = "77"};

	(void)state;
	take("{\"id\":\"77\",\"user\":\"1\",\"time\":\"2026-02-01T08:00:00Z\",\"live\":5}");
	assert_record(PAYLOAD_MALFORMED, "live is neither true nor false");
	assert_memory_equal(&record.punch, &wanted, sizeof wanted);
}

static void test_times_that_are_none(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {{"2026-02-01 08:00:00", "time without an offset from UTC"},
		{"2026-02-01T08:00:00", "time without an offset from UTC"},
		{"yesterday", "time is no RFC 3339 time"},
		{"1769925600", "time is no RFC 3339 time"},
		{"2026-02-30T08:00:00Z", "time is no RFC 3339 time"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[128];

		snprintf(text, sizeof text,
			"{\"id\":\"1\",\"user\":\"1001\",\"time\":\"%s\",\"type\":\"check_in\"}",
			rows[i].text);
		take(text);
		assert_record(PAYLOAD_BAD_TIME, rows[i].fault);
		/* who it was is kept, so that a person can mend the time */
		assert_string_equal(record.punch.user, "1001");
		assert_string_equal(record.punch.time_sent, rows[i].text);
		assert_int_equal(record.punch.type_sent, TYPE_CHECK_IN);
		assert_false(record.punch.has_time);
	}
}

static void test_time_is_trimmed(void **state)
{
	(void)state;
	take("{\"id\":\"1\",\"user\":\"1\",\"time\":\" \\t2026-02-01T08:00:00.5+02:00\\n\"}");
	assert_record(PAYLOAD_PUNCH, "");
	assert_string_equal(record.punch.time_sent, "2026-02-01T08:00:00.5+02:00");
	assert_int_equal(record.punch.time_s, 1769925600);
}

static void test_user_kinds(void **state)
{
	static const struct {
		const char *fields;
		enum user_kind kind;
		const char *user;
	} rows[] = {
		{"\"user\":\"1001\"", USER_PIN, "1001"},
		{"\"user\":\" usr_1 \"", USER_ID, "usr_1"},
		{"\"user\":\"usr_1\",\"user_kind\":\"pin\"", USER_PIN, "usr_1"},
		{"\"user\":\"04:a1\",\"user_kind\":\"card\"", USER_CARD, "04A1"},
		{"\"user\":\"3\",\"user_kind\":\"slot\"", USER_SLOT, "3"},
		{"\"user\":\"A@B.c\",\"user_kind\":\"email\"", USER_EMAIL, "a@b.c"},
		{"\"user\":\"0049 1\",\"user_kind\":\"phone\"", USER_PHONE, "+491"},
		{"\"user\":\"x\",\"user_kind\":\"id\"", USER_ID, "x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[128];

		snprintf(text, sizeof text, "{\"id\":\"1\",%s}", rows[i].fields);
		take(text);
		assert_record(PAYLOAD_PUNCH, "");
		assert_int_equal(record.punch.user_kind, rows[i].kind);
		assert_string_equal(record.punch.user, rows[i].user);
	}
}

/* n characters of two bytes each. */
static const char *long_text(size_t n)
{
	static char text[1024];

	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	text[2 * n] = '\0';
	return text;
}

/* Lengths count characters, not bytes. */
static void test_lengths(void **state)
{
	char text[2048];

	(void)state;
	for (size_t n = 64; n <= 65; n++) {
		snprintf(text, sizeof text, "{\"id\":\"%s\",\"user\":\"1\"}", long_text(n));
		assert_alone(text, n == 64 ? PAYLOAD_PUNCH : PAYLOAD_MALFORMED,
			n == 64 ? "" : "id is no text of 1 to 64 characters");
	}
	for (size_t n = 128; n <= 129; n++) {
		snprintf(text, sizeof text, "{\"id\":\"1\",\"user\":\"%s\"}", long_text(n));
		assert_alone(text, n == 128 ? PAYLOAD_PUNCH : PAYLOAD_MALFORMED,
			n == 128 ? "" : "user is no text of 1 to 128 characters");
	}
	snprintf(text, sizeof text, "{\"id\":\"1\",\"user\":\"1\",\"time\":\"%065d\"}", 0);
	assert_alone(text, PAYLOAD_MALFORMED, "time is no text of 1 to 64 characters");
	snprintf(text, sizeof text, "{\"id\":\"1\",\"user\":\"1\",\"time\":\"%064d\"}", 0);
	assert_alone(text, PAYLOAD_BAD_TIME, "time is no RFC 3339 time");
	snprintf(text, sizeof text, "{" GOOD ",\"method\":\"%0257d\"}", 0);
	assert_alone(text, PAYLOAD_MALFORMED, "method is no short text");
}

static void test_unknown_fields_are_nobodys(void **state)
{
	(void)state;
	assert_alone("{" GOOD ",\"x\":{\"y\":[1,2,null]},\"Type\":5,\"n\":"
		     "123456789012345678901234567890123456789012,\"z\":\"\\u0000\"}",
		PAYLOAD_PUNCH, "");
}

/* A NUL in one record's text does not spoil the one beside it. */
static void test_nul_stays_with_its_record(void **state)
{
	(void)state;
	take("[{\"id\":\"a\\u0000b\",\"user\":\"1\"},{" GOOD "}]");
	assert_record(PAYLOAD_MALFORMED, "id is no text of 1 to 64 characters");
	assert_record(PAYLOAD_PUNCH, "");
}

static void test_wrong_as_a_whole(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"", "not JSON"},
		{"{", "not JSON"},
		{"{} {}", "not JSON"},
		{"nonsense", "not JSON"},
		{"{\"id\":\"\xff\"}", "not UTF-8"},
		{"{\"id\":\"\\ud800\"}", "not JSON"},
		{"{\"id\":\"1\",\"x\":1e999}", "a number that is too large"},
		{"{'id':'1'}", "not JSON"},
		{"5", "neither an object nor an array"},
		{"\"text\"", "neither an object nor an array"},
		{"null", "neither an object nor an array"},
		{"[]", "an empty array"},
		{"{\"id\":\"1\",\"id\":\"2\",\"user\":\"1\"}", "a key twice"},
		{"[{" GOOD "},{" GOOD "}", "not JSON"},
		{"[{" GOOD "}] x", "not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		take(rows[i].text);
		assert_record(PAYLOAD_MALFORMED, rows[i].fault);
		assert_true(record.whole);
		assert_string_equal(record.punch.record_id, "");
		assert_int_equal(payload_next(&payload, &record), 0);
	}
	take_bytes("{\0}", 3);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
}

/* What is wrong with one record, be it that it is no JSON, is not its neighbours' fault. */
static void test_neighbours_are_unharmed(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"{" GOOD ",\"x\":{\"a\":1,\"a\":1}}", "a key twice"},
		{"{" GOOD ",\"name\":\"M\xfcller\"}", "not UTF-8"},
		{"{" GOOD ",\"x\":\"\\udc00\"}", "not JSON"},
		{"{" GOOD ",\"x\":-1e999}", "a number that is too large"},
		{"{" GOOD ",\"x\":\"a\nb\"}", "not JSON"},
		{"{" GOOD ",}", "not JSON"},
		{"{" GOOD "]", "not JSON"},
		{"{" GOOD "} {" GOOD "}", "not JSON"},
		{"", "not JSON"},
		{"nonsense", "not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[1024];

		snprintf(text, sizeof text, " [{" GOOD "}, %s ,{" GOOD "}]\n", rows[i].text);
		take(text);
		assert_record(PAYLOAD_PUNCH, "");
		assert_record(PAYLOAD_MALFORMED, rows[i].fault);
		assert_false(record.whole);
		assert_int_equal(record.index, 1);
		assert_record(PAYLOAD_PUNCH, "");
		assert_int_equal(payload_next(&payload, &record), 0);
	}
}

static void test_at_most_a_hundred(void **state)
{
	struct buf b;
	int n;

	(void)state;
	buf_init(&b, 65536);
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "%s{\"id\":\"%d\",\"user\":\"1\"}", i ? "," : "[", i);
	buf_add_char(&b, ']');
	take_bytes(b.data, b.len);
	for (n = 0; payload_next(&payload, &record) == 1; n++) {
		assert_int_equal(record.kind, PAYLOAD_PUNCH);
		assert_int_equal(strtol(record.punch.record_id, NULL, 10), n);
	}
	assert_int_equal(n, 100);
	b.data[b.len - 1] = ',';
	buf_add_str(&b, "{" GOOD "}]");
	assert_alone(b.data, PAYLOAD_MALFORMED, "an array of more than 100");
	buf_done(&b);
}

/* 64 KiB are taken, one byte more is not. */
static void test_size(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, PAYLOAD_NATIVE_MAX + 1);
	buf_add_str(&b, "{" GOOD "}");
	while (b.len < PAYLOAD_NATIVE_MAX)
		buf_add_char(&b, ' ');
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_PUNCH, "");
	buf_add_char(&b, ' ');
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_TOO_LARGE, "more than 64 KiB");
	assert_true(record.whole);
	buf_done(&b);
}

static void nest(struct buf *b, int depth)
{
	buf_clear(b);
	buf_add_str(b, "{" GOOD ",\"x\":");
	for (int i = 1; i < depth; i++)
		buf_add_str(b, i % 2 ? "[" : "{\"a\":");
	buf_add_str(b, "1");
	for (int i = depth - 1; i >= 1; i--)
		buf_add_str(b, i % 2 ? "]" : "}");
	buf_add_str(b, "}");
}

static void test_depth(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	nest(&b, 32);
	assert_alone(b.data, PAYLOAD_PUNCH, "");
	nest(&b, 33);
	assert_alone(b.data, PAYLOAD_MALFORMED, "nested deeper than 32 levels");
	/* an array is a level, too; the record beside it is sound */
	for (int depth = 31; depth <= 32; depth++) {
		char *record_text;

		nest(&b, depth);
		record_text = strdup(b.data);
		buf_clear(&b);
		buf_addf(&b, "[%s,{" GOOD "}]", record_text);
		free(record_text);
		take_bytes(b.data, b.len);
		assert_record(depth == 31 ? PAYLOAD_PUNCH : PAYLOAD_MALFORMED,
			depth == 31 ? "" : "nested deeper than 32 levels");
		assert_record(PAYLOAD_PUNCH, "");
	}
	/* brackets inside of texts are none, escaped quotes end no text */
	buf_clear(&b);
	buf_add_str(&b, "{" GOOD ",\"x\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"}");
	assert_alone(b.data, PAYLOAD_PUNCH, "");
	/* side by side is not deep */
	buf_clear(&b);
	buf_add_str(&b, "{" GOOD ",\"x\":[");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&b, "[],{},");
	buf_add_str(&b, "1]}");
	assert_alone(b.data, PAYLOAD_PUNCH, "");
	buf_done(&b);
}

/* ---- what is kept of the unreadable */

static const char *raw(bool *ret_full)
{
	static char text[PAYLOAD_RAW_MAX + 1];

	text[payload_raw(&payload, &record, sent, sent_bytes, text, ret_full)] = '\0';
	return text;
}

static void test_raw_of_a_record_is_its_own(void **state)
{
	bool full;

	(void)state;
	take("[ {" GOOD "}, {\"id\": \"2\", \"user\": 4294967296123}, 5 ]");
	assert_record(PAYLOAD_PUNCH, "");
	assert_record(PAYLOAD_MALFORMED, "user is no text of 1 to 128 characters");
	assert_string_equal(raw(&full), "{\"id\": \"2\", \"user\": 4294967296123}");
	assert_true(full);
	assert_record(PAYLOAD_MALFORMED, "not an object");
	assert_string_equal(raw(&full), "5");
}

static void test_raw_of_a_message_is_as_it_came(void **state)
{
	bool full;

	(void)state;
	take("{ \"id\": 5 }");
	assert_record(PAYLOAD_MALFORMED, "id is no text of 1 to 64 characters");
	assert_string_equal(raw(&full), "{ \"id\": 5 }");
	assert_true(full);
	take("no \xff JSON");
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_string_equal(raw(&full), "no \xff JSON");
	assert_true(full);
}

static void test_raw_is_cut(void **state)
{
	struct buf b;
	bool full;

	(void)state;
	buf_init(&b, 65536);
	while (b.len < PAYLOAD_RAW_MAX)
		buf_add_str(&b, "no JSON ");
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_string_equal(raw(&full), b.data);
	assert_true(full);
	buf_add_char(&b, '!');
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_int_equal(strlen(raw(&full)), PAYLOAD_RAW_MAX);
	assert_false(full);
	buf_done(&b);
}

/* A picture is dropped, what stands around it stays. */
static void test_raw_without_pictures(void **state)
{
	struct buf b;
	bool full;

	(void)state;
	buf_init(&b, 65536);
	buf_add_str(&b, "{\"pic\":\"");
	for (int i = 0; i < 512; i++)
		buf_add_char(&b, "Ab9+/"[i % 5]);
	buf_add_str(&b, "\",");
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_string_equal(raw(&full), b.data);
	assert_true(full);
	buf_clear(&b);
	buf_add_str(&b, "{\"pic\":\"");
	for (int i = 0; i < 20000; i++)
		buf_add_str(&b, "\\/9");
	buf_add_str(&b, "==\", after");
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_string_equal(raw(&full), "{\"pic\":\"\", after");
	assert_false(full);
	buf_done(&b);
}

/* Letters that JSON writes by their numbers are no picture, however many. */
static void test_raw_of_escaped_letters(void **state)
{
	struct buf b;
	bool full;

	(void)state;
	buf_init(&b, 65536);
	for (int i = 0; i < 200; i++)
		buf_add_str(&b, "\\u03a0");
	take_bytes(b.data, b.len);
	assert_record(PAYLOAD_MALFORMED, "not JSON");
	assert_string_equal(raw(&full), b.data);
	assert_true(full);
	buf_done(&b);
}

/* ---- the samples */

static json_t *load_index(char *ret_folder, size_t size)
{
	char path[4300];
	json_t *index;

	snprintf(ret_folder, size, "%s/tests/data/native", getenv("PUNCHD_SRCDIR"));
	snprintf(path, sizeof path, "%s/index.json", ret_folder);
	index = json_load_file(path, 0, NULL);
	assert_non_null(index);
	return index;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void compare_record(const json_t *wanted)
{
	const struct punch *p = &record.punch;
	char user[USER_MAX + 16];
	bool live = json_is_true(json_object_get(wanted, "live"));
	int64_t time_s;

	assert_int_equal(time_parse_rfc3339(text_at(wanted, "time"), &time_s), 0);
	assert_true(p->has_time);
	assert_int_equal(p->time_s, time_s);
	assert_int_equal(record.kind, PAYLOAD_PUNCH);
	snprintf(user, sizeof user, "%s:%s", user_kind_name(p->user_kind), p->user);
	assert_string_equal(user, text_at(wanted, "user"));
	assert_string_equal(p->record_id, text_at(wanted, "record_id"));
	assert_string_equal(punch_type_name(p->type_sent), text_at(wanted, "type"));
	assert_int_equal(p->flags, live ? FLAG_LIVE : FLAG_STORED);
}

static void compare_sample(const char *folder, const json_t *sample)
{
	const json_t *expect = json_object_get(sample, "expect");
	char path[4300];
	struct buf b;

	snprintf(path, sizeof path, "%s/%s", folder, text_at(sample, "file"));
	buf_init(&b, 65536);
	assert_int_equal(file_read(path, &b, NULL), 0);
	take_bytes(b.data, b.len);
	for (size_t i = 0; i < json_array_size(expect); i++) {
		assert_int_equal(payload_next(&payload, &record), 1);
		compare_record(json_array_get(expect, i));
	}
	if (json_array_size(expect) == 0) {
		assert_int_equal(payload_next(&payload, &record), 1);
		assert_int_equal(record.kind, PAYLOAD_BAD_TIME);
	}
	assert_int_equal(payload_next(&payload, &record), 0);
	buf_done(&b);
}

/* Those on the punch topic; the status samples are not for this module. */
static void test_samples(void **state)
{
	char folder[4096];
	json_t *index = load_index(folder, sizeof folder), *sample;
	size_t i, compared = 0;

	(void)state;
	json_array_foreach(index, i, sample)
	{
		if (!strstr(text_at(sample, "topic"), "/punch"))
			continue;
		compare_sample(folder, sample);
		compared++;
	}
	assert_int_equal(compared, 5);
	json_decref(index);
}

#define CASE(test) cmocka_unit_test(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_example),
		CASE(test_the_least),
		CASE(test_an_array_keeps_its_order),
		CASE(test_fields_of_a_wrong_kind),
		CASE(test_malformed_keeps_its_id_alone),
		CASE(test_times_that_are_none),
		CASE(test_time_is_trimmed),
		CASE(test_user_kinds),
		CASE(test_lengths),
		CASE(test_unknown_fields_are_nobodys),
		CASE(test_nul_stays_with_its_record),
		CASE(test_wrong_as_a_whole),
		CASE(test_neighbours_are_unharmed),
		CASE(test_at_most_a_hundred),
		CASE(test_size),
		CASE(test_depth),
		CASE(test_raw_of_a_record_is_its_own),
		CASE(test_raw_of_a_message_is_as_it_came),
		CASE(test_raw_is_cut),
		CASE(test_raw_without_pictures),
		CASE(test_raw_of_escaped_letters),
		CASE(test_samples),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
