/* POST /v1/pause and /v1/resume: forwarding stops, and goes on. */
#include "base/log.h"
#include "daemon/control_private.h"
#include "daemon/view.h"

static void fail(struct call *call, int error)
{
	control_fail(call, 500, "store_failed", "nothing was changed: %s", strerror(-error));
}

void control_pause(struct call *call)
{
	struct forward *f = call->control->forward;
	bool before = forward_paused(f) != NULL;
	int r = forward_pause(f, call->request->uid);

	if (r < 0) {
		fail(call, r);
		return;
	}
	if (!before)
		log_info("paused", "forwarding is paused: punches are taken and kept",
			LOG_I("uid", call->request->uid));
	call->body = json_pack("{s:{s:o}}", "data", "paused", view_pause(forward_paused(f)));
}

void control_resume(struct call *call)
{
	int r = forward_go_on(call->control->forward);

	if (r < 0) {
		fail(call, r);
		return;
	}
	refresh_wake(call->control->refresh);
	newpeople_wake(call->control->newpeople);
	log_info("resumed", "forwarding goes on, and tries at once",
		LOG_I("uid", call->request->uid));
	call->body = json_pack("{s:{s:n}}", "data", "paused");
}
