/* core/identity: JUDGING.md §1, sentence by sentence, and §6 for the wire key. */
#include "unit.h"

#include "base/hex.h"
#include "core/identity.h"

static struct punch sample(void)
{
	return (struct punch){
		.terminal = "BIO-FP-001",
		.user_kind = USER_PIN,
		.user = "1001",
		.record_id = "000123",
		.time_sent = "2026-02-01T08:00:00+02:00",
		.type_sent = TYPE_CHECK_IN,
	};
}

static struct punch timeless(void)
{
	struct punch p = sample();

	p.time_sent[0] = '\0';
	return p;
}

static const struct identity_arrival arrival = {
	.received_us = 1770000000123456,
	.boot_id = "0a1b2c3d-0000-4000-8000-000000000000",
	.counter = 7,
	.index = 2,
};

static void assert_hex(const uint8_t *bytes, const char *wanted)
{
	char text[2 * IDENTITY_SIZE + 1];

	assert_string_equal(hex_encode(bytes, IDENTITY_SIZE, text), wanted);
}

/* Reckoned by another program once. A change of these would make every stored punch a new one. */
static void test_fixed_for_ever(void **state)
{
	struct punch p = sample(), t = timeless();
	uint8_t sha[32], id[IDENTITY_SIZE];

	(void)state;
	assert_int_equal(identity_of_punch(&p, NULL), 0);
	assert_hex(p.identity, "000780800e961f9da57272cc954170a8");
	assert_int_equal(identity_of_punch(&t, &arrival), 0);
	assert_hex(t.identity, "00000000e6764c296e01eb9d697118bf");
	assert_int_equal(identity_timeless(&t, id), 0);
	assert_hex(id, "ffdbffcabee555dec587d80fd8d85c9b");
	assert_int_equal(identity_sha256("not json", 8, sha), 0);
	assert_hex(sha, "7ccfa1fbf3940e6f0c0375d87c0f9235");
	assert_int_equal(identity_of_malformed("att/v1/T1/punch", sha, 3, id), 0);
	assert_hex(id, "000000008961e1a9f49e7e48fff71990");
}

/* Each change makes another punch; what is not in the list does not. */
static void test_every_field_tells_apart(void **state)
{
	uint8_t seen[16][IDENTITY_SIZE];
	size_t n = 0;
	struct punch p;

	(void)state;
#define VARIANT(change) \
	(p = sample(), change, assert_int_equal(identity_of_punch(&p, NULL), 0), \
		memcpy(seen[n++], p.identity, IDENTITY_SIZE))
	VARIANT((void)0);
	VARIANT(p.terminal[0] = 'X');
	VARIANT(p.user_kind = USER_SLOT);
	VARIANT(p.user[0] = '2');
	VARIANT(p.record_id[0] = '1');
	VARIANT(p.record_id[0] = '\0');
	VARIANT(p.type_sent = TYPE_CHECK_OUT);
	VARIANT(p.type_sent = TYPE_NONE);
	VARIANT(p.time_sent[18] = '1');
	/* the same moment written otherwise is not what was sent */
	VARIANT(memcpy(p.time_sent, "2026-02-01T07:00:00+01:00", 26));
	/* a byte moved from one field to the next: lengths are hashed too */
	VARIANT((memcpy(p.user, "100", 4), memcpy(p.record_id, "1000123", 8)));
	for (size_t a = 0; a < n; a++) {
		for (size_t b = 0; b < a; b++)
			assert_memory_not_equal(seen[a], seen[b], IDENTITY_SIZE);
	}
}

static void test_judgement_is_no_part(void **state)
{
	struct punch p = sample(), q = sample();

	(void)state;
	q.seq = 5;
	q.state = PUNCH_HELD;
	q.flags = FLAG_LIVE;
	q.received_us = 99;
	q.type = TYPE_CHECK_OUT;
	memcpy(q.user_id, "usr_1", 6);
	memcpy(q.device_id, "dev_1", 6);
	identity_of_punch(&p, NULL);
	identity_of_punch(&q, &arrival);
	assert_memory_equal(p.identity, q.identity, IDENTITY_SIZE);
}

static uint32_t hours_of(const char *time_sent)
{
	struct punch p = sample();

	snprintf(p.time_sent, sizeof p.time_sent, "%s", time_sent);
	assert_int_equal(identity_of_punch(&p, NULL), 0);
	return (uint32_t)p.identity[0] << 24 | (uint32_t)p.identity[1] << 16 |
		(uint32_t)p.identity[2] << 8 | p.identity[3];
}

