/*
 * The cloud's webhooks in the place of edge/http_tcp: events of records, late, twice, out of order or
 * never; and some of records that somebody else made before, which prove nothing.
 */
#ifndef PUNCHD_SIM_HERALD_H
#define PUNCHD_SIM_HERALD_H

#include <stdint.h>

#include "cloud.h"

#define HERALD_SECRET "the-secret-of-a-simulation-0123"

void herald_begin(void);
void herald_end(void);

/* control.c frees both kinds of servers. */
struct http_server;
void herald_server_gone(const struct http_server *s);

/* A record was made, by the cloud's clock at at_us. */
void herald_recorded(const struct record *record, int64_t number, int64_t at_us);

/* A body was handed to the transport for the first time: somebody may have entered the same by hand, long
 * before it froze. */
void herald_first_sent(const struct sent_key *body);

#endif
