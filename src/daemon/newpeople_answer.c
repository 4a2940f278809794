/* What an answer to POST /users means for the one who was asked for. */
#include "base/log.h"
#include "daemon/newpeople_private.h"

#define CONFLICTS_MAX 2 /* one more after the list was read, as for a punch */

/* What came, kept for whoever looks. */
static void note_error(struct newuser *u, const struct api_reply *reply)
{
	u->error_status = reply->status;
	punch_text_cut(u->error_code, sizeof u->error_code,
		reply->code[0] ? reply->code : api_outcome_name(reply->outcome));
	punch_text_cut(u->error_message, sizeof u->error_message, reply->message);
	punch_text_cut(u->error_param, sizeof u->error_param, reply->param);
}

static void back_off(struct newperson *one)
{
	struct newpeople *np = one->np;

	one->not_before_us = newpeople_now_us(np) +
		backoff_next_ms(&one->backoff, loop_random(np->context->loop)) * 1000;
}

/* Nobody knows whether they are there. */
static void doubt(struct newperson *one, const struct api_reply *reply)
{
	int64_t now_us = newpeople_now_us(one->np);

	if (!one->in_doubt)
		log_warn("newuser",
			"a user may have been made in the cloud, its answer was lost: the list of "
			"users is read before it is tried again",
			LOG_S("outcome", api_outcome_name(reply->outcome)),
			LOG_I("status", reply->status), LOG_S("why", reply->message));
	one->in_doubt = true;
	one->doubt_us = now_us;
	one->quiet_us = now_us + newpeople_quiet_us(one->np);
	back_off(one);
}

/* Certainly not made. What was in doubt before was found not to be there before this was sent. */
static void not_done(struct newperson *one)
{
	struct newuser wanted = one->u;

	back_off(one);
	wanted.sent_us = 0;
	if (newpeople_store(one, &wanted) == 0)
		one->in_doubt = false;
	newpeople_answer(one); /* it has to wait */
}

/* An id that fits into a path and a link. */
static bool is_usable(const char *id)
{
	return id[0] && strlen(id) <= CLOUD_ID_MAX;
}

static void take(struct newperson *one, const struct api_reply *reply)
{
	switch (reply->outcome) {
	case API_DONE:
		/* A 409 may tell the id of somebody else with that address: the list tells. */
		if (reply->status == 409 || !is_usable(reply->id))
			doubt(one, reply);
		else
			newpeople_created(one, reply->id, reply->data);
		return;
	case API_CONFLICT:
		if (++one->conflicts == CONFLICTS_MAX)
			newpeople_refused(one);
		else
			doubt(one, reply);
		return;
	case API_REFUSED: newpeople_refused(one); return;
	case API_UNAUTHORIZED:
	case API_FORBIDDEN:
	case API_RATE_LIMITED:
	case API_NEVER_LEFT: not_done(one); return;
	/* Nothing but a no of the API itself proves that it was not done. */
	case API_DONE_NO_ID:
	case API_GARBLED:
	case API_SERVER_ERROR:
	case API_SERVER_DOUBT:
	case API_ROAD_FAULT:
	case API_LOST:
	case API_CANCELLED: doubt(one, reply); return;
	}
}

/* It was taken back while it was under way. */
static void take_late(struct newperson *one, const struct api_reply *reply)
{
	if (reply->outcome == API_DONE && reply->status != 409 && is_usable(reply->id))
		newpeople_created(one, reply->id, reply->data);
	else
		newpeople_forget(one);
}

void newpeople_on_reply(void *arg, const struct api_reply *reply)
{
	struct newperson *one = arg;
	struct newpeople *np = one->np;

	one->in_flight = false;
	np->sending = NULL;
	if (reply->outcome == API_CANCELLED)
		return;
	np->on.ended(np->on.arg);
	if (reply->date_s > 0)
		np->on.server_date(np->on.arg, reply->date_s, api_moment_is(reply->sent),
			api_moment_is(reply->received));
	if (reply->outcome != API_DONE)
		note_error(&one->u, reply);
	if (one->u.state == NEWUSER_CANCELLED)
		take_late(one, reply);
	else
		take(one, reply);
	newpeople_wake(np);
}
