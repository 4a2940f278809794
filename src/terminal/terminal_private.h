/*
 * A terminal's inside, for its three files: terminal.c (its life, its clock, its connection),
 * terminal_send.c and terminal_receive.c. Nobody else includes this.
 */
#ifndef PUNCHD_TERMINAL_PRIVATE_H
#define PUNCHD_TERMINAL_PRIVATE_H

#include "base/backoff.h"
#include "base/clock.h"
#include "terminal/link.h"
#include "terminal/names.h"
#include "terminal/shelf.h"
#include "terminal/terminal.h"

#define TERMINAL_NEVER INT64_MAX

struct terminal {
	struct terminal_env *env;
	int64_t number;
	struct names names;
	struct link *link;
	struct event *alarm;
	struct shelf shelf;
	int64_t made; /* in its life; its ids are these numbers */

	int64_t clock_off_ms; /* what its clock shows minus the true time */
	int64_t next_punch_us;
	int64_t next_connect_us;
	int64_t next_resend_us;
	struct backoff retry;
	int64_t stated_pending; /* as the last status said */
	int64_t stated_us;
	bool connecting, connected_before;
	bool dirty; /* waits for terminal_flush */
	bool hurry; /* send what waits, a whole batch or not */
	bool done, full_told;
};

/* The count is reached: there will be no more punches. */
bool terminal_all_made(const struct terminal *t);

/* What its clock shows, milliseconds since 1970. */
int64_t terminal_clock_ms(const struct terminal *t);

/* Something was put into the keep or the journal: a flush must come. */
void terminal_mark_dirty(struct terminal *t);

/* Send what waits, as far as the window and whole batches allow. */
void terminal_send_waiting(struct terminal *t);

/* Send again what has waited too long for its ack. */
void terminal_resend_due(struct terminal *t, int64_t now_us);

/* A message came for it, or the broker has one of its own. */
void terminal_take_message(
	struct terminal *t, const char *topic, const void *payload, size_t length);
void terminal_take_puback(struct terminal *t, int mid);

#endif
