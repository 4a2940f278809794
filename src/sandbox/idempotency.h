/*
 * Idempotency keys: a POST is done once, however often it comes.
 *
 * The first request with a key holds it until its answer has left; another one meanwhile gets 409.
 * Its answer, a refusal too, is filed in the transaction of its work, with a digest of path and
 * body: the same request again gets that answer, another one 422. Every POST is counted under its
 * key, so that a test can see what was sent twice.
 *
 * A key is known from its first POST for --idempotency-life of the server's clock, then forgotten
 * with its answer and its count: what comes under it later is new.
 */
#ifndef PUNCHD_SANDBOX_IDEMPOTENCY_H
#define PUNCHD_SANDBOX_IDEMPOTENCY_H

#include "sandbox/exchange.h"

/* Count the request under its key, if any, and see whether its work is to be done. If not, the
 * answer is there. */
bool idempotency_gate(struct exchange *x);

/* Only count it: a fault keeps the work from being done. A key that is none is refused. */
void idempotency_count(struct exchange *x);

/* File the answer under the key that it holds, if any. */
void idempotency_keep(struct exchange *x);

/* Let go of the key; nothing held: nothing happens. */
void idempotency_release(struct exchange *x);

/* Remove what is forgotten, a slice at a time, so that nothing grows for ever. */
void idempotency_purge(struct sandbox *sandbox);

#endif
