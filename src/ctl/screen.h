/*
 * A terminal in the hands of the live view: its second screen, drawn over and over in place, keys
 * one by one, and signals as events. Whatever ends the view, the terminal is as it was before.
 */
#ifndef PUNCHD_CTL_SCREEN_H
#define PUNCHD_CTL_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/buf.h"

struct screen {
	int signals;         /* a descriptor that tells of them */
	sigset_t mask;       /* as it was */
	struct termios mode; /* as it was */
	bool keys;           /* standard input is a terminal: keys are read */
	bool ended;          /* q, Ctrl-C, SIGTERM, or the terminal is gone */
};

enum screen_event {
	SCREEN_TIME, /* the wait is over */
	SCREEN_SIZE, /* what is shown is no longer right: draw anew */
	SCREEN_END,
};

/* Take standard output, and the signals that would end or stop the process. Returns 0 or a negative
 * errno. */
int screen_open(struct screen *s);
void screen_close(struct screen *s);

/* Its size; 80 by 24 where it does not tell. */
void screen_size(size_t *ret_columns, size_t *ret_rows);

/* Show a text of lines, the first ones where there are more than rows. One write, so that nothing
 * flickers. Returns 0 or a negative errno. */
int screen_draw(const struct buf *text, size_t rows);

/* Wait for something to happen, until a moment of the monotonic clock; 0 only looks. Ctrl-Z is
 * obeyed within. */
enum screen_event screen_wait(struct screen *s, int64_t until_us);

#endif
