#include "core/outbox.h"

#include <errno.h>
#include <inttypes.h>

#include "core/outbox_private.h"

const struct punch_place OUTBOX_PLACE_LAST = {.time_s = INT64_MAX};

static const char *line_key(const struct chain_node *node)
{
	return OUTBOX_OF(node, struct outbox_line, by_key)->key;
}

static const char *entry_key(const struct chain_node *node)
{
	return OUTBOX_OF(node, struct outbox_entry, by_seq)->name;
}

void outbox_init(struct outbox *o, uint64_t seed)
{
	*o = (struct outbox){.lines_max = OUTBOX_LINES, .cursor = PUNCH_PLACE_FIRST, .passes = 1};
	chain_init(&o->lines, seed, line_key);
	chain_init(&o->entries, seed, entry_key);
	outbox_lanes_init(o);
}

/* FNV-1a. A collision only makes a probe leave out one person too many. */
uint64_t outbox_user_hash(const char *user_id)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *user_id; user_id++)
		h = (h ^ (unsigned char)*user_id) * 0x100000001b3ULL;
	return h ? h : 1;
}

/* ---- places */

static bool is_after(const struct punch_place *a, const struct punch_place *b)
{
	return punch_place_compare(a, b) > 0;
}

static struct punch_place later_of(const struct punch_place *a, const struct punch_place *b)
{
	return is_after(a, b) ? *a : *b;
}

/* The last place before one. */
static struct punch_place place_before(const struct punch_place *place)
{
	struct punch_place before = *place;

	for (int i = IDENTITY_SIZE - 1; i >= 0; i--) {
		if (before.identity[i]-- > 0)
			return before;
	}
	if (before.time_s > INT64_MIN)
		before.time_s--;
	return before;
}

struct punch_place outbox_known(const struct outbox *o, const struct outbox_line *line)
{
	return line->cut ? line->known : later_of(&line->known, &o->cursor);
}

bool outbox_complete(const struct outbox *o)
{
	return punch_place_compare(&o->cursor, &OUTBOX_PLACE_LAST) == 0;
}

static void set_cut(struct outbox *o, struct outbox_line *line, bool cut)
{
	o->cuts += (size_t)cut;
	o->cuts -= (size_t)line->cut;
	line->cut = cut;
}

/* What is known of lines by the cursor stays known when it goes back. */
static void cursor_back(struct outbox *o, const struct punch_place *to)
{
	for (struct chain_node *n = chain_next(&o->lines, NULL); n; n = chain_next(&o->lines, n)) {
		struct outbox_line *line = OUTBOX_OF(n, struct outbox_line, by_key);

		if (!line->cut)
			line->known = later_of(&line->known, &o->cursor);
	}
	if (is_after(&o->cursor, to))
		o->cursor = *to;
}

/* ---- entries */

static void count_waiting(struct outbox *o, struct outbox_entry *e)
{
	bool waits = e->step == OUTBOX_WAITING;

	o->waiting += (size_t)waits;
	o->waiting -= (size_t)e->waits;
	e->waits = waits;
}

/* What the store knows as well. */
static bool is_forgettable(const struct outbox_entry *e)
{
	return e->step == OUTBOX_WAITING && !e->frozen;
}

struct outbox_entry *outbox_find(const struct outbox *o, int64_t seq)
{
	char name[24];
	struct chain_node *node;

	snprintf(name, sizeof name, "%" PRId64, seq);
	node = chain_find(&o->entries, name);
	return node ? OUTBOX_OF(node, struct outbox_entry, by_seq) : NULL;
}

static void unlink_entry(struct outbox *o, struct outbox_entry *e)
{
	struct outbox_entry **at = &e->line->first;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	chain_del(&o->entries, &e->by_seq);
	o->waiting -= (size_t)e->waits;
	free(e);
}

