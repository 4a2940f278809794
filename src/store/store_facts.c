#include "store/store.h"

#include <errno.h>

#include "store/store_private.h"

/* The store's small facts: meta values, boots, terminals' numbers, counts. */

#define TERMINALS_MAX 100000 /* strangers choose these names: no more numbers than this */

int store_meta_get(struct store *s, const char *key, int64_t fallback, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_META_GET, &stmt);

	*ret = fallback;
	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	r = store_step_row(stmt);
	if (r > 0) {
		*ret = sqlite3_column_int64(stmt, 0);
		sqlite3_reset(stmt);
		r = 0;
	}
	return r;
}

int store_meta_set(struct store *s, const char *key, int64_t value)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_META_SET, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, value);
	return store_step_done(stmt);
}

static int64_t boot_get(struct store *s, const char *boot_id)
{
	sqlite3_stmt *stmt;
	int64_t id;
	int r = store_prepared(s, SQL_BOOT_GET, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, boot_id, -1, SQLITE_STATIC);
	r = store_step_row(stmt);
	if (r <= 0)
		return r;
	id = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return id;
}

int64_t store_boot(struct store *s, const char *boot_id)
{
	int64_t id = boot_get(s, boot_id);
	sqlite3_stmt *stmt;
	int r;

	if (id != 0)
		return id;
	r = store_prepared_write(s, SQL_BOOT_ADD, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, boot_id, -1, SQLITE_STATIC);
	r = store_step_done(stmt);
	return r < 0 ? r : sqlite3_last_insert_rowid(s->db);
}

/* ---- terminals */

static int remember_terminal(struct store *s, int64_t id, const char *name)
{
	char **names;

	if (id != s->terminal_count + 1)
		return -EUCLEAN;
	names = realloc(s->terminal_names, (size_t)id * sizeof *names);
	if (!names)
		return -ENOMEM;
	s->terminal_names = names;
	names[id - 1] = strdup(name);
	if (!names[id - 1])
		return -ENOMEM;
	if (strmap_put(&s->terminals, name, (void *)(intptr_t)id, NULL) < 0) {
		free(names[id - 1]);
		return -ENOMEM;
	}
	s->terminal_count = id;
	return 0;
}

int store_terminals_load(struct store *s)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_TERMINAL_ALL, &stmt);

	while (r == 0 && (r = store_step_row(stmt)) > 0)
		r = remember_terminal(s, sqlite3_column_int64(stmt, 0),
			(const char *)sqlite3_column_text(stmt, 1));
	s->terminals_committed = s->terminal_count;
	return r;
}

int64_t store_terminal_id(struct store *s, const char *name)
{
	int64_t id = (int64_t)(intptr_t)strmap_get(&s->terminals, name);
	sqlite3_stmt *stmt;
	int r;

	if (id > 0)
		return id;
	if (s->terminal_count >= TERMINALS_MAX)
		return -EDQUOT;
	r = store_prepared(s, SQL_TERMINAL_ADD, &stmt);
	if (r < 0)
		return r;
	id = s->terminal_count + 1;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
	r = store_step_done(stmt);
	if (r == 0)
		r = remember_terminal(s, id, name);
	return r < 0 ? r : id;
}

const char *store_terminal_name(const struct store *s, int64_t id)
{
	return id >= 1 && id <= s->terminal_count ? s->terminal_names[id - 1] : "";
}

void store_terminals_rollback(struct store *s)
{
	while (s->terminal_count > s->terminals_committed) {
		char *name = s->terminal_names[--s->terminal_count];

		strmap_del(&s->terminals, name);
		free(name);
	}
}

void store_terminals_free(struct store *s)
{
	s->terminals_committed = 0;
	store_terminals_rollback(s);
	free(s->terminal_names);
	strmap_done(&s->terminals);
}

/* ---- counts */

struct store_tally *store_tally(struct store *s)
{
	return &s->now.tally;
}

void store_counts(const struct store *s, struct store_counts *ret)
{
	*ret = s->now.counts;
}

void store_count_move(struct store *s, int from, int to)
{
	if (from < 0) {
		s->now.counts.stored++;
	} else {
		s->now.counts.by_state[from]--;
		s->now.counts.open[from]--;
	}
	s->now.counts.by_state[to]++;
	s->now.counts.open[to]++;
}

static int read_purged(struct store *s, int64_t purged[static PUNCH_STATES])
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_PURGED_ALL, &stmt);

	while (r == 0 && (r = store_step_row(stmt)) > 0) {
		int state = sqlite3_column_int(stmt, 0);

		r = state >= 0 && state < PUNCH_STATES ? 0 : -EUCLEAN;
		if (r == 0)
			purged[state] = sqlite3_column_int64(stmt, 1);
	}
	return r;
}

static int read_one(struct store *s, enum store_sql which, int parameter, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, which, &stmt);

	if (r < 0)
		return r;
	if (sqlite3_bind_parameter_count(stmt) > 0)
		sqlite3_bind_int(stmt, 1, parameter);
	r = store_step_row(stmt);
	if (r > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

/*
 * Rows are numbered without gaps from 1, the newest is never purged, and purged ones are counted by
 * state: so all that was ever stored is the highest number, less the holes that a salvage had to
 * leave, and what is delivered is the rest of it. Nothing here reads the whole table;
 * store_check.h does, and compares.
 */
int store_counts_load(struct store *s)
{
	static const int rare[] = {PUNCH_HELD, PUNCH_SUPPRESSED, PUNCH_PARKED, PUNCH_DISCARDED};
	struct store_counts *c = &s->now.counts;
	int64_t purged[PUNCH_STATES] = {0}, others = 0, holes = 0;
	int r = read_purged(s, purged);

	*c = (struct store_counts){.stored = 0};
	if (r == 0)
		r = store_meta_get(s, STORE_META_HOLES, 0, &holes);
	if (r == 0)
		r = read_one(s, SQL_MAX_SEQ, 0, &s->now.last_seq);
	c->stored = s->now.last_seq - holes;
	if (r == 0)
		r = read_one(s, SQL_COUNT_QUEUED, 0, &c->open[PUNCH_QUEUED]);
	for (size_t i = 0; i < sizeof rare / sizeof rare[0] && r == 0; i++)
		r = read_one(s, SQL_COUNT_STATE, rare[i], &c->open[rare[i]]);
	for (int i = 0; i < PUNCH_STATES; i++) {
		c->by_state[i] = c->open[i] + purged[i];
		others += i == PUNCH_DELIVERED ? 0 : c->by_state[i];
	}
	c->by_state[PUNCH_DELIVERED] = c->stored - others;
	c->open[PUNCH_DELIVERED] = c->by_state[PUNCH_DELIVERED] - purged[PUNCH_DELIVERED];
	return r;
}
