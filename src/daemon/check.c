#include "daemon/check.h"

#include <errno.h>

#include "base/log.h"
#include "daemon/view.h"
#include "store/store_check.h"

#define SLICE_US 3000 /* of counting */
#define PAUSE_MS 3    /* between two slices: intake and forwarding have at least half of the time */
#define ROWS     128  /* between two looks at the clock; a slow card reads their pages in time */

struct check {
	struct context *context;
	struct loop_timer *timer;
	struct store_check *store; /* NULL: it has not begun, or none runs */
	int64_t number;            /* of the one that runs, or ran last; 0: none ever did */
	bool runs;
	/* how the last one ended */
	int64_t ended; /* its number */
	int64_t ended_us;
	const char *result;
	char words[STORE_WORDS_MAX];
};

static void end(struct check *c, const char *result, const char *words)
{
	store_check_free(c->store);
	c->store = NULL;
	c->runs = false;
	c->ended = c->number;
	c->ended_us = loop_now(c->context->loop).wall_us;
	c->result = result;
	snprintf(c->words, sizeof c->words, "%s", words);
}

static void end_counted(struct check *c, enum store_verdict verdict, const char *words)
{
	int64_t rows, of;

	store_check_progress(c->store, &rows, &of);
	switch (verdict) {
	case STORE_COUNTING: return;
	case STORE_HOLDS:
		log_info("check", "every punch is in exactly one state", LOG_I("rows", rows));
		end(c, "holds", words);
		return;
	case STORE_BROKEN:
		log_error("check",
			"the store's counts do not add up: keep a copy of it, and report this",
			LOG_S("why", words), LOG_S("path", c->context->config.store.path));
		end(c, "broken", words);
		return;
	}
}

static void end_failed(struct check *c, int error, const char *words, bool fatal)
{
	log_error("check", "the store's rows could not be counted", LOG_S("error", words));
	end(c, "failed", words);
	if (fatal && store_is_fatal(error))
		context_store_failed(c->context, error, "counting every punch");
}

static void slice(struct check *c)
{
	int64_t until_us = loop_now(c->context->loop).mono_us + SLICE_US;
	enum store_verdict verdict = STORE_COUNTING;
	char words[STORE_WORDS_MAX] = "";
	int r = 0;

	while (r == 0 && verdict == STORE_COUNTING && loop_now(c->context->loop).mono_us < until_us)
		r = store_check_step(c->store, ROWS, &verdict, words);
	if (r < 0)
		end_failed(c, r, words, true);
	else
		end_counted(c, verdict, words);
}

static void on_timer(void *arg)
{
	struct check *c = arg;
	char words[STORE_WORDS_MAX];
	int r = 0;

	if (c->context->stopping)
		return;
	if (!c->store)
		r = store_check_new(c->context->store, &c->store, words);
	/* A connection that cannot be had is no damage. */
	if (r < 0 && r != -EAGAIN)
		end_failed(c, r, words, false);
	else if (r == 0)
		slice(c);
	if (c->runs)
		loop_timer_set(c->timer, PAUSE_MS);
}

int check_new(struct context *context, struct check **ret_check)
{
	struct check *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->context = context;
	c->timer = loop_timer_new(context->loop, on_timer, c);
	if (!c->timer) {
		check_free(c);
		return -ENOMEM;
	}
	*ret_check = c;
	return 0;
}

void check_free(struct check *c)
{
	if (!c)
		return;
	store_check_free(c->store);
	loop_timer_free(c->timer);
	free(c);
}

int64_t check_start(struct check *c)
{
	if (!c->runs) {
		c->runs = true;
		c->number++;
		loop_timer_set(c->timer, 0);
	}
	return c->number;
}

static json_t *last_json(const struct check *c)
{
	if (c->ended == 0)
		return json_null();
	return json_pack("{s:I, s:s, s:o, s:o}", "check", (json_int_t)c->ended, "result", c->result,
		"message", c->words[0] ? json_string(c->words) : json_null(), "at",
		view_time(c->ended_us, false));
}

json_t *check_json(const struct check *c)
{
	int64_t rows = 0, of = 0;

	if (c->store)
		store_check_progress(c->store, &rows, &of);
	return json_pack("{s:I, s:b, s:I, s:I, s:o}", "check", (json_int_t)c->number, "running",
		c->runs, "rows", (json_int_t)rows, "of", (json_int_t)of, "last", last_json(c));
}
