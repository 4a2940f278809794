/*
 * What has been learnt of the cloud (core/idempotence.h), handed on from one run of the daemon to the
 * next through the store: a few bytes, written when something is learnt. It is forgotten where
 * base_url or the key become others: that may be another cloud.
 */
#ifndef PUNCHD_DAEMON_CLOUDMARKS_H
#define PUNCHD_DAEMON_CLOUDMARKS_H

#include "core/idempotence.h"

struct context;

#define CLOUDMARKS_WORDS_MAX 256

/* All zero: nothing is known. */
struct cloudmarks {
	struct idempotence idempotence;
	int64_t cloud;      /* cloudmarks_cloud of what this holds for; 0: not known yet */
	int64_t doubled_us; /* wall clock: when a punch was last seen to have two records; 0: never */
	char words[CLOUDMARKS_WORDS_MAX]; /* the alarm's, of that punch */
	bool news;                        /* something is not kept yet */
};

/* A number for a cloud and a key that does not show the key; never 0. */
int64_t cloudmarks_cloud(const char *base_url, const char *key);

/* Take over what an earlier run has kept. Returns 0 or a store error. */
int cloudmarks_load(struct context *c);

/* Keep what is new, in a commit of its own. Returns 0, also where there is nothing, or a store error:
 * tried again at the next call. */
int cloudmarks_save(struct context *c);

/* Requests go to this cloud now; 0: to none, there is no key. */
void cloudmarks_take(struct context *c, int64_t cloud);

/* An answer for the punch with this identity. */
void cloudmarks_answered(struct context *c, const struct idempotence_answer *a,
	const uint8_t identity[static IDENTITY_SIZE]);

/* An event tells of another record than `first` of a punch that may have been sent twice. */
void cloudmarks_doubled(
	struct context *c, const struct punch *p, const char *first, const char *second);

/* The words of the alarm cloud_doubles, for a week; NULL: it does not stand. */
const char *cloudmarks_doubles(const struct context *c);

#endif
