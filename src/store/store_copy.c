#include "store/store_copy.h"

#include <errno.h>

#include "core/punch.h"
#include "store/schema.h"
#include "store/store_private.h"
#include "store/store_tables.h"

struct copier {
	const struct pages *from;
	sqlite3 *to;
	struct copy_result *result;
	uint8_t *owners;
	uint8_t *bytes; /* of the page at hand */
	struct leaf_record record;
	sqlite3_stmt *inserts[TABLE_COUNT_];
	sqlite3_stmt *find;   /* an identity's row */
	sqlite3_stmt *timed;  /* whether a row has a time as sent */
	sqlite3_stmt *lose;   /* note a lost one */
	sqlite3_stmt *unseat; /* take away a version that is not final */
};

/* ---- statements */

static int prepare(struct copier *c, const char *sql, sqlite3_stmt **ret)
{
	return store_db_errno(c->to, sqlite3_prepare_v2(c->to, sql, -1, ret, NULL));
}

static int prepare_all(struct copier *c)
{
	int r = store_db_errno(c->to,
		sqlite3_exec(c->to,
			"CREATE TEMP TABLE lost (seq INTEGER PRIMARY KEY, hour INTEGER)", NULL,
			NULL, NULL));

	for (int t = 0; t < TABLE_COUNT_ && r == 0; t++) {
		if (table_insert((enum table)t))
			r = prepare(c, table_insert((enum table)t), &c->inserts[t]);
	}
	if (r == 0)
		r = prepare(c, "SELECT 1 FROM punch WHERE identity = ?", &c->find);
	if (r == 0)
		r = prepare(c, "SELECT time_sent <> '' FROM punch WHERE seq = ?", &c->timed);
	if (r == 0)
		r = prepare(c, "INSERT INTO temp.lost VALUES (?1, ?2) ON CONFLICT DO NOTHING",
			&c->lose);
	if (r == 0)
		r = prepare(c,
			"DELETE FROM punch WHERE seq = ?1 AND identity = ?2 AND state NOT IN (2, "
			"5)",
			&c->unseat);
	return r;
}

static void finalize_all(struct copier *c)
{
	for (int t = 0; t < TABLE_COUNT_; t++)
		sqlite3_finalize(c->inserts[t]);
	sqlite3_finalize(c->find);
	sqlite3_finalize(c->timed);
	sqlite3_finalize(c->lose);
	sqlite3_finalize(c->unseat);
	sqlite3_exec(c->to, "DROP TABLE IF EXISTS temp.lost", NULL, NULL, NULL);
}

/* ---- rows */

