#include "daemon/refresh.h"

#include <errno.h>

#include "base/backoff.h"
#include "base/jget.h"
#include "base/log.h"
#include "daemon/refresh_page.h"
#include "store/store_directory.h"

#define PAGE_USERS   100 /* asked for; what came decides how the list goes on */
#define PASSES_MAX   20 /* of a list that shifts while it is paged, before it is left for a while */
#define USERS_MAX    1000000
#define BUSY_WAIT_MS 5000 /* asking again for room where the client cannot say when */
#define WORDS_MAX    200

/* Of a day's requests refreshes take 10 % at most: users nine, devices one. */
#define USERS_PERCENT   9
#define DEVICES_PERCENT 1
#define LIMIT_PLAN      100 /* requests a minute of the smallest plan */
#define MS_PER_MIN      60000

/* One of the two lists. */
struct list {
	struct refresh *r;
	struct loop_timer *timer;
	bool running; /* a request is under way */
	bool stale; /* … which belongs to a pass that was given up: its page is no part of this one */
	bool due;         /* a pass is wanted, or under way */
	bool failed;      /* the last try; it is said once */
	int64_t pass;     /* the newest pass this list has completed */
	int64_t begun_us; /* monotonic, when this pass began; 0: in an earlier run */
	int64_t read_us;  /* when the newest complete one did; 0: none in this run */

	int64_t offset;  /* of what comes next */
	int64_t total;   /* as the first page said; -1: not yet */
	int64_t before;  /* entries that an earlier run had read, to its offset */
	int64_t strange; /* entries that cannot be used */
	char seam[CLOUD_ID_MAX +
		1];       /* the last entry before offset; "": it is not asked for again */
	int overlap;      /* entries of the page under way that came before: 0 or 1 */
	bool shifted;     /* the total changed */
	bool unstable;    /* the order did, or it is read for the second time */
	int passes;       /* of this due, or since it failed */
	int64_t requests; /* of this due */
};

struct refresh {
	struct context *context;
	struct api_client *client;
	struct refresh_events on;
	struct list lists[DIR_WHATS];
	struct backoff backoff;
	struct refresh_status status;
	char words[WORDS_MAX];
};

static enum dir_what what_of(const struct list *l)
{
	return l == &l->r->lists[DIR_USERS] ? DIR_USERS : DIR_DEVICES;
}

static const char *name_of(const struct list *l)
{
	return what_of(l) == DIR_USERS ? "users" : "devices";
}

/* ---- intervals */

/* How long requests are to be apart so that no more than our share of a day's is used. */
static int64_t share_ms(const struct list *l, int64_t requests)
{
	int64_t limit = l->r->context->config.api.plan;
	int64_t percent = what_of(l) == DIR_USERS ? USERS_PERCENT : DEVICES_PERCENT;
	struct api_status s;

	api_client_status(l->r->client, &s);
	if (s.limit > 0)
		limit = s.limit;
	if (limit <= 0)
		limit = LIMIT_PLAN;
	return requests * MS_PER_MIN * 100 / percent / limit;
}

/* Until the next pass, by what the last one took. */
static int64_t interval_ms(const struct list *l)
{
	const struct config *c = &l->r->context->config;
	int64_t wanted_ms = what_of(l) == DIR_USERS ? c->sync.users_ms : c->sync.devices_ms;
	int64_t least_ms = share_ms(l, l->requests);

	return wanted_ms > least_ms ? wanted_ms : least_ms;
}

/* ---- passes */

static enum api_call call_of(const struct list *l)
{
	return what_of(l) == DIR_USERS ? API_CALL_USERS : API_CALL_DEVICES;
}

static int64_t *pass_time(struct list *l)
{
	struct context *c = l->r->context;

	return what_of(l) == DIR_USERS ? &c->users_pass_ms : &c->devices_pass_ms;
}

/* Without a list every punch would only be held, so it goes first; but a list that cannot be had
 * holds up nobody. */
