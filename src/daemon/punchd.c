#include "daemon/punchd.h"

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>

#include "api/curl.h"
#include "base/log.h"
#include "daemon/apikey.h"
#include "daemon/check.h"
#include "daemon/clockmarks.h"
#include "daemon/conditions.h"
#include "daemon/control.h"
#include "daemon/forward.h"
#include "daemon/guard.h"
#include "daemon/hooks.h"
#include "daemon/inforce.h"
#include "daemon/intake.h"
#include "daemon/judging.h"
#include "daemon/link.h"
#include "daemon/newpeople.h"
#include "daemon/opening.h"
#include "daemon/refresh.h"
#include "daemon/rejudge.h"
#include "daemon/reload.h"
#include "daemon/replaced.h"
#include "daemon/reports.h"
#include "daemon/service.h"
#include "daemon/settings.h"
#include "daemon/upkeep.h"
#include "edge/apiloop.h"
#include "edge/http.h"

#define GOODBYE_MS      3000 /* answers that are under way are waited for so long */
#define GOODBYE_LOOK_MS 20

/* Everything that lives while the daemon runs. */
struct punchd {
	struct context context;
	struct inforce inforce;
	struct reload reload;
	char site[256];

	struct replaced replaced;
	struct guard guard;
	struct terminals terminals;
	struct intake *intake;
	struct link *link;
	struct apiloop *apiloop;
	struct api_client *client;
	struct forward *forward;
	struct judging judging;
	struct rejudge *rejudge;
	struct refresh *refresh;
	struct hooks *hooks;
	struct newpeople *newpeople;
	struct upkeep *upkeep;
	struct check *check;
	struct reports *reports;
	struct control control;
	struct http_server *http;
	struct service service;

	struct loop_signal *term, *interrupt, *hangup;
	struct loop_timer *goodbye;
	int64_t goodbye_until_us;

	struct apikey key;
};

/* ---- what is looked at every second */

static void take_key(struct punchd *d)
{
	if (apikey_load(&d->key, &d->context.config, d->client) < 0)
		return;
	cloudmarks_take(&d->context, d->key.cloud);
	forward_look(d->forward);
	forward_resume(d->forward);
	refresh_wake(d->refresh);
	newpeople_wake(d->newpeople);
}

static void look_at_key(struct punchd *d, const char *seen)
{
	if (!apikey_changed(&d->key, &d->context.config))
		return;
	log_info("api_key", "the key file has changed: trying it", LOG_S("seen", seen));
	take_key(d);
}

static void on_key_file(void *arg)
{
	look_at_key(arg, "at once");
}

static void on_second(void *arg)
{
	struct punchd *d = arg;
	int64_t since_us = 0;
	bool up;

	if (!watchfile_settles(d->key.watch))
		look_at_key(d, "by looking");
	conditions_of_api(&d->context, d->forward, d->client, d->key.there);
	conditions_of_queue(&d->context);
	replaced_look(&d->replaced, &d->context);
	link_look(d->link);
	up = link_is_up(d->link, &since_us);
	terminals_link(&d->terminals, up, loop_now(d->context.loop).mono_us);
	if (up)
		intake_set_clocks(d->intake);
	conditions_of_terminals(&d->context, &d->terminals);
	service_second(&d->service);
}

/* ---- the wiring: what must go up goes through here */

static void on_ack(void *arg, const char *topic, const char *payload, size_t length)
{
	struct punchd *d = arg;

	/* Not delivered is not lost: the terminal sends again, and is told that it is a duplicate. */
	link_publish(d->link, topic, payload, length);
}

static void on_claim(void *arg, struct punch *p)
{
	forward_claim(((struct punchd *)arg)->forward, p);
}

static void on_released(void *arg, const struct punch *p)
{
	forward_returned(((struct punchd *)arg)->forward, p);
}

static void on_held(void *arg, const struct punch *p)
{
	rejudge_held(((struct punchd *)arg)->rejudge, p);
}

static void on_added(void *arg, const struct punch *p)
{
	struct punchd *d = arg;

	if (p->state == PUNCH_QUEUED)
		forward_added(d->forward, p);
	else if (p->state == PUNCH_HELD)
		rejudge_held(d->rejudge, p);
}

static void on_moved(void *arg, const struct punch *p)
{
	forward_moved(((struct punchd *)arg)->forward, p);
}

static int on_join(void *arg)
{
	return forward_join(((struct punchd *)arg)->forward);
}

static void on_ended(void *arg, bool committed)
{
	forward_ended(((struct punchd *)arg)->forward, committed);
}

static void on_server_date(void *arg, int64_t date_s, struct moment sent, struct moment received)
{
	struct punchd *d = arg;

	clocktrust_server_date(&d->context.clock, date_s, sent, received);
	cloudclock_date(&d->context.cloudclock, date_s, sent, received);
	idempotence_date(&d->context.cloud.idempotence, date_s, received.mono_us);
}

