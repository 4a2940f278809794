/*
 * The inside, for its files: newpeople.c (its life, and what is next for whom), newpeople_ask.c (what
 * people ask for and take back), newpeople_answer.c (what an answer means), newpeople_settle.c (what
 * becomes of one, on disk and in memory), newpeople_view.c (how it is shown). Nobody else includes this.
 */
#ifndef PUNCHD_DAEMON_NEWPEOPLE_PRIVATE_H
#define PUNCHD_DAEMON_NEWPEOPLE_PRIVATE_H

#include <sys/queue.h>

#include "base/backoff.h"
#include "daemon/newpeople.h"

struct newperson {
	TAILQ_ENTRY(newperson) next;
	struct newpeople *np;
	struct newuser u;
	bool in_flight;
	bool in_doubt;
	int64_t doubt_us, quiet_us, not_before_us; /* core/newuser.h */
	int conflicts;                             /* 409 without proof */
	struct backoff backoff;

	newpeople_answered *answered; /* NULL: nobody waits */
	void *arg;
	int64_t answer_by_us; /* monotonic */
};

TAILQ_HEAD(newperson_list, newperson);

struct newpeople {
	struct context *context;
	struct api_client *client;
	struct refresh *refresh;
	struct newpeople_events on;
	struct loop_timer *timer;
	struct newperson_list list; /* as they were asked for */
	size_t count;
	bool stopped;
	struct newperson *sending; /* the one whose request is under way; NULL: none */
};

/* Whom the directory has, who is like that one; ret_likeness is how much. NULL: nobody. */
const struct dir_user *newpeople_like(
	const struct context *c, const struct newuser *u, enum newuser_likeness *ret_likeness);

struct newuser_facts newpeople_facts(const struct newpeople *np, const struct newperson *one);

int64_t newpeople_now_us(const struct newpeople *np); /* monotonic */

/* How long a request that was given up may be at work in the cloud: twice as long as it was waited for,
 * which by default is more than proxies wait for a server. */
int64_t newpeople_quiet_us(const struct newpeople *np);

/* Tell whoever waits for it how it stands. */
void newpeople_answer(struct newperson *one);

/* Add one at the end; NULL without memory. */
struct newperson *newpeople_remember(struct newpeople *np, const struct newuser *u);
/* Take it out of memory. */
void newpeople_forget(struct newperson *one);

/* ---- newpeople_answer.c */

/* api_done */
void newpeople_on_reply(void *arg, const struct api_reply *reply);

/* ---- newpeople_settle.c */

/* What became of one is written and committed. Returns 0, or an error that is logged; then *one is
 * as it was. */
int newpeople_store(struct newperson *one, const struct newuser *wanted);

/* The cloud has made them: data is the user as it says, NULL where it does not. */
void newpeople_created(struct newperson *one, const char *user_id, const json_t *data);
/* They are this user. */
void newpeople_adopted(struct newperson *one, const struct dir_user *user);
/* Somebody else has the address or the number. */
void newpeople_clashed(
	struct newperson *one, const struct dir_user *user, enum newuser_likeness likeness);
/* By the cloud; the error is in the row already. */
void newpeople_refused(struct newperson *one);

#endif
