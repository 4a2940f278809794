#include "daemon/newpeople.h"

#include <errno.h>

#include "base/hex.h"
#include "core/user.h"
#include "daemon/newpeople_private.h"
#include "store/store_newuser.h"

#define LOOK_AGAIN_US (2 * CLOCK_US_PER_S)    /* at the latest, while somebody waits */
#define LONG_US       (3600 * CLOCK_US_PER_S) /* nobody knows how long */
#define STORE_WAIT_US CLOCK_US_PER_S

int64_t newpeople_now_us(const struct newpeople *np)
{
	return loop_now(np->context->loop).mono_us;
}

int64_t newpeople_quiet_us(const struct newpeople *np)
{
	return 2 * np->context->config.api.timeout_ms * 1000;
}

const struct newuser *newperson_row(const struct newperson *one)
{
	return &one->u;
}

/* ---- who is like whom */

/* Better: one who is the same, before one who shares a thing with them. */
static void take_better(const struct newuser *u, const struct dir_user *user,
	const struct dir_user **best, enum newuser_likeness *likeness)
{
	const struct newuser_person person = newuser_person(u);
	enum newuser_likeness like = newuser_compare(&person, user->email, user->phone);

	if (directory_user_gone(user) || like <= *likeness)
		return;
	*best = user;
	*likeness = like;
}

const struct dir_user *newpeople_like(
	const struct context *c, const struct newuser *u, enum newuser_likeness *ret_likeness)
{
	const struct {
		enum user_kind kind;
		const char *text;
	} ways[] = {{USER_EMAIL, u->email}, {USER_PHONE, u->phone}};
	const struct dir_user *best = NULL;
	char value[USER_MAX + 1];

	*ret_likeness = NEWUSER_STRANGER;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		const struct dir_user *user = NULL;

		if (user_normalise(ways[i].kind, ways[i].text, value) < 0)
			continue;
		while ((user = directory_next_by_contact(&c->directory, ways[i].kind, value, user)))
			take_better(u, user, &best, ret_likeness);
	}
	return best;
}

struct newuser_facts newpeople_facts(const struct newpeople *np, const struct newperson *one)
{
	struct newuser_facts facts = {
		.state = one->u.state,
		.in_flight = one->in_flight,
		.in_doubt = one->in_doubt,
		.doubt_us = one->doubt_us,
		.quiet_us = one->quiet_us,
		.not_before_us = one->not_before_us,
		.looked_us = refresh_users_read_us(np->refresh),
	};

	newpeople_like(np->context, &one->u, &facts.likeness);
	return facts;
}

/* ---- sending */

/* On disk before it may leave; once it is in doubt that is there already. */
static int mark_sent(struct newperson *one)
{
	struct newuser wanted = one->u;

	if (wanted.sent_us != 0)
		return 0;
	wanted.sent_us = loop_now(one->np->context->loop).wall_us;
	return newpeople_store(one, &wanted);
}

/* Returns 0 or an error; then nothing has left. */
static int submit(struct newperson *one)
{
	char key[2 * WIRE_KEY_SIZE + 1];
	const struct newuser *u = &one->u;
	const struct api_new_user user = {.name = u->name,
		.email = u->email,
		.phone = u->phone,
		.department = u->department[0] ? u->department : NULL,
		.key = hex_encode(u->key, sizeof u->key, key)};

	return api_user_create(one->np->client, &user, newpeople_on_reply, one);
}

static void send_one(struct newperson *one)
{
	struct newpeople *np = one->np;
	int r = mark_sent(one);

	if (r == 0)
		r = submit(one);
	if (r < 0) {
		one->not_before_us = newpeople_now_us(np) + STORE_WAIT_US;
		return;
	}
	one->in_flight = true;
	np->sending = one;
}

/* Whether one may go now; else ret_wait_us is how long it is worth waiting. */
static bool may_send(struct newpeople *np, int64_t *ret_wait_us)
{
	*ret_wait_us = np->sending ? LOOK_AGAIN_US : LONG_US;
	if (np->sending || np->context->disk_low || np->on.paused(np->on.arg))
		return false;
	return api_client_room(np->client, API_CALL_USER_CREATE, ret_wait_us) > 0;
}

/* Whoever asked is not kept waiting for nothing. */
static void try_to_send(struct newperson *one, int64_t *ret_wait_us)
{
	if (may_send(one->np, ret_wait_us))
		send_one(one);
	else if (*ret_wait_us > NEWPEOPLE_ANSWER_MS * 1000)
		newpeople_answer(one);
}

/* ---- what is next */

void newpeople_answer(struct newperson *one)
{
	newpeople_answered *answered = one->answered;

	one->answered = NULL;
	if (answered)
		answered(one->arg, one);
}

