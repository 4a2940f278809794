/*
 * What systemd is told of a service (sd_notify(3)). Without systemd, or where a call fails, nothing
 * happens: a daemon that was started by hand needs none of it.
 */
#ifndef PUNCHD_EDGE_NOTIFY_H
#define PUNCHD_EDGE_NOTIFY_H

#include <stdint.h>

/* How often it wants to hear that we go on, in microseconds; 0: it does not. */
int64_t notify_watchdog_us(void);

/* We can be asked now. */
void notify_ready(void);
/* We go on: anew so many microseconds. */
void notify_alive(void);
/* How we are, in one line for a person. */
void notify_status(const char *text);
/* We are about to end. */
void notify_stopping(void);

#endif