/* Into its line, by place. Returns 0, also where it is there already, or -ENOMEM. */
static int link_entry(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p)
{
	struct outbox_entry **at = &line->first, *e;

	if (outbox_find(o, p->seq))
		return 0;
	e = calloc(1, sizeof *e);
	if (!e || chain_reserve(&o->entries) < 0) {
		free(e);
		return -ENOMEM;
	}
	e->line = line;
	e->seq = p->seq;
	e->place = p->place;
	e->frozen = p->frozen;
	e->in_doubt = p->in_doubt;
	e->awaits = p->in_doubt && p->await_us > 0;
	e->not_before_us = e->awaits ? p->await_us : 0;
	snprintf(e->name, sizeof e->name, "%" PRId64, p->seq);
	while (*at && is_after(&p->place, &(*at)->place))
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	chain_add(&o->entries, &e->by_seq);
	count_waiting(o, e);
	return 0;
}

/* ---- lines */

static void key_of(const struct outbox_punch *p, char ret[static OUTBOX_KEY_SIZE])
{
	if (p->alone)
		snprintf(ret, OUTBOX_KEY_SIZE, "%" PRId64, p->seq);
	else
		snprintf(ret, OUTBOX_KEY_SIZE, "%" PRId32 " %s", p->day, p->user_id);
}

static struct outbox_line *find_line(const struct outbox *o, const struct outbox_punch *p)
{
	char key[OUTBOX_KEY_SIZE];
	struct chain_node *node;

	key_of(p, key);
	node = chain_find(&o->lines, key);
	return node ? OUTBOX_OF(node, struct outbox_line, by_key) : NULL;
}

static void free_line(struct outbox *o, struct outbox_line *line)
{
	while (line->first)
		unlink_entry(o, line->first);
	if (line->lane)
		heap_del(line->lane, &line->in_lane);
	set_cut(o, line, false);
	chain_del(&o->lines, &line->by_key);
	free(line);
}

size_t outbox_lines(const struct outbox *o)
{
	return o->lines.used;
}

static struct outbox_line *new_line(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_line *line = calloc(1, sizeof *line);

	if (!line || chain_reserve(&o->lines) < 0 ||
		outbox_lanes_reserve(o, outbox_lines(o) + 1) < 0) {
		free(line);
		return NULL;
	}
	key_of(p, line->key);
	snprintf(line->user_id, sizeof line->user_id, "%s", p->user_id);
	line->user = outbox_user_hash(p->user_id);
	line->day = p->day;
	line->alone = p->alone;
	line->known = p->alone ? OUTBOX_PLACE_LAST : PUNCH_PLACE_FIRST;
	chain_add(&o->lines, &line->by_key);
	return line;
}

void outbox_done(struct outbox *o)
{
	struct chain_node *n;

	while ((n = chain_next(&o->lines, NULL)))
		free_line(o, OUTBOX_OF(n, struct outbox_line, by_key));
	chain_done(&o->lines);
	chain_done(&o->entries);
	outbox_lanes_done(o);
}

/* It changed: away with it where it is empty, else into its lane. */
static void settle_line(struct outbox *o, struct outbox_line *line)
{
	if (!line->first && !line->cut)
		free_line(o, line);
	else
		outbox_line_place(o, line);
}

/* The first few are enough: the others are read again when their turn comes. */
static void trim(struct outbox *o, struct outbox_line *line)
{
	size_t count = 0;
	struct outbox_entry *last = NULL;
	struct punch_place known;

	for (struct outbox_entry *e = line->first; e; e = e->next) {
		count += is_forgettable(e);
		if (is_forgettable(e))
			last = e;
	}
	if (count <= OUTBOX_LINE_MAX)
		return;
	known = outbox_known(o, line);
	line->known = place_before(&last->place);
	if (is_after(&line->known, &known))
		line->known = known;
	set_cut(o, line, true);
	unlink_entry(o, last);
}

/* ---- room */

static bool is_idle(const struct outbox_line *line)
{
	for (const struct outbox_entry *e = line->first; e; e = e->next) {
		if (!is_forgettable(e))
			return false;
	}
	return !line->is_live;
}

