#include "daemon/refresh.h"

#include <errno.h>

#include "base/backoff.h"
#include "base/jget.h"
#include "base/log.h"
#include "base/strmap.h"
#include "store/store_directory.h"

#define PAGE_USERS   100 /* asked for; what came decides how the list goes on */
#define PASSES_MAX   20 /* of a list that shifts while it is paged, before it is left for a while */
#define USERS_MAX    1000000
#define FIELD_MAX    256 /* bytes of a name and the like that are kept */
#define ID_MAX       CLOUD_ID_MAX
#define BUSY_WAIT_MS 5000 /* asking again for room where the client cannot say when */
#define WORDS_MAX    200

enum what { WHAT_DEVICES, WHAT_USERS, WHATS };

/* One of the two lists. */
struct list {
	struct refresh *r;
	struct loop_timer *timer;
	bool running; /* a request is under way */
	bool stale; /* … which belongs to a pass that was given up: its page is no part of this one */
	bool due;     /* a pass is wanted, or under way */
	bool failed;  /* the last try; it is said once */
	int64_t pass; /* the newest pass this list has completed */

	int64_t offset;
	int64_t total; /* as the first page said; -1: not yet */
	bool shifted;
	int passes;         /* of this due, or since it failed */
	struct strmap seen; /* ids of all passes over a list of this total */
};

struct refresh {
	struct context *context;
	struct api_client *client;
	struct refresh_events on;
	struct list lists[WHATS];
	struct backoff backoff;
	struct refresh_status status;
	char words[WORDS_MAX];
};

static const char seen_mark;

static enum what what_of(const struct list *l)
{
	return l == &l->r->lists[WHAT_USERS] ? WHAT_USERS : WHAT_DEVICES;
}

static const char *name_of(const struct list *l)
{
	return what_of(l) == WHAT_USERS ? "users" : "devices";
}

/* ---- passes */

static void restart(struct list *l)
{
	strmap_done(&l->seen);
	strmap_init(&l->seen, loop_random(l->r->context->loop));
	l->offset = 0;
	l->total = -1;
	l->shifted = false;
}

static void begin(struct list *l)
{
	l->due = true;
	l->passes = 0;
	restart(l);
	l->stale = l->running;
	if (!l->running)
		loop_timer_set(l->timer, 0);
}

static int64_t interval_ms(const struct list *l)
{
	const struct config *c = &l->r->context->config;

	return what_of(l) == WHAT_USERS ? c->sync.users_ms : c->sync.devices_ms;
}

static void note_pass(struct list *l)
{
	struct refresh *r = l->r;
	const struct list *other = &r->lists[what_of(l) == WHAT_USERS ? WHAT_DEVICES : WHAT_USERS];

	l->pass = r->status.wanted;
	if (other->pass >= l->pass)
		r->status.complete = l->pass;
	backoff_reset(&r->backoff);
}

