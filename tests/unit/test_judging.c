/*
 * daemon/judging over a real store: whatever happens to one person's punches, in whatever order,
 * what is stored is what one walk over all of them would say.
 */
#include "store_fixture.h"

#include <errno.h>

#include "core/identity.h"
#include "daemon/judging.h"

#define ROWS_MAX 400
#define DAY_S    86400

static struct context context;
static struct judging judging;
static int queued, held, moved;

static void on_queued(void *arg, const struct punch *p)
{
	(void)arg;
	assert_int_equal(p->state, PUNCH_QUEUED);
	queued++;
}

static void on_held(void *arg, const struct punch *p)
{
	(void)arg;
	assert_int_equal(p->state, PUNCH_HELD);
	held++;
}

static void on_moved(void *arg, const struct punch *p)
{
	(void)arg;
	assert_true(p->seq > 0);
	moved++;
}

static int begin(void **state)
{
	const struct judging_events on = {.queued = on_queued, .held = on_held, .moved = on_moved};
	struct fixture *f;

	if (fixture_setup(state) < 0)
		return -1;
	f = *state;
	memset(&context, 0, sizeof context);
	queued = held = moved = 0;
	context.store = fixture_open(f);
	context.loop = loop_new();
	directory_init(&context.directory, 1);
	links_init(&context.links, 1);
	for (int i = 0; i < 3; i++) {
		char serial[8];

		snprintf(serial, sizeof serial, "T%d", i);
		directory_put_device(&context.directory,
			&(struct dir_device){"dev_1", serial, "", "", "active", "", ""});
	}
	directory_put_user(&context.directory, &(struct dir_user){"usr_1", "", "", "", "", ""});
	context.devices_pass_ms = context.users_pass_ms = 1;
	assert_int_equal(config_init(&context.config), 0);
	assert_int_equal(zone_load("UTC", &context.zone), 0);
	context.verdict = (struct verdict_settings){
		.max_age_s = 90 * DAY_S, .max_future_s = 300, .accept_from_s = INT64_MIN};
	context.max_shift_s = 12 * 3600;
	context.window_max_s = 60;
	judging_init(&judging, &context, &on);
	return 0;
}

static int end(void **state)
{
	judging_done(&judging);
	config_done(&context.config);
	zone_free(context.zone);
	directory_done(&context.directory);
	links_done(&context.links);
	loop_free(context.loop);
	return fixture_teardown(state);
}

/* ---- punches */

static int64_t base_s(void)
{
	int64_t now_s = loop_now(context.loop).wall_us / CLOCK_US_PER_S;

	return now_s - now_s % DAY_S - 20 * DAY_S;
}

static struct punch punch_at(int64_t offset_s, int terminal, const char *user)
{
	static unsigned number;
	struct punch p = {.flags = FLAG_TRUSTED,
		.user_kind = strncmp(user, "usr_", 4) == 0 ? USER_ID : USER_PIN,
		.has_time = true,
		.time_s = base_s() + offset_s,
		.received_us = loop_now(context.loop).wall_us,
		.boot = 1};

	snprintf(p.terminal, sizeof p.terminal, "T%d", terminal);
	snprintf(p.user, sizeof p.user, "%s", user);
	snprintf(p.record_id, sizeof p.record_id, "%u", ++number);
	snprintf(p.time_sent, sizeof p.time_sent, "%lld", (long long)p.time_s);
	assert_int_equal(identity_of_punch(&p, NULL), 0);
	return p;
}

static int64_t arrive(struct punch *p)
{
	assert_int_equal(judging_arrive(&judging, p), 0);
	assert_int_equal(store_punch_add(context.store, p, NULL), 1);
	assert_int_equal(judging_added(&judging, p), 0);
	return p->seq;
}

static struct punch get(int64_t seq)
{
	struct punch p;

	assert_int_equal(store_punch_get(context.store, seq, &p), 0);
	return p;
}

static void freeze(int64_t seq)
{
	struct punch p = get(seq);

	assert_int_equal(judging_again(&judging, &p, false), 0);
	if (p.state != PUNCH_QUEUED)
		return;
	p.frozen_us = loop_now(context.loop).wall_us;
	assert_int_equal(judging_frozen(&judging, &p), 0);
}

static void change(int64_t seq, void (*how)(struct punch *p))
{
	struct punch before = get(seq), p = before;

	how(&p);
	assert_int_equal(judging_change(&judging, &before, &p), 0);
}

static void discard(struct punch *p)
{
	p->state = PUNCH_DISCARDED;
	p->settled_us = loop_now(context.loop).wall_us;
}