static void on_doubted(void *arg, int64_t seq)
{
	hooks_doubted(((struct punchd *)arg)->hooks, seq);
}

static void on_unsure(void *arg)
{
	refresh_now(((struct punchd *)arg)->refresh);
}

static void on_directory_changed(void *arg, bool people)
{
	struct punchd *d = arg;

	rejudge_start(d->rejudge, people ? REJUDGE_PEOPLE : REJUDGE_HELD);
	newpeople_wake(d->newpeople);
}

static void on_users_read(void *arg)
{
	newpeople_wake(((struct punchd *)arg)->newpeople);
}

static bool is_paused(void *arg)
{
	return forward_paused(((struct punchd *)arg)->forward) != NULL;
}

/* By a wrong clock taps may have been taken for too old to be looked at. */
static void on_clock_changed(void *arg)
{
	struct punchd *d = arg;

	terminals_clock_set(&d->terminals);
	rejudge_start(d->rejudge, REJUDGE_ALL);
}

static void on_rejudged(void *arg)
{
	forward_wake(((struct punchd *)arg)->forward);
}

static void on_refresh_ended(void *arg)
{
	forward_wake(((struct punchd *)arg)->forward);
}

static void on_disk(void *arg, bool low)
{
	link_set_away(((struct punchd *)arg)->link, low);
}

static void on_calm(void *arg)
{
	link_set_careful(((struct punchd *)arg)->link, false);
}

/* ---- signals */

static void on_goodbye(void *arg)
{
	struct punchd *d = arg;

	if ((forward_in_flight(d->forward) > 0 || newpeople_in_flight(d->newpeople)) &&
		loop_now(d->context.loop).mono_us < d->goodbye_until_us) {
		loop_timer_set(d->goodbye, GOODBYE_LOOK_MS);
		return;
	}
	forward_stop(d->forward);
	if (!d->context.stopping)
		cloudmarks_save(&d->context); /* what this fails to keep is learnt again */
	if (!d->context.stopping)
		loop_stop(d->context.loop, 0);
}

static void on_terminate(void *arg)
{
	struct punchd *d = arg;

	if (d->goodbye_until_us != 0)
		return;
	log_info("stopping", "asked to stop: saying goodbye to the broker, waiting for answers");
	service_stopping();
	d->goodbye_until_us = loop_now(d->context.loop).mono_us + GOODBYE_MS * 1000;
	link_close(d->link);
	hooks_stop(d->hooks);
	forward_stop(d->forward);
	loop_timer_set(d->goodbye, newpeople_stop(d->newpeople) ? GOODBYE_LOOK_MS : 0);
}

static void on_hangup(void *arg)
{
	struct punchd *d = arg;

	reload_run(&d->reload);
	take_key(d);
	upkeep_wake(d->upkeep);
	rejudge_start(d->rejudge, REJUDGE_ALL);
}

/* ---- making everything, from the bottom up */

static int64_t wall_us(void *arg)
{
	struct loop *l = arg;

	return loop_now(l).wall_us;
}

static struct api_moment api_now(void *arg)
{
	return api_moment_of(loop_now(((struct punchd *)arg)->context.loop));
}

static uint64_t api_random(void *arg)
{
	return loop_random(((struct punchd *)arg)->context.loop);
}

/* They have been checked with the settings; only memory, or a file changed since, can fail it. */
static int make_profiles(struct context *c)
{
	struct buf faults;
	int r;

	buf_init(&faults, SETTINGS_FAULTS_MAX);
	r = settings_profiles(&c->config, &c->profiles, &faults);
	if (r == 0 && faults.len > 0) {
		settings_log_faults(&faults);
		r = -EINVAL;
	}
	buf_done(&faults);
	return r;
}

static int make_context(struct punchd *d)
{
	struct context *c = &d->context;
	uint64_t seed = loop_random(c->loop);
	int r = clock_boot_id(c->boot_id);

	directory_init(&c->directory, seed);
	strmap_init(&c->zones, seed);
	families_init(&c->families, seed);
	links_init(&c->links, seed);
	c->site = settings_site(&c->config, d->site, sizeof d->site);
	if (r == 0)
		r = zone_load(c->config.site.time_zone, &c->zone);
	if (r < 0) {
		log_error("start", "the system's boot id or time zone cannot be read",
			LOG_S("error", strerror(-r)));
		return r;
	}
	r = make_profiles(c);
	if (r == 0)
		r = context_take_settings(c);
	if (r == 0)
		r = opening_store(c);
	if (r == 0)
		r = clockmarks_load(c);
	if (r == 0)
		r = cloudmarks_load(c);
	return r < 0 ? r : replaced_load(&d->replaced, c);
}

