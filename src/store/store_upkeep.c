#include <errno.h>

#include "store/store_private.h"
#include "store/store_punch.h"

/* Walks over many rows, in slices: purging, correcting receipts, and the rare look-ups. */

#define US_PER_MS 1000

static int64_t read_seq(struct store *s, enum store_sql which, const void *key, int size)
{
	sqlite3_stmt *stmt = store_statement(s, which);
	int64_t seq = 0;
	int r;

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_blob(stmt, 1, key, size, SQLITE_STATIC);
	r = store_step_row(stmt);
	if (r > 0)
		seq = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : seq;
}

int64_t store_timeless_get(struct store *s, const uint8_t key[static IDENTITY_SIZE])
{
	return read_seq(s, SQL_TIMELESS_GET, key, IDENTITY_SIZE);
}

int store_timeless_set(struct store *s, const uint8_t key[static IDENTITY_SIZE], int64_t seq)
{
	sqlite3_stmt *stmt;
	int r = store_begin(s);

	if (r < 0)
		return r;
	stmt = store_statement(s, SQL_TIMELESS_SET);
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_blob(stmt, 1, key, IDENTITY_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, seq);
	return store_step_done(stmt);
}

int64_t store_malformed_count(struct store *s, const char *terminal)
{
	int64_t id = (int64_t)(intptr_t)strmap_get(&s->terminals, terminal), n = 0;
	sqlite3_stmt *stmt;
	int r;

	if (id == 0)
		return 0;
	stmt = store_statement(s, SQL_MALFORMED_COUNT);
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, id);
	r = store_step_row(stmt);
	if (r > 0)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : n;
}

static int run_for(struct store *s, enum store_sql which, int64_t seq)
{
	sqlite3_stmt *stmt = store_statement(s, which);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, seq);
	return store_step_done(stmt);
}

/* ---- receipts */

static int first_of_boot(struct store *s, int64_t boot, int64_t *ret_seq)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_BOOT_FIRST);
	int r;

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, boot);
	r = store_step_row(stmt);
	*ret_seq = r > 0 ? sqlite3_column_int64(stmt, 0) : 1;
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

static int set_receipt(struct store *s, int64_t seq, int64_t received_ms)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_RECEIPT_SET);

	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_int64(stmt, 2, received_ms);
	return store_step_done(stmt);
}

int store_receipts_correct(
	struct store *s, int64_t boot, int64_t offset_us, int limit, int64_t *seq, bool *ret_done)
{
	sqlite3_stmt *stmt;
	int r = store_begin(s), looked = 0, corrected = 0;

	if (r == 0 && *seq == 0)
		r = first_of_boot(s, boot, seq);
	stmt = r == 0 ? store_statement(s, SQL_RECEIPTS_SCAN) : NULL;
	if (!stmt)
		return r < 0 ? r : store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, *seq);
	sqlite3_bind_int(stmt, 2, limit);
	while (r == 0 && (r = store_step_row(stmt)) > 0) {
		int64_t at = sqlite3_column_int64(stmt, 0);
		int64_t mono_ms = sqlite3_column_int64(stmt, 1);
		bool mine = sqlite3_column_int64(stmt, 2) == boot;

		looked++;
		*seq = at + 1;
		r = 0;
		if (!mine || sqlite3_column_int64(stmt, 3) & FLAG_TRUSTED)
			continue;
		r = set_receipt(s, at, mono_ms + offset_us / US_PER_MS);
		corrected++;
	}
	sqlite3_reset(stmt);
	*ret_done = looked < limit;
	return r < 0 ? r : corrected;
}

/* ---- purge */

struct purge_row {
	int64_t seq;
	int state;
	int64_t settled_us;
	int64_t time_s;
	int64_t received_us;
	bool timeless;
};

static void read_purge_row(sqlite3_stmt *stmt, struct purge_row *row)
{
	row->seq = sqlite3_column_int64(stmt, 0);
	row->state = sqlite3_column_int(stmt, 1);
	row->settled_us = sqlite3_column_int64(stmt, 2) * US_PER_MS;
	row->time_s = sqlite3_column_int64(stmt, 3);
	row->received_us = sqlite3_column_int64(stmt, 4) * US_PER_MS;
	row->timeless = sqlite3_column_bytes(stmt, 5) == 0;
}

static int purge_one(struct store *s, const struct purge_row *row)
{
	sqlite3_stmt *stmt;
	int r = run_for(s, SQL_PURGE_PUNCH, row->seq);

	if (r == 0)
		r = run_for(s, SQL_PURGE_RAW, row->seq);
	if (r == 0)
		r = run_for(s, SQL_PURGE_HAND, row->seq);
	if (r == 0 && row->timeless)
		r = run_for(s, SQL_PURGE_TIMELESS, row->seq);
	if (r < 0)
		return r;
	stmt = store_statement(s, SQL_PURGED_ADD);
	if (!stmt)
		return store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int(stmt, 1, row->state);
	sqlite3_bind_int64(stmt, 2, 1);
	r = store_step_done(stmt);
	if (r == 0)
		s->counts.open[row->state]--;
	return r;
}

int store_purge(struct store *s, int64_t settled_before_us, int64_t time_before_s, int limit,
	int64_t *seq, bool *ret_done)
{
	sqlite3_stmt *stmt;
	struct purge_row row;
	int r = store_begin(s), looked = 0, purged = 0;
	bool recent = true;

	stmt = r == 0 ? store_statement(s, SQL_PURGE_SCAN) : NULL;
	if (!stmt)
		return r < 0 ? r : store_errno(sqlite3_errcode(s->db));
	sqlite3_bind_int64(stmt, 1, *seq);
	sqlite3_bind_int(stmt, 2, limit);
	while (r == 0 && (r = store_step_row(stmt)) > 0) {
		read_purge_row(stmt, &row);
		looked++;
		*seq = row.seq;
		r = 0;
		/* What came after the limit cannot have been settled before it. */
		recent = recent && row.received_us >= settled_before_us;
		if (row.seq == s->counts.stored || row.settled_us == 0 || row.state < 0 ||
			row.state >= PUNCH_STATES || !punch_settled((enum punch_state)row.state) ||
			row.settled_us >= settled_before_us || row.time_s >= time_before_s)
			continue;
		r = purge_one(s, &row);
		purged++;
	}
	sqlite3_reset(stmt);
	*ret_done = looked < limit || recent;
	return r < 0 ? r : purged;
}