static void release(struct punch *p)
{
	p->flags |= FLAG_RELEASED;
}

static void thaw(struct punch *p)
{
	p->frozen_us = 0;
}

/* ---- what one walk over everything says */

static int compare(const void *a, const void *b)
{
	return taps_before(a, b) ? -1 : 1;
}

static struct tap tap_of(const struct punch *p)
{
	struct tap t = {.seq = p->seq,
		.time_s = p->time_s,
		.terminal = p->terminal[1],
		.standing = p->frozen_us != 0      ? TAP_FROZEN
			: p->flags & FLAG_RELEASED ? TAP_COUNTS
						   : TAP_OPEN,
		.beside = (p->flags & FLAG_BESIDE_BEFORE ? TAP_BEFORE : 0) |
			(p->flags & FLAG_BESIDE_BEHIND ? TAP_BEHIND : 0),
		.sent = p->type_sent,
		.window_s = 60,
		.type = p->type,
		.type_from = p->type_from};

	memcpy(t.identity, p->identity, IDENTITY_SIZE);
	return t;
}

static void check_all(const int64_t *seqs, size_t count, const char *user_id)
{
	const struct taps_site site = {
		.zone = context.zone, .day_start_s = 4 * 3600, .max_shift_s = 12 * 3600};
	static struct tap taps[ROWS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct punch p = get(seqs[i]);

		if (p.state != PUNCH_DISCARDED && strcmp(p.user_id, user_id) == 0)
			taps[n++] = tap_of(&p);
	}
	qsort(taps, n, sizeof *taps, compare);
	taps_walk(&site, taps, n, 0);
	for (size_t i = 0; i < n; i++) {
		struct punch p = get(taps[i].seq);

		assert_int_equal(p.state == PUNCH_SUPPRESSED, taps[i].suppressed);
		assert_int_equal(p.type, taps[i].type);
		if (p.frozen_us == 0 && !taps[i].suppressed && p.user_id[0])
			assert_int_equal(p.state, taps[i].clashes ? PUNCH_HELD : PUNCH_QUEUED);
	}
}

/* ---- tests */

static void test_late_ones_turn_those_behind(void **state)
{
	struct punch in = punch_at(8 * 3600, 0, "usr_1"), out = punch_at(17 * 3600, 0, "usr_1"),
		     noon = punch_at(12 * 3600, 0, "usr_1");

	(void)state;
	arrive(&in);
	arrive(&out);
	assert_int_equal(get(out.seq).type, TYPE_CHECK_OUT);
	arrive(&noon);
	assert_int_equal(get(noon.seq).type, TYPE_CHECK_OUT);
	assert_int_equal(get(out.seq).type, TYPE_CHECK_IN);
	assert_int_equal(get(out.seq).state, PUNCH_QUEUED);
}

static void test_a_duplicate_changes_nothing(void **state)
{
	struct punch p = punch_at(0, 0, "usr_1"), again = p;

	(void)state;
	arrive(&p);
	assert_int_equal(judging_arrive(&judging, &again), 0);
	assert_int_equal(store_punch_add(context.store, &again, NULL), 0);
	assert_int_equal(get(p.seq).state, PUNCH_QUEUED);
	assert_int_equal(get(p.seq).type, TYPE_CHECK_IN);
}

static void test_discarding_brings_back_its_double(void **state)
{
	struct punch first = punch_at(0, 0, "usr_1"), second = punch_at(30, 0, "usr_1");

	(void)state;
	arrive(&first);
	arrive(&second);
	assert_int_equal(second.state, PUNCH_SUPPRESSED);
	assert_true(second.settled_us != 0);
	change(first.seq, discard);
	assert_int_equal(get(second.seq).state, PUNCH_QUEUED);
	assert_int_equal(get(second.seq).settled_us, 0);
	assert_int_equal(queued, 1);
	assert_int_equal(moved, 1);
}

static void test_the_freezing_of_a_later_one_holds(void **state)
{
	struct punch first = punch_at(0, 0, "usr_1"), second = punch_at(3600, 0, "usr_1"), late;

	(void)state;
	second.type_sent = TYPE_CHECK_IN;
	arrive(&first);
	arrive(&second);
	freeze(second.seq);
	assert_int_equal(get(first.seq).state, PUNCH_HELD);
	assert_int_equal(get(first.seq).reason, REASON_NO_DIRECTION);
	late = punch_at(1800, 1, "usr_1");
	arrive(&late);
	assert_int_equal(get(first.seq).state, PUNCH_QUEUED);
	assert_int_equal(get(late.seq).type, TYPE_CHECK_OUT);
}

