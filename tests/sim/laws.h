/*
 * The laws, each asked at the moment at which it can be broken: when an acknowledgement leaves, when
 * a request is handed over, when something was committed, when a window ends, once an hour, and at
 * the end of the story.
 *
 * They know the store only as its rows, read by a connection of their own, the daemon only by its
 * status document, and the story by what they are told here.
 */
#ifndef PUNCHD_SIM_LAWS_H
#define PUNCHD_SIM_LAWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void laws_begin(void);
void laws_end(void);

/* punchd is in its loop / has left it. */
void laws_started(void);
void laws_stopped(void);
void laws_after_step(void);

/* What left the gateway for the broker: a message of its own, a PUBACK for one with these taps. */
void laws_published(const char *topic, const char *payload, size_t length);
void laws_puback(const int *numbers, int count);

/* A POST was handed to the transport; key is "" for other requests, here and below. */
void laws_submitted(const char *key, const char *body);
/* The gateway is told what became of it; status 0: no answer. */
void laws_answered(const char *key, int status, bool never_left, const char *body);
/* The cloud has made a record under this key. */
void laws_recorded(const char *key);
/* The gateway has ended without being told. */
void laws_abandoned(const char *key);

/* The cloud said 429; its windows turn. at_once: there were requests in the window before this one. */
void laws_limited(void);
void laws_window_began(bool at_once);
void laws_window_ended(int64_t used);

/* A person had this row amended or tried again: after a refusal that leaves no doubt it goes under
 * another key. */
void laws_may_change_key(int64_t seq);

/* A person may have let this row go, which may have been held since it was in doubt: so it may be sent
 * once more. */
void laws_may_send_again(int64_t seq);

/* Rows that are held since they are in doubt; 0 while punchd does not run. */
int64_t laws_held_in_doubt(void);

/* Whether the daemon may have ended because of its disk. */
bool laws_disk_excuse(void);

/* Punches that the store has queued; -1 while punchd does not run. */
int64_t laws_queued(void);

/* The end of the story: everything has arrived that can arrive, and nothing else has. */
void laws_judge_end(void);

/* An event in which nothing happens. */
void laws_nothing(void *arg);

#endif
