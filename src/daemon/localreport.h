/*
 * A report of this gateway's own punches, computed in a thread of its own, which reads the store through
 * a connection of its own (store/store_report.h): neither intake nor forwarding waits for it, however
 * long the period is. The thread shares nothing but its result, which is looked at when it has ended.
 */
#ifndef PUNCHD_DAEMON_LOCALREPORT_H
#define PUNCHD_DAEMON_LOCALREPORT_H

#include "core/report.h"
#include "daemon/context.h"
#include "daemon/terminals.h"

struct localreport;

/* The texts need to live only during the call. */
struct localreport_query {
	int64_t first_day, last_day; /* as report_init wants them */
	const char *user_id;         /* NULL: everybody */
	const char *department;      /* NULL: all */
};

/* error: 0, -ENOENT (there is no such user), or what reading gave, with words. */
typedef void localreport_done(void *arg, int error, const char *words);

/* Returns 0, or with nothing begun an error, with words. */
int localreport_start(struct context *context, struct terminals *terminals,
	const struct localreport_query *query, localreport_done *done, void *arg,
	struct localreport **ret, char ret_words[static STORE_WORDS_MAX]);

/* Once it is done, without an error. */
const struct report *localreport_report(const struct localreport *l);

/* At any time, also from inside of done: what is under way is given up. NULL is taken. */
void localreport_free(struct localreport *l);

#endif