static int save_time(struct list *l, int64_t now_ms)
{
	struct store *s = l->r->context->store;
	bool users = what_of(l) == WHAT_USERS;
	int r = store_begin(s);

	if (r == 0)
		r = store_meta_set(s, users ? "users_pass" : "devices_pass", now_ms);
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

static void fail(struct list *l, const char *words)
{
	struct refresh *r = l->r;
	int64_t wait_ms = backoff_next_ms(&r->backoff, loop_random(r->context->loop));
	bool again = l->failed && strcmp(r->words, words) == 0;

	l->failed = true;
	l->passes = 0;
	r->status.failed = r->status.wanted;
	punch_text_cut(r->words, sizeof r->words, words);
	log_put(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "sync_failed",
		"the directory could not be fetched; the cached one serves on",
		LOG_LIST(LOG_S("list", name_of(l)), LOG_S("why", words),
			LOG_I("again_in_s", (wait_ms + 999) / 1000)));
	restart(l);
	loop_timer_set(l->timer, wait_ms);
}

static void complete(struct list *l)
{
	struct context *c = l->r->context;
	int64_t now_ms = loop_now(c->loop).wall_us / 1000;
	bool users = what_of(l) == WHAT_USERS;
	bool first = (users ? c->users_pass_ms : c->devices_pass_ms) == 0;
	int r = save_time(l, now_ms);

	if (r < 0) {
		context_store_failed(c, r, "keeping the directory");
		fail(l, "it could not be stored");
		return;
	}
	if (users)
		c->users_pass_ms = now_ms;
	else
		c->devices_pass_ms = now_ms;
	log_info("synced", "the directory was fetched", LOG_S("list", name_of(l)),
		LOG_I("entries", (int64_t)strmap_count(&l->seen)));
	l->due = false;
	l->failed = false;
	note_pass(l);
	restart(l);
	loop_timer_set(l->timer, interval_ms(l));
	if (first)
		l->r->on.changed(l->r->on.arg);
}

/* ---- entries */

/* A text of an entry: as it is, cut where it is long, "" where it is none. */
static const char *field(const json_t *entry, const char *key, char ret[static FIELD_MAX + 1])
{
	punch_text_cut(ret, FIELD_MAX + 1, jget_str_or_empty(entry, key));
	return ret;
}

static bool see(struct list *l, const char *id)
{
	void *before = NULL;

	return strmap_put(&l->seen, id, (void *)(uintptr_t)&seen_mark, &before) == 0 && !before;
}

/* Returns an enum dir_change or an error. */
static int put_user(struct list *l, const json_t *entry)
{
	char name[FIELD_MAX + 1], email[FIELD_MAX + 1], phone[FIELD_MAX + 1],
		department[FIELD_MAX + 1], updated[FIELD_MAX + 1];
	struct dir_user user = {.name = field(entry, "name", name),
		.email = field(entry, "email", email),
		.phone = field(entry, "phone", phone),
		.department = field(entry, "department", department),
		.updated_at = field(entry, "updated_at", updated)};
	struct context *c = l->r->context;
	int r;

	if (jget_str(entry, "id", 1, ID_MAX, &user.id) <= 0)
		return DIR_SAME;
	see(l, user.id);
	r = directory_put_user(&c->directory, &user);
	if (r > DIR_SAME) {
		int error = store_user_put(c->store, &user);

		return error < 0 ? error : r;
	}
	return r;
}

static int put_device(struct list *l, const json_t *entry)
{
	char name[FIELD_MAX + 1], type[FIELD_MAX + 1], status[FIELD_MAX + 1],
		location[FIELD_MAX + 1], updated[FIELD_MAX + 1];
	struct dir_device device = {.name = field(entry, "name", name),
		.type = field(entry, "type", type),
		.status = field(entry, "status", status),
		.location = field(entry, "location", location),
		.updated_at = field(entry, "updated_at", updated)};
	struct context *c = l->r->context;
	int r;

	if (jget_str(entry, "id", 1, ID_MAX, &device.id) <= 0 ||
		jget_str(entry, "serial_number", 1, FIELD_MAX, &device.serial) <= 0)
		return DIR_SAME;
	see(l, device.serial);
	r = directory_put_device(&c->directory, &device);
	if (r > DIR_SAME) {
		int error = store_device_put(c->store, &device);

		return error < 0 ? error : r;
	}
	return r;
}

/* Take a page over, in one commit. Returns how many entries changed, or an error. */
static int take_page(struct list *l, const json_t *data)
{
	struct store *s = l->r->context->store;
	int changed = 0, r = 0;
	const json_t *entry;
	size_t i;

	json_array_foreach(data, i, entry)
	{
		r = what_of(l) == WHAT_USERS ? put_user(l, entry) : put_device(l, entry);
		if (r < 0)
			break;
		changed += r != DIR_SAME;
	}
	if (r >= 0)
		r = store_commit(s);
	if (r < 0) {
		store_rollback(s);
		return r;
	}
	return changed;
}

/* ---- requests */

static void on_page(void *arg, const struct api_reply *reply);

static void ask(struct list *l)
{
	struct refresh *r = l->r;
	int64_t wait_us;
	int error;

	if (!l->due || l->running || r->context->stopping)
		return;
	if (api_client_room(r->client, API_CLASS_REFRESH, &wait_us) <= 0) {
		loop_timer_set(l->timer, wait_us >= 0 ? (wait_us + 999) / 1000 : BUSY_WAIT_MS);
		return;
	}
	error = what_of(l) == WHAT_USERS
		? api_users_list(r->client, PAGE_USERS, l->offset, on_page, l)
		: api_devices_list(r->client, on_page, l);
	l->running = error == 0;
	if (error < 0)
		fail(l, "out of memory");
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
	bool whole = (int64_t)strmap_count(&l->seen) >= l->total;

	if (whole && !l->shifted) {
		complete(l);
		return;
	}
	if (++l->passes == PASSES_MAX) {
		fail(l, "the list of users changes faster than it can be read");
		return;
	}
	log_put(l->passes == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "sync_shifted",
		"the list of users changed while it was read: once more",
		LOG_LIST(LOG_I("seen", (int64_t)strmap_count(&l->seen)), LOG_I("total", l->total)));
	if (l->shifted)
		restart(l);
	l->offset = 0;
	ask(l);
}

static void take_users(struct list *l, const struct api_reply *reply)
{
	int64_t total = -1, came = (int64_t)json_array_size(reply->data);

	jget_int(reply->meta, "total", 0, INT64_MAX, &total);
	if (l->total >= 0 && total != l->total)
		l->shifted = true;
	l->total = total;
	l->offset += came;
	/* Without a total only an empty page is the end. */
	if (came == 0 || (total >= 0 && l->offset >= total) || l->offset > USERS_MAX)
		end_of_users(l);
	else
		ask(l);
}

static void on_page(void *arg, const struct api_reply *reply)
{
	struct list *l = arg;
	struct refresh *r = l->r;
	int changed;

	l->running = false;
	if (reply->outcome == API_CANCELLED)
		return;
	r->on.ended(r->on.arg);
	if (reply->date_s > 0)
		r->on.server_date(r->on.arg, reply->date_s, reply->sent, reply->received);
	if (reply->outcome == API_RATE_LIMITED || l->stale) {
		l->stale = false;
		ask(l); /* where there is no room it is told for how long */
		return;
	}
	if (reply->outcome != API_DONE || !json_is_array(reply->data)) {
		fail(l, reply->message[0] ? reply->message : api_outcome_name(reply->outcome));
		return;
	}
	changed = take_page(l, reply->data);
	if (changed < 0) {
		context_store_failed(r->context, changed, "keeping the directory");
		fail(l, "it could not be stored");
		return;
	}
	if (changed > 0)
		r->on.changed(r->on.arg);
	if (what_of(l) == WHAT_USERS)
		take_users(l, reply);
	else
		complete(l);
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
	for (int i = 0; i < WHATS; i++) {
		r->lists[i].r = r;
		strmap_init(&r->lists[i].seen, 0);
		r->lists[i].timer = loop_timer_new(context->loop, on_timer, &r->lists[i]);
		if (!r->lists[i].timer) {
			refresh_free(r);
			return -ENOMEM;
		}
	}
	refresh_now(r);
	*ret_refresh = r;
	return 0;
}

void refresh_free(struct refresh *r)
{
	if (!r)
		return;
	for (int i = 0; i < WHATS; i++) {
		loop_timer_free(r->lists[i].timer);
		strmap_done(&r->lists[i].seen);
	}
	free(r);
}

int64_t refresh_now(struct refresh *r)
{
	r->status.wanted++;
	for (int i = 0; i < WHATS; i++)
		begin(&r->lists[i]);
	return r->status.wanted;
}

void refresh_wake(struct refresh *r)
{
	backoff_init(&r->backoff, r->context->config.api.retry_min_ms,
		r->context->config.api.retry_max_ms);
	for (int i = 0; i < WHATS; i++) {
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