/* Whole hours of the time as sent, read as if UTC, big-endian; 0 where there is none. */
static void test_hours_in_front(void **state)
{
	(void)state;
	assert_int_equal(hours_of("1970-01-01T01:59:59Z"), 1);
	assert_int_equal(hours_of("2026-02-01T08:59:59+02:00"), 491648);
	assert_int_equal(hours_of("2026-02-01T08:00:00-11:00"), 491648);
	assert_int_equal(hours_of("2026-02-01 08:00:00"), 491648);
	assert_int_equal(hours_of("2026-02-01T09:00:00Z"), 491649);
	assert_int_equal(hours_of("yesterday"), 0);
	assert_int_equal(hours_of("1969-12-31T23:00:00Z"), 0);
	assert_int_equal(hours_of("9999-12-31T23:59:59Z"), 70389527);
}

static void test_no_time_arrival_tells_apart(void **state)
{
	uint8_t seen[5][IDENTITY_SIZE];
	struct identity_arrival a;
	size_t n = 0;
	struct punch p;

	(void)state;
#define ARRIVAL(change) \
	(a = arrival, p = timeless(), change, assert_int_equal(identity_of_punch(&p, &a), 0), \
		memcpy(seen[n++], p.identity, IDENTITY_SIZE))
	ARRIVAL((void)0);
	ARRIVAL(a.received_us++);
	ARRIVAL(a.boot_id = "0a1b2c3d-0000-4000-8000-000000000001");
	ARRIVAL(a.counter++);
	ARRIVAL(a.index++);
	for (size_t x = 0; x < n; x++) {
		assert_memory_equal(seen[x], "\0\0\0\0", 4);
		for (size_t y = 0; y < x; y++)
			assert_memory_not_equal(seen[x], seen[y], IDENTITY_SIZE);
	}
}

/* The same terminal, user, id and type; nothing of the arrival. */
static void test_seen_again(void **state)
{
	struct punch p = timeless();
	uint8_t first[IDENTITY_SIZE], again[IDENTITY_SIZE];

	(void)state;
	identity_timeless(&p, first);
	p.received_us = 5;
	p.identity[0] = 5;
	identity_timeless(&p, again);
	assert_memory_equal(first, again, IDENTITY_SIZE);
	p.type_sent = TYPE_NONE;
	identity_timeless(&p, again);
	assert_memory_not_equal(first, again, IDENTITY_SIZE);
	p = timeless();
	p.record_id[0]++;
	identity_timeless(&p, again);
	assert_memory_not_equal(first, again, IDENTITY_SIZE);
}

static void test_malformed(void **state)
{
	uint8_t sha[32] = {1}, other[32] = {2}, a[IDENTITY_SIZE], b[IDENTITY_SIZE];

	(void)state;
	identity_of_malformed("t/1", sha, 0, a);
	identity_of_malformed("t/1", sha, 0, b);
	assert_memory_equal(a, b, IDENTITY_SIZE);
	identity_of_malformed("t/2", sha, 0, b);
	assert_memory_not_equal(a, b, IDENTITY_SIZE);
	identity_of_malformed("t/1", other, 0, b);
	assert_memory_not_equal(a, b, IDENTITY_SIZE);
	identity_of_malformed("t/1", sha, 1, b);
	assert_memory_not_equal(a, b, IDENTITY_SIZE);
}

/* One body a key: identity, device, user and generation, and nothing else. */
static void test_wire_key(void **state)
{
	struct punch p = {.device_id = "dev_1", .user_id = "usr_1", .generation = 2}, q;

	(void)state;
	for (uint8_t i = 0; i < IDENTITY_SIZE; i++)
		p.identity[i] = i;
	assert_int_equal(identity_wire_key(&p), 0);
	assert_hex(p.wire_key, "e22ef25b7d727f3ee1e17629365c85ad");
	q = p;
	q.state = PUNCH_PARKED;
	q.tries = 9;
	identity_wire_key(&q);
	assert_memory_equal(p.wire_key, q.wire_key, WIRE_KEY_SIZE);
#define OTHER_KEY(change) \
	(q = p, change, identity_wire_key(&q), \
		assert_memory_not_equal(p.wire_key, q.wire_key, WIRE_KEY_SIZE))
	OTHER_KEY(q.identity[15]++);
	OTHER_KEY(q.device_id[4]++);
	OTHER_KEY(q.user_id[4]++);
	OTHER_KEY(q.generation++);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_for_ever),
		cmocka_unit_test(test_every_field_tells_apart),
		cmocka_unit_test(test_judgement_is_no_part),
		cmocka_unit_test(test_hours_in_front),
		cmocka_unit_test(test_no_time_arrival_tells_apart),
		cmocka_unit_test(test_seen_again),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_wire_key),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
