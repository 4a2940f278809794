/*
 * Faults on demand: what a person or a test wants to go wrong.
 *
 * A fault is FAULT[=VALUE][,path=PATH][,method=METHOD][,type=TYPE][,p=0…1][,count=N]. The table in fault.c
 * holds every kind with its words for the help. Three sorts:
 * - manners colour an answer and add up (slow, skew, no-headers, …); they are picked when a
 *   request comes in;
 * - ends decide what becomes of a request (status, drop-before, garbage, …); the first that applies
 *   is picked, after the key and the rate were checked;
 * - those of the webhook befall events, and add up; type=TYPE is for them what path and method are
 *   for the others.
 * A fault is picked for requests of its path and method, with its probability, as often as its
 * count says. Chances come from one seeded generator, so the same requests in the same order meet
 * the same faults.
 */
#ifndef PUNCHD_SANDBOX_FAULT_H
#define PUNCHD_SANDBOX_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

enum fault_kind {
	FAULT_NONE,
	/* ends */
	FAULT_STATUS,
	FAULT_STATUS_AFTER,
	FAULT_DROP_BEFORE,
	FAULT_DROP_AFTER,
	FAULT_GARBAGE,
	FAULT_HTML,
	FAULT_CUT,
	FAULT_EMPTY,
	/* manners */
	FAULT_SLOW,
	FAULT_SKEW,
	FAULT_NO_HEADERS,
	FAULT_NO_IDEMPOTENCY,
	FAULT_NO_UNIQUE,
	FAULT_RETRY_AFTER,
	FAULT_RETRY_AFTER_DATE,
	FAULT_SHUFFLE,
	/* of events */
	FAULT_HOOK_DROP,
	FAULT_HOOK_DUPLICATE,
	FAULT_HOOK_DELAY,
	FAULT_HOOK_SHUFFLE,
	FAULT_HOOK_BAD_SIGNATURE,
	FAULT_KINDS
};

/* What befalls one request. */
struct fault_plan {
	enum fault_kind end; /* FAULT_NONE, or one of the ends */
	int status;          /* of FAULT_STATUS, …AFTER, HTML, GARBAGE, CUT, EMPTY */
	int64_t slow_ms;
	int64_t skew_ms;
	int64_t retry_after_s; /* -1: no such header */
	bool retry_after_is_date;
	bool no_headers;
	bool no_idempotency;
	bool no_unique;
	bool shuffle;
};

/* What befalls one event. */
struct fault_hook {
	bool drop;
	bool bad_signature; /* of its first try */
	int64_t delay_ms;
	int64_t again_ms; /* sent once more so long after it was taken; -1: not */
};

struct fault;

struct faults {
	struct fault *first;
	uint64_t random;
	int64_t picked; /* how often a fault was picked */
};

void faults_init(struct faults *f, uint64_t seed);
void faults_done(struct faults *f);

/* Add the fault that spec describes. Returns 0, -ENOMEM, or -EINVAL with the reason in ret_why. */
int faults_add(struct faults *f, const char *spec, char *ret_why, size_t why_size);
void faults_clear(struct faults *f);

/* Pick manners, or the end. path is the one below /v1. */
void faults_pick_manners(
	struct faults *f, const char *method, const char *path, struct fault_plan *plan);
void faults_pick_end(
	struct faults *f, const char *method, const char *path, struct fault_plan *plan);

/* Pick what befalls an event of this type. */
void faults_pick_hook(struct faults *f, const char *type, struct fault_hook *hook);

/* Whether a request that meets this end is worked on all the same. */
bool fault_end_works(enum fault_kind end);

/* [{"spec", "picked", "left"}]; the caller's. NULL: no memory. */
json_t *faults_list(const struct faults *f);

/* One line a kind, for --help. */
void faults_help(FILE *out);

/* mdoc: the same as two lists, ends and manners. */
void faults_man(FILE *out);

/* The generator itself, for what else needs reproducible noise. */
uint64_t faults_random(struct faults *f);

#endif
