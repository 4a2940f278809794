/* Which punch of the outbox is next: the lanes of its lines. */
#include "base/strhash.h"
#include "core/outbox_private.h"

static const struct outbox_line *line_of(const struct heap_node *node)
{
	return OUTBOX_OF(node, const struct outbox_line, in_lane);
}

static bool has_turn_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct outbox_line *x = line_of(a), *y = line_of(b);

	return x->turn != y->turn ? x->turn < y->turn : punch_place_compare(&x->at, &y->at) < 0;
}

static bool is_older(const struct heap_node *a, const struct heap_node *b)
{
	return punch_place_compare(&line_of(a)->at, &line_of(b)->at) < 0;
}

static bool is_due_before(const struct heap_node *a, const struct heap_node *b)
{
	return line_of(a)->due_us < line_of(b)->due_us;
}

void outbox_lanes_init(struct outbox *o)
{
	heap_init(&o->live, has_turn_before);
	heap_init(&o->backlog, is_older);
	heap_init(&o->later, is_due_before);
}

void outbox_lanes_done(struct outbox *o)
{
	heap_done(&o->live);
	heap_done(&o->backlog);
	heap_done(&o->later);
}

int outbox_lanes_reserve(struct outbox *o, size_t lines)
{
	int r = heap_reserve(&o->live, lines);

	r = r < 0 ? r : heap_reserve(&o->backlog, lines);
	return r < 0 ? r : heap_reserve(&o->later, lines);
}

/* ---- lanes */

/* Each terminal's next turn comes after its last one, and no terminal saves up turns. */
static void give_turn(struct outbox *o, struct outbox_line *line)
{
	uint64_t *next = &o->next_turn[line->terminal];

	line->turn = *next > o->turn ? *next : o->turn + 1;
	*next = line->turn + 1;
}

void outbox_make_live(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p)
{
	if (!line->is_live || punch_place_compare(&p->place, &line->live) > 0)
		line->live = p->place;
	if (line->is_live)
		return;
	line->is_live = true;
	line->terminal = strhash(0, p->terminal) % OUTBOX_TERMINALS;
	give_turn(o, line);
}

struct outbox_entry *outbox_head(const struct outbox *o, const struct outbox_line *line)
{
	struct punch_place known = outbox_known(o, line);
	struct outbox_entry *e = line->first;

	while (e && e->step == OUTBOX_DONE)
		e = e->next;
	return e && punch_place_compare(&e->place, &known) <= 0 ? e : NULL;
}

static struct heap *lane_of(struct outbox *o, struct outbox_line *line)
{
	const struct outbox_entry *head = outbox_head(o, line);

	line->at = head ? head->place : outbox_known(o, line);
	if (line->is_live && punch_place_compare(&line->at, &line->live) > 0)
		line->is_live = false;
	if (head && head->step == OUTBOX_SENDING)
		return NULL;
	if (head && head->not_before_us > 0) {
		line->due_us = head->not_before_us;
		return &o->later;
	}
	if (!head && !line->cut)
		return NULL; /* all that is known is under way or done; the cursor comes by */
	return line->is_live ? &o->live : &o->backlog;
}

void outbox_line_place(struct outbox *o, struct outbox_line *line)
{
	if (line->lane)
		heap_del(line->lane, &line->in_lane);
	line->lane = lane_of(o, line);
	if (line->lane)
		heap_add(line->lane, &line->in_lane);
}

/* ---- choice */

static struct outbox_line *first_line(const struct heap *lane)
{
	struct heap_node *node = heap_first(lane);

	return node ? OUTBOX_OF(node, struct outbox_line, in_lane) : NULL;
}

/* Those whose own backoff is over. */
static void bring_back(struct outbox *o, int64_t now_us)
{
	struct outbox_line *line;

	while ((line = first_line(&o->later)) && line->due_us <= now_us) {
		struct outbox_entry *head = outbox_head(o, line);

		head->not_before_us = 0;
		head->awaits = false;
		outbox_line_place(o, line);
	}
}

/* Whether the store may have older ones than are here. */
static bool should_read(const struct outbox *o)
{
	const struct outbox_line *oldest = first_line(&o->backlog);

	return !outbox_complete(o) && outbox_lines(o) < o->lines_max &&
		(!oldest || punch_place_compare(&oldest->at, &o->cursor) > 0);
}

/* The line whose turn it is, or NULL: nothing, or to be read on. */
static struct outbox_line *choose_line(const struct outbox *o, bool *ret_read)
{
	struct outbox_line *live = first_line(&o->live), *oldest = first_line(&o->backlog);

	*ret_read = should_read(o);
	if (live && (o->live_run < OUTBOX_LIVE_RUN || (!oldest && !*ret_read))) {
		*ret_read = false;
		return live;
	}
	return *ret_read ? NULL : oldest;
}

/* It has had its turn in its lane. */
static void pass_turn(struct outbox *o, struct outbox_line *line)
{
	if (line->lane != &o->live) {
		o->live_run = 0;
		return;
	}
	o->turn = line->turn > o->turn ? line->turn : o->turn;
	o->live_run += o->live_run < OUTBOX_LIVE_RUN;
	give_turn(o, line);
}

static enum outbox_need take(
	struct outbox *o, struct outbox_line *line, bool probe, struct outbox_choice *ret)
{
	struct outbox_entry *head = outbox_head(o, line);

	ret->line = line;
	if (!head)
		return OUTBOX_LINE;
	/* A probe takes nobody's turn: else each would be another's, and freeze one more. */
	if (!probe)
		pass_turn(o, line);
	head->step = OUTBOX_SENDING;
	outbox_changed(o, head);
	ret->entry = head;
	return OUTBOX_GO;
}

static bool has_failed(const struct outbox *o, const struct outbox_line *line)
{
	const struct outbox_entry *head = outbox_head(o, line);

	return head && head->failed_in == o->passes;
}

void outbox_failed(struct outbox *o, struct outbox_entry *e)
{
	e->failed_in = o->passes;
}

void outbox_passed(struct outbox *o)
{
	o->passes++;
}

/* As choose_line, but for those of a person, and perhaps those that failed. */
static struct outbox_line *choose_line_but(
	struct outbox *o, uint64_t not_user, bool not_failed, bool *ret_read)
{
	struct outbox_line *line, *aside = NULL, *next;

	while ((line = choose_line(o, ret_read)) &&
		(line->user == not_user || (not_failed && has_failed(o, line)))) {
		heap_del(line->lane, &line->in_lane);
		line->lane = NULL;
		line->aside = aside;
		aside = line;
	}
	for (; aside; aside = next) {
		next = aside->aside;
		outbox_line_place(o, aside);
	}
	return line;
}

enum outbox_need outbox_next(
	struct outbox *o, int64_t now_us, uint64_t not_user, struct outbox_choice *ret)
{
	enum outbox_need need = OUTBOX_NONE;
	struct outbox_line *line;
	bool read;

	*ret = (struct outbox_choice){.due_us = INT64_MAX};
	bring_back(o, now_us);
	line = not_user ? choose_line_but(o, not_user, true, &read) : choose_line(o, &read);
	if (not_user && !line && !read)
		line = choose_line_but(o, not_user, false, &read);
	if (line)
		need = take(o, line, not_user != 0, ret);
	else if (read)
		need = OUTBOX_READ;
	if (need == OUTBOX_NONE && first_line(&o->later))
		ret->due_us = first_line(&o->later)->due_us;
	return need;
}
