/*
 * punchd as a systemd service (systemd.service(5), Type=notify): that it can be asked, how it is, and
 * that it goes on.
 *
 * The watchdog is fed from the daemon's own round of every second, so by the thread that does the work,
 * and only while nothing stands still that should move. Where it is not fed any more systemd ends the
 * process and starts another, which loses nothing.
 */
#ifndef PUNCHD_DAEMON_SERVICE_H
#define PUNCHD_DAEMON_SERVICE_H

#include "daemon/context.h"
#include "daemon/forward.h"
#include "daemon/inforce.h"

#define SERVICE_TEXT_MAX 512

struct service {
	struct context *context;
	const struct forward *forward;
	const struct inforce *inforce;
	int64_t period_us;           /* of the watchdog; 0: there is none */
	int64_t fed_us;              /* monotonic, as are the next; 0: not yet */
	int64_t stuck_us;            /* since when something stands still; 0: nothing does */
	bool told;                   /* that it does, in the log */
	char text[SERVICE_TEXT_MAX]; /* how it is, as was told last */
};

void service_init(struct service *s, struct context *context, const struct forward *forward,
	const struct inforce *inforce);

/* Store and control socket are open: it can be asked. The broker and the API are only status. */
void service_ready(struct service *s);

/* Once a second. */
void service_second(struct service *s);

/* It is about to end. */
void service_stopping(void);

#endif
