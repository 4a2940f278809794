/* The outbox's inside, for outbox.c (what is here) and outbox_next.c (which is next). */
#ifndef PUNCHD_CORE_OUTBOX_PRIVATE_H
#define PUNCHD_CORE_OUTBOX_PRIVATE_H

#include "core/outbox.h"

#define OUTBOX_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

extern const struct punch_place OUTBOX_PLACE_LAST;

/* Up to where all queued punches of a line are here. */
struct punch_place outbox_known(const struct outbox *o, const struct outbox_line *line);

/* The first that is not done, if nothing before it can be in the store; else NULL. */
struct outbox_entry *outbox_head(const struct outbox *o, const struct outbox_line *line);

/* ---- outbox_next.c */

void outbox_lanes_init(struct outbox *o);
void outbox_lanes_done(struct outbox *o);
/* Room for so many lines. Returns 0 or -ENOMEM. */
int outbox_lanes_reserve(struct outbox *o, size_t lines);

/* A line has got a live punch. */
void outbox_make_live(struct outbox *o, struct outbox_line *line, const struct outbox_punch *p);

/* Put a line into the lane in which it belongs now. */
void outbox_line_place(struct outbox *o, struct outbox_line *line);

#endif
