#include "store/store_check.h"

#include <errno.h>

#include "store/store_private.h"

#define CACHE "PRAGMA cache_size = -256; PRAGMA cell_size_check = ON"
#define WHOLE (1 << 20)

struct store_check {
	sqlite3 *db;
	bool own; /* db is this check's alone */
	sqlite3_stmt *states, *identities;
	struct store_counts should; /* what is kept beside the rows, as the check began */
	int64_t purged[PUNCH_STATES];
	int64_t rows[PUNCH_STATES];
	int64_t stateless; /* in no state that there is */
	int64_t indexed;
	bool states_done;
};

static int fail(const struct store_check *c, int code, char *ret_words)
{
	return store_fail(c->db ? store_db_errno(c->db, code) : -ENOMEM, ret_words, "%s",
		c->db ? sqlite3_errmsg(c->db) : "out of memory");
}

static enum store_verdict broken(char *ret_words, int64_t is, const char *what, int64_t should)
{
	snprintf(ret_words, STORE_WORDS_MAX, "%lld punches are %s, %lld should be", (long long)is,
		what, (long long)should);
	return STORE_BROKEN;
}

/* ---- beginning */

static int read_purged(struct store_check *c)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(c->db, store_sql_text(SQL_PURGED_ALL), -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return code;
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		int state = sqlite3_column_int(stmt, 0);

		/* The table's CHECK forbids any other; a damaged one leaves its count missing. */
		if (state >= 0 && state < PUNCH_STATES)
			c->purged[state] = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* From the first statement on it is the store of this moment that is read, to the end. */
static int prepare(struct store_check *c, const struct store *s)
{
	int code = read_purged(c);

	c->should = s->now.counts;
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(
			c->db, store_sql_text(SQL_CHECK_STATES), -1, &c->states, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(
			c->db, store_sql_text(SQL_CHECK_IDENTITIES), -1, &c->identities, NULL);
	return code;
}

static int open_own(struct store_check *c, const char *path)
{
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int code = sqlite3_open_v2(path, &c->db, flags, NULL);

	c->own = true;
	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(c->db, 1);
	if (code == SQLITE_OK)
		code = sqlite3_exec(c->db, CACHE, NULL, NULL, NULL);
	return code == SQLITE_OK ? sqlite3_exec(c->db, "BEGIN", NULL, NULL, NULL) : code;
}

int store_check_new(
	struct store *s, struct store_check **ret_check, char ret_words[static STORE_WORDS_MAX])
{
	struct store_check *c;
	int code, r;

	if (s->in_transaction)
		return store_fail(-EAGAIN, ret_words, "a transaction is open");
	c = calloc(1, sizeof *c);
	if (!c)
		return store_fail(-ENOMEM, ret_words, "out of memory");
	code = open_own(c, s->path);
	if (code == SQLITE_OK)
		code = prepare(c, s);
	if (code == SQLITE_OK) {
		*ret_check = c;
		return 0;
	}
	r = fail(c, code, ret_words);
	store_check_free(c);
	return r;
}

void store_check_free(struct store_check *c)
{
	if (!c)
		return;
	sqlite3_finalize(c->states);
	sqlite3_finalize(c->identities);
	if (c->own)
		sqlite3_close(c->db);
	free(c);
}

/* ---- counting */

/* Returns SQLITE_ROW where the rows wanted were counted and there may be more. */
static int count_states(struct store_check *c, int *rows)
{
	int code = SQLITE_ROW;

	while (*rows > 0 && (code = sqlite3_step(c->states)) == SQLITE_ROW) {
		int state = sqlite3_column_int(c->states, 0);

		--*rows;
		if (state >= 0 && state < PUNCH_STATES)
			c->rows[state]++;
		else
			c->stateless++;
	}
	return code;
}

static int count_identities(struct store_check *c, int *rows)
{
	int code = SQLITE_ROW;

	while (*rows > 0 && (code = sqlite3_step(c->identities)) == SQLITE_ROW) {
		--*rows;
		c->indexed++;
	}
	return code;
}

static enum store_verdict judge(const struct store_check *c, char *ret_words)
{
	int64_t rows = 0, total = 0;

	if (c->stateless > 0)
		return broken(ret_words, c->stateless, "in no state that there is", 0);
	for (int i = 0; i < PUNCH_STATES; i++) {
		const char *name = punch_state_name((enum punch_state)i);
		int64_t all = c->rows[i] + c->purged[i];

		rows += c->rows[i];
		total += all;
		if (c->rows[i] != c->should.open[i])
			return broken(ret_words, c->rows[i], name, c->should.open[i]);
		if (all != c->should.by_state[i])
			return broken(ret_words, all, name, c->should.by_state[i]);
	}
	if (c->indexed != rows)
		return broken(ret_words, c->indexed, "in the index of identities", rows);
	if (total != c->should.stored)
		return broken(ret_words, total, "there or purged", c->should.stored);
	return STORE_HOLDS;
}

int store_check_step(struct store_check *c, int rows, enum store_verdict *ret_verdict,
	char ret_words[static STORE_WORDS_MAX])
{
	int code = SQLITE_DONE;

	ret_words[0] = '\0';
	*ret_verdict = STORE_COUNTING;
	if (!c->states_done) {
		code = count_states(c, &rows);
		c->states_done = code == SQLITE_DONE;
	}
	if (code == SQLITE_DONE)
		code = count_identities(c, &rows);
	if (code == SQLITE_ROW)
		return 0;
	if (code != SQLITE_DONE)
		return fail(c, code, ret_words);
	*ret_verdict = judge(c, ret_words);
	return 0;
}

void store_check_progress(const struct store_check *c, int64_t *ret_rows, int64_t *ret_of)
{
	*ret_rows = c->indexed + c->stateless;
	*ret_of = 0;
	for (int i = 0; i < PUNCH_STATES; i++) {
		*ret_rows += c->rows[i];
		*ret_of += 2 * c->should.open[i];
	}
}

/* ---- at once */

int store_check_counts(struct store *s, char ret_words[static STORE_WORDS_MAX])
{
	struct store_check c = {.db = s->db};
	enum store_verdict verdict = STORE_COUNTING;
	int code = prepare(&c, s);
	int r = code == SQLITE_OK ? 0 : fail(&c, code, ret_words);

	while (r == 0 && verdict == STORE_COUNTING)
		r = store_check_step(&c, WHOLE, &verdict, ret_words);
	sqlite3_finalize(c.states);
	sqlite3_finalize(c.identities);
	if (r < 0)
		return r;
	return verdict == STORE_HOLDS ? 0 : -EUCLEAN;
}
