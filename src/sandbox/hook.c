#include "sandbox/hook.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include <curl/curl.h>
#include <openssl/hmac.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"

#define TRY_TIMEOUT_MS 5000L
#define FIRST_PAUSE_MS 100 /* doubled after each failed try */

struct event {
	struct event *next;
	char *body;
};

struct hook {
	const struct hook_settings settings;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below but curl */
	pthread_cond_t changed;
	struct event *first, **last;
	struct hook_counts counts;
	bool stopping;
	CURL *curl; /* the thread's alone */
};

static bool is_stopping(struct hook *h)
{
	bool stopping;

	pthread_mutex_lock(&h->mutex);
	stopping = h->stopping;
	pthread_mutex_unlock(&h->mutex);
	return stopping;
}

/* Wait for ms or until it is to stop. Returns whether it is to stop. */
static bool pause_ms(struct hook *h, long ms)
{
	int64_t until_us = clock_now().mono_us + ms * 1000;
	struct timespec until = {until_us / CLOCK_US_PER_S, until_us % CLOCK_US_PER_S * 1000};
	bool stopping;

	pthread_mutex_lock(&h->mutex);
	while (!h->stopping && pthread_cond_timedwait(&h->changed, &h->mutex, &until) != ETIMEDOUT)
		;
	stopping = h->stopping;
	pthread_mutex_unlock(&h->mutex);
	return stopping;
}

/* ---- one event */

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return is_stopping(arg);
}

static struct curl_slist *make_headers(const struct hook *h, const char *body)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	const char *secret = h->settings.secret;
	unsigned char mac[EVP_MAX_MD_SIZE];
	char line[64 + 2 * EVP_MAX_MD_SIZE], hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	if (!secret)
		return headers;
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)body, strlen(body),
		mac, &n);
	snprintf(line, sizeof line, "X-Webhook-Signature: sha256=%s", hex_encode(mac, n, hex));
	return curl_slist_append(headers, line);
}

static bool try_once(struct hook *h, const char *body)
{
	struct curl_slist *headers = make_headers(h, body);
	long status = 0;
	CURLcode code;

	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	code = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	return code == CURLE_OK && status >= 200 && status < 300;
}

static bool deliver(struct hook *h, const char *body)
{
	long wait_ms = FIRST_PAUSE_MS;

	for (int i = 0; i < HOOK_TRIES; i++, wait_ms *= 2) {
		if (i > 0 && pause_ms(h, wait_ms))
			return false;
		if (try_once(h, body))
			return true;
	}
	log_warn("webhook", "the receiver does not take an event: given up",
		LOG_I("tries", HOOK_TRIES));
	return false;
}

/* ---- the thread */

/* The next event; NULL: it is to stop. */
static struct event *take(struct hook *h)
{
	struct event *event = NULL;

	pthread_mutex_lock(&h->mutex);
	while (!h->stopping && !h->first)
		pthread_cond_wait(&h->changed, &h->mutex);
	if (!h->stopping) {
		event = h->first;
		h->first = event->next;
		if (!h->first)
			h->last = &h->first;
	}
	pthread_mutex_unlock(&h->mutex);
	return event;
}

static void settle(struct hook *h, bool delivered)
{
	pthread_mutex_lock(&h->mutex);
	h->counts.waiting--;
	if (delivered)
		h->counts.delivered++;
	else
		h->counts.given_up++;
	pthread_mutex_unlock(&h->mutex);
}

static void event_free(struct event *event)
{
	free(event->body);
	free(event);
}

static void *run(void *arg)
{
	struct hook *h = arg;
	struct event *event;

	while ((event = take(h))) {
		settle(h, deliver(h, event->body));
		event_free(event);
	}
	return NULL;
}

/* ---- the other side */

static bool set_up_curl(struct hook *h)
{
	h->curl = curl_easy_init();
	if (!h->curl)
		return false;
	curl_easy_setopt(h->curl, CURLOPT_URL, h->settings.url);
	curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "punch-sandbox");
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, TRY_TIMEOUT_MS);
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, h);
	if (h->settings.ca_file)
		curl_easy_setopt(h->curl, CURLOPT_CAINFO, h->settings.ca_file);
	return true;
}

static void hook_free(struct hook *h)
{
	while (h->first) {
		struct event *event = h->first;

		h->first = event->next;
		event_free(event);
	}
	curl_easy_cleanup(h->curl);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

int hook_start(const struct hook_settings *settings, struct hook **ret_hook)
{
	struct hook start = {.settings = *settings}, *h = malloc(sizeof *h);

	if (!h)
		return -ENOMEM;
	memcpy(h, &start, sizeof *h);
	h->last = &h->first;
	pthread_mutex_init(&h->mutex, NULL);
	init_condition(&h->changed);
	if (!set_up_curl(h) || pthread_create(&h->thread, NULL, run, h) != 0) {
		hook_free(h);
		return -EAGAIN;
	}
	*ret_hook = h;
	return 0;
}

void hook_push(struct hook *h, char *body)
{
	struct event *event = h && body ? malloc(sizeof *event) : NULL;

	if (!event) {
		free(body);
		return;
	}
	*event = (struct event){.body = body};
	pthread_mutex_lock(&h->mutex);
	if (h->counts.waiting >= HOOK_QUEUE_MAX) {
		h->counts.given_up++;
		pthread_mutex_unlock(&h->mutex);
		event_free(event);
		return;
	}
	*h->last = event;
	h->last = &event->next;
	h->counts.waiting++;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->mutex);
}

struct hook_counts hook_counts(struct hook *h)
{
	struct hook_counts counts = {0};

	if (!h)
		return counts;
	pthread_mutex_lock(&h->mutex);
	counts = h->counts;
	pthread_mutex_unlock(&h->mutex);
	return counts;
}

void hook_stop(struct hook *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->mutex);
	h->stopping = true;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	hook_free(h);
}
