/*
 * Sections of one terminal, `[terminal "NAME"]` (punchd.conf(5)): what holds there instead of what
 * holds everywhere. NAME is what the terminal calls itself. What a section does not say is unset.
 */
#ifndef PUNCHD_CORE_CONFIG_TERMINALS_H
#define PUNCHD_CORE_CONFIG_TERMINALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"

#define CONFIG_TERMINALS_MAX 10000
#define CONFIG_TERMINAL_KEYS 4

struct config_key;

/* Where a value was read, for faults that show only later. */
struct config_origin {
	char *file;   /* owned; NULL: the default stands, or nobody will ask */
	int line;     /* 0: the default stands */
	int reading;  /* which file in turn it was, from 1 */
	bool refused; /* what stands there was at fault: the value is an earlier one */
};

/* Texts are owned by it and never NULL. */
struct config_terminal {
	char *serial;          /* its serial_number in the cloud; "" unset: its name */
	char *time_zone;       /* "" unset */
	int64_t direction;     /* enum direction_rule; -1 unset */
	int64_t double_tap_ms; /* -1 unset */
	struct config_origin origins[CONFIG_TERMINAL_KEYS]; /* the file only of time_zone */
};

struct config_terminals {
	struct strmap by_name; /* → struct config_terminal */
};

void config_terminals_init(struct config_terminals *t);
void config_terminals_done(struct config_terminals *t);

/* NULL where there is no section of this terminal. */
const struct config_terminal *config_terminals_find(
	const struct config_terminals *t, const char *name);

/* The section of a terminal, made where there is none. Returns 0, -EDQUOT (there are as many as may
 * be) or -ENOMEM. */
int config_terminals_make(
	struct config_terminals *t, const char *name, struct config_terminal **ret);

/* One after the other, in no order; *pos begins at 0. NULL at the end. */
const struct config_terminal *config_terminals_next(
	const struct config_terminals *t, size_t *pos, const char **ret_name);

/* A key of such a section, for config_key_set with the section as its values; NULL: none. */
const struct config_key *config_terminal_key(const char *name);

/* Where a key of it was read. */
const struct config_origin *config_terminal_origin(
	const struct config_terminal *one, const char *name);

/* Append the sections, by name. print: appends one setting. */
void config_terminals_print(const struct config_terminals *t, struct buf *out,
	void (*print)(const char *name, const char *value, struct buf *out));

/* Append the shipped example of a section, commented out. */
void config_terminals_example(struct buf *out);

#endif