static void sooner(int64_t *wait_us, int64_t other_us)
{
	if (other_us < *wait_us)
		*wait_us = other_us > 0 ? other_us : 0;
}

/* One step for one of them; it may be gone afterwards. Shortens *wait_us to when the next is due. */
static void step(struct newperson *one, int64_t now_us, int64_t *wait_us)
{
	struct newpeople *np = one->np;
	const struct newuser_facts facts = newpeople_facts(np, one);
	enum newuser_likeness likeness;
	int64_t until_us, room_us;

	switch (newuser_next(&facts, now_us, &until_us)) {
	case NEWUSER_REST: break;
	case NEWUSER_WAIT: sooner(wait_us, until_us - now_us); break;
	case NEWUSER_LOOK: refresh_read_users(np->refresh); break;
	case NEWUSER_SEND:
		try_to_send(one, &room_us);
		if (room_us >= 0)
			sooner(wait_us, room_us);
		break;
	case NEWUSER_ADOPT:
		newpeople_adopted(one, newpeople_like(np->context, &one->u, &likeness));
		break;
	case NEWUSER_CLASH: {
		const struct dir_user *user = newpeople_like(np->context, &one->u, &likeness);

		newpeople_clashed(one, user, likeness);
		break;
	}
	}
}

static void on_timer(void *arg)
{
	struct newpeople *np = arg;
	int64_t now_us = newpeople_now_us(np), wait_us = LOOK_AGAIN_US;
	struct newperson *one, *following;
	bool waits = false;

	if (np->context->stopping || np->stopped)
		return;
	for (one = TAILQ_FIRST(&np->list); one; one = following) {
		following = TAILQ_NEXT(one, next);
		waits = waits || one->u.state == NEWUSER_WAITING;
		if (one->answered && now_us >= one->answer_by_us)
			newpeople_answer(one);
		else if (one->answered)
			sooner(&wait_us, one->answer_by_us - now_us);
		step(one, now_us, &wait_us);
	}
	if (waits)
		loop_timer_set(np->timer, (wait_us + 999) / 1000);
}

void newpeople_wake(struct newpeople *np)
{
	if (!TAILQ_EMPTY(&np->list))
		loop_timer_set(np->timer, 0);
}

bool newpeople_stop(struct newpeople *np)
{
	struct newperson *one;
	bool told = false;

	np->stopped = true;
	TAILQ_FOREACH(one, &np->list, next)
	{
		told = told || one->answered;
		newpeople_answer(one);
	}
	return told;
}

bool newpeople_in_flight(const struct newpeople *np)
{
	return np->sending != NULL;
}

/* ---- life */

struct newperson *newpeople_remember(struct newpeople *np, const struct newuser *u)
{
	const struct config *c = &np->context->config;
	struct newperson *one = calloc(1, sizeof *one);

	if (!one)
		return NULL;
	one->np = np;
	one->u = *u;
	backoff_init(&one->backoff, c->api.retry_min_ms, c->api.retry_max_ms);
	TAILQ_INSERT_TAIL(&np->list, one, next);
	np->count++;
	return one;
}

void newpeople_forget(struct newperson *one)
{
	one->np->count--;
	TAILQ_REMOVE(&one->np->list, one, next);
	free(one);
}

static int load_one(void *arg, const struct newuser *u)
{
	struct newpeople *np = arg;
	struct newperson *one = newpeople_remember(np, u);

	if (!one)
		return -ENOMEM;
	/* An earlier run may have sent it just before it ended. */
	one->in_doubt = u->sent_us != 0 && u->state == NEWUSER_WAITING;
	one->quiet_us = newpeople_now_us(np) + newpeople_quiet_us(np) +
		np->context->config.api.timeout_ms * 1000;
	return 0;
}

int newpeople_new(struct context *context, struct api_client *client, struct refresh *refresh,
	const struct newpeople_events *events, struct newpeople **ret_newpeople)
{
	struct newpeople *np = calloc(1, sizeof *np);
	int r;

	if (!np)
		return -ENOMEM;
	*np = (struct newpeople){
		.context = context, .client = client, .refresh = refresh, .on = *events};
	TAILQ_INIT(&np->list);
	np->timer = loop_timer_new(context->loop, on_timer, np);
	r = np->timer ? store_newuser_open(context->store, load_one, np) : -ENOMEM;
	if (r < 0) {
		newpeople_free(np);
		return r;
	}
	newpeople_wake(np);
	*ret_newpeople = np;
	return 0;
}

void newpeople_free(struct newpeople *np)
{
	struct newperson *one;

	if (!np)
		return;
	while ((one = TAILQ_FIRST(&np->list))) {
		if (one->answered)
			one->answered(one->arg, NULL);
		newpeople_forget(one);
	}
	loop_timer_free(np->timer);
	free(np);
}
