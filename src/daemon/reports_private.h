/* What the files of daemon/reports share: a report on its way to who asked for it. */
#ifndef PUNCHD_DAEMON_REPORTS_PRIVATE_H
#define PUNCHD_DAEMON_REPORTS_PRIVATE_H

#include <sys/queue.h>

#include "core/report_write.h"
#include "daemon/localreport.h"
#include "daemon/reports.h"
#include "edge/http_stream.h"

#define REPORT_ID_SIZE 40

struct reporting {
	struct reports *owner;
	struct http_stream *stream; /* NULL: he has hung up */
	bool begun;
	char *start_date, *end_date, *user_id, *department; /* of the query */
	int64_t first_day, last_day;
	enum api_format format;
	LIST_ENTRY(reporting) next;

	/* of the cloud */
	struct loop_timer *timer; /* until it is its turn */
	int64_t until_us;         /* monotonic: how long it waits for that */
	struct api_stream *api;   /* NULL: not asked yet */

	/* of our own */
	struct localreport *local;
	size_t at; /* who is written next */
	char report_id[REPORT_ID_SIZE];
	int64_t generated_us;
};

struct reports {
	struct context *context;
	struct api_client *client;
	struct terminals *terminals;
	LIST_HEAD(, reporting) all;
	int locals;
};

/* Ends it. */
void reporting_free(struct reporting *g);

/* Ends it with an error document. cloud_status: what the cloud said; 0: nothing. param may be "". */
struct reporting_error {
	int status;
	const char *code, *message, *param;
	int cloud_status;
	int64_t retry_after_s; /* 0: it is not said */
};
void reporting_refuse(struct reporting *g, const struct reporting_error *error);

/* reports_cloud.c: begin, and what to do when he can take more. */
void reporting_begin_cloud(struct reporting *g);
void reporting_cloud_room(struct reporting *g);
/* He has hung up. */
void reporting_cloud_gone(struct reporting *g);

/* reports_local.c */
int reporting_begin_local(struct reporting *g);
void reporting_local_room(struct reporting *g);

/* reports_words.c: what an answer of the cloud that is no report means to who asked for one. */
void reporting_explain(const struct api_reply *reply, struct reporting_error *ret);

#endif
