/* Made-up people: the same number is the same person everywhere and for ever. Names come in several
 * scripts, since what only ever met ASCII breaks on the first real payroll. */
#ifndef PUNCHD_SANDBOX_SEED_H
#define PUNCHD_SANDBOX_SEED_H

#include <stdint.h>

#define SEED_CREATED_S 1672531200 /* 2023-01-01T00:00:00Z: when they are said to have been made */

struct seed_user {
	char id[32];         /* usr_000001 */
	char name[128];      /* UTF-8 */
	char email[64];      /* user000001@example.com */
	char phone[32];      /* E.164 */
	char department[32]; /* one of five */
};

/* Person number n, from 1. */
void seed_user(int64_t n, struct seed_user *ret);

#endif
