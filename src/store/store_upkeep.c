#include <errno.h>

#include "core/identity.h"
#include "store/store_private.h"
#include "store/store_punch.h"
#include "store/store_taps.h"

/* Walks over many rows, in slices: purging, correcting receipts, and the rare look-ups. */

#define US_PER_MS 1000

static int64_t read_seq(struct store *s, enum store_sql which, const void *key, int size)
{
	sqlite3_stmt *stmt;
	int64_t seq = 0;
	int r = store_prepared(s, which, &stmt);

	if (r < 0)
		return r;
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
	int r = store_prepared_write(s, SQL_TIMELESS_SET, &stmt);

	if (r < 0)
		return r;
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
	r = store_prepared(s, SQL_MALFORMED_COUNT, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, id);
	r = store_step_row(stmt);
	if (r > 0)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return r < 0 ? r : n;
}

/* ---- receipts */

static int first_of_boot(struct store *s, int64_t boot, int64_t *ret_seq)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_BOOT_FIRST, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, boot);
	r = store_step_row(stmt);
	*ret_seq = r > 0 ? sqlite3_column_int64(stmt, 0) : 1;
	sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

static int set_receipt(struct store *s, int64_t seq, int64_t received_ms)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_RECEIPT_SET, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_int64(stmt, 2, received_ms);
	tapcache_clear(&s->taps); /* its flags: once a boot */
	return store_step_done(stmt);
}

/* One row: corrected (1), left as it is (0), or an error. */
static int correct_row(struct store *s, sqlite3_stmt *row, int64_t boot, int64_t offset_us)
{
	int64_t mono_ms = sqlite3_column_int64(row, 1);
	int r;

	if (sqlite3_column_int64(row, 2) != boot || sqlite3_column_int64(row, 3) & FLAG_TRUSTED)
		return 0;
	r = set_receipt(s, sqlite3_column_int64(row, 0), mono_ms + offset_us / US_PER_MS);
	return r < 0 ? r : 1;
}

int store_receipts_correct(
	struct store *s, int64_t boot, int64_t offset_us, int limit, int64_t *seq, bool *ret_done)
{
	sqlite3_stmt *stmt;
	int64_t at = *seq;
	int r = store_begin(s), looked = 0, corrected = 0;

	if (r == 0 && at == 0)
		r = first_of_boot(s, boot, &at);
	if (r == 0)
		r = store_prepared(s, SQL_RECEIPTS_SCAN, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, at);
	sqlite3_bind_int(stmt, 2, limit);
	while (r >= 0 && (r = store_step_row(stmt)) > 0) {
		looked++;
		at = sqlite3_column_int64(stmt, 0) + 1;
		r = correct_row(s, stmt, boot, offset_us);
		corrected += r > 0;
	}
	sqlite3_reset(stmt);
	if (r < 0)
		return r;
	*seq = at;
	*ret_done = looked < limit;
	return corrected;
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

static bool purgeable(const struct store *s, const struct purge_row *row, int64_t settled_before_us,
	int64_t time_before_s)
{
	return row->seq != s->now.last_seq && row->state >= 0 && row->state < PUNCH_STATES &&
		punch_settled((enum punch_state)row->state) && row->settled_us != 0 &&
		row->settled_us < settled_before_us && row->time_s < time_before_s;
}

/* Its fingerprint is made again from the row: an index to find it by would cost every punch. */
static int purge_fingerprint(struct store *s, int64_t seq)
{
	uint8_t key[IDENTITY_SIZE];
	struct punch p;
	sqlite3_stmt *stmt;
	int r = store_punch_get(s, seq, &p);

	if (r == 0)
		r = identity_timeless(&p, key);
	if (r == 0)
		r = store_prepared(s, SQL_PURGE_TIMELESS, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_blob(stmt, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, seq);
	return store_step_done(stmt);
}

static int is_open(void *arg, const struct store_tap *t)
{
	(void)arg;
	return t->frozen || t->state == PUNCH_DELIVERED ? 0 : 1;
}

/*
 * Whether others are judged by it (core/taps.h): it counts, and somebody's punch that is not frozen
 * lies within reach. Returns 1, 0, or an error.
 */
static int is_needed(struct store *s, const struct purge_row *row, int64_t reach_s)
{
	struct punch p;
	int r;

	if (row->state != PUNCH_DELIVERED)
		return 0;
	r = store_punch_get(s, row->seq, &p);
	if (r == 0)
		r = store_taps_look(
			s, STORE_TAPS, &p, p.time_s - reach_s, p.time_s + reach_s, is_open, NULL);
	if (r == 0)
		r = store_taps_look(s, STORE_TAPS_DOUBLE, &p, p.time_s - reach_s,
			p.time_s + reach_s, is_open, NULL);
	return r;
}

static int count_purged(struct store *s, int state)
{
	sqlite3_stmt *stmt;
	int r = store_prepared(s, SQL_PURGED_ADD, &stmt);

	if (r < 0)
		return r;
	sqlite3_bind_int(stmt, 1, state);
	sqlite3_bind_int64(stmt, 2, 1);
	r = store_step_done(stmt);
	if (r == 0)
		s->now.counts.open[state]--;
	return r;
}

static int purge_one(struct store *s, const struct purge_row *row)
{
	int r = row->timeless ? purge_fingerprint(s, row->seq) : 0;

	/* Whose it was would have to be read; and they are read again in no time. */
	tapcache_clear(&s->taps);
	if (r == 0)
		r = store_write_row(s, SQL_PURGE_PUNCH, row->seq);
	if (r == 0)
		r = store_write_row(s, SQL_PURGE_RAW, row->seq);
	if (r == 0)
		r = store_write_row(s, SQL_PURGE_HAND, row->seq);
	return r < 0 ? r : count_purged(s, row->state);
}

/* Reports have to know what they cannot know any more. */
static int keep_purged_to(struct store *s, int64_t time_s)
{
	int64_t before;
	int r = store_meta_get(s, STORE_META_PURGED_TO, INT64_MIN, &before);

	return r < 0 || before >= time_s ? r : store_meta_set(s, STORE_META_PURGED_TO, time_s);
}

int store_purge(struct store *s, int64_t settled_before_us, int64_t time_before_s, int64_t reach_s,
	int limit, int64_t *seq, bool *ret_done)
{
	sqlite3_stmt *stmt;
	struct purge_row row = {.seq = *seq};
	int64_t purged_to_s = INT64_MIN;
	int r = store_begin(s), looked = 0, purged = 0;
	bool recent = true;

	if (r == 0)
		r = store_prepared(s, SQL_PURGE_SCAN, &stmt);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, *seq);
	sqlite3_bind_int(stmt, 2, limit);
	while (r == 0 && (r = store_step_row(stmt)) > 0) {
		read_purge_row(stmt, &row);
		looked++;
		r = 0;
		/* What came after the limit cannot have been settled before it. */
		recent = recent && row.received_us >= settled_before_us;
		if (!purgeable(s, &row, settled_before_us, time_before_s))
			continue;
		r = is_needed(s, &row, reach_s);
		if (r == 0) {
			r = purge_one(s, &row);
			purged++;
			purged_to_s = row.time_s > purged_to_s ? row.time_s : purged_to_s;
		}
		r = r < 0 ? r : 0;
	}
	sqlite3_reset(stmt);
	if (r == 0 && purged > 0)
		r = keep_purged_to(s, purged_to_s);
	if (r < 0)
		return r;
	*seq = row.seq;
	*ret_done = looked < limit || recent;
	return purged;
}