/* The one that was frozen first had the other one suppressed; thawed, it is the double. */
static void test_thawing_makes_way_for_the_first(void **state)
{
	struct punch a = punch_at(0, 0, "usr_1"), b = punch_at(0, 0, "usr_1");
	struct punch *first = memcmp(a.identity, b.identity, IDENTITY_SIZE) < 0 ? &a : &b,
		     *second = first == &a ? &b : &a;

	(void)state;
	first->type_sent = second->type_sent = TYPE_CHECK_IN;
	arrive(second);
	freeze(second->seq);
	arrive(first);
	assert_int_equal(get(first->seq).state, PUNCH_SUPPRESSED);
	change(second->seq, thaw);
	assert_int_equal(get(first->seq).state, PUNCH_QUEUED);
	assert_int_equal(get(second->seq).state, PUNCH_SUPPRESSED);
}

/* Both count, a person said: whichever goes first, and after a start. */
static void test_a_released_double_takes_nothing_away(void **state)
{
	struct punch first = punch_at(0, 0, "usr_1"), second = punch_at(30, 0, "usr_1"),
		     third = punch_at(70, 0, "usr_1"), stale = punch_at(7200, 0, "usr_1");

	(void)state;
	arrive(&first);
	arrive(&second);
	arrive(&third);
	arrive(&stale);
	change(second.seq, release);
	assert_int_equal(get(second.seq).flags & (FLAG_BESIDE_BEFORE | FLAG_BESIDE_BEHIND),
		FLAG_BESIDE_BEFORE);
	assert_int_equal(get(third.seq).state, PUNCH_SUPPRESSED);
	freeze(second.seq);
	assert_int_equal(get(first.seq).state, PUNCH_QUEUED);
	freeze(first.seq);
	assert_int_equal(get(first.seq).type, TYPE_CHECK_IN);
	assert_int_equal(get(second.seq).type, TYPE_CHECK_OUT);
	/* What was no double stands beside nothing. */
	change(stale.seq, release);
	assert_int_equal(get(stale.seq).flags, FLAG_TRUSTED | FLAG_RELEASED);
}

/* It was the double of one that had gone, and that comes back: never left, or refused. */
static void test_nor_from_the_one_behind_it(void **state)
{
	struct punch second = punch_at(30, 0, "usr_1"), first = punch_at(0, 0, "usr_1"),
		     before = punch_at(-30, 0, "usr_1");

	(void)state;
	arrive(&second);
	freeze(second.seq);
	arrive(&first);
	assert_int_equal(get(first.seq).state, PUNCH_SUPPRESSED);
	change(first.seq, release);
	assert_int_equal(get(first.seq).flags & (FLAG_BESIDE_BEFORE | FLAG_BESIDE_BEHIND),
		FLAG_BESIDE_BEHIND);
	change(second.seq, thaw);
	assert_int_equal(get(second.seq).state, PUNCH_QUEUED);
	freeze(first.seq);
	assert_int_equal(get(second.seq).state, PUNCH_QUEUED);
	arrive(&before);
	assert_int_equal(get(before.seq).state, PUNCH_SUPPRESSED);
}

static void test_a_link_joins_two(void **state)
{
	struct punch known = punch_at(9 * 3600, 0, "usr_1"), strange = punch_at(8 * 3600, 1, "17");
	const struct user_link link = {.kind = USER_PIN,
		.value = "17",
		.device = "",
		.user_id = "usr_1",
		.name = "",
		.note = ""};
	struct punch p;

	(void)state;
	arrive(&known);
	arrive(&strange);
	assert_int_equal(strange.reason, REASON_UNKNOWN_USER);
	assert_int_equal(strange.type, TYPE_CHECK_IN);
	assert_int_equal(links_apply(&context.links, &link), 0);
	p = get(strange.seq);
	assert_int_equal(judging_again(&judging, &p, false), 0);
	assert_int_equal(p.state, PUNCH_QUEUED);
	assert_int_equal(p.type, TYPE_CHECK_IN);
	assert_int_equal(get(known.seq).type, TYPE_CHECK_OUT);
}

/* Slot 5 of one terminal is not slot 5 of another. */
static void test_strange_slots_are_of_one_terminal(void **state)
{
	struct punch a = punch_at(0, 0, "5"), b = punch_at(3600, 1, "5");

	(void)state;
	a.user_kind = b.user_kind = USER_SLOT;
	arrive(&a);
	arrive(&b);
	assert_int_equal(get(b.seq).type, TYPE_CHECK_IN);
}

