#include "daemon/context.h"

#include <errno.h>

#include "base/log.h"
#include "core/workday.h"
#include "daemon/opening.h"

/* Punch times are whole seconds: half a second's window is one of a second, not none. */
static int64_t seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

struct terminal_rules context_rules(struct context *c, const char *terminal)
{
	const struct config_terminal *own = config_terminals_find(&c->config.terminals, terminal);
	const struct profile *family = families_find(
		&c->families, c->store, terminal, &c->profiles);
	struct terminal_rules rules = {
		.serial = own && own->serial[0] ? own->serial : terminal,
		.zone = own && own->time_zone[0] ? strmap_get(&c->zones, own->time_zone) : NULL,
		.direction = (enum direction_rule)c->config.punches.direction,
		.double_tap_s = seconds(c->config.punches.double_tap_ms),
	};

	if (!rules.zone)
		rules.zone = c->zone;
	if (own && own->direction >= 0)
		rules.direction = (enum direction_rule)own->direction;
	if (family && family->double_tap_s >= 0)
		rules.double_tap_s = family->double_tap_s;
	if (own && own->double_tap_ms >= 0)
		rules.double_tap_s = seconds(own->double_tap_ms);
	return rules;
}

struct taps_site context_taps_site(const struct context *c)
{
	return (struct taps_site){.zone = c->zone,
		.day_start_s = (int32_t)c->config.site.day_start_s,
		.max_shift_s = c->max_shift_s};
}

int64_t context_reach_s(const struct context *c)
{
	const struct taps_site site = context_taps_site(c);

	return taps_reach_s(&site, c->window_max_s);
}

/* A zone that cannot be read any more, though it was when the settings were checked, is the site's. */
static int take_zone(struct context *c, const char *name)
{
	struct zone *zone;

	if (!name[0] || strmap_get(&c->zones, name) || zone_load(name, &zone) < 0)
		return 0;
	if (strmap_put(&c->zones, name, zone, NULL) == 0)
		return 0;
	zone_free(zone);
	return -ENOMEM;
}

static void take_verdict(struct context *c)
{
	const struct config *config = &c->config;

	c->verdict = (struct verdict_settings){
		.max_age_s = config->punches.max_age_ms / 1000,
		.max_future_s = config->punches.max_future_ms / 1000,
		.accept_from_s = config->punches.accept_from_s,
		.unknown_user = (enum verdict_answer)config->punches.unknown_user,
		.unknown_device = (enum verdict_answer)config->punches.unknown_device,
		.inactive_device = (enum verdict_answer)config->punches.inactive_device,
	};
}

int context_take_settings(struct context *c)
{
	const struct config_terminal *one;
	int64_t window_ms = c->config.punches.double_tap_ms;
	size_t pos = 0;
	int r = 0;

	log_set_level((enum log_level)c->config.log.level);
	take_verdict(c);
	while ((one = config_terminals_next(&c->config.terminals, &pos, NULL)) && r == 0) {
		r = take_zone(c, one->time_zone);
		if (one->double_tap_ms > window_ms)
			window_ms = one->double_tap_ms;
	}
	c->window_max_s = seconds(window_ms);
	for (size_t i = 0; i < c->profiles.count; i++) {
		if (c->profiles.list[i]->double_tap_s > c->window_max_s)
			c->window_max_s = c->profiles.list[i]->double_tap_s;
	}
	c->max_shift_s = c->config.site.max_shift_ms / 1000;
	return r;
}

void context_done(struct context *c)
{
	struct zone *zone;
	size_t pos = 0;

	while ((zone = strmap_next(&c->zones, &pos, NULL)))
		zone_free(zone);
	strmap_done(&c->zones);
	families_done(&c->families);
}

const char *context_terminal_of(const struct context *c, const char *serial, size_t *pos)
{
	const struct config_terminal *one;
	const char *name;

	/* The first call is for the serial itself; the map's places are one further. */
	if (*pos == 0) {
		*pos = 1;
		one = config_terminals_find(&c->config.terminals, serial);
		if (!one || !one->serial[0] || strcmp(one->serial, serial) == 0)
			return serial;
	}
	(*pos)--;
	while ((one = config_terminals_next(&c->config.terminals, pos, &name))) {
		if (strcmp(one->serial, serial) == 0 && strcmp(name, serial) != 0)
			break;
	}
	(*pos)++;
	return one ? name : NULL;
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
	families_forget(&c->families);
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