static void set_precedence(struct refresh *r)
{
	bool first = false;

	for (int i = 0; i < DIR_WHATS; i++) {
		struct list *l = &r->lists[i];

		first = first || (l->due && !l->failed && *pass_time(l) == 0);
	}
	api_client_refresh_first(r->client, first);
}

static void restart(struct list *l)
{
	directory_pass_begin(&l->r->context->directory, what_of(l));
	l->begun_us = loop_now(l->r->context->loop).mono_us;
	l->offset = 0;
	l->before = 0;
	l->total = -1;
	l->strange = 0;
	l->seam[0] = '\0';
	l->shifted = false;
	l->unstable = false;
}

/*
 * Go on with a first pass that an earlier run began. What it had read it has kept, but who left
 * meanwhile is not known to be missing, and where the total has changed it is read anew.
 */
static int resume(struct list *l)
{
	struct store *s = l->r->context->store;
	int64_t offset, total;
	int r = store_meta_get(s, REFRESH_OFFSET, 0, &offset);

	if (r == 0)
		r = store_meta_get(s, REFRESH_TOTAL, -1, &total);
	/* A salvage may have kept the place and not the people. */
	if (r < 0 || *pass_time(l) != 0 || offset <= 0 || total < offset ||
		(int64_t)directory_count(&l->r->context->directory, DIR_USERS) < offset)
		return r;
	l->begun_us = 0;
	l->offset = l->before = offset;
	l->total = total;
	l->unstable = true;
	return 0;
}

static void begin(struct list *l)
{
	l->due = true;
	l->passes = 0;
	l->requests = 0;
	restart(l);
	l->stale = l->running;
	set_precedence(l->r);
	if (!l->running)
		loop_timer_set(l->timer, 0);
}

static void note_pass(struct list *l)
{
	struct refresh *r = l->r;
	const struct list *other = &r->lists[what_of(l) == DIR_USERS ? DIR_DEVICES : DIR_USERS];

	l->pass = r->status.wanted;
	if (other->pass >= l->pass)
		r->status.complete = l->pass;
	backoff_reset(&r->backoff);
}

/* What has come of the pass is kept: it goes on with the page that failed. */
static void fail(struct list *l, const char *words, int64_t least_ms)
{
	struct refresh *r = l->r;
	int64_t wait_ms = backoff_next_ms(&r->backoff, loop_random(r->context->loop));
	bool again = l->failed && strcmp(r->words, words) == 0;

	if (wait_ms < least_ms)
		wait_ms = least_ms;
	l->failed = true;
	set_precedence(r);
	r->status.failed = r->status.wanted;
	punch_text_cut(r->words, sizeof r->words, words);
	log_put(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "sync_failed",
		"the directory could not be fetched; the cached one serves on",
		LOG_LIST(LOG_S("list", name_of(l)), LOG_S("why", words),
			LOG_I("again_in_s", (wait_ms + 999) / 1000)));
	loop_timer_set(l->timer, wait_ms);
}

static void give_up(struct list *l, const char *words)
{
	int64_t least_ms = share_ms(l, l->requests);

	l->passes = 0;
	l->requests = 0;
	restart(l);
	fail(l, words, least_ms);
}

struct missing {
	struct store *store;
	enum dir_what what;
};

static int store_missing(void *arg, const char *key, int passes)
{
	const struct missing *m = arg;

	return store_missing_put(m->store, m->what, key, passes);
}

/* The time of the pass, and who was missing from it, in one commit. */
static int save_pass(struct list *l, bool stable, int64_t now_ms)
{
	struct context *c = l->r->context;
	struct missing missing = {c->store, what_of(l)};
	int r = store_begin(c->store);

	if (r == 0)
		r = store_meta_set(c->store,
			missing.what == DIR_USERS ? "users_pass" : "devices_pass", now_ms);
	if (r == 0 && stable)
		r = directory_pass_missing(&c->directory, missing.what, store_missing, &missing);
	if (r == 0)
		return store_commit(c->store);
	store_rollback(c->store);
	return r;
}

