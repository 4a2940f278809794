#include "daemon/hooks.h"

#include <errno.h>

#include "base/log.h"
#include "daemon/hooks_private.h"
#include "daemon/settings.h"
#include "daemon/view.h"

#define GROUP_US     (25 * 1000LL) /* events that come together share a commit: so long is waited */
#define GROUP_MS     2             /* looking whether others are still on their way */
#define PURGE_MS     (3600 * 1000LL)
#define PURGE_ROWS   500
#define PURGE_GO_MS  50
#define IDS_KEPT_US  (7 * 86400 * CLOCK_US_PER_S)
#define IDS_MAX      50000
#define LOG_EVERY_US (60 * CLOCK_US_PER_S)
#define LOG_BURST    5

static const char *const fate_names[FATES] = {
	[FATE_TAKEN] = "taken",
	[FATE_DUPLICATE] = "duplicate",
	[FATE_OLDER] = "older",
	[FATE_IGNORED] = "ignored",
	[FATE_KEPT] = "kept",
	[FATE_SETTLED] = "settled",
};

static const struct {
	int status;
	const char *code; /* in the answer */
	const char *name; /* in the status document and the log */
} refusals[REFUSALS] = {
	[REFUSED_PATH] = {404, "not_found", "path"},
	[REFUSED_METHOD] = {405, "method_not_allowed", "method"},
	[REFUSED_SIGNATURE] = {401, "bad_signature", "signature"},
	[REFUSED_BODY] = {400, "bad_request", "body"},
	[REFUSED_FUTURE] = {400, "from_the_future", "future"},
	[REFUSED_STORE] = {503, "store_failed", "store"},
};

/* ---- answers */

static void fill(struct http_answer *a, int status, json_t *document)
{
	a->status = status;
	a->content_type = "application/json";
	a->body = document ? json_dumps(document, JSON_COMPACT) : NULL;
	a->body_length = a->body ? strlen(a->body) : 0;
	json_decref(document);
}

/* Strangers hammering must not fill the journal. */
static void log_refusal(
	struct hooks *h, enum refusal why, const struct http_request *request, const char *message)
{
	if (!bucket_take(&h->log_bucket, loop_now(h->context->loop).mono_us)) {
		h->unsaid++;
		return;
	}
	log_put(why == REFUSED_PATH ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "webhook_refused",
		"a webhook call was refused",
		LOG_LIST(LOG_S("why", refusals[why].name), LOG_S("message", message),
			LOG_I("status", refusals[why].status), LOG_S("from", request->address),
			LOG_I("unsaid", h->unsaid)));
	h->unsaid = 0;
}

static void refuse(struct hooks *h, enum refusal why, const char *message,
	const struct http_request *request, struct http_answer *a)
{
	h->refused[why]++;
	log_refusal(h, why, request, message);
	if (why == REFUSED_METHOD)
		a->allow = "POST";
	fill(a, refusals[why].status,
		json_pack(
			"{s:{s:s, s:s}}", "error", "code", refusals[why].code, "message", message));
}

static json_t *done_document(const char *id, enum fate fate)
{
	return json_pack("{s:{s:s, s:s}}", "data", "id", id, "result", fate_names[fate]);
}

/* ---- a batch */

static void answer_batch(struct hooks *h, bool stored)
{
	for (int i = 0; i < h->count; i++) {
		struct arrival *a = &h->batch[i];
		struct http_answer answer = {.allow = NULL};

		if (stored) {
			h->fates[a->fate]++;
			fill(&answer, 200, done_document(a->event.id, a->fate));
		} else {
			h->refused[REFUSED_STORE]++;
			fill(&answer, refusals[REFUSED_STORE].status,
				json_pack("{s:{s:s, s:s}}", "error", "code",
					refusals[REFUSED_STORE].code, "message",
					"it could not be stored: try again"));
		}
		http_later_answer(a->later, &answer);
		event_done(&a->event);
	}
	h->count = 0;
}

static int write_batch(struct hooks *h)
{
	struct store *s = h->context->store;
	int r = store_begin(s);

	if (r == 0)
		r = forward_join(h->forward);
	for (int i = 0; i < h->count && r == 0; i++)
		r = hooks_apply(h, i);
	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		store_rollback(s);
	forward_ended(h->forward, r == 0);
	return r;
}

static void flush(struct hooks *h)
{
	int r;

	loop_timer_stop(h->flush);
	if (h->count == 0)
		return;
	r = h->context->stopping ? -EIO : write_batch(h);
	if (r == 0) {
		h->commits++;
		h->last_us = loop_now(h->context->loop).wall_us;
		hooks_landed(h);
	} else if (!h->context->stopping) {
		context_store_failed(h->context, r, "keeping what the cloud told");
	}
	answer_batch(h, r == 0);
}