/* What others are judged by is not purged before them. */
static void test_a_purge_leaves_what_others_stand_on(void **state)
{
	struct punch first = punch_at(0, 0, "usr_1"), second = punch_at(10, 0, "usr_1"),
		     other = punch_at(20, 0, "usr_2"), newest = punch_at(30, 0, "usr_2");
	struct punch *sent[] = {&first, &other};
	int64_t seq = 0;
	bool done;

	(void)state;
	arrive(&first);
	arrive(&second);
	arrive(&other);
	arrive(&newest);
	for (size_t i = 0; i < COUNT(sent); i++) {
		struct punch p = get(sent[i]->seq);

		p.frozen_us = 1000;
		p.state = PUNCH_DELIVERED;
		p.reason = REASON_NONE;
		p.settled_us = 1000;
		assert_int_equal(store_punch_update(context.store, &p), 0);
	}
	assert_int_equal(get(second.seq).state, PUNCH_SUPPRESSED);
	/* The other one's newest is none of usr_1's; what is unfrozen of usr_2 holds its own. */
	assert_int_equal(store_punch_get(context.store, newest.seq, &newest), 0);
	newest.frozen_us = 1000;
	assert_int_equal(store_punch_update(context.store, &newest), 0);
	assert_int_equal(store_purge(context.store, 2000, INT64_MAX, 3600, 100, &seq, &done), 1);
	assert_int_equal(store_punch_get(context.store, other.seq, &other), -ENOENT);
	assert_int_equal(get(first.seq).state, PUNCH_DELIVERED);
	/* A double tap goes by itself, and then the one that it doubled. */
	second = get(second.seq);
	second.settled_us = 1000;
	assert_int_equal(store_punch_update(context.store, &second), 0);
	seq = 0;
	assert_int_equal(store_purge(context.store, 2000, INT64_MAX, 3600, 100, &seq, &done), 1);
	seq = 0;
	assert_int_equal(store_purge(context.store, 2000, INT64_MAX, 3600, 100, &seq, &done), 1);
	assert_int_equal(store_punch_get(context.store, first.seq, &first), -ENOENT);
}

/* Times that meet often: few days, few hours, whole minutes and half ones. */
static int64_t some_time(uint64_t *seed)
{
	return (int64_t)(dice(seed) % 4) * DAY_S + (int64_t)(dice(seed) % 24) * 3600 +
		(int64_t)(dice(seed) % 6) * 30;
}

static void play(uint64_t seed)
{
	static int64_t seqs[ROWS_MAX];
	size_t count = 0;

	for (int step = 0; step < 150; step++) {
		uint32_t what = dice(&seed) % 10;
		int64_t seq = count ? seqs[dice(&seed) % count] : 0;
		struct punch p = count ? get(seq) : (struct punch){.seq = 0};

		if (what < 6 || count < 4) {
			p = punch_at(some_time(&seed), (int)(dice(&seed) % 2), "usr_1");
			p.type_sent = dice(&seed) % 4 == 0 ? (enum punch_type)(1 + dice(&seed) % 2)
							   : TYPE_NONE;
			seqs[count++] = arrive(&p);
		} else if (what == 6 && p.state == PUNCH_QUEUED && p.frozen_us == 0) {
			freeze(seq);
		} else if (what == 7 && p.state != PUNCH_DISCARDED) {
			change(seq, discard);
		} else if (what == 8 && p.frozen_us == 0 && p.state != PUNCH_DISCARDED) {
			change(seq, release);
		} else if (what == 9 && p.frozen_us != 0 && p.state == PUNCH_QUEUED) {
			change(seq, thaw);
		}
		check_all(seqs, count, "usr_1");
	}
}

static void test_any_order_is_as_one_walk(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		play(seed);
		store_rollback(context.store);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_late_ones_turn_those_behind),
		CASE(test_a_duplicate_changes_nothing),
		CASE(test_discarding_brings_back_its_double),
		CASE(test_the_freezing_of_a_later_one_holds),
		CASE(test_thawing_makes_way_for_the_first),
		CASE(test_a_released_double_takes_nothing_away),
		CASE(test_nor_from_the_one_behind_it),
		CASE(test_a_link_joins_two),
		CASE(test_strange_slots_are_of_one_terminal),
		CASE(test_a_purge_leaves_what_others_stand_on),
		CASE(test_any_order_is_as_one_walk),
	};

	return cmocka_run_group_tests_name("judging", tests, NULL, NULL);
}
