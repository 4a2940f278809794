/* What people ask for, and take back. */
#include <errno.h>

#include "base/hex.h"
#include "daemon/newpeople_private.h"
#include "store/store_newuser.h"

/* ---- asking */

static enum newpeople_obstacle known(const struct context *c, const struct newuser *u,
	char ret_words[static NEWUSER_WORDS_SIZE], char ret_id[static NEWPEOPLE_ID_SIZE])
{
	enum newuser_likeness likeness;
	const struct dir_user *user = newpeople_like(c, u, &likeness);

	if (!user)
		return NEWPEOPLE_NONE;
	punch_text_cut(ret_id, NEWPEOPLE_ID_SIZE, user->id);
	snprintf(ret_words, NEWUSER_WORDS_SIZE, "%s in the cloud has this %s already", user->id,
		likeness == NEWUSER_SAME                 ? "e-mail address and phone number"
			: likeness == NEWUSER_SAME_EMAIL ? "e-mail address"
							 : "phone number");
	return NEWPEOPLE_KNOWN;
}

static bool same_link(const struct newuser *a, const struct newuser *b)
{
	return a->wants_link && b->wants_link && a->link_kind == b->link_kind &&
		strcmp(a->link_value, b->link_value) == 0 &&
		strcmp(a->link_device, b->link_device) == 0;
}

static enum newpeople_obstacle waits(const struct newpeople *np, const struct newuser *u,
	char ret_words[static NEWUSER_WORDS_SIZE], char ret_id[static NEWPEOPLE_ID_SIZE])
{
	const struct newuser_person person = newuser_person(u);
	const struct newperson *other;
	char id[2 * WIRE_KEY_SIZE + 1];

	TAILQ_FOREACH(other, &np->list, next)
	{
		enum newuser_likeness like = newuser_compare(
			&person, other->u.email, other->u.phone);

		if (other->u.state != NEWUSER_WAITING ||
			(like == NEWUSER_STRANGER && !same_link(u, &other->u)))
			continue;
		hex_encode(other->u.key, sizeof other->u.key, id);
		punch_text_cut(ret_id, NEWPEOPLE_ID_SIZE, id);
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"somebody with this %s waits to be made already: %.12s",
			like == NEWUSER_STRANGER             ? "link"
				: like == NEWUSER_SAME_PHONE ? "phone number"
							     : "e-mail address",
			id);
		return like == NEWUSER_STRANGER ? NEWPEOPLE_LINKED : NEWPEOPLE_WAITS;
	}
	return NEWPEOPLE_NONE;
}

static enum newpeople_obstacle linked(const struct context *c, const struct newuser *u,
	char ret_words[static NEWUSER_WORDS_SIZE], char ret_id[static NEWPEOPLE_ID_SIZE])
{
	const struct user_link *link = u->wants_link
		? links_get(&c->links, u->link_kind, u->link_value, u->link_device)
		: NULL;

	if (!link)
		return NEWPEOPLE_NONE;
	punch_text_cut(ret_id, NEWPEOPLE_ID_SIZE, link->user_id);
	snprintf(ret_words, NEWUSER_WORDS_SIZE, "%s:%.100s is %s already: unlink it first",
		user_kind_name(link->kind), link->value, link->user_id);
	return NEWPEOPLE_LINKED;
}

enum newpeople_obstacle newpeople_look_for(const struct newpeople *np, const struct newuser *u,
	char ret_words[static NEWUSER_WORDS_SIZE], char ret_id[static NEWPEOPLE_ID_SIZE])
{
	enum newpeople_obstacle found = known(np->context, u, ret_words, ret_id);

	if (found == NEWPEOPLE_NONE)
		found = waits(np, u, ret_words, ret_id);
	if (found == NEWPEOPLE_NONE)
		found = linked(np->context, u, ret_words, ret_id);
	if (found == NEWPEOPLE_NONE && np->count >= NEWPEOPLE_MAX) {
		ret_id[0] = '\0';
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"%d wait or were refused already: no more are taken", NEWPEOPLE_MAX);
		found = NEWPEOPLE_TOO_MANY;
	}
	return found;
}

static void make_key(struct newpeople *np, uint8_t ret_key[static WIRE_KEY_SIZE])
{
	for (size_t i = 0; i < WIRE_KEY_SIZE; i += sizeof(uint64_t)) {
		uint64_t bits = loop_random(np->context->loop);

		memcpy(ret_key + i, &bits, sizeof bits);
	}
}

static int keep(struct newpeople *np, struct newuser *u)
{
	struct context *c = np->context;
	int r = store_newuser_add(c->store, u);

	if (r == 0)
		r = store_commit(c->store);
	if (r == 0)
		return 0;
	store_rollback(c->store);
	return context_store_failed(c, r, "keeping who is to be made in the cloud");
}

int newpeople_ask(struct newpeople *np, struct newuser *u, newpeople_answered *answered, void *arg,
	const struct newperson **ret_one)
{
	struct newperson *one;
	int r;

	u->state = NEWUSER_WAITING;
	make_key(np, u->key);
	one = newpeople_remember(np, u);
	if (!one)
		return -ENOMEM;
	r = keep(np, &one->u);
	if (r < 0) {
		newpeople_forget(one);
		return r;
	}
	one->answered = answered;
	one->arg = arg;
	one->answer_by_us = newpeople_now_us(np) + NEWPEOPLE_ANSWER_MS * 1000;
	newpeople_wake(np);
	*ret_one = one;
	return 0;
}

/* ---- taking back */

static bool is_named(const struct newperson *one, const char *name)
{
	const struct newuser_person person = newuser_person(&one->u);
	char id[2 * WIRE_KEY_SIZE + 1];

	if (strchr(name, '@'))
		return newuser_compare(&person, name, "") == NEWUSER_SAME_EMAIL;
	hex_encode(one->u.key, sizeof one->u.key, id);
	return name[0] && strncasecmp(id, name, strlen(name)) == 0;
}

int newpeople_find(struct newpeople *np, const char *id_or_email, struct newperson **ret_one)
{
	struct newperson *one;
	int found = 0;

	TAILQ_FOREACH(one, &np->list, next)
	{
		if (!is_named(one, id_or_email))
			continue;
		*ret_one = one;
		found++;
	}
	return found > 1 ? -ENOTUNIQ : found;
}

/* The answer that is on its way is still of use: it says whether they are there. */
static void drop(struct newperson *one)
{
	newpeople_answer(one);
	if (!one->in_flight)
		newpeople_forget(one);
}

int newpeople_cancel(struct newpeople *np, struct newperson *one, bool force)
{
	const struct newuser_facts facts = newpeople_facts(np, one);
	bool may_be_there = one->in_flight || (one->in_doubt && !newuser_is_absent(&facts));
	struct newuser wanted = one->u;
	int done = NEWPEOPLE_CANCELLED, r;

	if (one->u.state == NEWUSER_REFUSED) {
		wanted.told = true;
		done = NEWPEOPLE_TOLD;
	} else if (may_be_there && !force) {
		return NEWPEOPLE_IN_DOUBT;
	} else {
		wanted.state = NEWUSER_CANCELLED;
		wanted.settled_us = loop_now(np->context->loop).wall_us;
		if (may_be_there) {
			punch_text_cut(wanted.note, sizeof wanted.note,
				"it may have been sent: the cloud may have them all the same");
			done = NEWPEOPLE_MAY_BE_THERE;
		}
	}
	r = newpeople_store(one, &wanted);
	if (r < 0)
		return r;
	drop(one);
	return done;
}
