/*
 * punchctl's vocabulary: a table of its options and a table of its commands.
 *
 * The parser, --help, the man page's command list and the bash completion all come from these two
 * (ctl/pages.h), so a command is added by adding a row.
 */
#ifndef PUNCHD_CTL_VOCABULARY_H
#define PUNCHD_CTL_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

struct ctl;

enum option {
	OPTION_NONE = 0, /* ends a list */
	/* taken by every command */
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_UTC,
	OPTION_TIMEOUT,
	OPTION_HELP,
	OPTION_VERSION,
	/* a command's own */
	OPTION_STATE,
	OPTION_REASON,
	OPTION_USER,
	OPTION_DEVICE,
	OPTION_FROM,
	OPTION_TO,
	OPTION_LIMIT,
	OPTION_WAIT,
	OPTION_INTERVAL,
	OPTION_COUNT,
	OPTION_BROKER_CONF,
	OPTION_ZONE,
	OPTION_NOTE,
	OPTION_DRY_RUN,
	OPTION_ALLOW_UNKNOWN,
	OPTION_TYPE,
	OPTION_TIME,
	OPTION_RECEIVED,
	OPTION_NAME,
	OPTION_EMAIL,
	OPTION_PHONE,
	OPTION_DEPARTMENT,
	OPTION_LINK,
	OPTION_ALL,
	OPTION_FORCE,
	OPTION_FORMAT,
	OPTION_LOCAL,
	OPTION_COMPARE,
	OPTION_OUTPUT,
	OPTIONS_
};
#define OPTION_FIRST_OWN OPTION_STATE

enum option_kind {
	KIND_FLAG,
	KIND_TEXT,     /* 1 to 512 bytes of UTF-8 */
	KIND_WORD,     /* one of words */
	KIND_HINT,     /* the same, but others may come: only completion looks */
	KIND_PATH,     /* of a file */
	KIND_NUMBER,   /* min to max */
	KIND_DURATION, /* in ms, min to max */
	KIND_FROM,     /* a time: times_read */
	KIND_TO,
};

struct option_row {
	const char *name;
	const char *argument; /* NULL: a flag */
	enum option_kind kind;
	const char *about;
	const char *words; /* separated by blanks */
	int64_t min, max;
};

#define COMMAND_ARGUMENTS_MAX 64

struct command {
	const char *name;
	/* What it needs: words with a blank between, in brackets those that may be missing, the last
	 * one with … where there may be several; NULL: it takes none. */
	const char *argument;
	const enum option *options;  /* its own; ends with OPTION_NONE */
	const char *about;           /* a line */
	const char *text;            /* whole sentences, for its help and the man page */
	int (*run)(struct ctl *ctl); /* returns an enum ctl_exit */
};

/* By enum option; the row of OPTION_NONE is empty. */
extern const struct option_row ctl_options[OPTIONS_];

/* Ends with a row without a name. */
extern const struct command ctl_commands[];

/* The n-th word of what a command needs, not ended by NUL; NULL behind the last. */
const char *command_argument(const struct command *command, int n, int *ret_length);

/* Whether the last of these may come several times. */
bool command_repeats(const struct command *command);

/* By name, or NULL. */
const struct command *command_find(const char *name);

/* The option of that name (not ended by NUL) that the command takes, OPTION_NONE where there is
 * none. command NULL: of those that every command takes. */
enum option option_find(const struct command *command, const char *name, int length);

#endif
