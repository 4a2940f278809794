/*
 * The client's inside, for its two files: client.c (its life, its key, what it allows, its status)
 * and client_call.c (one call from its start to its answer). Nobody else includes this.
 */
#ifndef PUNCHD_API_CLIENT_PRIVATE_H
#define PUNCHD_API_CLIENT_PRIVATE_H

#include "api/api.h"
#include "api/circuit.h"
#include "api/pace.h"
#include "api/reply.h"
#include "api/share.h"
#include "api/transport.h"

#define API_CLASSES 2

struct call {
	struct call *next, *previous;
	struct api_client *client;
	enum api_call kind;
	api_done *done;
	void *arg;
	struct moment sent;
	bool keyless; /* there was no key: nothing is sent */
	uint64_t key_generation;
	int64_t ticket;
	uint64_t epoch, gate_epoch;
	struct api_attendance record; /* what was asked for; its texts stand behind this struct */
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
	struct circuit circuit;           /* of the destination */
	struct circuit gate[API_CLASSES]; /* of each endpoint: 403 closes it */
	struct share share;

	struct call calls; /* head of the ring of running ones */
	int in_flight;
	bool closing;
	bool garbled;
	int64_t last_done_us;
	int64_t latency_us; /* of answers, on average; 0: none yet */
	uint64_t sent;
};

struct moment api_client_now(const struct api_client *c);

/* Take a call out of the ring of running ones. */
void api_client_unlink(struct call *call);

#endif