/* stable: what was not seen is missing. */
static void complete(struct list *l, bool stable)
{
	struct context *c = l->r->context;
	int64_t now_ms = loop_now(c->loop).wall_us / 1000;
	size_t seen = directory_pass_seen(&c->directory, what_of(l)), gone = 0;
	bool first = *pass_time(l) == 0;
	int r = save_pass(l, stable, now_ms);

	if (r < 0) {
		context_store_failed(c, r, "keeping the directory");
		give_up(l, "it could not be stored");
		return;
	}
	*pass_time(l) = now_ms;
	if (stable)
		gone = directory_pass_end(&c->directory, what_of(l));
	log_info("synced", "the directory was fetched", LOG_S("list", name_of(l)),
		LOG_I("entries", (int64_t)seen), LOG_I("gone", (int64_t)gone));
	l->due = false;
	l->failed = false;
	set_precedence(l->r);
	note_pass(l);
	loop_timer_set(l->timer, interval_ms(l));
	l->read_us = l->begun_us;
	if (first || gone > 0)
		l->r->on.changed(l->r->on.arg, false);
	if (what_of(l) == DIR_USERS && l->r->on.users_read)
		l->r->on.users_read(l->r->on.arg);
}

/* ---- requests */

static void on_page(void *arg, const struct api_reply *reply);

/*
 * A page begins with the last entry of the one before: where it does not, the list has moved between
 * the two, and who was pushed over the seam may have been missed.
 */
static int ask_users(struct list *l)
{
	l->overlap = l->offset > 0 && l->seam[0] != '\0';
	return api_users_list(l->r->client, PAGE_USERS, l->offset - l->overlap, on_page, l);
}

static void ask(struct list *l)
{
	struct refresh *r = l->r;
	int64_t wait_us;
	int error;

	if (!l->due || l->running || r->context->stopping)
		return;
	if (api_client_room(r->client, call_of(l), &wait_us) <= 0) {
		loop_timer_set(l->timer, wait_us >= 0 ? (wait_us + 999) / 1000 : BUSY_WAIT_MS);
		return;
	}
	error = what_of(l) == DIR_USERS ? ask_users(l) : api_devices_list(r->client, on_page, l);
	l->running = error == 0;
	l->requests++;
	if (error < 0)
		fail(l, "out of memory", 0);
}

static void on_timer(void *arg)
{
	struct list *l = arg;

	if (l->due)
		ask(l);
	else
		begin(l);
}

/*
 * The end of the list. Where its order changes from page to page, one pass misses some and meets
 * others twice: it is read until as many have been seen as there are.
 */
static void end_of_users(struct list *l)
{
	int64_t seen = l->before + l->strange +
		(int64_t)directory_pass_seen(&l->r->context->directory, DIR_USERS);

	if (seen >= l->total && !l->shifted) {
		complete(l, !l->unstable && seen == l->total);
		return;
	}
	if (++l->passes == PASSES_MAX) {
		give_up(l, "the list of users changes faster than it can be read");
		return;
	}
	log_put(l->passes == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "sync_shifted",
		"the list of users changed while it was read: once more",
		LOG_LIST(LOG_I("seen", seen), LOG_I("total", l->total)));
	if (l->shifted)
		restart(l);
	else
		l->unstable = true;
	l->offset = 0;
	l->before = 0;
	l->strange = 0;
	ask(l);
}

static int64_t total_of(const struct api_reply *reply)
{
	int64_t total = -1;

	jget_int(reply->meta, "total", 0, INT64_MAX, &total);
	return total;
}

static void take_users(
	struct list *l, const struct api_reply *reply, const struct refresh_page *page)
{
	int64_t total = total_of(reply), came = (int64_t)json_array_size(reply->data);
	int64_t more = came - l->overlap;

