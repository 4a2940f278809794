#include "store/store_mend.h"

#include <errno.h>

#include "core/identity.h"
#include "store/store_private.h"
#include "store/store_punch.h"

/* ---- rows that stand for others */

/*
 * Terminals are numbered without gaps, and punches name them by number: a lost one gets a name that
 * no terminal can have in a topic. A number far off is damage, and goes to one beside the rest.
 */
static const char mend_terminals[] =
	"CREATE TEMP TABLE top AS SELECT max("
	" (SELECT coalesce(max(id), 0) FROM terminal WHERE id BETWEEN 1 AND 100000),"
	" (SELECT coalesce(max(terminal), 0) FROM punch WHERE terminal BETWEEN 1 AND 1000)) AS n;"
	"DELETE FROM terminal WHERE id NOT BETWEEN 1 AND (SELECT n FROM temp.top);"
	"UPDATE punch SET terminal = (SELECT n + 1 FROM temp.top)"
	" WHERE terminal NOT BETWEEN 1 AND (SELECT n FROM temp.top);"
	"WITH RECURSIVE number (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM number"
	"  WHERE id < (SELECT max(n, (SELECT coalesce(max(terminal), 0) FROM punch)) FROM "
	"temp.top))"
	" INSERT INTO terminal SELECT id, 'lost #' || id ||"
	"  CASE WHEN 'lost #' || id IN (SELECT name FROM terminal)"
	"   THEN ' ' || hex(randomblob(8)) ELSE '' END"
	" FROM number WHERE id NOT IN (SELECT id FROM terminal)"
	"  AND (SELECT max(n, (SELECT coalesce(max(terminal), 0) FROM punch)) FROM temp.top) > 0;"
	"DROP TABLE temp.top;";

/* A new boot must not get the number of a lost one, whose punches would then be corrected by it. */
static const char mend_boots[] =
	"INSERT INTO boot SELECT DISTINCT boot, 'lost ' || boot, 1 FROM punch"
	" WHERE boot > 0 AND boot NOT IN (SELECT id FROM boot) ON CONFLICT DO NOTHING;";

/* Numbers behind the newest row's will be given again: nothing of an older owner may wait there. */
static const char mend_orphans[] = "DELETE FROM raw WHERE seq NOT IN (SELECT seq FROM punch);"
				   "DELETE FROM timeless WHERE seq NOT IN (SELECT seq FROM punch);"
				   "DELETE FROM hand WHERE seq NOT IN (SELECT seq FROM punch);";

/* 8: FLAG_IN_DOUBT, 256: FLAG_RESTORED, 1: held, 1: REASON_RESTORED. */
static const char mend_states[] = "UPDATE punch SET flags = flags | 256 WHERE state = 4;"
				  "UPDATE punch SET flags = flags | 256 |"
				  " CASE WHEN state = 0 AND frozen IS NOT NULL THEN 8 ELSE 0 END,"
				  " state = 1, reason = 1 WHERE state IN (0, 1);";

/* An old version of the row may not know that it was sent: the cloud's list is read before it is. */
static const char mend_newusers[] =
	"UPDATE newuser SET sent = coalesce(sent, asked) WHERE state = 0;";

static int run(sqlite3 *db, const char *sql)
{
	return store_db_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int read_number(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt;
	int r = store_db_errno(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));

	*ret = 0;
	if (r < 0)
		return r;
	r = store_step_row(stmt);
	if (r > 0)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return r < 0 ? r : 0;
}

static int write_meta(sqlite3 *db, const char *key, int64_t value)
{
	sqlite3_stmt *stmt;
	int r = store_db_errno(
		db, sqlite3_prepare_v2(db, store_sql_text(SQL_META_SET), -1, &stmt, NULL));

	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, value);
	r = store_step_done(stmt);
	sqlite3_finalize(stmt);
	return r;
}

/* ---- counts */

struct tally {
	int64_t rows, purged, top, holes_before, at_before, saved_before, lost_before;
};

static int read_tally(sqlite3 *db, struct tally *t)
{
	const struct {
		const char *sql;
		int64_t *to;
	} wanted[] = {
		{"SELECT count(*) FROM punch", &t->rows},
		{"SELECT coalesce(sum(n), 0) FROM purged", &t->purged},
		{"SELECT max(seq) FROM punch", &t->top},
		{"SELECT value FROM meta WHERE key = '" STORE_META_HOLES "'", &t->holes_before},
		{"SELECT value FROM meta WHERE key = '" STORE_META_REPLACED_AT "'", &t->at_before},
		{"SELECT value FROM meta WHERE key = '" STORE_META_REPLACED_SAVED "'",
			&t->saved_before},
		{"SELECT value FROM meta WHERE key = '" STORE_META_REPLACED_LOST "'",
			&t->lost_before},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && r == 0; i++)
		r = read_number(db, wanted[i].sql, wanted[i].to);
	return r;
}

