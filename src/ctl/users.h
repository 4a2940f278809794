/* users add, for run_users of cmd_users.c; and what both say of one who was asked for. */
#ifndef PUNCHD_CTL_USERS_H
#define PUNCHD_CTL_USERS_H

#include "ctl/ctl.h"

#define USERS_ID_SHOWN 12 /* digits of an id that are enough to name it */

/* Returns an enum ctl_exit. */
int users_add(struct ctl *ctl);

/* `pin:1001 at BIO-FP-001`, of an object link; "" where there is none. */
#define USERS_LINK_SIZE 640
const char *users_link(const json_t *link, char ret_text[static USERS_LINK_SIZE]);

/* What there is to know of one who waits or is settled: why, for what, or the note. Appends it. */
void users_about(struct buf *out, const struct times *times, const json_t *one);

#endif
