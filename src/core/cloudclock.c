#include "core/cloudclock.h"

/* Crystals differ by some 100 ppm: that much wider does the interval get in an hour, and a bit. */
#define DRIFT_US 400000

void cloudclock_date(
	struct cloudclock *c, int64_t date_s, struct moment sent, struct moment received)
{
	int64_t least_us = date_s * CLOCK_US_PER_S - received.mono_us;
	int64_t most_us = (date_s + 1) * CLOCK_US_PER_S - sent.mono_us;
	bool fits = c->known && received.mono_us - c->heard_us <= CLOUDCLOCK_STALE_US &&
		least_us <= c->most_us + DRIFT_US && most_us >= c->least_us - DRIFT_US;

	if (!fits) {
		*c = (struct cloudclock){.known = true, .least_us = least_us, .most_us = most_us};
	} else if (least_us > c->most_us || most_us < c->least_us) {
		/* It drifts: the new one is right. */
		c->least_us = least_us;
		c->most_us = most_us;
	} else {
		c->least_us = least_us > c->least_us ? least_us : c->least_us;
		c->most_us = most_us < c->most_us ? most_us : c->most_us;
	}
	c->heard_us = received.mono_us;
}

bool cloudclock_at(const struct cloudclock *c, struct moment at, int64_t *ret_us)
{
	int64_t ours_us = at.wall_us - at.mono_us, off_us = ours_us;

	if (!c->known || at.mono_us < c->heard_us || at.mono_us - c->heard_us > CLOUDCLOCK_STALE_US)
		return false;
	if (ours_us < c->least_us)
		off_us = c->least_us;
	else if (ours_us > c->most_us)
		off_us = c->most_us;
	*ret_us = at.mono_us + off_us;
	return true;
}