/*
 * Two witnesses for what is lost: identities without a row, and numbers that neither a row nor the
 * count of purged ones explains. The second is only worth something where that count was read.
 */
static int64_t count_lost(
	const struct tally *t, const struct copy_result *copied, bool nothing, int64_t holes)
{
	int64_t by_number = copied->purged_read ? holes - t->holes_before : 0;

	if (nothing || (t->rows == 0 && copied->pages_bad > 0 && copied->lost == 0))
		return -1;
	return by_number > copied->lost ? by_number : copied->lost;
}

static int write_report(sqlite3 *db, const struct tally *t, int64_t holes, int64_t now_s,
	const struct store_salvage_report *report)
{
	bool standing = t->at_before != 0;
	int64_t saved = report->saved, lost = report->lost;
	int r;

	if (standing && lost >= 0)
		lost = t->lost_before < 0 ? -1 : lost + t->lost_before;
	r = write_meta(db, STORE_META_HOLES, holes);
	if (r == 0)
		r = write_meta(db, STORE_META_REPLACED_AT, now_s);
	if (r == 0)
		r = write_meta(db, STORE_META_REPLACED_SAVED, saved);
	if (r == 0)
		r = write_meta(db, STORE_META_REPLACED_LOST, lost);
	return r;
}

/* Rows, purged ones and holes make up all numbers. Counts that leave no room for the rows are
 * damage themselves. */
static int count_holes(sqlite3 *db, struct tally *t, int64_t *ret_holes)
{
	int r = read_tally(db, t);

	if (r == 0 && (t->purged < 0 || t->purged > t->top - t->rows)) {
		t->purged = 0;
		r = run(db, "DELETE FROM purged");
	}
	*ret_holes = t->top - t->rows - t->purged;
	return r;
}

int mend_rows(sqlite3 *db, const struct copy_result *copied, bool nothing, int64_t now_s,
	struct store_salvage_report *ret)
{
	struct tally t = {.rows = 0};
	int64_t holes = 0;
	int r = run(db, "DELETE FROM punch WHERE seq < 1");

	if (r == 0)
		r = run(db, mend_terminals);
	if (r == 0)
		r = run(db, mend_boots);
	if (r == 0)
		r = run(db, mend_orphans);
	if (r == 0)
		r = run(db, mend_states);
	if (r == 0)
		r = run(db, mend_newusers);
	if (r == 0)
		r = count_holes(db, &t, &holes);
	if (r < 0)
		return r;
	ret->saved = t.rows;
	ret->lost = count_lost(&t, copied, nothing, holes);
	return write_report(db, &t, holes, now_s, ret);
}

/* ---- rows that are not as they came */

static bool identity_holds(const struct punch *p)
{
	struct punch again = *p;

	/* Without a time, or as a message, it was made from more than the row keeps. */
	if (!p->time_sent[0] || p->reason == REASON_MALFORMED || p->reason == REASON_TOO_LARGE ||
		p->reason == REASON_CRASHED)
		return true;
	return identity_of_punch(&again, NULL) < 0 ||
		memcmp(again.identity, p->identity, IDENTITY_SIZE) == 0;
}

static bool wire_key_holds(const struct punch *p)
{
	struct punch again = *p;

	return p->frozen_us == 0 || identity_wire_key(&again) < 0 ||
		memcmp(again.wire_key, p->wire_key, WIRE_KEY_SIZE) == 0;
}

struct doubt {
	struct punch *found; /* of one slice */
	int count;
	int64_t last_seq;
};

#define DOUBT_SLICE 256

static int look(void *arg, const struct punch *p)
{
	struct doubt *d = arg;

	d->last_seq = p->seq;
	if (!identity_holds(p) || !wire_key_holds(p))
		d->found[d->count++] = *p;
	return 0;
}

static int park(struct store *s, struct punch *p)
{
	p->state = PUNCH_PARKED;
	p->reason = REASON_RESTORED;
	snprintf(p->error_code, sizeof p->error_code, "damaged");
	snprintf(p->error_message, sizeof p->error_message,
		"read from a damaged file, and not as the terminal sent it");
	return store_punch_update(s, p);
}

int mend_doubtful(struct store *s, int64_t *ret_doubtful, char ret_words[static STORE_WORDS_MAX])
{
	struct doubt d = {.found = calloc(DOUBT_SLICE, sizeof *d.found)};
	int r = d.found ? DOUBT_SLICE : -ENOMEM;

	*ret_doubtful = 0;
	while (r == DOUBT_SLICE) {
		d.count = 0;
		r = store_state_read(s, PUNCH_HELD, d.last_seq, DOUBT_SLICE, look, &d);
		for (int i = 0; i < d.count && r >= 0; i++) {
			int e = park(s, &d.found[i]);

			r = e < 0 ? e : r;
			*ret_doubtful += 1;
		}
	}
	free(d.found);
	if (r >= 0)
		r = store_commit(s);
	return r < 0 ? store_fail(r, ret_words, "the new file: %s", store_words(s)) : 0;
}