static int make_api(struct punchd *d)
{
	const struct config *c = &d->context.config;
	const struct api_curl_settings transport = {
		.ca_file = c->api.ca_file[0] ? c->api.ca_file : NULL,
		.proxy = settings_proxy(c),
		.pins = c->api.pinned_public_key[0] ? c->api.pinned_public_key : NULL,
		.timeout_ms = c->api.timeout_ms,
		.max_connections = (int)c->api.max_in_flight,
		.user_agent = "punchd/" PACKAGE_VERSION,
	};
	const struct api_settings settings = {
		.base_url = c->api.base_url,
		.plan_limit = c->api.plan,
		.max_in_flight = (int)c->api.max_in_flight,
		.retry_min_ms = c->api.retry_min_ms,
		.retry_max_ms = c->api.retry_max_ms,
		.auth_retry_ms = c->api.auth_retry_ms,
	};
	const struct api_world world = {.arg = d, .now = api_now, .random = api_random};
	int r = apiloop_new(d->context.loop, &transport, &d->apiloop);

	if (r == 0)
		r = api_client_new(&settings, &world, apiloop_transport(d->apiloop), &d->client);
	if (r < 0)
		log_error("start",
			"the API's client could not be made: check [api] base_url and ca_file",
			LOG_S("error", strerror(-r)));
	return r;
}

