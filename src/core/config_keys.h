/*
 * The table of settings and their values as text. Private to core/config.c, which reads and prints
 * files; what a key is called, means, defaults to and may hold is all in here.
 */
#ifndef PUNCHD_CORE_CONFIG_KEYS_H
#define PUNCHD_CORE_CONFIG_KEYS_H

#include "core/config.h"

#define CONFIG_LINE_MAX 190 /* bytes: Debian's libinih splits a line of over 200 in two */
#define CONFIG_WEEK_MS  (7 * 86400000LL)

enum config_type {
	CONFIG_TEXT,
	CONFIG_URL,  /* https only */
	CONFIG_PLAN, /* auto, a plan's name, or requests a minute */
	CONFIG_INT,
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_BOOL,
	CONFIG_CLOCK, /* hh:mm */
	CONFIG_TIME,  /* RFC 3339, or empty */
	CONFIG_LEVEL,
	CONFIG_ANSWER,    /* enum verdict_answer, up to max */
	CONFIG_DIRECTION, /* enum direction_rule */
	CONFIG_DOUBT,     /* enum doubt_rule */
	CONFIG_ABSOLUTE,  /* an absolute path */
	CONFIG_PREFIX,    /* what may stand before an MQTT topic */
	CONFIG_PROXY,     /* config_road.h; it may hold a password */
	CONFIG_PINS,      /* the same; hashes of keys */
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

/* NULL where there is none. */
const struct config_key *config_key_find(const char *section, const char *name);
bool config_section_exists(const char *section);

/* Whether the value is a text, which the config owns. */
bool config_key_is_text(const struct config_key *k);
/* values: a struct config, or the struct of a section of its own. Here and below. */
char **config_key_text(const void *values, const struct config_key *k);

/* Set from text. Returns 0, -ENOMEM, -EPROTO (a URL of another scheme), -EINVAL (no such value) or
 * -ERANGE, with the value unchanged. */
int config_key_set(void *values, const struct config_key *k, const char *value);

/* Append the value as text that config_key_set takes; a password in it is blanked. */
void config_key_print(const void *values, const struct config_key *k, struct buf *out);

/* Append what a value of this key looks like, for the message that says that one does not. */
void config_key_describe(const struct config_key *k, struct buf *out);

/* Exchange the values of two configs. */
void config_key_swap(struct config *a, struct config *b, const struct config_key *k);

bool config_key_same(const struct config *a, const struct config *b, const struct config_key *k);

#endif
