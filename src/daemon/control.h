/*
 * The control interface: what operators may ask over the socket (punchd(8), CONTROL SOCKET). One table has
 * all routes, with who may take them and what they may be asked.
 */
#ifndef PUNCHD_DAEMON_CONTROL_H
#define PUNCHD_DAEMON_CONTROL_H

#include "api/api.h"
#include "daemon/apikey.h"
#include "daemon/check.h"
#include "daemon/context.h"
#include "daemon/forward.h"
#include "daemon/hooks.h"
#include "daemon/judging.h"
#include "daemon/link.h"
#include "daemon/newpeople.h"
#include "daemon/refresh.h"
#include "daemon/rejudge.h"
#include "daemon/reports.h"
#include "daemon/terminals.h"
#include "edge/http.h"

/* What it looks at; all borrowed. */
struct control {
	struct context *context;
	struct forward *forward;
	const struct api_client *client;
	struct refresh *refresh;
	const struct hooks *hooks;
	struct newpeople *newpeople;
	struct rejudge *rejudge;
	struct judging *judging;
	struct terminals *terminals;
	struct check *check;
	struct reports *reports;
	const struct link *link;
	int64_t started_us;      /* monotonic */
	int64_t started_wall_us; /* wall clock */
	const struct apikey *key;
	const struct inforce *inforce;
	gid_t group; /* may act; (gid_t)-1: root and our own user alone */
};

/* http_handle. */
void control_dispatch(
	void *control, const struct http_request *request, struct http_answer *ret_answer);

#endif
