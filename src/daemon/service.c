#include "daemon/service.h"

#include "base/log.h"
#include "daemon/status.h"
#include "edge/notify.h"
#include "store/store_punch.h"

#define FEEDINGS 4 /* in a period of the watchdog */

void service_init(struct service *s, struct context *context, const struct forward *forward,
	const struct inforce *inforce)
{
	*s = (struct service){.context = context,
		.forward = forward,
		.inforce = inforce,
		.period_us = notify_watchdog_us()};
}

/* For systemctl status: `ok: 3 queued`, `degraded (held, parked): 0 queued`. */
static void describe(const struct service *s, char to[static SERVICE_TEXT_MAX])
{
	const struct alarms *a = &s->context->alarms;
	struct store_counts n;
	struct buf text;
	int alarms = 0;

	buf_init(&text, SERVICE_TEXT_MAX - 1);
	buf_add_str(&text, status_state(s->context));
	for (int i = 0; i < ALARM_COUNT_; i++) {
		if (alarms_stands(a, (enum alarm_code)i))
			buf_addf(&text, "%s%s", alarms++ == 0 ? " (" : ", ",
				alarm_code_name((enum alarm_code)i));
	}
	store_counts(s->context->store, &n);
	buf_addf(&text, "%s: %lld queued", alarms > 0 ? ")" : "", (long long)n.open[PUNCH_QUEUED]);
	if (s->inforce->refused_us != 0)
		buf_add_str(&text, "; newer settings are at fault: punchctl doctor");
	snprintf(to, SERVICE_TEXT_MAX, "%s", text.data);
	buf_done(&text);
}

static void tell_status(struct service *s)
{
	char text[SERVICE_TEXT_MAX];

	describe(s, text);
	if (strcmp(text, s->text) == 0)
		return;
	memcpy(s->text, text, sizeof s->text);
	notify_status(text);
}

/* A moment of it is nothing: what was woken has not run yet. */
static bool stands_still(struct service *s, int64_t now_us)
{
	if (!forward_stuck(s->forward)) {
		s->stuck_us = 0;
		return false;
	}
	if (s->stuck_us == 0)
		s->stuck_us = now_us;
	return now_us - s->stuck_us >= s->period_us / FEEDINGS;
}

static void feed(struct service *s)
{
	int64_t now_us = loop_now(s->context->loop).mono_us;

	if (stands_still(s, now_us)) {
		if (!s->told)
			log_error("stuck",
				"punches wait and nothing sends them, though nothing is in the "
				"way: letting the watchdog start punchd again; please report this");
		s->told = true;
		return;
	}
	s->told = false;
	if (s->fed_us != 0 && now_us - s->fed_us < s->period_us / FEEDINGS)
		return;
	s->fed_us = now_us;
	notify_alive();
}

void service_ready(struct service *s)
{
	tell_status(s);
	notify_ready();
}

void service_second(struct service *s)
{
	tell_status(s);
	if (s->period_us > 0)
		feed(s);
}

void service_stopping(void)
{
	notify_stopping();
}
