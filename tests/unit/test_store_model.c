/*
 * The store against a simple model: random additions, repetitions, changes of state, purges, with
 * roll-backs and reopenings between them. After each step both say the same, and the counts add up.
 * And the same on a real process: killed at any moment, it keeps what it acknowledged.
 */
#include "store_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store_private.h"

#define MODEL_MAX 600

struct row {
	bool there;  /* a row */
	bool purged; /* was one */
	int number;  /* of the fixture's punch */
	enum punch_state state;
	bool settled_long_ago;
};

struct model {
	struct row rows[MODEL_MAX + 1]; /* by seq */
	int stored;
	int64_t duplicate;
};

static bool known(const struct model *m, int number)
{
	for (int i = 1; i <= m->stored; i++) {
		if (m->rows[i].there && m->rows[i].number == number)
			return true;
	}
	return false;
}

static void do_add(struct store *s, struct model *m, uint64_t *seed)
{
	int number = (int)(dice(seed) % MODEL_MAX);
	struct punch p = fixture_punch(number);

	p.state = (enum punch_state)(dice(seed) % PUNCH_STATES);
	p.settled_us = punch_settled(p.state) ? NOON_S * 1000000 : 0;
	p.received_us = 0;
	if (known(m, number)) {
		assert_int_equal(store_punch_add(s, &p, NULL), 0);
		store_tally(s)->duplicate++;
		m->duplicate++;
		return;
	}
	if (m->stored == MODEL_MAX)
		return;
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(p.seq, ++m->stored);
	m->rows[m->stored] = (struct row){.there = true, .number = number, .state = p.state};
}

static void do_update(struct store *s, struct model *m, uint64_t *seed)
{
	int64_t seq = 1 + dice(seed) % MODEL_MAX;
	struct row *row = &m->rows[seq];
	struct punch p;
	int r = store_punch_get(s, seq, &p);

	assert_int_equal(r, row->there ? 0 : -ENOENT);
	if (r < 0)
		return;
	row->state = p.state = (enum punch_state)(dice(seed) % PUNCH_STATES);
	row->settled_long_ago = punch_settled(p.state) && dice(seed) % 2;
	p.settled_us = !punch_settled(p.state) ? 0
		: row->settled_long_ago        ? 1000
					       : NOON_S * 1000000;
	p.frozen_us = dice(seed) % 2 ? 5000 : 0;
	assert_int_equal(store_punch_update(s, &p), 0);
}

static void do_purge(struct store *s, struct model *m, uint64_t *seed)
{
	int64_t seq = 0;
	bool done = false;
	int gone = 0, should = 0, slice = 1 + (int)(dice(seed) % 200);

	while (!done) {
		int n = store_purge(s, 2000, INT64_MAX, 0, slice, &seq, &done);

		assert_true(n >= 0);
		gone += n;
	}
	for (int i = 1; i < m->stored; i++) {
		struct row *row = &m->rows[i];

		if (!row->there || !row->settled_long_ago)
			continue;
		row->there = false;
		row->purged = true;
		should++;
	}
	assert_int_equal(gone, should);
}

static void same(struct store *s, const struct model *m)
{
	int64_t by_state[PUNCH_STATES] = {0}, open[PUNCH_STATES] = {0};
	struct store_counts counts;

	for (int i = 1; i <= m->stored; i++) {
		by_state[m->rows[i].state]++;
		open[m->rows[i].state] += m->rows[i].there;
	}
	store_counts(s, &counts);
	assert_int_equal(counts.stored, m->stored);
	assert_memory_equal(counts.by_state, by_state, sizeof by_state);
	assert_memory_equal(counts.open, open, sizeof open);
	assert_int_equal(store_tally(s)->duplicate, m->duplicate);
}

struct reading {
	struct punch_place at;
	int n;
};

static int in_order(void *arg, const struct punch *p)
{
	struct reading *r = arg;
	struct punch_place place = punch_place(p);

	assert_true(punch_place_compare(&r->at, &place) < 0);
	assert_int_equal(p->state, PUNCH_QUEUED);
	r->at = place;
	r->n++;
	return 0;
}