static int make_line(struct punchd *d)
{
	struct context *c = &d->context;
	const struct forward_events forward = {
		.arg = d, .server_date = on_server_date, .doubted = on_doubted};
	const struct hooks_events hooks = {
		.arg = d, .changed = on_directory_changed, .unsure = on_unsure};
	const struct intake_events intake = {.arg = d,
		.publish = on_ack,
		.claim = on_claim,
		.added = on_added,
		.join = on_join,
		.ended = on_ended};
	const struct rejudge_events rejudge = {
		.arg = d, .join = on_join, .ended = on_ended, .finished = on_rejudged};
	const struct refresh_events refresh = {.arg = d,
		.changed = on_directory_changed,
		.users_read = on_users_read,
		.ended = on_refresh_ended,
		.server_date = on_server_date};
	const struct newpeople_events newpeople = {.arg = d,
		.changed = on_directory_changed,
		.ended = on_refresh_ended,
		.server_date = on_server_date,
		.paused = is_paused};
	const struct upkeep_events upkeep = {
		.arg = d, .disk = on_disk, .clock_changed = on_clock_changed, .second = on_second};
	const struct judging_events judging = {
		.arg = d, .queued = on_released, .held = on_held, .moved = on_moved};
	int r = guard_init(&d->guard, c, on_calm, d);

	judging_init(&d->judging, c, &judging);
	terminals_init(&d->terminals, c, loop_random(c->loop));
	if (r == 0)
		r = forward_new(c, &d->judging, d->client, &forward, &d->forward);
	if (r == 0)
		r = forward_load(d->forward);
	if (r == 0)
		r = apikey_load(&d->key, &c->config, d->client);
	if (r == 0) {
		cloudmarks_take(c, d->key.cloud);
		apikey_watch(&d->key, &c->config, c->loop, on_key_file, d);
	}
	if (r == 0)
		r = intake_new(c, &d->judging, &d->guard, &d->terminals, &intake, &d->intake);
	if (r == 0)
		r = rejudge_new(c, &d->judging, &rejudge, &d->rejudge);
	if (r == 0)
		r = refresh_new(c, d->client, &refresh, &d->refresh);
	if (r == 0)
		r = hooks_new(c, d->forward, &hooks, &d->hooks);
	if (r == 0)
		r = newpeople_new(c, d->client, d->refresh, &newpeople, &d->newpeople);
	if (r == 0)
		r = upkeep_new(c, &upkeep, &d->upkeep);
	if (r == 0)
		r = check_new(c, &d->check);
	if (r == 0) {
		d->reports = reports_new(c, d->client, &d->terminals);
		r = d->reports ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = intake_recover(d->intake);
	if (r == 0)
		r = link_new(c, &d->guard, d->intake, &d->link);
	if (r == -EUCLEAN)
		opening_suspect(c->config.store.path);
	if (r < 0)
		log_error("start", "could not start", LOG_S("error", strerror(-r)));
	return r;
}

static gid_t group_id(const char *name)
{
	const struct group *g = name[0] ? getgrnam(name) : NULL;

	return g ? g->gr_gid : (gid_t)-1;
}

static int make_control(struct punchd *d)
{
	struct context *c = &d->context;
	int group_error = 0, r;

	d->control = (struct control){
		.context = c,
		.forward = d->forward,
		.client = d->client,
		.refresh = d->refresh,
		.hooks = d->hooks,
		.newpeople = d->newpeople,
		.rejudge = d->rejudge,
		.judging = &d->judging,
		.terminals = &d->terminals,
		.check = d->check,
		.reports = d->reports,
		.link = d->link,
		.started_us = loop_now(c->loop).mono_us,
		.started_wall_us = loop_now(c->loop).wall_us,
		.key = &d->key,
		.inforce = &d->inforce,
		.group = group_id(c->config.control.group),
	};
	r = http_unix_new(c->loop, c->config.control.socket, c->config.control.group,
		control_dispatch, &d->control, &d->http, &group_error);
	if (r < 0)
		log_error("control",
			"cannot listen on the control socket: its folder must exist, and "
			"no other punchd may use it",
			LOG_S("socket", c->config.control.socket), LOG_S("error", strerror(-r)));
	else if (group_error < 0 && c->config.control.group[0])
		log_warn("control", "only root and this user can ask: the group cannot be let in",
			LOG_S("group", c->config.control.group),
			LOG_S("error", strerror(-group_error)));
	return r;
}

static int make_signals(struct punchd *d)
{
	struct loop *l = d->context.loop;

	signal(SIGPIPE, SIG_IGN);
	d->term = loop_signal_new(l, SIGTERM, on_terminate, d);
	d->interrupt = loop_signal_new(l, SIGINT, on_terminate, d);
	d->hangup = loop_signal_new(l, SIGHUP, on_hangup, d);
	d->goodbye = loop_timer_new(l, on_goodbye, d);
	d->reload = (struct reload){.context = &d->context,
		.inforce = &d->inforce,
		.intake = d->intake,
		.link = d->link,
		.hooks = d->hooks};
	return d->term && d->interrupt && d->hangup && d->goodbye ? 0 : -ENOMEM;
}

static void unmake(struct punchd *d)
{
	struct context *c = &d->context;

	http_server_free(d->http);
	link_free(d->link);
	api_client_free(d->client);
	reports_free(d->reports);
	apiloop_free(d->apiloop);
	forward_free(d->forward);
	rejudge_free(d->rejudge);
	newpeople_free(d->newpeople);
	refresh_free(d->refresh);
	hooks_free(d->hooks);
	upkeep_free(d->upkeep);
	check_free(d->check);
	intake_free(d->intake);
	guard_done(&d->guard);
	apikey_done(&d->key);
	terminals_done(&d->terminals);
	judging_done(&d->judging);
	loop_signal_free(d->term);
	loop_signal_free(d->interrupt);
	loop_signal_free(d->hangup);
	loop_timer_free(d->goodbye);
	store_close(c->store);
	directory_done(&c->directory);
	links_done(&c->links);
	zone_free(c->zone);
	context_done(c);
	profile_set_done(&c->profiles);
	config_done(&c->config);
	loop_free(c->loop);
}

static int run(struct punchd *d)
{
	int code = PUNCHD_EXIT_FAILED;

	if (make_context(d) < 0 || make_api(d) < 0 || make_line(d) < 0 || make_control(d) < 0 ||
		hooks_listen(d->hooks) < 0 || make_signals(d) < 0)
		return PUNCHD_EXIT_FAILED;
	log_info("started", "punchd " PACKAGE_VERSION " runs", LOG_S("site", d->site),
		LOG_S("store", d->context.config.store.path),
		LOG_S("socket", d->context.config.control.socket));
	rejudge_begin(d->rejudge);
	hooks_begin(d->hooks);
	forward_begin(d->forward);
	service_init(&d->service, &d->context, d->forward, &d->inforce);
	service_ready(&d->service);
	code = loop_run(d->context.loop);
	if (code == 0 && guard_clean(&d->guard) < 0)
		code = PUNCHD_EXIT_FAILED;
	if (code == 0)
		opening_trust(d->context.config.store.path);
	log_info("stopped", "punchd ends", LOG_I("code", code < 0 ? 1 : code));
	return code < 0 ? PUNCHD_EXIT_FAILED : code;
}

/* ---- what main calls */

int punchd_run(const char *config_file)
{
	struct punchd *d = calloc(1, sizeof *d);
	int code;

	if (!d)
		return PUNCHD_EXIT_FAILED;
	d->context.loop = loop_new();
	if (!d->context.loop) {
		free(d);
		return PUNCHD_EXIT_FAILED;
	}
	json_object_seed((size_t)loop_random(d->context.loop));
	alarms_init(&d->context.alarms, wall_us, d->context.loop);
	inforce_look(&d->inforce, config_file);
	if (settings_read_aloud(&d->context.config, config_file)) {
		inforce_taken(&d->inforce, wall_us(d->context.loop), NULL);
		code = run(d);
	} else {
		fprintf(stderr, "punchd: the settings are at fault, nothing was started\n");
		code = PUNCHD_EXIT_CONFIG;
	}
	unmake(d);
	free(d);
	return code;
}
