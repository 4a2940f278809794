#include "daemon/status.h"

#include "daemon/inforce.h"
#include "daemon/view.h"
#include "store/store_punch.h"

const char *status_state(const struct context *c)
{
	if (c->disk_low || c->stopping || alarms_stands(&c->alarms, ALARM_STORE_FAILED))
		return "failing";
	return alarms_any(&c->alarms, false) ? "degraded" : "ok";
}

/* A monotonic time as a wall clock's, null for 0. */
static json_t *mono_time(const struct context *c, int64_t mono_us)
{
	struct moment now = loop_now(c->loop);

	return mono_us == 0 ? json_null() : view_time(now.wall_us + mono_us - now.mono_us, false);
}

static json_t *mqtt_json(const struct control *control)
{
	int64_t since_us = control->started_wall_us;
	bool up = link_is_up(control->link, &since_us);

	return json_pack("{s:b, s:s, s:o}", "connected", up, "host",
		control->context->config.mqtt.host, "since", view_time(since_us, false));
}

static json_t *count_or_null(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *api_json(const struct control *control)
{
	const struct context *c = control->context;
	const struct forward_pause *pause = forward_paused(control->forward);
	struct api_status s;

	api_client_status(control->client, &s);
	return json_pack("{s:s, s:o, s:s, s:{s:o, s:o, s:o}, s:o, s:o, s:i, s:{s:b, s:o}}", "state",
		pause || forward_refusing(control->forward) ? "paused" : api_state_name(s.state),
		"paused", view_pause(pause), "idempotent",
		idempotent_name(c->cloud.idempotence.verdict), "rate", "limit",
		count_or_null(s.limit), "remaining", count_or_null(s.remaining), "reset",
		mono_time(c, s.reset_us), "next_try", mono_time(c, s.next_try_us), "last_success",
		view_time(s.last_done_us, false), "in_flight", s.in_flight, "key", "there",
		control->key->there, "warning", view_words(control->key->words));
}

static int first_queued(void *arg, const struct punch *p)
{
	*(int64_t *)arg = p->time_s;
	return 0;
}

static json_t *oldest_queued(const struct context *c)
{
	int64_t time_s, age_s;

	if (store_outbox_read(c->store, &PUNCH_PLACE_FIRST, 1, first_queued, &time_s) <= 0)
		return json_null();
	age_s = loop_now(c->loop).wall_us / CLOCK_US_PER_S - time_s;
	return json_integer(age_s > 0 ? age_s : 0);
}

/* null where nothing waits, or nobody can tell. */
static json_t *drain_eta(const struct control *control, int64_t queued)
{
	int64_t eta_us = queued > 0 ? forward_time_for(control->forward, queued) : -1;

	if (eta_us < 0)
		return json_null();
	return json_integer((eta_us + CLOCK_US_PER_S - 1) / CLOCK_US_PER_S);
}

static json_t *queue_json(const struct control *control, const struct store_counts *n)
{
	const struct context *c = control->context;

	return json_pack("{s:I, s:I, s:I, s:o, s:o}", "queued", (json_int_t)n->open[PUNCH_QUEUED],
		"held", (json_int_t)n->open[PUNCH_HELD], "parked",
		(json_int_t)n->open[PUNCH_PARKED], "oldest_queued_s", oldest_queued(c),
		"drain_eta_s", drain_eta(control, n->open[PUNCH_QUEUED]));
}

static json_t *counts_json(const struct context *c, const struct store_counts *n)
{
	const struct store_tally *t = store_tally(c->store);

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
		(json_int_t)(n->stored + t->duplicate), "stored", (json_int_t)n->stored,
		"duplicate", (json_int_t)t->duplicate, "suppressed",
		(json_int_t)n->by_state[PUNCH_SUPPRESSED], "delivered",
		(json_int_t)n->by_state[PUNCH_DELIVERED], "discarded",
		(json_int_t)n->by_state[PUNCH_DISCARDED], "ignored", (json_int_t)t->ignored,
		"refused", (json_int_t)t->refused);
}

static json_t *directory_json(const struct control *control)
{
	const struct context *c = control->context;
	struct refresh_status s;

	refresh_status(control->refresh, &s);
	return json_pack("{s:I, s:o, s:I, s:o, s:I, s:I, s:o}", "users",
		(json_int_t)directory_count(&c->directory, DIR_USERS), "users_synced_at",
		view_time(c->users_pass_ms * 1000, false), "devices",
		(json_int_t)directory_count(&c->directory, DIR_DEVICES), "devices_synced_at",
		view_time(c->devices_pass_ms * 1000, false), "pass", (json_int_t)s.complete,
		"failed_pass", (json_int_t)s.failed, "pass_error",
		s.failed > s.complete ? json_string(s.words) : json_null());
}

static json_t *store_json(const struct context *c)
{
	int64_t bytes, spare;

	if (store_disk(c->store, &bytes, &spare) < 0)
		return json_pack("{s:n, s:n, s:n, s:I}", "bytes", "free_bytes", "written_bytes",
			"min_free_bytes", (json_int_t)c->config.store.min_free);
	return json_pack("{s:I, s:I, s:n, s:I}", "bytes", (json_int_t)bytes, "free_bytes",
		(json_int_t)spare, "written_bytes", "min_free_bytes",
		(json_int_t)c->config.store.min_free);
}

json_t *status_json(const struct control *control)
{
	struct context *c = control->context;
	int64_t up_us = loop_now(c->loop).mono_us - control->started_us;
	struct store_counts n;
	json_t *s;

	store_counts(c->store, &n);
	s = json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:o}", "version", PACKAGE_VERSION, "site",
		c->site, "uptime_s", (json_int_t)(up_us / CLOCK_US_PER_S), "state", status_state(c),
		"alarms", alarms_json(&c->alarms, false), "mqtt", mqtt_json(control), "api",
		api_json(control));
	if (!s)
		return NULL;
	json_object_set_new(s, "queue", queue_json(control, &n));
	json_object_set_new(s, "counts", counts_json(c, &n));
	json_object_set_new(s, "directory", directory_json(control));
	json_object_set_new(s, "people", newpeople_counts_json(control->newpeople));
	json_object_set_new(s, "store", store_json(c));
	json_object_set_new(s, "webhook", hooks_json(control->hooks));
	json_object_set_new(s, "config", inforce_json(control->inforce));
	json_object_set_new(s, "clock", json_pack("{s:b}", "synchronized", c->clock.trusted));
	json_object_set_new(s, "terminals", terminals_json(control->terminals, c));
	return s;
}
