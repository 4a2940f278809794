/* Which punch goes next: what the outbox wants to know of the store, and what it chooses. */
#include <errno.h>

#include "core/workday.h"
#include "daemon/forward_private.h"
#include "store/store_punch.h"

#define READS_MAX 8   /* of one choice: then the loop runs first */
#define LIVE_ROWS 256 /* after a start so many are looked at for live ones */
#define LIVE_US   (10 * 60 * CLOCK_US_PER_S)

struct forward_bounds forward_bounds = {.read_rows = 512, .lines = OUTBOX_LINES};

/* Whether a punch is of just now, not one that a terminal had kept: people look for it. */
static bool is_live(const struct forward *f, const struct punch *p)
{
	int64_t now_us = loop_now(f->context->loop).wall_us, late_us;

	late_us = p->received_us - p->time_s * CLOCK_US_PER_S;
	return !(p->flags & FLAG_STORED) && late_us < LIVE_US && late_us > -LIVE_US &&
		now_us - p->received_us < LIVE_US;
}

void forward_outbox_punch(const struct forward *f, const struct punch *p, struct outbox_punch *ret)
{
	*ret = (struct outbox_punch){
		.seq = p->seq,
		.place = punch_place(p),
		.user_id = p->user_id,
		.day = context_workday(f->context, p),
		.alone = p->flags & FLAG_RELEASED,
		.live = is_live(f, p),
		.terminal = p->terminal,
		.frozen = p->frozen_us != 0,
		/* Frozen, and not by this run, which keeps its own here: it may have been sent. */
		.in_doubt = p->frozen_us != 0,
		/* What a person let go does not wait. */
		.await_us = p->frozen_us != 0 && !(p->flags & FLAG_RELEASED)
			? forward_await_us(f, f->made_us)
			: 0,
	};
}

/* ---- reading the queue */

struct reading {
	struct forward *f;
	int error;
};

static int read_one(void *arg, const struct punch *p)
{
	struct reading *reading = arg;
	struct outbox_punch o;

	forward_outbox_punch(reading->f, p, &o);
	reading->error = outbox_read(&reading->f->outbox, &o);
	return reading->error;
}

/* Read on behind the cursor. Returns 0 or an error. */
static int read_queue(struct forward *f)
{
	struct reading reading = {.f = f};
	struct punch_place cursor = f->outbox.cursor;
	int rows = forward_bounds.read_rows;
	int n = store_outbox_read(f->context->store, &cursor, rows, read_one, &reading);

	if (reading.error == -ENOSPC)
		return 0;
	if (n >= 0 && n < rows)
		outbox_read_all(&f->outbox);
	return n < 0 ? n : 0;
}

/* ---- reading one line */

struct line_reading {
	struct forward *f;
	struct outbox_line *line;
	int error;
	bool enough;
};

static int read_of_line(void *arg, const struct punch *p)
{
	struct line_reading *reading = arg;
	struct outbox_punch o;
	int r = 0;

	forward_outbox_punch(reading->f, p, &o);
	if (!o.alone && o.day == reading->line->day)
		r = outbox_line_read(&reading->f->outbox, reading->line, &o);
	reading->error = r < 0 ? r : 0;
	reading->enough = r > 0;
	return r;
}

static int read_line(struct forward *f, struct outbox_line *line)
{
	struct line_reading reading = {.f = f, .line = line};
	const struct context *c = f->context;
	struct punch_place after = line->known;
	char user_id[sizeof line->user_id];
	int64_t from_s, to_s;
	int n;

	workday_span(c->zone, (int32_t)c->config.site.day_start_s, line->day, &from_s, &to_s);
	if (after.time_s < from_s)
		after = (struct punch_place){.time_s = from_s};
	memcpy(user_id, line->user_id, sizeof user_id);
	n = store_outbox_read_person(c->store, user_id, &after, to_s, read_of_line, &reading);
	if (n < 0)
		return n;
	if (!reading.enough)
		outbox_line_read_all(&f->outbox, line);
	return 0;
}

/* ---- after a start */

static int keep_live(void *arg, const struct punch *p)
{
	struct forward *f = arg;
	struct outbox_punch o;

	forward_outbox_punch(f, p, &o);
	return o.live ? outbox_came(&f->outbox, &o) : 0;
}

/* Punches of just before the start are live still, and may stand far behind a backlog. */
static int look_for_live(struct forward *f)
{
	const struct store_filter filter = {
		.state = PUNCH_QUEUED, .from_s = INT64_MIN, .to_s = INT64_MAX, .limit = LIVE_ROWS};
	int64_t next;
	int n;

	if (f->looked_for_live)
		return 0;
	n = read_queue(f);
	if (n == 0 && !outbox_complete(&f->outbox))
		n = store_punch_list(f->context->store, &filter, keep_live, f, &next);
	f->looked_for_live = n >= 0;
	return n < 0 ? n : 0;
}

/* ---- choosing */

/* One more. Returns 1 with its seq, 0 where there is none now, or an error. */
static int choose(
	struct forward *f, uint64_t not_user, int *reads, int64_t *ret_seq, int64_t *ret_due_us)
{
	struct outbox_choice choice;
	int r = 0;

	for (;;) {
		enum outbox_need need = outbox_next(
			&f->outbox, forward_now_mono(f), not_user, &choice);

		switch (need) {
		case OUTBOX_GO: *ret_seq = choice.entry->seq; return 1;
		case OUTBOX_LINE: r = read_line(f, choice.line); break;
		case OUTBOX_READ:
			if (++*reads > READS_MAX)
				return 0;
			r = read_queue(f);
			break;
		case OUTBOX_NONE: *ret_due_us = choice.due_us; return 0;
		}
		if (r < 0)
			return r;
	}
}

int forward_pick(struct forward *f, size_t most, int64_t *ret_seqs, size_t *ret_count)
{
	uint64_t not_user = api_client_probing(f->client) ? f->failed_user : 0;
	int64_t due_us = INT64_MAX;
	int reads = 0, r = look_for_live(f);
	size_t n = 0;

	*ret_count = 0;
	while (r >= 0 && n < most) {
		r = choose(f, not_user, &reads, &ret_seqs[n], &due_us);
		if (r == 0 && (not_user == 0 || n > 0))
			break;
		if (r == 0)
			not_user = 0; /* there is nobody else */
		else if (r > 0)
			n++;
	}
	*ret_count = n;
	if (n == 0 && reads > READS_MAX)
		forward_wake(f);
	else if (n == 0 && due_us < INT64_MAX)
		forward_wake_in(f, due_us - forward_now_mono(f));
	return r < 0 ? r : 0;
}
