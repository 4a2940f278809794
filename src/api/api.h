/*
 * The client as the daemon has it: the installed header (api/punch-api.h), which is the manual, and
 * what only somebody needs who sends without end.
 */
#ifndef PUNCHD_API_API_H
#define PUNCHD_API_API_H

#include "api/punch-api.h"
#include "base/clock.h"

static inline struct moment api_moment_is(struct api_moment m)
{
	return (struct moment){.wall_us = m.wall_us, .mono_us = m.mono_us};
}

static inline struct api_moment api_moment_of(struct moment m)
{
	return (struct api_moment){.wall_us = m.wall_us, .mono_us = m.mono_us};
}

/* Whether refreshes go before punches, which then have no room. */
void api_client_refresh_first(struct api_client *c, bool first);

/* How many punches the rate limit would let go from now on, however many run
 * already or may run at once; at most 1 while the destination is in trouble. */
int64_t api_client_budget(const struct api_client *c);

/* Whether a request now would be a probe of a destination that is in trouble, so that the caller
 * can choose another user's punch for it. */
bool api_client_probing(const struct api_client *c);

/*
 * How long so many punches more will take, with as many side by side as `parallel`: what the rate limit
 * allows, and how long answers take. An estimate, in microseconds; -1 while nobody can tell, since the
 * destination is in trouble.
 */
int64_t api_client_time_for(const struct api_client *c, int64_t punches, int64_t parallel);

#endif
