/* A punch as a row of a table, for lists and for the live view. */
#ifndef PUNCHD_CTL_PUNCHROW_H
#define PUNCHD_CTL_PUNCHROW_H

#include <jansson.h>

#include "ctl/table.h"
#include "ctl/times.h"

#define PUNCHROW_COLUMNS 7
extern const char *const punchrow_heads[PUNCHROW_COLUMNS];

/* id_length: how many digits of the id are shown; the live view's colours tell states apart. */
void punchrow_add(struct table *t, const json_t *punch, const struct times *times, int id_length);

/* The person's name as the directory has it, else what the terminal sent as `pin:1001`; "" where
 * nothing is known. Appended. */
void punchrow_add_user(struct buf *out, const json_t *punch);

#endif