/* While others are on their way, they share the commit. */
static void on_flush(void *arg)
{
	struct hooks *h = arg;
	int64_t waited_us = loop_now(h->context->loop).mono_us - h->since_us;

	if (h->count < HOOKS_BATCH && waited_us < GROUP_US && http_tcp_coming(h->server) > 0)
		loop_timer_set(h->flush, GROUP_MS);
	else
		flush(h);
}

static void add(struct hooks *h, const struct event *event, const struct http_request *request)
{
	if (h->count == 0) {
		h->since_us = loop_now(h->context->loop).mono_us;
		loop_timer_set(h->flush, 0);
	}
	h->batch[h->count++] = (struct arrival){.event = *event, .later = http_later(request)};
	if (h->count == HOOKS_BATCH)
		flush(h);
}

/* ---- a call */

/* By the cloud's clock, or ours where that is right; where nobody knows the time nothing is ahead. */
static bool is_ahead(const struct hooks *h, const struct event *event)
{
	struct moment now = loop_now(h->context->loop);
	int64_t cloud_us = now.wall_us;

	if (!cloudclock_at(&h->context->cloudclock, now, &cloud_us) && !h->context->clock.trusted)
		return false;
	return event_is_ahead(event, cloud_us / CLOCK_US_PER_S);
}

static void take_body(struct hooks *h, const struct http_request *request, struct http_answer *a)
{
	struct event event;
	const char *fault = event_read(request->body, request->body_length, &event);

	if (fault) {
		refuse(h, REFUSED_BODY, fault, request, a);
	} else if (is_ahead(h, &event)) {
		refuse(h, REFUSED_FUTURE,
			"it is dated more than five minutes ahead: look at both clocks", request,
			a);
	} else if (h->context->stopping || h->context->disk_low) {
		refuse(h, REFUSED_STORE, "nothing can be stored now: try again", request, a);
	} else if (event.type == EVENT_OTHER) {
		h->fates[FATE_IGNORED]++;
		h->last_us = loop_now(h->context->loop).wall_us;
		fill(a, 200, done_document(event.id, FATE_IGNORED));
	} else {
		add(h, &event, request);
		return;
	}
	event_done(&event);
}

static void on_call(void *arg, const struct http_request *request, struct http_answer *a)
{
	struct hooks *h = arg;

	h->received++;
	if (!hooksig_path_fits(&h->sig, request->path))
		refuse(h, REFUSED_PATH, "there is nothing here", request, a);
	else if (strcmp(request->method, "POST") != 0)
		refuse(h, REFUSED_METHOD, "an event is posted", request, a);
	else if (!hooksig_body_fits(&h->sig,
			 http_header_get(request, h->context->config.webhook.signature_header),
			 request->body, request->body_length))
		refuse(h, REFUSED_SIGNATURE, "the body is not signed with our secret", request, a);
	else
		take_body(h, request, a);
}

/* ---- timers */

static void on_look(void *arg)
{
	hooks_look(arg);
}

static void on_ask(void *arg)
{
	struct hooks *h = arg;

	h->on.unsure(h->on.arg);
}

static void on_purge(void *arg)
{
	struct hooks *h = arg;
	struct context *c = h->context;
	int64_t before_us = loop_now(c->loop).wall_us - IDS_KEPT_US;
	int n = 0, r = 0;

	/* By a clock that may be wrong only what is too much goes. */
	if (!c->stopping && !store_in_transaction(c->store)) {
		n = store_event_purge(c->store, clocktrust_may_purge(&c->clock) ? before_us : 0,
			IDS_MAX, PURGE_ROWS);
		r = n < 0 ? n : store_commit(c->store);
	}
	if (r < 0) {
		store_rollback(c->store);
		context_store_failed(c, r, "forgetting old events");
	}
	loop_timer_set(h->purge, r == 0 && n == PURGE_ROWS ? PURGE_GO_MS : PURGE_MS);
}

/* ---- life */

static bool make_timers(struct hooks *h)
{
	struct loop *l = h->context->loop;

	h->flush = loop_timer_new(l, on_flush, h);
	h->look = loop_timer_new(l, on_look, h);
	h->purge = loop_timer_new(l, on_purge, h);
	h->ask = loop_timer_new(l, on_ask, h);
	return h->flush && h->look && h->purge && h->ask;
}

