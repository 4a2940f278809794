/*
 * What people are shown: a punch, its trace and the status document as JSON (INTERFACES.md,
 * control socket). Nothing is invented: what is not known is null.
 */
#ifndef PUNCHD_DAEMON_VIEW_H
#define PUNCHD_DAEMON_VIEW_H

#include <jansson.h>

#include "daemon/context.h"
#include "daemon/forward.h"

/* A time as `2026-02-01T08:00:00Z`, with milliseconds where they are kept; null for 0. */
json_t *view_time(int64_t wall_us, bool with_ms);

/* Who has paused forwarding, since when; null for NULL. */
json_t *view_pause(const struct forward_pause *pause);

/* A punch; new references, NULL: no memory. */
json_t *view_punch(const struct context *c, const struct forward *f, const struct punch *p);

/* The trace's entries, oldest first. */
json_t *view_trace(struct context *c, const struct forward *f, const struct punch *p);

/* A text; where it is empty, or no UTF-8, as a file's name may be, null. A new reference. */
json_t *view_words(const char *words);

#endif
