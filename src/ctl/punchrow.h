/* A punch as a row of a table, for lists and for the live view. */
#ifndef PUNCHD_CTL_PUNCHROW_H
#define PUNCHD_CTL_PUNCHROW_H

#include <jansson.h>

#include "ctl/table.h"
#include "ctl/times.h"

#define PUNCHROW_COLUMNS 7
extern const char *const punchrow_heads[PUNCHROW_COLUMNS];

enum punchrow_form {
	PUNCHROW_WHOLE, /* for programs */
	PUNCHROW_LIST,  /* for eyes: enough digits of the id to tell apart the punches of an hour,
			 * which begin with the same eight */
	PUNCHROW_LIVE,  /* shorter, and the zone is told elsewhere */
};
void punchrow_add(
	struct table *t, const json_t *punch, const struct times *times, enum punchrow_form form);

/* The person's name as the directory has it, else what the terminal sent as `pin:1001`; "" where
 * nothing is known. Appended. */
void punchrow_add_user(struct buf *out, const json_t *punch);

#endif