/* The outbox by small windows has all that is queued, once, in order. */
static void outbox_has_all(struct store *s, const struct model *m)
{
	struct reading r = {.at = PUNCH_PLACE_FIRST};
	int queued = 0;

	for (int i = 1; i <= m->stored; i++)
		queued += m->rows[i].there && m->rows[i].state == PUNCH_QUEUED;
	while (store_outbox_read(s, &r.at, 7, in_order, &r) > 0)
		;
	assert_int_equal(r.n, queued);
}

static void play(struct fixture *f, uint64_t seed)
{
	static struct model m, committed;
	struct store *s = fixture_open(f);

	memset(&m, 0, sizeof m);
	committed = m;
	for (int i = 0; i < 900; i++) {
		uint32_t d = dice(&seed) % 100;

		if (d < 55)
			do_add(s, &m, &seed);
		else if (d < 80)
			do_update(s, &m, &seed);
		else if (d < 82)
			do_purge(s, &m, &seed);
		else if (d < 92) {
			/* A tally outside a transaction waits for the next one. */
			if (store_in_transaction(s) && store_commit(s) == 0)
				committed = m;
		} else if (d < 98) {
			store_rollback(s);
			m = committed;
		} else {
			s = fixture_open(f);
			m = committed;
		}
		same(s, &m);
		if (i % 50 == 0) {
			fixture_check(s);
			outbox_has_all(s, &m);
		}
	}
	s = fixture_open(f);
	same(s, &committed);
	fixture_check(s);
	outbox_has_all(s, &committed);
	assert_true(committed.stored > 100);
	fixture_close(f);
	unlink(f->path);
}

static void test_random_operations(void **state)
{
	for (uint64_t seed = 1; seed <= 12; seed++)
		play(*state, seed);
}

/* ---- kill -9 */

#define KILLS 30

/* Commit bursts for ever, saying each time which punch was the last one that is on disk. */
static void commit_for_ever(const char *path, int from, int tell)
{
	char words[STORE_WORDS_MAX];
	struct store *s;
	uint64_t seed = (uint64_t)from + 1;

	if (store_open(path, &s, words) < 0)
		_exit(3);
	for (int i = from;;) {
		int end = i + 1 + (int)(dice(&seed) % 12);

		for (; i < end; i++) {
			struct punch p = fixture_punch(i);

			if (store_punch_add(s, &p, NULL) != 1)
				_exit(4);
		}
		if (dice(&seed) % 4 == 0) {
			struct punch p;

			if (store_punch_get(s, 1 + dice(&seed) % (uint32_t)i, &p) < 0)
				_exit(5);
			p.state = PUNCH_DELIVERED;
			p.settled_us = 1000;
			if (store_punch_update(s, &p) < 0)
				_exit(5);
		}
		if (store_commit(s) < 0 || write(tell, &i, sizeof i) != sizeof i)
			_exit(6);
		if (store_checkpoint(s) < 0)
			_exit(7);
	}
}

/* The last number that the child told, once it has told `rounds` times and is dead. */
static int kill_after(struct fixture *f, int from, int rounds)
{
	int pipes[2], acked = from, status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		commit_for_ever(f->path, from, pipes[1]);
	}
	close(pipes[1]);
	for (int i = 0; i < rounds; i++)
		assert_int_equal(read(pipes[0], &acked, sizeof acked), sizeof acked);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(pipes[0], &acked, sizeof acked) == sizeof acked)
		;
	close(pipes[0]);
	return acked;
}

static void test_killed_at_any_moment(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 99;
	int next = 0;

	for (int i = 0; i < KILLS; i++) {
		int acked = kill_after(f, next, 1 + (int)(dice(&seed) % 40));
		struct store_counts counts;
		struct punch p;

		fixture_open(f);
		fixture_check(f->store);
		store_counts(f->store, &counts);
		/* Nothing that was acknowledged is missing; what is more was on its way. */
		assert_true(counts.stored >= acked && counts.stored <= acked + 12);
		for (int n = acked > 40 ? acked - 40 : 0; n < acked; n++) {
			struct punch was = fixture_punch(n);

			assert_int_equal(store_punch_by_identity(f->store, was.identity, &p), 0);
			assert_int_equal(p.seq, n + 1);
		}
		assert_int_equal(files_named(f, "damaged"), 0);
		next = (int)counts.stored;
		fixture_close(f);
	}
	assert_true(next > KILLS * 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_random_operations),
		TEST(test_killed_at_any_moment),
	};

	return cmocka_run_group_tests_name("store_model", tests, NULL, NULL);
}