/* Where a line is forgotten, it is to be read again from here. */
static struct punch_place begins_behind(const struct outbox_line *line)
{
	if (line->first && (!line->cut || is_after(&line->known, &line->first->place)))
		return place_before(&line->first->place);
	return line->known;
}

/* The idle line that comes last, to be read again later. */
static struct outbox_line *last_idle(const struct outbox *o)
{
	struct outbox_line *last = NULL;

	for (struct chain_node *n = chain_next(&o->lines, NULL); n; n = chain_next(&o->lines, n)) {
		struct outbox_line *line = OUTBOX_OF(n, struct outbox_line, by_key);

		if (is_idle(line) && (!last || is_after(&line->at, &last->at)))
			last = line;
	}
	return last;
}

/* Room for a line that begins at this place. Returns 0 or -ENOSPC. */
static int make_room(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_line *last;
	struct punch_place begin;

	if (outbox_lines(o) < o->lines_max)
		return 0;
	last = last_idle(o);
	if (!last || (!p->live && !is_after(&last->at, &p->place)))
		return -ENOSPC;
	begin = begins_behind(last);
	cursor_back(o, &begin);
	free_line(o, last);
	return 0;
}

/* ---- what is queued */

int outbox_read(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_line *line = find_line(o, p);
	struct punch_place known;
	int r = 0;

	if (!line) {
		if (outbox_lines(o) >= o->lines_max)
			return -ENOSPC;
		line = new_line(o, p);
		if (!line)
			return -ENOMEM;
	}
	known = outbox_known(o, line);
	/* The cursor comes to it just now; a line that is cut is read by itself. */
	if (!line->cut || !is_after(&p->place, &known))
		r = link_entry(o, line, p);
	if (r == 0) {
		o->cursor = p->place;
		trim(o, line);
	}
	settle_line(o, line);
	return r;
}

void outbox_read_all(struct outbox *o)
{
	o->cursor = OUTBOX_PLACE_LAST;
	/* What lay behind the cursor may go now. */
	for (struct chain_node *n = chain_next(&o->lines, NULL); n; n = chain_next(&o->lines, n))
		outbox_line_place(o, OUTBOX_OF(n, struct outbox_line, by_key));
}

/* Into a line that is here; what lies behind what is known of it is in the store. */
static int take_in(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p)
{
	struct punch_place known = outbox_known(o, line);
	int r = 0;

	if (!is_after(&p->place, &known)) {
		r = link_entry(o, line, p);
	} else if (p->live && !line->cut) {
		/* It does not wait for the cursor. */
		line->known = known;
		set_cut(o, line, true);
	}
	if (r == 0 && p->live && !p->alone)
		outbox_make_live(o, line, p);
	trim(o, line);
	settle_line(o, line);
	return r;
}

int outbox_came(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_line *line = find_line(o, p);
	bool covered = !is_after(&p->place, &o->cursor);
	struct punch_place before = place_before(&p->place);

	if (line)
		return take_in(o, line, p);
	if (!covered && (!p->live || p->alone))
		return 0;
	if (make_room(o, p) < 0) {
		cursor_back(o, &before);
		return 0;
	}
	/* Making room may have moved the cursor back. */
	covered = !is_after(&p->place, &o->cursor);
	line = new_line(o, p);
	if (!line)
		return -ENOMEM;
	set_cut(o, line, !covered && p->live && !p->alone);
	return take_in(o, line, p);
}

int outbox_came_frozen(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_line *line = find_line(o, p);
	struct outbox_entry *e;
	int r;

	if (!line && make_room(o, p) < 0)
		return -ENOSPC;
	if (!line)
		line = new_line(o, p);
	if (!line)
		return -ENOMEM;
	r = link_entry(o, line, p);
	e = outbox_find(o, p->seq);
	if (e) {
		e->step = OUTBOX_SENDING;
		count_waiting(o, e);
	}
	settle_line(o, line);
	return r;
}

