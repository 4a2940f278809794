#include "sandbox/hook.h"

#include <errno.h>
#include <stdbool.h>

#include <openssl/hmac.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "sandbox/curlloop.h"
#include "sandbox/events.h"

#define TRY_TIMEOUT_MS 5000L
#define FIRST_PAUSE_MS 100 /* doubled after each failed try */
#define PAUSE_MAX_MS   10000

/* One event on its way. */
struct transfer {
	struct hook *hook;
	CURL *easy;
	struct curl_slist *headers;
	int64_t n; /* of the event; 0: idle */
	int64_t failed, again_ms, due_ms;
	bool is_over; /* but for the commit of its outcome */
	struct event_outcome outcome;
};

struct hook {
	struct hook_settings settings;
	struct curlloop curl;
	struct event *timer;    /* when the next event is due */
	int64_t pause_until_us; /* one at a time: the first one waits for its next try */
	struct transfer transfers[HOOK_PARALLEL_MAX];
	struct hook_counts counts;
};

static int64_t wall_ms(void)
{
	return clock_now().wall_us / 1000;
}

/* ---- one event */

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static struct curl_slist *sign(
	const struct hook *h, struct curl_slist *headers, const char *body, bool wrongly)
{
	const char *secret = h->settings.secret;
	unsigned char mac[EVP_MAX_MD_SIZE];
	char line[64 + 2 * EVP_MAX_MD_SIZE], hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body, strlen(body),
		mac, &n);
	mac[0] ^= wrongly;
	snprintf(line, sizeof line, "X-Webhook-Signature: sha256=%s", hex_encode(mac, n, hex));
	return curl_slist_append(headers, line);
}

static int send_event(struct transfer *t, const struct event_row *row)
{
	struct hook *h = t->hook;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

	if (h->settings.secret)
		headers = sign(h, headers, row->body, row->bad_signature);
	curl_slist_free_all(t->headers);
	t->headers = headers;
	t->n = row->n;
	t->failed = row->failed;
	t->again_ms = row->again_ms;
	t->due_ms = row->due_ms;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(row->body));
	curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, row->body);
	return curlloop_add(&h->curl, t->easy);
}

static int64_t pause_ms(int64_t failed)
{
	int64_t wait_ms = FIRST_PAUSE_MS;

	while (failed-- > 1 && wait_ms < PAUSE_MAX_MS)
		wait_ms *= 2;
	return wait_ms < PAUSE_MAX_MS ? wait_ms : PAUSE_MAX_MS;
}

static void was_taken(struct hook *h, struct transfer *t, struct event_outcome *outcome)
{
	outcome->taken = true;
	if (t->again_ms >= 0) {
		outcome->due_ms = wall_ms() + t->again_ms;
	} else {
		outcome->state = EVENT_DELIVERED;
		h->counts.delivered++;
	}
}

static void was_refused(struct hook *h, struct transfer *t, struct event_outcome *outcome)
{
	int64_t failed = t->failed + 1, wait_ms = pause_ms(failed);

	outcome->again_ms = t->again_ms;
	if (failed >= h->settings.tries) {
		outcome->state = EVENT_GIVEN_UP;
		h->counts.given_up++;
		log_warn("webhook", "the receiver does not take an event: given up",
			LOG_I("tries", failed), LOG_I("status", outcome->status));
	} else if (h->settings.parallel == 1) {
		h->pause_until_us = clock_now().mono_us + wait_ms * 1000;
	} else {
		outcome->due_ms = wall_ms() + wait_ms;
	}
}

static void on_done(void *arg, CURL *easy, CURLcode code)
{
	struct hook *h = arg;
	struct event_outcome outcome = {.state = EVENT_WAITING, .due_ms = -1, .again_ms = -1};
	struct transfer *t = NULL;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	if (code == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	outcome.n = t->n;
	outcome.status = (int)status;
	outcome.picked_due_ms = t->due_ms;
	if (status >= 200 && status < 300)
		was_taken(h, t, &outcome);
	else
		was_refused(h, t, &outcome);
	if (outcome.state != EVENT_WAITING)
		h->counts.waiting--;
	t->outcome = outcome;
	t->is_over = true;
	events_settle(h->settings.db, &outcome);
	event_active(h->settings.commit, EV_TIMEOUT, 0);
}

/* ---- which goes when */

static bool is_under_way(const struct hook *h, int64_t n)
{
	for (int64_t i = 0; i < h->settings.parallel; i++) {
		if (h->transfers[i].n == n)
			return true;
	}
	return false;
}

static struct transfer *idle(struct hook *h)
{
	for (int64_t i = 0; i < h->settings.parallel; i++) {
		if (h->transfers[i].n == 0)
			return &h->transfers[i];
	}
	return NULL;
}

static bool pick(void *arg, const struct event_row *row)
{
	struct hook *h = arg;
	struct transfer *t = idle(h);

	if (!t)
		return false;
	if (!is_under_way(h, row->n) && send_event(t, row) < 0)
		t->n = 0;
	return true;
}

static void wake_in(struct hook *h, int64_t wait_ms)
{
	const struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};

	evtimer_add(h->timer, &wait);
}

