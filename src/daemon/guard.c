#include "daemon/guard.h"

#include <errno.h>

#include "base/hex.h"
#include "base/log.h"
#include "store/store_guard.h"

#define CALM_MS (60 * 1000) /* an end later than this after connecting is no strike */
#define STRIKES 2

/* How far a run has come: kept in the store under "run". */
enum run {
	RUN_CLEAN = 0,
	RUN_STARTED = 1,   /* ended before it was connected: tells nothing about messages */
	RUN_CONNECTED = 2, /* ended within a minute of connecting: a strike */
	RUN_CALM = 3,
};

static int save(struct guard *g, enum run run)
{
	struct store *s = g->context->store;
	int r = store_begin(s);

	if (r == 0)
		r = store_meta_set(s, "run", run);
	if (r == 0)
		r = store_meta_set(s, "strikes", g->strikes);
	if (r < 0)
		store_rollback(s);
	return r < 0 ? r : store_commit(s);
}

static int learn(void *arg, const uint8_t identity[static IDENTITY_SIZE])
{
	return guard_learn(arg, identity);
}

static void on_calm_time(void *arg)
{
	struct guard *g = arg;
	bool was_careful = g->careful;
	int r;

	g->strikes = 0;
	g->careful = false;
	r = save(g, RUN_CALM);
	if (r < 0)
		context_store_failed(g->context, r, "noting that all is calm");
	if (was_careful) {
		log_info("careful_over",
			"a minute without trouble: messages are taken in bursts again");
		g->on_calm(g->arg);
	}
}

static int read_past(struct guard *g)
{
	struct store *s = g->context->store;
	int64_t run;
	int r = store_meta_get(s, "run", RUN_CLEAN, &run);

	if (r == 0)
		r = store_meta_get(s, "strikes", 0, &g->strikes);
	if (run == RUN_CONNECTED)
		g->strikes++;
	else if (run != RUN_STARTED)
		g->strikes = 0;
	if (run != RUN_CLEAN)
		log_warn("unclean_end", "the last run did not end by itself: power, kill or crash",
			LOG_I("strikes", g->strikes));
	return r;
}

int guard_init(struct guard *g, struct context *context, void (*on_calm)(void *arg), void *arg)
{
	int r;

	*g = (struct guard){.context = context, .on_calm = on_calm, .arg = arg};
	strmap_init(&g->crashed, loop_random(context->loop));
	g->timer = loop_timer_new(context->loop, on_calm_time, g);
	r = g->timer ? read_past(g) : -ENOMEM;
	if (r == 0)
		r = store_crashed_each(context->store, learn, g);
	g->careful = g->strikes >= STRIKES;
	if (g->careful)
		log_warn("careful",
			"ended soon after connecting again and again: taking messages one by one");
	if (r == 0)
		r = save(g, RUN_STARTED);
	/* On a full disk nothing is taken from the broker either, so nothing there can kill it. */
	return r == -ENOSPC ? 0 : r;
}

void guard_done(struct guard *g)
{
	loop_timer_free(g->timer);
	strmap_done(&g->crashed);
}

int guard_connected(struct guard *g)
{
	if (g->connected)
		return 0;
	g->connected = true;
	loop_timer_set(g->timer, CALM_MS);
	return save(g, RUN_CONNECTED);
}

int guard_clean(struct guard *g)
{
	g->strikes = 0;
	return save(g, RUN_CLEAN);
}

bool guard_knows_any(const struct guard *g)
{
	return strmap_count(&g->crashed) > 0;
}

bool guard_knows(const struct guard *g, const uint8_t identity[static IDENTITY_SIZE])
{
	char hex[IDENTITY_SIZE * 2 + 1];

	return strmap_get(&g->crashed, hex_encode(identity, IDENTITY_SIZE, hex)) != NULL;
}

int guard_learn(struct guard *g, const uint8_t identity[static IDENTITY_SIZE])
{
	static char known;
	char hex[IDENTITY_SIZE * 2 + 1];

	return strmap_put(&g->crashed, hex_encode(identity, IDENTITY_SIZE, hex), &known, NULL);
}
