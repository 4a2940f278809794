#include "core/clocktrust.h"

#define AGREE_US (5 * CLOCK_US_PER_S)
#define STEP_US  (1 * CLOCK_US_PER_S)
#define JUMP_US  (3600 * CLOCK_US_PER_S)

void clocktrust_init(struct clocktrust *c)
{
	*c = (struct clocktrust){.trusted = false};
}

void clocktrust_resume(struct clocktrust *c, bool trusted, bool jumped, int64_t offset_us)
{
	*c = (struct clocktrust){
		.trusted = trusted, .jumped = jumped, .known = true, .offset_us = offset_us};
}

static void trust(struct clocktrust *c)
{
	c->news = c->news || !c->trusted;
	c->trusted = true;
}

bool clocktrust_look(struct clocktrust *c, struct moment now, bool synchronized)
{
	int64_t offset_us = now.wall_us - now.mono_us;
	int64_t step_us = c->known ? offset_us - c->offset_us : 0;
	bool stepped = step_us > STEP_US || step_us < -STEP_US;

	if (c->trusted && step_us > JUMP_US)
		c->jumped = true;
	if (synchronized)
		trust(c);
	c->news = c->news || stepped || !c->known;
	c->known = true;
	c->offset_us = offset_us;
	return stepped;
}

void clocktrust_server_date(
	struct clocktrust *c, int64_t date_s, struct moment sent, struct moment received)
{
	/* The Date was taken between sending and receiving, and lost up to a second by being cut. */
	int64_t earliest_us = date_s * CLOCK_US_PER_S;
	int64_t latest_us = earliest_us + CLOCK_US_PER_S;
	int64_t took_us = received.mono_us - sent.mono_us;
	bool agrees = latest_us + AGREE_US >= received.wall_us - took_us &&
		earliest_us - AGREE_US <= received.wall_us;

	/* A slow answer's Date may be of any time in between: that it could agree proves nothing. */
	if (agrees && took_us > AGREE_US)
		return;
	if (agrees)
		trust(c);
	c->disagrees = c->trusted && !agrees;
}

bool clocktrust_may_purge(const struct clocktrust *c)
{
	return c->trusted && !c->disagrees && !c->jumped;
}
