/*
 * The table of settings and their values as text; what a key is called, means, defaults to and may
 * hold is all in here. Private to the files core/config*.c, which make of it the reader, what is
 * printed, the shipped file and the list of keys in punchd.conf(5).
 */
#ifndef PUNCHD_CORE_CONFIG_KEYS_H
#define PUNCHD_CORE_CONFIG_KEYS_H

#include "core/config.h"

#define CONFIG_LINE_MAX 190 /* bytes: Debian's libinih splits a line of over 200 in two */
#define CONFIG_WEEK_MS  (7 * 86400000LL)

enum config_type {
	/* numbers */
	CONFIG_INT,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_CLOCK, /* hh:mm */
	CONFIG_TIME,  /* RFC 3339, or empty */
	/* numbers that have a word */
	CONFIG_PLAN, /* auto, a plan's name, or requests a minute */
	CONFIG_BOOL,
	CONFIG_LEVEL,
	CONFIG_ANSWER,    /* enum verdict_answer, up to max */
	CONFIG_DIRECTION, /* enum direction_rule */
	CONFIG_DOUBT,     /* enum doubt_rule */
	CONFIG_WEEK,      /* core/calendar.h, and the list of holidays */
	/* texts, which the config owns; from here on (config_key_is_text) */
	CONFIG_TEXT,
	CONFIG_NAME, /* a level of a topic */
	CONFIG_HOST,
	CONFIG_URL,      /* https only */
	CONFIG_ABSOLUTE, /* an absolute path */
	CONFIG_FILE,     /* the same, or empty */
	CONFIG_SECRET, /* the same, of a file with a secret: somebody may have put the secret here */
	CONFIG_PREFIX, /* what may stand before an MQTT topic */
	CONFIG_PROXY,  /* config_road.h; it may hold a password */
	CONFIG_PINS,   /* the same; hashes of keys */
	CONFIG_LISTEN, /* ADDRESS:PORT, or empty */
	CONFIG_HEADER, /* the name of an HTTP header */
	CONFIG_HOLIDAYS,
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	size_t offset; /* in the struct of the values, of a char * or an int64_t */
	const char *fallback;
	int64_t min, max; /* of numbers, in the struct's unit */
	bool live;        /* takes effect on SIGHUP */
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_count;
extern const struct config_key config_terminal_keys[CONFIG_TERMINAL_KEYS];

/* NULL where there is none. */
const struct config_key *config_key_find(const char *section, const char *name);
bool config_section_exists(const char *section);

/* Whether the value is a text, which the config owns. */
bool config_key_is_text(const struct config_key *k);
/* values: a struct config, or the struct of a section of its own. Here and below. */
char **config_key_text(const void *values, const struct config_key *k);

/* UTF-8 without control characters: texts go into topics, JSON and log lines. */
bool config_text_is_clean(const char *text);

/* Set from text. Returns 0, -ENOMEM, -EINVAL (no such value) or -ERANGE, with the value unchanged. */
int config_key_set(void *values, const struct config_key *k, const char *value);

/* Whether config_key_set would take it. */
bool config_key_takes(const struct config_key *k, const char *value);

/* Append the value as text that config_key_set takes; a password in it is blanked. */
void config_key_print(const void *values, const struct config_key *k, struct buf *out);

/* Append what a value of this key is, with its range: `a duration from 100ms to 36500d`. */
void config_key_describe(const struct config_key *k, struct buf *out);

/* What such a value looks like, for who wrote a wrong one; NULL: the description says it. */
const char *config_key_example(const struct config_key *k);

/* The words that may stand for a value; NULL, and none, for most keys. */
const char *const *config_key_words(const struct config_key *k, size_t *ret_count);

/* Exchange the values of two configs. */
void config_key_swap(struct config *a, struct config *b, const struct config_key *k);

bool config_key_same(const struct config *a, const struct config *b, const struct config_key *k);

#endif
