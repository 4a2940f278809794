/* How one who was asked for is shown. */
#include <errno.h>

#include "base/hex.h"
#include "daemon/newpeople_private.h"
#include "daemon/view.h"
#include "store/store_newuser.h"

#define SETTLED_SHOWN 1000

static json_t *link_json(const struct newuser *u)
{
	if (!u->wants_link)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "kind", user_kind_name(u->link_kind), "value",
		u->link_value, "device", view_words(u->link_device));
}

static json_t *error_json(const struct newuser *u)
{
	if (u->error_code[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "status",
		u->error_status ? json_integer(u->error_status) : json_null(), "code",
		view_words(u->error_code), "message", view_words(u->error_message), "param",
		view_words(u->error_param));
}

/* What the row says. */
static json_t *row_json(const struct newuser *u, bool in_doubt)
{
	char id[2 * WIRE_KEY_SIZE + 1];

	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:s}, s:o, s:o, s:o, s:o, "
		"s:o}",
		"id", hex_encode(u->key, sizeof u->key, id), "state",
		newuser_state_name(u->state, in_doubt), "name", view_words(u->name), "email",
		view_words(u->email), "phone", view_words(u->phone), "department",
		view_words(u->department), "link", link_json(u), "asked",
		view_time(u->asked_us, false), "by", "uid", (json_int_t)u->uid, "name", u->who,
		"sent", view_time(u->sent_us, false), "settled", view_time(u->settled_us, false),
		"user_id", view_words(u->user_id), "note", view_words(u->note), "error",
		error_json(u));
}

/* For what it waits, and until when where that is known. */
static const char *waits_for(
	const struct newpeople *np, const struct newperson *one, int64_t *ret_until_us)
{
	const struct newuser_facts facts = newpeople_facts(np, one);
	struct api_status api;

	if (one->u.state != NEWUSER_WAITING)
		return NULL;
	if (one->in_flight)
		return "answer";
	switch (newuser_next(&facts, newpeople_now_us(np), ret_until_us)) {
	case NEWUSER_LOOK: return "list";
	case NEWUSER_WAIT: return facts.in_doubt ? "list" : "next_try";
	case NEWUSER_REST:
	case NEWUSER_SEND:
	case NEWUSER_ADOPT:
	case NEWUSER_CLASH: break;
	}
	if (np->on.paused(np->on.arg))
		return "resume";
	api_client_status(np->client, &api);
	*ret_until_us = api.next_try_us;
	return "turn";
}

json_t *newpeople_one_json(const struct newpeople *np, const struct newperson *one)
{
	struct moment now = loop_now(np->context->loop);
	int64_t until_us = 0;
	const char *what = waits_for(np, one, &until_us);
	json_t *json = row_json(&one->u, one->in_doubt);

	if (!json)
		return NULL;
	json_object_set_new(json, "waits_for", what ? json_string(what) : json_null());
	json_object_set_new(json, "next_try",
		until_us > now.mono_us ? view_time(now.wall_us + until_us - now.mono_us, false)
				       : json_null());
	return json;
}

static int add_settled(void *arg, const struct newuser *u)
{
	json_t *json = row_json(u, false);

	if (!json)
		return -ENOMEM;
	json_object_set_new(json, "waits_for", json_null());
	json_object_set_new(json, "next_try", json_null());
	return json_array_insert_new(arg, 0, json) < 0 ? -ENOMEM : 0;
}

json_t *newpeople_json(const struct newpeople *np, bool all, int *ret_error)
{
	json_t *list = json_array();
	const struct newperson *one;

	*ret_error = list ? 0 : -ENOMEM;
	if (list && all)
		*ret_error = store_newuser_settled(
			np->context->store, SETTLED_SHOWN, add_settled, list);
	TAILQ_FOREACH(one, &np->list, next)
	{
		if (*ret_error == 0 && one->u.state != NEWUSER_CANCELLED &&
			json_array_append_new(list, newpeople_one_json(np, one)) < 0)
			*ret_error = -ENOMEM;
	}
	if (*ret_error == 0)
		return list;
	json_decref(list);
	return NULL;
}

json_t *newpeople_counts_json(const struct newpeople *np)
{
	json_int_t queued = 0, in_doubt = 0, refused = 0;
	const struct newperson *one;

	TAILQ_FOREACH(one, &np->list, next)
	{
		in_doubt += one->u.state == NEWUSER_WAITING && one->in_doubt;
		queued += one->u.state == NEWUSER_WAITING && !one->in_doubt;
		refused += one->u.state == NEWUSER_REFUSED;
	}
	return json_pack(
		"{s:I, s:I, s:I}", "queued", queued, "in_doubt", in_doubt, "refused", refused);
}
