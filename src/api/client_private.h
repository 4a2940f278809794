/*
 * The client's inside, for its files: client.c (its life, its key, what it allows, its status),
 * client_call.c (one call from its start to its answer), client_record.c and client_report.c (what
 * is asked for). Nobody else includes this.
 */
#ifndef PUNCHD_API_CLIENT_PRIVATE_H
#define PUNCHD_API_CLIENT_PRIVATE_H

#include "api/api.h"
#include "api/circuit.h"
#include "api/pace.h"
#include "api/reply.h"
#include "api/share.h"
#include "api/transport.h"

struct call {
	struct call *next, *previous;
	struct api_client *client;
	enum api_call kind;
	api_done *done;
	void *arg;
	struct api_moment sent;
	bool keyless; /* there was no key: nothing is sent */
	bool heard;   /* of a report: its headers have told what there is to tell of the API */
	uint64_t key_generation;
	int64_t ticket;
	uint64_t epoch, gate_epoch;
	struct api_sent sent_texts[API_SENT_MAX]; /* they stand behind the call */
};

struct api_client {
	struct api_transport *transport;
	struct api_world world;
	char *base_url;
	int max_in_flight;

	char *key;           /* NULL: none */
	char *old_key;       /* the one before: answers to it may still come */
	char *authorization; /* the header's value */
	uint64_t key_generation;

	struct pace pace;
	struct circuit circuit;         /* of the destination */
	struct circuit gate[API_CALLS]; /* of each endpoint: 403 closes it */
	struct share share;

	struct call calls; /* head of the ring of running ones */
	int in_flight;     /* without reports */
	int reports;       /* in flight */
	bool closing;
	bool garbled;
	int64_t last_done_us;
	int64_t latency_us; /* of answers, on average; 0: none yet */
	uint64_t sent;
};

struct api_moment api_client_now(const struct api_client *c);

enum share_class api_client_class(enum api_call kind);

/* Take a call out of the ring of running ones. */
void api_client_unlink(struct call *call);

/* A call, zeroed, of size bytes in which it stands first. Returns NULL without memory. */
struct call *api_client_new_call(
	struct api_client *c, enum api_call kind, size_t size, api_done *done, void *arg);

/* It is about to be sent, by what the client holds now. */
void api_client_prepare(struct call *call, struct api_request *request);

/* It has been handed to the transport. */
void api_client_sent(struct call *call);

/* Its answer, for the transport: the end of the call. */
void api_client_answered(void *arg, const struct api_answer *answer);

/* The headers of a report that is one: what they tell of the API is told now, not at its end. */
void api_client_heard(struct call *call, const struct api_answer *head);

#endif
