#include "daemon/context.h"

#include <errno.h>

#include "base/log.h"
#include "core/workday.h"
#include "daemon/opening.h"

struct terminal_rules context_rules(const struct context *c, const char *terminal)
{
	return (struct terminal_rules){
		.serial = terminal,
		.zone = c->zone,
		.direction = DIRECTION_ALTERNATE,
		.double_tap_s = 60,
	};
}

void context_judge(struct context *c, struct punch *p)
{
	const struct terminal_rules rules = context_rules(c, p->terminal);
	const struct verdict_context v = {
		.settings = &c->verdict,
		.directory = &c->directory,
		.links = &c->links,
		.serial = rules.serial,
		.now_us = loop_now(c->loop).wall_us,
		.users_listed = c->users_pass_ms != 0,
		.devices_listed = c->devices_pass_ms != 0,
	};

	verdict_judge(&v, p);
}

int32_t context_workday(const struct context *c, const struct punch *p)
{
	return workday_of(c->zone, (int32_t)c->config.site.day_start_s, p->time_s);
}

/* After these the daemon ends, and is started again. */
static const char *fatal_advice(int error)
{
	switch (error) {
	case -EUCLEAN:
		return "the store is damaged: ending. It is checked at the next start, and what "
		       "can be read is saved into a new one";
	case -ESTALE:
		return "the store's file was moved, deleted or replaced while punchd ran: ending. "
		       "Put it back with its -wal, and stop punchd before it is touched";
	case -EROFS:
		return "the disk has become read-only: ending. See the kernel's log for why, and "
		       "replace the disk where it failed";
	default:
		return "the disk failed: ending, since what is on it is unknown. Started again "
		       "nothing is lost; if it fails again see the kernel's log, and replace it";
	}
}

static void end(struct context *c, int error, const char *what)
{
	log_error("store_failed", fatal_advice(error), LOG_S("doing", what),
		LOG_S("error", error == -ESTALE ? strerror(ESTALE) : store_words(c->store)),
		LOG_S("path", c->config.store.path));
	c->stopping = true;
	if (error == -EUCLEAN)
		opening_suspect(c->config.store.path);
	loop_stop(c->loop, 1);
}

int context_store_failed(struct context *c, int error, const char *what)
{
	if (c->stopping)
		return error;
	if (store_is_fatal(error)) {
		end(c, error, what);
	} else if (error == -ENOSPC) {
		if (!c->disk_low && !alarms_stands(&c->alarms, ALARM_DISK_LOW))
			log_error("disk_full",
				"the disk is full: make room; nothing is acknowledged until there "
				"is, and nothing is lost",
				LOG_S("doing", what), LOG_S("path", c->config.store.path));
		/* What disk_low itself refused is no news of the disk. */
		if (!c->disk_low)
			c->disk_full = true;
		c->disk_low = true;
	} else {
		log_error("store_busy", "could not write; nothing was acknowledged, tried again",
			LOG_S("doing", what), LOG_S("error", store_words(c->store)));
		alarms_set(&c->alarms, ALARM_STORE_FAILED, true,
			"the store cannot be written, nothing is acknowledged: does another "
			"program hold %s open? It is tried again",
			c->config.store.path);
	}
	return error;
}
