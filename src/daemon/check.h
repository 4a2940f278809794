/*
 * The law of conservation, checked while the daemon works: every row of the store is counted in
 * slices of a few milliseconds, as it was at one moment (store/store_check.h). One check at a time;
 * whoever asks while one runs is told that one's number.
 */
#ifndef PUNCHD_DAEMON_CHECK_H
#define PUNCHD_DAEMON_CHECK_H

#include <jansson.h>

#include "daemon/context.h"

struct check;

int check_new(struct context *context, struct check **ret_check);
void check_free(struct check *c);

/* Begin one, unless one runs. Returns its number, from 1. */
int64_t check_start(struct check *c);

/* `{"check","running","rows","of","last":{"check","result","message","at"}}`, a new reference. last
 * is null before the first has ended; result is holds, broken, or failed (it could not be read). */
json_t *check_json(const struct check *c);

#endif