/* 1: taken, 0: refused as a row that cannot be, or there already; an error. */
static int insert(struct copier *c, enum table t)
{
	sqlite3_stmt *stmt = c->inserts[t];
	int code;

	table_bind(t, stmt, &c->record);
	code = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	if ((code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_MISMATCH) {
		c->result->rows_bad++;
		return 0;
	}
	return code == SQLITE_DONE ? sqlite3_changes(c->to) > 0 : store_db_errno(c->to, code);
}

/* Delivered and discarded are final: such a version goes before another one that is there. */
static int insert_punch(struct copier *c)
{
	const struct leaf_record *r = &c->record;
	int taken = insert(c, TABLE_PUNCH), n;

	if (taken != 0 ||
		(r->values[2].number != PUNCH_DELIVERED && r->values[2].number != PUNCH_DISCARDED))
		return taken;
	sqlite3_bind_int64(c->unseat, 1, r->rowid);
	sqlite3_bind_blob64(c->unseat, 2, r->values[1].bytes, (sqlite3_uint64)r->values[1].length,
		SQLITE_STATIC);
	n = store_step_done(c->unseat);
	if (n < 0 || sqlite3_changes(c->to) == 0)
		return n;
	return insert(c, TABLE_PUNCH);
}

static int take_record(struct copier *c, enum table owner, enum leaf_kind kind)
{
	enum table t = table_of(owner, kind, &c->record);
	int r;

	if (t == TABLE_NONE && owner != TABLE_NONE)
		c->result->rows_bad++;
	if (t == TABLE_NONE || !table_insert(t))
		return 0;
	if (c->record.count < c->record.stated)
		c->result->rows_bad++;
	r = t == TABLE_PUNCH ? insert_punch(c) : insert(c, t);
	return r < 0 ? r : 0;
}

/* ---- the second look, at the identities: they know of rows that are gone */

static bool fits_identity(const struct copier *c, enum table owner, enum leaf_kind kind)
{
	return (owner == TABLE_IDENTITIES || owner == TABLE_NONE) &&
		table_fits(TABLE_IDENTITIES, kind, &c->record) &&
		c->record.values[0].length == IDENTITY_SIZE;
}

static int lose(struct copier *c, enum table owner)
{
	const uint8_t *b = c->record.values[0].bytes;

	sqlite3_bind_int64(c->lose, 1, c->record.values[1].number);
	/* A key of which nobody says that it is an identity has no hour in front. */
	sqlite3_bind_int64(c->lose, 2,
		owner == TABLE_NONE
			? 0
			: (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | b[3]);
	return store_step_done(c->lose);
}

/* A key and a row's number: of a row that is there, of one that is lost, or, where its tree does not
 * say, a fingerprint of a row without a time. */
static int take_identity(struct copier *c, enum table owner, enum leaf_kind kind)
{
	bool timed;
	int r;

	if (!fits_identity(c, owner, kind))
		return 0;
	sqlite3_bind_blob(c->find, 1, c->record.values[0].bytes, IDENTITY_SIZE, SQLITE_STATIC);
	r = store_step_row(c->find);
	sqlite3_reset(c->find);
	if (r != 0)
		return r < 0 ? r : 0;
	sqlite3_bind_int64(c->timed, 1, c->record.values[1].number);
	r = store_step_row(c->timed);
	timed = r > 0 && sqlite3_column_int(c->timed, 0);
	sqlite3_reset(c->timed);
	if (r == 0)
		return lose(c, owner);
	if (r < 0 || timed || owner == TABLE_IDENTITIES)
		return r < 0 ? r : 0;
	r = insert(c, TABLE_TIMELESS);
	return r < 0 ? r : 0;
}

/* ---- pages */

typedef int copy_take(struct copier *c, enum table owner, enum leaf_kind kind);

/* All records of a page. Returns 0 or an error of `to`; *ret_bad: not all could be read. */
static int take_page(struct copier *c, uint32_t number, copy_take *take, bool *ret_bad)
{
	enum table owner = (enum table)c->owners[number];
	struct leaf_page page = {.kind = LEAF_NONE};
	int r = 0;

	if (pages_read(c->from, number, c->bytes) == 0)
		leaf_look(c->from, number, c->bytes, &page);
	*ret_bad = owner != TABLE_NONE && page.kind == LEAF_NONE;
	if (page.kind == LEAF_NONE || page.kind == LEAF_TABLE_INNER)
		return 0;
	if (owner == TABLE_PURGED)
		c->result->purged_read = true;
	for (int i = 0; i < page.cells && r == 0; i++) {
		r = leaf_record(c->from, &page, i, &c->record);
		if (r == 0)
			r = take(c, owner, page.kind);
		if (r != -EUCLEAN)
			continue;
		*ret_bad |= owner != TABLE_NONE;
		r = 0;
	}
	return r;
}

/* What the log has comes first, its newest page before all: then the first version counts. */
static int take_all(struct copier *c, copy_take *take, int64_t *ret_bad)
{
	const struct pages *p = c->from;
	bool bad;
	int r = 0;

	*ret_bad = 0;
	for (uint32_t f = p->log.last; f > 0 && r == 0; f--) {
		uint32_t number = p->log.number[f];

		if (number == 0 || number > p->count || p->frame_of[number] != f)
			continue;
		r = take_page(c, number, take, &bad);
		*ret_bad += bad;
	}
	for (uint32_t number = 1; number <= p->count && r == 0; number++) {
		if (pages_in_log(p, number))
			continue;
		r = take_page(c, number, take, &bad);
		*ret_bad += bad;
	}
	return r;
}

static int count_lost(struct copier *c)
{
	sqlite3_stmt *stmt;
	int r = prepare(c,
		"SELECT count(*), coalesce(min(nullif(hour, 0)), 0) * 3600,"
		" coalesce(max(nullif(hour, 0)), 0) * 3600 FROM temp.lost",
		&stmt);

	if (r < 0)
		return r;
	r = store_step_row(stmt);
	if (r > 0) {
		c->result->lost = sqlite3_column_int64(stmt, 0);
		c->result->lost_from_s = sqlite3_column_int64(stmt, 1);
		c->result->lost_to_s = sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return r < 0 ? r : 0;
}

int copy_pages(const struct pages *from, sqlite3 *to, struct copy_result *ret)
{
	struct copier c = {.from = from, .to = to, .result = ret};
	int64_t again;
	int r;

	*ret = (struct copy_result){.lost = 0};
	c.owners = table_owners(from, to);
	c.bytes = malloc((size_t)from->page_size);
	r = c.owners && c.bytes ? prepare_all(&c) : -ENOMEM;
	if (r == 0)
		r = take_all(&c, take_record, &ret->pages_bad);
	if (r == 0)
		r = take_all(&c, take_identity, &again);
	if (r == 0)
		r = count_lost(&c);
	finalize_all(&c);
	leaf_record_done(&c.record);
	free(c.owners);
	free(c.bytes);
	return r;
}

/* ---- is it ours? */

static int has_punch(const struct pages *p, const struct leaf_page *page)
{
	struct leaf_record record = {0};
	int found = 0;

	for (int i = 0; i < page->cells && found == 0; i++) {
		found = leaf_record(p, page, i, &record);
		if (found != -ENOMEM)
			found = found == 0 && table_fits(TABLE_PUNCH, page->kind, &record);
	}
	leaf_record_done(&record);
	return found;
}

static bool has_our_mark(const uint8_t *page)
{
	static const uint8_t mark[4] = {SCHEMA_APPLICATION_ID >> 24 & 0xff,
		SCHEMA_APPLICATION_ID >> 16 & 0xff, SCHEMA_APPLICATION_ID >> 8 & 0xff,
		SCHEMA_APPLICATION_ID & 0xff};

	return memcmp(page + 68, mark, sizeof mark) == 0;
}

int copy_recognises(const struct pages *from)
{
	uint8_t *bytes = malloc((size_t)from->page_size);
	struct leaf_page page;
	int r = bytes ? 0 : -ENOMEM;

	for (uint32_t n = 1; r == 0 && n <= from->count; n++) {
		if (pages_read(from, n, bytes) < 0)
			continue;
		if (n == 1 && has_our_mark(bytes))
			r = 1;
		else if (leaf_look(from, n, bytes, &page) == LEAF_TABLE)
			r = has_punch(from, &page);
	}
	free(bytes);
	return r;
}
