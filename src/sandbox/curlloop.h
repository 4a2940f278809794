/* libcurl's multi interface on libevent's loop. */
#ifndef PUNCHD_SANDBOX_CURLLOOP_H
#define PUNCHD_SANDBOX_CURLLOOP_H

#include <curl/curl.h>
#include <event2/event.h>

/* A transfer has ended and is taken out; called on the loop, never within curlloop_add. */
typedef void curlloop_done(void *arg, CURL *easy, CURLcode code);

struct curlloop {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	curlloop_done *done;
	void *arg;
};

/* Returns 0 or -ENOMEM; curlloop_free frees in both cases. */
int curlloop_init(struct curlloop *l, struct event_base *base, curlloop_done *done, void *arg);
/* Every easy handle has to be out. */
void curlloop_free(struct curlloop *l);

/* Returns 0 or -EIO. */
int curlloop_add(struct curlloop *l, CURL *easy);
/* Break it off, without a call of done. */
void curlloop_remove(struct curlloop *l, CURL *easy);

#endif