int outbox_line_read(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p)
{
	size_t waiting = 0;

	if (link_entry(o, line, p) < 0)
		return -ENOMEM;
	line->known = p->place;
	outbox_line_place(o, line);
	for (struct outbox_entry *e = line->first; e; e = e->next)
		waiting += e->step == OUTBOX_WAITING;
	return waiting >= OUTBOX_LINE_MAX;
}

void outbox_line_read_all(struct outbox *o, struct outbox_line *line)
{
	line->known = OUTBOX_PLACE_LAST;
	set_cut(o, line, false);
	settle_line(o, line);
}

void outbox_rewind(struct outbox *o)
{
	struct chain_node *n = chain_next(&o->lines, NULL), *next;

	o->cursor = PUNCH_PLACE_FIRST;
	for (; n; n = next) {
		struct outbox_line *line = OUTBOX_OF(n, struct outbox_line, by_key);
		struct outbox_entry *e = line->first, *after;

		next = chain_next(&o->lines, n);
		for (; e; e = after) {
			after = e->next;
			if (is_forgettable(e))
				unlink_entry(o, e);
		}
		if (!line->alone) {
			line->known = PUNCH_PLACE_FIRST;
			set_cut(o, line, line->first || line->is_live);
		}
		settle_line(o, line);
	}
}

/* ---- one of them */

void outbox_changed(struct outbox *o, struct outbox_entry *e)
{
	count_waiting(o, e);
	outbox_line_place(o, e->line);
}

void outbox_end_backoffs(struct outbox *o)
{
	for (struct chain_node *n = chain_next(&o->entries, NULL); n;
		n = chain_next(&o->entries, n)) {
		struct outbox_entry *e = OUTBOX_OF(n, struct outbox_entry, by_seq);

		if (e->conflicts > 0 || e->awaits)
			continue;
		e->not_before_us = e->backoff_ms = 0;
		outbox_changed(o, e);
	}
}

void outbox_remove(struct outbox *o, int64_t seq)
{
	struct outbox_entry *e = outbox_find(o, seq);
	struct outbox_line *line;

	if (!e)
		return;
	line = e->line;
	unlink_entry(o, e);
	settle_line(o, line);
}

/* What was learnt of it in this run goes with it. */
static void keep_facts(struct outbox *o, const struct outbox_entry *old)
{
	struct outbox_entry *e = outbox_find(o, old->seq);

	if (!e)
		return;
	e->left = old->left;
	e->gave_way = old->gave_way;
	e->conflicts = old->conflicts;
	e->tries = old->tries;
	e->failed_in = old->failed_in;
}

bool outbox_move(struct outbox *o, const struct outbox_punch *p)
{
	struct outbox_entry *e = outbox_find(o, p->seq), old;
	char key[OUTBOX_KEY_SIZE];

	key_of(p, key);
	if (!e || (e->place.time_s == p->place.time_s && strcmp(e->line->key, key) == 0))
		return false;
	old = *e;
	outbox_remove(o, p->seq);
	if (outbox_came(o, p) < 0)
		outbox_rewind(o);
	keep_facts(o, &old);
	return true;
}

bool outbox_is_overtaken(const struct outbox *o, const struct outbox_entry *e)
{
	struct punch_place known = outbox_known(o, e->line);

	if (is_after(&e->place, &known))
		return true; /* an earlier one may be in the store */
	for (const struct outbox_entry *other = e->line->first; other != e; other = other->next) {
		if (other->step != OUTBOX_DONE)
			return true;
	}
	return false;
}

bool outbox_may_go_at_once(const struct outbox *o, const struct outbox_punch *p)
{
	const struct outbox_line *line = find_line(o, p);

	if (!outbox_complete(o) || o->waiting > 0 || o->cuts > 0)
		return false;
	for (const struct outbox_entry *e = line ? line->first : NULL; e; e = e->next) {
		if (e->step != OUTBOX_DONE && is_after(&p->place, &e->place))
			return false;
	}
	return true;
}
