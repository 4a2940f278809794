#include "edge/notify.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

int64_t notify_watchdog_us(void)
{
	uint64_t period_us = 0;

	return sd_watchdog_enabled(0, &period_us) > 0 && period_us <= INT64_MAX ? (int64_t)period_us
										: 0;
}

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void notify_status(const char *text)
{
	sd_notifyf(0, "STATUS=%s", text);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}