/* What was over is committed now. */
static void let_go(struct hook *h)
{
	for (int64_t i = 0; i < h->settings.parallel; i++) {
		struct transfer *t = &h->transfers[i];

		if (t->is_over)
			t->n = 0;
		t->is_over = false;
	}
}

void hook_settle_again(struct hook *h)
{
	for (int64_t i = 0; h && i < h->settings.parallel; i++) {
		if (h->transfers[i].is_over)
			events_settle(h->settings.db, &h->transfers[i].outcome);
	}
}

void hook_pump(struct hook *h)
{
	int64_t now_ms, next_ms, pause_us;

	if (!h)
		return;
	let_go(h);
	if (!idle(h))
		return;
	pause_us = h->pause_until_us - clock_now().mono_us;
	if (pause_us > 0) {
		wake_in(h, pause_us / 1000 + 1);
		return;
	}
	now_ms = wall_ms();
	/* Those under way are among what is due. */
	if (events_due(h->settings.db, now_ms, 2 * h->settings.parallel, pick, h) == 0 &&
		events_next_due(h->settings.db, now_ms, &next_ms) == 0 && next_ms != INT64_MAX)
		wake_in(h, next_ms - now_ms < 60000 ? next_ms - now_ms : 60000);
}

static void on_timer(evutil_socket_t fd, short events, void *arg)
{
	struct hook *h = arg;

	(void)fd, (void)events;
	event_active(h->settings.commit, EV_TIMEOUT, 0);
}

bool hook_has_room(struct hook *h)
{
	if (h->counts.waiting >= HOOK_WAITING_MAX) {
		h->counts.given_up++;
		return false;
	}
	h->counts.waiting++;
	return true;
}

void hook_recount(struct hook *h)
{
	if (h)
		db_number(h->settings.db, SQL_EVENT_WAITING, &h->counts.waiting);
}

struct hook_counts hook_counts(struct hook *h)
{
	if (!h)
		return (struct hook_counts){0};
	hook_recount(h);
	return h->counts;
}

/* ---- life */

static int set_up(struct hook *h, struct transfer *t)
{
	const struct hook_settings *s = &h->settings;

	t->hook = h;
	t->easy = curl_easy_init();
	if (!t->easy)
		return -ENOMEM;
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "punch-sandbox");
	curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, TRY_TIMEOUT_MS);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_answer);
	if (s->ca_file)
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, s->ca_file);
	return 0;
}

int hook_start(const struct hook_settings *settings, struct hook **ret_hook)
{
	struct hook *h = calloc(1, sizeof *h);
	int r;

	if (!h)
		return -ENOMEM;
	h->settings = *settings;
	h->timer = evtimer_new(settings->base, on_timer, h);
	r = curlloop_init(&h->curl, settings->base, on_done, h);
	for (int64_t i = 0; i < settings->parallel && r == 0; i++)
		r = set_up(h, &h->transfers[i]);
	if (r < 0 || !h->timer) {
		hook_stop(h);
		return r < 0 ? r : -ENOMEM;
	}
	hook_recount(h);
	event_active(settings->commit, EV_TIMEOUT, 0);
	*ret_hook = h;
	return 0;
}

void hook_stop(struct hook *h)
{
	if (!h)
		return;
	for (int64_t i = 0; i < h->settings.parallel; i++) {
		struct transfer *t = &h->transfers[i];

		if (t->n != 0 && !t->is_over)
			curlloop_remove(&h->curl, t->easy);
		curl_easy_cleanup(t->easy);
		curl_slist_free_all(t->headers);
	}
	curlloop_free(&h->curl);
	if (h->timer)
		event_free(h->timer);
	free(h);
}
