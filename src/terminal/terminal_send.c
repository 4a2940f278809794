#include "terminal/terminal_private.h"

#include "base/buf.h"

#define RESEND_DOUBLINGS 4
#define MESSAGE_MAX      (1 << 20)

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The records from first on, at most count, as one message: an object, or an array. */
static int publish(struct terminal *t, struct record *first, int64_t count)
{
	const struct options *o = t->env->options;
	struct record *r = first;
	struct buf b;
	int mid = 0, error;

	buf_init(&b, MESSAGE_MAX);
	if (o->batch > 1)
		buf_add_char(&b, '[');
	for (int64_t i = 0; i < count; i++, r = TAILQ_NEXT(r, entry)) {
		if (i > 0)
			buf_add_char(&b, ',');
		buf_add_str(&b, r->body);
	}
	if (o->batch > 1)
		buf_add_char(&b, ']');
	error = buf_error(&b);
	if (error == 0)
		error = link_publish(
			t->link, t->names.punch, b.data, b.len, (int)o->qos, o->retain, &mid);
	buf_done(&b);
	r = first;
	for (int64_t i = 0; error == 0 && i < count; i++, r = TAILQ_NEXT(r, entry)) {
		t->env->tally.resent += r->sent_before;
		r->sent_before = true;
		r->tries++;
		r->sent_us = clock_now().mono_us;
		r->mid = mid;
	}
	return error;
}

/* How many of the waiting records make the next message; 0: none yet. */
static int64_t next_group(const struct terminal *t)
{
	const struct options *o = t->env->options;
	int64_t room = o->window - shelf_count(&t->shelf, SHELF_FLYING);

	if (shelf_count(&t->shelf, SHELF_WAITING) == 0 || room <= 0)
		return 0;
	if (shelf_count(&t->shelf, SHELF_WAITING) >= o->batch)
		return o->batch;
	/* An incomplete batch goes when there will be no more, and when there was a time without a
	 * connection, as a terminal empties its memory then. */
	return t->hurry || terminal_all_made(t) ? shelf_count(&t->shelf, SHELF_WAITING) : 0;
}

void terminal_send_waiting(struct terminal *t)
{
	int64_t n;

	while (link_is_up(t->link) && (n = next_group(t)) > 0) {
		if (publish(t, shelf_first(&t->shelf, SHELF_WAITING), n) < 0)
			return;
		shelf_launch(&t->shelf, n);
		if (t->next_resend_us == TERMINAL_NEVER)
			t->next_resend_us = clock_now().mono_us + t->env->options->resend_ms * 1000;
	}
	if (shelf_count(&t->shelf, SHELF_WAITING) == 0)
		t->hurry = false;
}

/* The wait doubles, or a gateway that is slower than it would be drowned by what is sent again. */
static int64_t resend_at_us(const struct terminal *t, const struct record *r)
{
	int doublings = r->tries - 1 < RESEND_DOUBLINGS ? r->tries - 1 : RESEND_DOUBLINGS;

	return r->sent_us + (t->env->options->resend_ms * 1000 << doublings);
}

/* How many records from r on are overdue together, up to a batch. */
static int64_t overdue(const struct terminal *t, const struct record *r, int64_t now_us)
{
	int64_t n = 0;

	for (; r && n < t->env->options->batch && resend_at_us(t, r) <= now_us;
		r = TAILQ_NEXT(r, entry))
		n++;
	return n;
}

void terminal_resend_due(struct terminal *t, int64_t now_us)
{
	struct record *r = shelf_first(&t->shelf, SHELF_FLYING);

	if (now_us < t->next_resend_us)
		return;
	t->next_resend_us = TERMINAL_NEVER;
	while (r) {
		int64_t n = overdue(t, r, now_us);

		if (n > 0 && publish(t, r, n) < 0)
			return;
		for (n = n ? n : 1; n > 0; n--) {
			t->next_resend_us = earlier(t->next_resend_us, resend_at_us(t, r));
			r = TAILQ_NEXT(r, entry);
		}
	}
}
