#include "api/circuit.h"

#include <limits.h>

#define WIDTH_FIRST 2   /* under way at once after a probe that came back well */
#define WIDTH_MOST  256 /* as many as max_in_flight can be: from here on there is no bound */

void circuit_init(
	struct circuit *c, int64_t retry_min_ms, int64_t retry_max_ms, int64_t auth_retry_ms)
{
	*c = (struct circuit){
		.auth_retry_us = auth_retry_ms * 1000,
		.cause = CIRCUIT_OPEN_ROAD,
	};
	backoff_init(&c->backoff, retry_min_ms, retry_max_ms);
}

int circuit_room(const struct circuit *c, int64_t now_us, int64_t *ret_wait_us)
{
	*ret_wait_us = 0;
	if (c->cause == CIRCUIT_OPEN_ROAD && c->width == 0)
		return INT_MAX;
	if (c->cause == CIRCUIT_OPEN_ROAD) {
		*ret_wait_us = c->width > c->in_flight ? 0 : -1;
		return c->width > c->in_flight ? c->width - c->in_flight : 0;
	}
	if (c->probing) {
		*ret_wait_us = -1;
		return 0;
	}
	if (now_us >= c->until_us)
		return 1;
	*ret_wait_us = c->until_us - now_us;
	return 0;
}

bool circuit_probing(const struct circuit *c)
{
	return c->cause != CIRCUIT_OPEN_ROAD;
}

uint64_t circuit_sent(struct circuit *c)
{
	c->probing = c->cause != CIRCUIT_OPEN_ROAD;
	c->in_flight++;
	return c->epoch;
}

/* What an outcome says of the destination, not of its request. */
static enum circuit_cause cause_of(enum api_outcome outcome)
{
	switch (outcome) {
	case API_UNAUTHORIZED: return CIRCUIT_AUTH;
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT: return CIRCUIT_SERVER;
	case API_GARBLED:
	case API_ROAD_FAULT: return CIRCUIT_GARBLED;
	case API_NEVER_LEFT:
	case API_LOST: return CIRCUIT_OFFLINE;
	case API_DONE:
	case API_DONE_NO_ID:
	case API_REFUSED:
	case API_CONFLICT:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_CANCELLED: return CIRCUIT_OPEN_ROAD;
	}
	return CIRCUIT_OPEN_ROAD;
}

static int64_t closed_for_us(struct circuit *c, int64_t retry_after_us, uint64_t random)
{
	int64_t wait_us;

	if (c->cause == CIRCUIT_AUTH)
		return c->auth_retry_us;
	wait_us = backoff_next_ms(&c->backoff, random) * 1000;
	return retry_after_us >= 0 ? retry_after_us : wait_us;
}

/* What is under way says nothing of what is to come. */
static void turn_epoch(struct circuit *c)
{
	c->epoch++;
	c->in_flight = 0;
}

static void widen(struct circuit *c)
{
	backoff_reset(&c->backoff);
	if (c->width > 0)
		c->width++;
	if (c->width > WIDTH_MOST)
		c->width = 0;
}

void circuit_ended(struct circuit *c, uint64_t epoch, enum api_outcome outcome,
	int64_t retry_after_us, int64_t now_us, uint64_t random)
{
	if (epoch != c->epoch)
		return;
	c->in_flight--;
	c->probing = false;
	circuit_heard(c, epoch, outcome, retry_after_us, now_us, random);
}

void circuit_heard(struct circuit *c, uint64_t epoch, enum api_outcome outcome,
	int64_t retry_after_us, int64_t now_us, uint64_t random)
{
	enum circuit_cause cause = cause_of(outcome);

	if (epoch != c->epoch || outcome == API_CANCELLED)
		return;
	if (cause != CIRCUIT_OPEN_ROAD) {
		c->cause = cause;
		turn_epoch(c);
		c->until_us = now_us + closed_for_us(c, retry_after_us, random);
	} else if (c->cause != CIRCUIT_OPEN_ROAD) {
		circuit_resume(c);
	} else {
		widen(c);
	}
}

void circuit_resume(struct circuit *c)
{
	if (c->cause != CIRCUIT_OPEN_ROAD) {
		turn_epoch(c);
		c->width = WIDTH_FIRST;
	}
	c->cause = CIRCUIT_OPEN_ROAD;
	c->probing = false;
	backoff_reset(&c->backoff);
}
