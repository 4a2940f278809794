#include "daemon/context.h"

#include <errno.h>

#include "base/log.h"
#include "core/workday.h"
#include "daemon/opening.h"

void context_judge(struct context *c, struct punch *p)
{
	const struct verdict_context v = {
		.settings = &c->verdict,
		.directory = &c->directory,
		.serial = p->terminal,
		.now_us = loop_now(c->loop).wall_us,
	};

	verdict_judge(&v, p);
}

int32_t context_workday(const struct context *c, const struct punch *p)
{
	return workday_of(c->zone, (int32_t)c->config.site.day_start_s, p->time_s);
}

int context_store_failed(struct context *c, int error, const char *what)
{
	const char *words = store_words(c->store);

	if (c->stopping)
		return error;
	if (store_is_fatal(error)) {
		log_error("store_failed",
			"the disk or the database failed; ending, since what is on disk is "
			"unknown. "
			"Started again nothing is lost; if it fails again see the kernel's log, "
			"and replace the disk",
			LOG_S("doing", what), LOG_S("error", words),
			LOG_S("path", c->config.store.path));
		c->stopping = true;
		if (error == -EUCLEAN)
			opening_suspect(c->config.store.path);
		loop_stop(c->loop, 1);
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
			LOG_S("doing", what), LOG_S("error", words));
		alarms_set(&c->alarms, ALARM_STORE_FAILED, true,
			"the store cannot be written, nothing is acknowledged: does another "
			"program hold %s open? It is tried again",
			c->config.store.path);
	}
	return error;
}
