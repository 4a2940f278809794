#include "judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

#define WINDOW_S 60
#define SHIFT_S  (12 * 3600)
#define RELEASED 512
/* by a person who let a double tap go: of which of the two sides the other one lay */
#define BESIDE_EARLIER 4096
#define BESIDE_LATER   8192

static struct judged *rows;
static int count, size;

static void read_row(sqlite3_stmt *s)
{
	struct judged *r;

	if (count == size) {
		size = size ? size * 2 : 1024;
		rows = realloc(rows, (size_t)size * sizeof *rows);
		assert(rows);
	}
	r = &rows[count++];
	*r = (struct judged){.seq = sqlite3_column_int64(s, 0),
		.time_s = sqlite3_column_int64(s, 1),
		.terminal = sqlite3_column_int64(s, 2),
		.state = sqlite3_column_int(s, 5),
		.reason = sqlite3_column_int(s, 6),
		.flags = sqlite3_column_int(s, 7),
		.sent = sqlite3_column_int(s, 8),
		.type = sqlite3_column_int(s, 9),
		.frozen = sqlite3_column_int(s, 10) != 0,
		.amended = sqlite3_column_int(s, 11) != 0};
	memcpy(r->identity, sqlite3_column_blob(s, 3), sizeof r->identity);
	snprintf(r->who, sizeof r->who, "%s", laws_column(s, 4));
}

static bool same_terminal_near(const struct judged *a, const struct judged *b)
{
	return a->terminal == b->terminal && llabs(a->time_s - b->time_s) <= WINDOW_S;
}

/* Whether b suppresses a; spared: the side of b on which a lies. */
static bool suppresses(const struct judged *b, const struct judged *a, int spared)
{
	return same_terminal_near(a, b) && !(a->sent && b->sent && a->sent != b->sent) &&
		!(b->flags & spared);
}

/* from … to - 1 are one person's, in order. */
static void judge_doubles(int from, int to)
{
	for (int i = from; i < to; i++) {
		struct judged *r = &rows[i];
		int before = i - 1, after = i + 1;

		if (r->frozen || r->flags & RELEASED || r->state == STATE_PARKED)
			continue;
		while (before >= from &&
			(rows[before].doubled || rows[before].terminal != r->terminal))
			before--;
		/* What was released beside an earlier one stands between, frozen or not. */
		while (after < to &&
			!(same_terminal_near(r, &rows[after]) &&
				(rows[after].frozen || rows[after].flags & BESIDE_EARLIER)))
			after++;
		r->doubled = (before >= from && suppresses(&rows[before], r, BESIDE_LATER)) ||
			(after < to && suppresses(&rows[after], r, BESIDE_EARLIER));
	}
}

static int opposite_of(int way)
{
	return way == 1 ? 2 : 1;
}

static void judge_ways(int from, int to)
{
	for (int i = from; i < to; i++) {
		struct judged *r = &rows[i];
		int before = i - 1;

		while (before >= from && rows[before].doubled)
			before--;
		if (r->frozen || r->amended)
			r->way = r->type;
		else if (r->sent)
			r->way = r->sent;
		else if (r->doubled)
			r->way = 0;
		else if (before >= from &&
			(laws_day_start(rows[before].time_s) == laws_day_start(r->time_s) ||
				r->time_s - rows[before].time_s <= SHIFT_S))
			r->way = opposite_of(rows[before].way);
		else
			r->way = 1;
	}
}

static void judge_clashes(int from, int to)
{
	for (int i = from; i < to; i++) {
		struct judged *r = &rows[i];
		int after = i + 1;

		while (after < to && rows[after].doubled)
			after++;
		r->clashes = !r->frozen && !r->amended && !r->sent && !r->doubled && after < to &&
			rows[after].frozen && rows[after].way == r->way &&
			laws_day_start(rows[after].time_s) == laws_day_start(r->time_s);
	}
}

void judge_all(void)
{
	int from = 0;

	count = 0;
	while (sqlite3_step(watcher.timed) == SQLITE_ROW)
		read_row(watcher.timed);
	sqlite3_reset(watcher.timed);
	for (int i = 1; i <= count; i++) {
		if (i < count && strcmp(rows[i].who, rows[from].who) == 0)
			continue;
		judge_doubles(from, i);
		judge_ways(from, i);
		judge_clashes(from, i);
		from = i;
	}
}

void judge_done(void)
{
	free(rows);
	rows = NULL;
	count = size = 0;
}

const struct judged *judge_of(int64_t seq)
{
	for (int i = 0; i < count; i++) {
		if (rows[i].seq == seq)
			return &rows[i];
	}
	return NULL;
}

static void stands(const struct judged *r)
{
	static const char *const ways[] = {"no way", "check_in", "check_out"};

	LAW((r->state == STATE_SUPPRESSED) == r->doubled, "double taps",
		"row %lld of %s is %sa double tap, and in state %d", (long long)r->seq, r->who,
		r->doubled ? "" : "not ", r->state);
	LAW(r->way == r->type, "directions", "row %lld of %s is %s, not %s", (long long)r->seq,
		r->who, ways[r->type], ways[r->way]);
	LAW(r->state != STATE_QUEUED || !r->clashes, "directions",
		"row %lld of %s is queued, and goes the way of the next one, which is frozen",
		(long long)r->seq, r->who);
	LAW(r->state != STATE_HELD || r->reason != REASON_WAY_ || r->clashes, "directions",
		"row %lld of %s is held for its direction, and has one", (long long)r->seq, r->who);
}

void judge_rows_stand(void)
{
	for (int i = 0; i < count; i++) {
		if (!rows[i].frozen && rows[i].state != STATE_PARKED)
			stands(&rows[i]);
	}
}
