/*
 * What a request must pass before its call works on it: the API key, the rate, what the key may do,
 * faults, its idempotency key, and that there is such a call. In this order: so whoever is refused
 * learns what comes first, and a refusal after the rate has cost one request.
 */
#ifndef PUNCHD_SANDBOX_GATE_H
#define PUNCHD_SANDBOX_GATE_H

#include "sandbox/exchange.h"

/* Whether it is to be worked on. If not, it is answered, or a fault says what becomes of it. */
bool gate_pass(struct exchange *x);

#endif
