/*
 * Reports that are asked for over the control socket: the cloud's, passed on as it comes and never held
 * whole, or this gateway's own (daemon/localreport.h). Whoever takes it slowly slows the cloud's answer
 * down; who hangs up ends it.
 *
 * While the rate limit is used up, or after a report that failed, a call waits for its turn for up to
 * REPORTS_WAIT_MS; while the cloud is away or refuses the key it is told so at once.
 */
#ifndef PUNCHD_DAEMON_REPORTS_H
#define PUNCHD_DAEMON_REPORTS_H

#include "api/api.h"
#include "daemon/context.h"
#include "daemon/terminals.h"
#include "edge/http.h"

#define REPORTS_WAIT_MS   70000 /* a window of the cloud's is a minute */
#define REPORTS_LOCAL_MAX 2     /* at once: each is a thread */

struct reports;

/* A call, checked. The texts need to live only during it; NULL: not asked for. */
struct reports_query {
	const char *start_date, *end_date; /* YYYY-MM-DD */
	int64_t first_day, last_day;       /* the same; core/calendar.h */
	const char *user_id, *department;
	enum api_format format;
	bool local; /* not of the cloud; then no PDF */
};

/* Both are borrowed, the client until reports_free. NULL: no memory. */
struct reports *reports_new(
	struct context *context, struct api_client *client, struct terminals *terminals);

/* Behind the server whose calls they are. NULL is taken. */
void reports_free(struct reports *r);

/* Answers the call, in time. Returns 0, or with nothing done -EBUSY (local ones: as many run already) or
 * -ENOMEM. */
int reports_start(
	struct reports *r, const struct reports_query *query, const struct http_request *request);

#endif