	if (l->total >= 0 && total != l->total)
		l->shifted = true;
	if (l->overlap && strcmp(page->first, l->seam) != 0)
		l->unstable = true;
	l->total = total;
	l->strange += page->strange;
	l->offset += more > 0 ? more : 0;
	/* Where one comes at a time, the next page would only bring that one again. */
	punch_text_cut(l->seam, sizeof l->seam, came > 1 ? page->last : "");
	/* Without a total only a page with nothing new is the end. */
	if (more <= 0 || (total >= 0 && l->offset >= total) || l->offset > USERS_MAX)
		end_of_users(l);
	else
		ask(l);
}

static void take_page(struct list *l, const struct api_reply *reply)
{
	struct refresh *r = l->r;
	const struct refresh_place place = {
		l->offset + (int64_t)json_array_size(reply->data) - l->overlap, total_of(reply)};
	bool first = what_of(l) == DIR_USERS && *pass_time(l) == 0;
	struct refresh_page page;
	int error = refresh_page_take(r->context, what_of(l), reply->data, reply->sent.mono_us,
		first ? &place : NULL, &page);

	if (error < 0) {
		context_store_failed(r->context, error, "keeping the directory");
		fail(l, "it could not be stored", 0);
		return;
	}
	if (page.changed > 0)
		r->on.changed(r->on.arg, page.people > 0);
	if (what_of(l) == DIR_USERS)
		take_users(l, reply, &page);
	else
		complete(l, true);
}

static void on_page(void *arg, const struct api_reply *reply)
{
	struct list *l = arg;
	struct refresh *r = l->r;

	l->running = false;
	if (reply->outcome == API_CANCELLED)
		return;
	r->on.ended(r->on.arg);
	if (reply->date_s > 0)
		r->on.server_date(r->on.arg, reply->date_s, api_moment_is(reply->sent),
			api_moment_is(reply->received));
	if (reply->outcome == API_RATE_LIMITED || l->stale) {
		l->stale = false;
		ask(l); /* where there is no room it is told for how long */
	} else if (reply->outcome != API_DONE || !json_is_array(reply->data)) {
		fail(l, reply->message[0] ? reply->message : api_outcome_name(reply->outcome), 0);
	} else {
		take_page(l, reply);
	}
}

/* ---- life */

int refresh_new(struct context *context, struct api_client *client,
	const struct refresh_events *events, struct refresh **ret_refresh)
{
	struct refresh *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = (struct refresh){.context = context, .client = client, .on = *events};
	backoff_init(
		&r->backoff, context->config.api.retry_min_ms, context->config.api.retry_max_ms);
	for (int i = 0; i < DIR_WHATS; i++) {
		r->lists[i].r = r;
		r->lists[i].timer = loop_timer_new(context->loop, on_timer, &r->lists[i]);
		if (!r->lists[i].timer) {
			refresh_free(r);
			return -ENOMEM;
		}
	}
	refresh_now(r);
	*ret_refresh = r;
	return resume(&r->lists[DIR_USERS]);
}

void refresh_free(struct refresh *r)
{
	if (!r)
		return;
	for (int i = 0; i < DIR_WHATS; i++)
		loop_timer_free(r->lists[i].timer);
	free(r);
}

int64_t refresh_now(struct refresh *r)
{
	r->status.wanted++;
	for (int i = 0; i < DIR_WHATS; i++)
		begin(&r->lists[i]);
	return r->status.wanted;
}

void refresh_read_users(struct refresh *r)
{
	if (!r->lists[DIR_USERS].due)
		begin(&r->lists[DIR_USERS]);
}

int64_t refresh_users_read_us(const struct refresh *r)
{
	return r->lists[DIR_USERS].read_us;
}

void refresh_wake(struct refresh *r)
{
	backoff_init(&r->backoff, r->context->config.api.retry_min_ms,
		r->context->config.api.retry_max_ms);
	for (int i = 0; i < DIR_WHATS; i++) {
		if (!r->lists[i].running)
			loop_timer_set(
				r->lists[i].timer, r->lists[i].due ? 0 : interval_ms(&r->lists[i]));
	}
}

void refresh_status(const struct refresh *r, struct refresh_status *ret)
{
	*ret = r->status;
	ret->words = r->words;
}