/* Returns 0, -ENOMEM or -EINVAL, logged. */
static int read_secrets(struct hooks *h)
{
	struct settings_webhook webhook;
	struct buf faults;
	int r;

	buf_init(&faults, SETTINGS_FAULTS_MAX);
	r = settings_webhook(&h->context->config, &webhook, &faults);
	settings_log_faults(&faults);
	if (r == 0 && (faults.len > 0 || !webhook.has))
		r = -EINVAL;
	buf_done(&faults);
	if (r == 0) {
		hooksig_done(&h->sig);
		h->sig = webhook.sig;
		webhook.sig.hmac = NULL;
		http_tls_free(h->tls);
		h->tls = webhook.tls;
		webhook.tls = NULL;
	}
	settings_webhook_done(&webhook);
	return r;
}

int hooks_new(struct context *context, struct forward *forward, const struct hooks_events *events,
	struct hooks **ret_hooks)
{
	struct hooks *h = calloc(1, sizeof *h);
	int r;

	*ret_hooks = h;
	if (!h)
		return -ENOMEM;
	h->context = context;
	h->forward = forward;
	h->on = *events;
	h->enabled = context->config.webhook.listen[0] != '\0';
	if (!h->enabled)
		return 0;
	bucket_init(&h->log_bucket, LOG_EVERY_US / LOG_BURST, LOG_BURST);
	h->kept = calloc(HOOKS_KEPT_MAX, sizeof *h->kept);
	if (!h->kept || !make_timers(h))
		return -ENOMEM;
	r = read_secrets(h);
	return r < 0 ? r : hooks_kept_load(h);
}

void hooks_free(struct hooks *h)
{
	if (!h)
		return;
	http_server_free(h->server);
	for (int i = 0; i < h->count; i++)
		event_done(&h->batch[i].event);
	hooksig_done(&h->sig);
	http_tls_free(h->tls);
	loop_timer_free(h->flush);
	loop_timer_free(h->look);
	loop_timer_free(h->purge);
	loop_timer_free(h->ask);
	free(h->kept);
	free(h);
}

int hooks_listen(struct hooks *h)
{
	const char *listen = h->context->config.webhook.listen;
	struct http_tls *tls = h->tls;
	int r;

	if (!h->enabled)
		return 0;
	h->tls = NULL;
	r = http_tcp_new(h->context->loop, listen, tls, EVENT_BODY_MAX, on_call, h, &h->server);
	if (r < 0)
		log_error("webhook",
			"cannot listen for webhooks: [webhook] listen must be an "
			"address of this machine, and no other program may use its port",
			LOG_S("listen", listen), LOG_S("error", strerror(-r)));
	else
		log_info("webhook", "listening for webhooks", LOG_S("listen", listen),
			LOG_S("tls", tls ? "yes" : "no"),
			LOG_S("signed", h->sig.hmac ? "yes" : "no"));
	return r;
}

void hooks_begin(struct hooks *h)
{
	if (!h->enabled)
		return;
	h->ready = true;
	hooks_look(h);
	loop_timer_set(h->purge, PURGE_GO_MS);
}

/* Where listen was changed with them it is not in force yet: what listens is not left without TLS. */
void hooks_take_settings(struct hooks *h)
{
	if (!h->enabled || read_secrets(h) < 0 || !h->server)
		return;
	if (!h->tls && !config_webhook_is_loopback(&h->context->config))
		return;
	http_tcp_set_tls(h->server, h->tls);
	h->tls = NULL;
}

void hooks_doubted(struct hooks *h, int64_t seq)
{
	for (int i = 0; h->ready && i < h->kept_count; i++) {
		if (h->kept[i].seq == seq)
			loop_timer_set(h->look, 0);
	}
}

void hooks_stop(struct hooks *h)
{
	if (!h->enabled)
		return;
	flush(h);
	loop_timer_stop(h->look);
	loop_timer_stop(h->purge);
	http_server_free(h->server);
	h->server = NULL;
	h->ready = false;
}

/* ---- status */

json_t *hooks_json(const struct hooks *h)
{
	json_t *json, *refused;

	if (!h->enabled)
		return json_null();
	refused = json_object();
	json = json_pack("{s:s, s:I}", "listen", h->context->config.webhook.listen, "received",
		(json_int_t)h->received);
	for (int i = 0; json && i < FATES; i++)
		json_object_set_new(json, fate_names[i], json_integer(h->fates[i]));
	for (int i = 0; refused && i < REFUSALS; i++)
		json_object_set_new(refused, refusals[i].name, json_integer(h->refused[i]));
	json_object_set_new(json, "commits", json_integer(h->commits));
	json_object_set_new(json, "refused", refused);
	json_object_set_new(json, "last_event", view_time(h->last_us, false));
	return json;
}
